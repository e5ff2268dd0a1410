import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import type { CDPSession, Page } from "playwright-core";
import { businessId, ConsoleDesk } from "../support/console-desk.js";
import { desktop, expectClean, phone, untilSeen } from "../support/console-page.js";

let desk: ConsoleDesk;

beforeAll(async () => {
  desk = await ConsoleDesk.build();
});

afterAll(() => desk?.browser.stop());

afterEach(() => desk.end());

const crowd = 1000;

test.each([
  ["desktop", desktop],
  ["phone", phone],
] as const)(
  "[console] [H27] on a %s a thousand live sessions are one request, few elements, and little work for each message",
  async (name, size) => {
    await desk.start({ MAX_BACKLOG_PER_BUSINESS: String(crowd) }, { isEcho: true });
    const users = Array.from({ length: crowd }, (_, index) => `user-${index}`);
    for (let from = 0; from < crowd; from += 100) await Promise.all(users.slice(from, from + 100).map(say));
    const asked: string[] = [];
    const opened = await desk.open(size, (page) =>
      Promise.resolve(page.on("request", (request) => asked.push(new URL(request.url()).pathname))),
    );
    const { page } = opened;
    await page.locator(`.row[aria-setsize="${crowd}"] .row-text`, { hasText: "I am user-" }).first().waitFor();
    await page.locator(".brand", { hasText: "Zâmbet" }).waitFor({ state: "attached" });
    // The first of the two lists asks whether one is let in.
    const list = `/api/sessions/business/${businessId}/active`;
    expect(asked.filter((path) => path.startsWith("/api/"))).toEqual([list, `/api/businesses/${businessId}`, list]);
    await desk.browser.look(opened, `thousand-${name}`);

    const box = page.getByRole("listbox");
    for (const part of [0.25, 0.5, 0.75, 1]) {
      await box.evaluate((list, part) => (list.scrollTop = part * (list.scrollHeight - list.clientHeight)), part);
      const place = Math.round(part * crowd) || 1;
      await untilSeen("its rows are there", async () => (await nearest(page, place)) < 20);
      expect(await page.locator(".row").count()).toBeLessThan(40);
    }
    expect(await page.evaluate<number>("document.querySelectorAll('*').length")).toBeLessThan(700);
    await box.evaluate((list) => (list.scrollTop = 0));
    await page.locator('.row[aria-posinset="1"]').waitFor();

    const devtools = await page.context().newCDPSession(page);
    const calls = await countCalls(devtools);
    await say("user-500");
    await page.locator('.row[aria-posinset="1"]', { hasText: "user-500" }).waitFor();
    // Every row is looked at a few times, to be counted and put in order; nothing looks at all of them for each of them.
    expect(await calls()).toBeLessThan(200 * crowd);
    expectClean(opened);
  },
);

async function say(userId: string): Promise<void> {
  const body = { businessId, locationId: "default", userId, message: `I am ${userId}` };
  const headers = { "content-type": "application/json", "x-user-id": userId, "x-role": "user" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  expect((await fetch(`${desk.app.url}/api/messages`, init)).status).toBe(202);
}

/** How far the nearest row that is drawn is from a place of the list. */
async function nearest(page: Page, place: number): Promise<number> {
  const places = await page.locator(".row").evaluateAll((rows) => rows.map((each) => Number(each.ariaPosInSet)));
  return Math.min(...places.map((each) => Math.abs(each - place)));
}

/** Counts the calls of functions of the page from now on: work, whatever the machine. */
async function countCalls(devtools: CDPSession): Promise<() => Promise<number>> {
  await devtools.send("Profiler.enable");
  await devtools.send("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  await devtools.send("Profiler.takePreciseCoverage");
  return async () => {
    const { result } = await devtools.send("Profiler.takePreciseCoverage");
    const functions = result.filter(({ url }) => url.endsWith("/console.js")).flatMap(({ functions }) => functions);
    return functions.reduce((sum, { ranges }) => sum + ranges[0]!.count, 0);
  };
}
