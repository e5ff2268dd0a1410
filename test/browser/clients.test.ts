import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { startBrowser, type TestBrowser } from "../support/browser.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp } from "../support/start-app.js";

const root = join(import.meta.dirname, "..", "..");
let browser: TestBrowser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser?.stop());

async function bundled(entry: string): Promise<string> {
  const alias = { "bennu/client": join(root, "client", "client.ts") };
  const shared = { bundle: true, write: false, format: "iife", alias, logLevel: "warning" } as const;
  const { outputFiles } = await build({ stdin: { contents: entry, resolveDir: root, loader: "ts" }, ...shared });
  return outputFiles[0]!.text;
}

test("the hook of the guide is the one that is tested", async () => {
  const hook = await readFile(join(root, "test", "examples", "use-chat.ts"), "utf8");
  const guide = await readFile(join(root, "docs", "client.md"), "utf8");
  expect(guide).toContain(hook.slice(hook.indexOf("const nothing")).trimEnd());
});

test("the hook of the guide shows a chat, and another user's when it is for another user", async () => {
  const publicDir = await mkdtemp(join(tmpdir(), "bennu-hook-"));
  await writeFile(join(publicDir, "index.html"), '<!doctype html><script src="/app.js" defer></script><body></body>');
  await writeFile(join(publicDir, "app.js"), await bundled('import "./test/examples/use-chat-page.ts";'));
  const agent = new ScriptedAgent();
  const app = await startTestApp({}, { publicDir, agents: { echo: agent } });
  try {
    const { page, pageErrors } = await browser.openPage();
    await page.goto(app.url);
    await page.locator("main[data-state=online]").waitFor();
    await page.getByRole("button", { name: "Say hello" }).click();
    const call = await agent.call("hello");
    call.say({ type: "delta", text: "Good " });
    await page.locator("li", { hasText: "Good …" }).waitFor();
    call.answer("Good morning");
    await page.locator("li", { hasText: "Good morning" }).waitFor();
    expect(await page.locator("li").allTextContents()).toEqual(["hello", "Good morning"]);
    await page.evaluate("show('bob')");
    await page.locator("li").first().waitFor({ state: "detached" });
    await page.locator("main[data-state=online]").waitFor();
    expect(pageErrors).toEqual([]);
  } finally {
    await app.dispose();
    await rm(publicDir, { recursive: true, force: true });
  }
});

test("[U-01] AISessionClient shows messages as the pages of old did, as text", async () => {
  const { page, pageErrors } = await browser.openPage();
  // Over plain HTTP from another machine, where browsers leave out what is for secure pages.
  const body = '<!doctype html><div id="chat-container">before</div>';
  await page.route("http://shop.test/", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto("http://shop.test/");
  await page.addScriptTag({
    content: await bundled(`
      import { AISessionClient } from "bennu/client";
      const client = new AISessionClient("B1", "ana", { url: "ws://127.0.0.1:1/socket" });
      const message = { timestamp: "2026-01-01T10:00:00.000Z", content: "<img src=x onerror=alert(1)>" };
      client.messageHistory = [{ ...message, type: "user" }, { ...message, type: "agent" }];
      client.displayMessageHistory();
    `),
  });
  expect(pageErrors).toEqual([]);
  const container = page.locator("#chat-container");
  expect(await container.locator("img").count()).toBe(0);
  expect(await container.locator(".message-content").allTextContents()).toEqual(
    Array(2).fill("<img src=x onerror=alert(1)>"),
  );
  expect(await container.locator(".user-message .sender, .agent-message .sender").allTextContents()).toEqual([
    "Tu",
    "AI Agent",
  ]);
  expect(await container.textContent()).not.toContain("before");
});
