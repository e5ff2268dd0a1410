import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { AgentComponent } from "../../server/messaging/agent.js";
import { violations, withAxe } from "../support/axe.js";
import { until } from "../support/until.js";
import { artifacts, desktop, online, PageDesk, phone, say } from "../support/page-desk.js";

let desk: PageDesk;

beforeAll(async () => {
  desk = await PageDesk.build();
  await mkdir(artifacts, { recursive: true });
});

afterAll(() => desk?.stop());

beforeEach(() => desk.start());

afterEach(() => desk.app.dispose());

const visit: AgentComponent = {
  ...{ type: "component", kind: "form", title: "Your visit" },
  fields: [
    { name: "day", label: "Day", type: "date", required: true },
    { name: "kind", label: "Kind", type: "choice", required: true, options: ["First visit", "Check-up"] },
  ],
};
const answer =
  "**Monday** or *Tuesday*, see [our hours](https://example.com):\n\n- `8` to 12\n- 14 to 18\n\n| day | from |\n|---|---|\n| Mo | 8 |";

test.each([
  ["desktop", "light", desktop],
  ["desktop", "dark", desktop],
  ["phone", "light", phone],
  ["phone", "dark", phone],
] as const)("[page] on a %s, %s, no state of the page keeps anybody out", async (size, colorScheme, options) => {
  const { page } = await desk.open({ ...options, colorScheme }, withAxe);
  const found: string[] = [];
  const look = async (state: string) => {
    await page.screenshot({ path: join(artifacts, `state-${size}-${colorScheme}-${state}.png`) });
    found.push(...(await violations(page)).map((violation) => `${state}: ${violation}`));
  };
  await look("empty");
  const call = await desk.ask(page, "When are you open?");
  call.say({ type: "thinking", step: "retrieval", label: "Looking it up", status: "started" });
  await page.locator(".step.started", { hasText: "Looking it up" }).waitFor();
  call.say({ type: "delta", text: "**Monday** or" });
  await page.locator(".running strong").waitFor();
  await look("growing");
  call.answer(answer);
  await page.locator("#log .agent td").first().waitFor();
  await look("answered");
  const asked = await desk.ask(page, "book me in");
  asked.say(visit);
  asked.answer("Gladly.");
  await page.locator(".send-form").click();
  await page.locator(".hint", { hasText: /\S/ }).first().waitFor();
  await look("form");
  const chosen = await desk.ask(page, "later");
  chosen.say({ type: "component", kind: "choices", title: "When?", choices: [{ value: "am", label: "Morning" }] });
  chosen.answer("Almost done.");
  await page.locator(".component .action").waitFor();
  await look("choices");
  await say(page, "x".repeat(9000));
  await page.locator("#error").waitFor();
  await look("refused");
  await desk.app.stop();
  await page.locator("#status[data-state=offline]").waitFor();
  await say(page, "still there?");
  await page.locator(".bubble.sending").waitFor();
  await look("offline");
  expect(found).toEqual([]);
  expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
});

test.each([
  ["desktop", desktop],
  ["phone", phone],
])(
  "[U-03] on a %s a server that is away for a minute is asked at most twenty times, and nothing is lost or said twice",
  async (_size, options) => {
    const asked: string[] = [];
    const open = new Set<unknown>();
    const begun = (what: object, url: string) => void (asked.push(url), open.add(what));
    const { page } = await desk.open(options, async (page) => {
      await page.clock.install();
      page.on("websocket", (socket) => {
        begun(socket, socket.url());
        socket.on("close", () => open.delete(socket));
      });
      page.on("request", (request) => begun(request, request.url()));
      page.on("requestfinished", (request) => open.delete(request));
      page.on("requestfailed", (request) => open.delete(request));
    });
    (await desk.ask(page, "hello")).answer("Good morning");
    await page.locator("#log .agent").waitFor();
    const { dataDir, port } = desk.app;
    await desk.app.stop();
    await page.locator("#status[data-state=offline]").waitFor();
    await say(page, "still there?");
    await say(page, "hello?");
    const before = asked.length;
    for (let second = 0; second < 60; second += 1) {
      await page.clock.runFor(1000);
      // A try that has failed is what the next one waits for.
      await until("it has failed", () => open.size === 0);
    }
    const tries = asked.length - before;
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThanOrEqual(20);
    await desk.start({ DATA_DIR: dataDir, PORT: String(port) });
    await page.clock.runFor(60_000);
    await online(page);
    (await desk.agent.call("still there?")).answer("Yes");
    (await desk.agent.call("hello?")).answer("I am here");
    await page.locator("#log .agent", { hasText: "I am here" }).waitFor();
    expect(await page.locator("#log .user .content").allTextContents()).toEqual(["hello", "still there?", "hello?"]);
    expect(await page.locator("#log .bubble").count()).toBe(6);
    expect(desk.agent.asked).toEqual(["still there?", "hello?"]);
  },
);
