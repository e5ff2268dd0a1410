import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { startBrowser, type TestBrowser } from "../support/browser.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const seed = join(import.meta.dirname, "seed");
const phoenix = join(import.meta.dirname, "..", "..", "node_modules", "phoenix160", "priv", "static", "phoenix.js");
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let app: TestApp;
let browser: TestBrowser;

beforeAll(async () => {
  browser = await startBrowser();
  app = await startTestApp({ AGENT: "assistant" });
});

afterAll(async () => {
  await browser?.stop();
  await app?.dispose();
});

test("[W1] the seed's own client and page hold the seed's conversation, untouched", async () => {
  const { page, pageErrors, consoleErrors } = await browser.openPage();
  await serveSeed(page);
  const connected = page.waitForEvent("console", (message) =>
    message.text().startsWith("Conectat la canalul de mesaje:"),
  );
  await page.goto(`${app.url}/seed/chat.html`);
  await connected;

  await page.fill("#message-input", "Vreau să fac o programare");
  await page.press("#message-input", "Enter");
  await page.waitForSelector(".agent-message");

  const bubbles = await page.locator("#chat-container .message .message-content").allTextContents();
  expect(bubbles).toEqual([
    "Vreau să fac o programare",
    "Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?",
  ]);
  expect(await page.evaluate("chatClient.currentSessionId")).toMatch(uuid);
  expect(await page.evaluate("chatClient.messageHistory.length")).toBe(2);
  expect({ pageErrors, consoleErrors }).toEqual({ pageErrors: [], consoleErrors: [] });
});

// The client says `new Socket("/socket")`, so its page has to come from the server's own origin. Its one script brings
// phoenix 1.6.0 and the client class, which the page takes to be there already.
async function serveSeed(page: Page): Promise<void> {
  const [html, ...scripts] = await Promise.all(
    [join(seed, "chat.html"), phoenix, join(seed, "ai-session-client.js")].map((file) => readFile(file, "utf8")),
  );
  await page.route("**/seed/chat.html", (route) =>
    route.fulfill({ contentType: "text/html; charset=utf-8", body: html! }),
  );
  await page.route("**/seed/phoenix.js", (route) => {
    return route.fulfill({ contentType: "text/javascript; charset=utf-8", body: scripts.join("\n") });
  });
}
