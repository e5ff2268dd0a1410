import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { mkdir } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { startBrowser, type TestBrowser } from "../support/browser.js";
import { artifacts, desktop, online, phone, say } from "../support/page-desk.js";
import { freePort } from "../support/free-port.js";
import { TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";

interface Asked {
  readonly message: string;
  readonly idempotencyKey: unknown;
  readonly response: ServerResponse;
}

let browser: TestBrowser;
let server: TestServer;
/** An agent over HTTP that begins each answer, and ends it when the test does. */
let agent: Server;
let asked: Asked[];

beforeAll(async () => {
  await mkdir(artifacts, { recursive: true });
  browser = await startBrowser();
});

afterAll(() => browser?.stop());

beforeEach(async () => {
  asked = [];
  agent = createServer((request, response) => void begin(request, response)).listen(0, "127.0.0.1");
  await once(agent, "listening");
  const port = await freePort();
  const AGENT_URL = `http://127.0.0.1:${(agent.address() as AddressInfo).port}/`;
  server = await TestServer.create({ AGENT: "http", AGENT_URL, PORT: String(port), AGENT_TIMEOUT_MS: "600000" });
  await server.start();
});

afterEach(async () => {
  await server.dispose();
  agent.closeAllConnections();
  agent.close();
});

test.each([
  ["desktop", desktop],
  ["phone", phone],
])(
  "[U-03] [M6] [M20] on a %s, with the server killed in the middle of an answer and started again: said once, answered once",
  async (size, options) => {
    const { page, pageErrors } = await browser.openPage(options);
    await page.goto(server.url);
    await online(page);
    await say(page, "hello");
    const first = await call("hello", 1);
    await page.locator(".running .content", { hasText: "Good" }).waitFor();
    await server.kill();
    await page.locator("#status[data-state=offline]").waitFor();
    // What was there of the answer stays in sight, and what is written now waits.
    expect(await page.locator(".running .content").textContent()).toContain("Good");
    await say(page, "still there?");
    await page.locator(".bubble.sending", { hasText: "still there?" }).waitFor();
    await page.screenshot({ path: join(artifacts, `killed-${size}.png`) });
    await server.start();
    const again = await call("hello", 2);
    expect(again.idempotencyKey).toBe(first.idempotencyKey);
    await online(page);
    await page.locator("#log .user.stored", { hasText: "still there?" }).waitFor();
    await page.locator(".running .content", { hasText: "Good" }).waitFor();
    end(again, "Good morning");
    end(await call("still there?", 1), "I am");
    await page.locator("#log .agent", { hasText: "I am" }).waitFor();
    await page.locator(".running").waitFor({ state: "detached" });
    const said = ["hello", "still there?", "Good morning", "I am"];
    const shown = async () => (await page.locator("#log .content").allTextContents()).toSorted();
    expect(await shown()).toEqual(said.toSorted());
    await page.reload();
    await page.locator("#log .bubble").nth(3).waitFor();
    expect(await shown()).toEqual(said.toSorted());
    await page.screenshot({ path: join(artifacts, `killed-${size}-back.png`) });
    expect(pageErrors).toEqual([]);
  },
  300_000,
);

async function begin(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { message } = JSON.parse(await text(request)) as { message: string };
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(`event: delta\ndata: ${JSON.stringify({ text: "Good " })}\n\n`);
  asked.push({ message, idempotencyKey: request.headers["idempotency-key"], response });
}

function end({ response }: Asked, message: string): void {
  response.end(`event: answer\ndata: ${JSON.stringify({ message })}\n\n`);
}

/** The call for a message that is its first, second …, now or later. */
function call(message: string, number: number): Promise<Asked> {
  return until(`call ${number} for ${message}`, () => asked.filter((each) => each.message === message)[number - 1]);
}
