import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { labelsFor } from "../../client/page/labels.js";
import { violations, withAxe } from "../support/axe.js";
import { ClientSeats } from "../support/client-seats.js";
import { artifacts, desktop, holdQuietTimers, online, PageDesk, phone } from "../support/page-desk.js";

let desk: PageDesk;
let seats: ClientSeats;

beforeAll(async () => {
  desk = await PageDesk.build();
  await mkdir(artifacts, { recursive: true });
});

afterAll(() => desk?.stop());

beforeEach(() => {
  seats = new ClientSeats("B0100001", () => desk.app.url);
});

afterEach(async () => {
  await seats.leaveAll();
  await desk.app.dispose();
});

const markup = "<img src=x onerror=document.title='hurt'>";

const sizes = [
  ["desktop", desktop],
  ["phone", phone],
] as const;

async function look(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(artifacts, `state-${name}.png`) });
  expect(await violations(page)).toEqual([]);
}

test.each(sizes)(
  "[page] [M39] [M61] on a %s a human who has taken over, and the sleep after, keep nobody out",
  async (size, options) => {
    await desk.start();
    const labels = labelsFor(options.locale!);
    const { page } = await desk.open(options, async (page) => {
      await withAxe(page);
      await page.addInitScript(holdQuietTimers);
    });
    const call = await desk.ask(page, "hello");
    call.answer("Good morning");
    await page.locator("#log .agent").waitFor();
    const console = await seats.consoleOnline();
    await console.takeOver(call.turn.sessionId);
    await page.getByRole("status").getByText(labels.team).waitFor();
    console.typing(call.turn.sessionId, true);
    await page.locator("#waiting.shown", { hasText: labels.teamWrites }).waitFor();
    await look(page, `${size}-team`);
    await console.reply(call.turn.sessionId, "Maria here");
    await page.locator("#log .coordinator").waitFor();
    await page.locator("#waiting:not(.shown)").waitFor();
    await page.evaluate("[...quietTimers.values()][0]()");
    await page.getByRole("status").getByText(labels.asleep).waitFor();
    await look(page, `${size}-asleep`);
  },
);

test.each(sizes)(
  "[L19] on a %s a window that another one took the place of says so, and takes it back",
  async (size, options) => {
    await desk.start({ MAX_SOCKETS_PER_USER: "1" });
    const labels = labelsFor(options.locale!);
    const { page } = await desk.open(options, withAxe, "?user=u-two");
    const other = await desk.open(options, undefined, "?user=u-two");
    await page.getByRole("status").getByText(labels.closed).waitFor();
    await look(page, `${size}-closed`);
    await page.getByRole("button", { name: labels.here }).click();
    await online(page);
    await other.page.getByRole("status").getByText(labels.closed).waitFor();
  },
);

test.each(sizes)(
  "[U-01] on a %s somebody who is not let in is told so, and an id with markup in it is only an id",
  async (size, options) => {
    await desk.start();
    const labels = labelsFor(options.locale!);
    const { page } = await desk.browser.openPage(options);
    await withAxe(page);
    await page.goto(`${desk.app.url}/?user=ana&business=${encodeURIComponent(markup)}`);
    await page.getByRole("status").getByText(labels.refused).waitFor();
    // What only a programmer understands is not shown.
    expect(await page.locator("#error").isVisible()).toBe(false);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe(labels.title);
    await look(page, `${size}-refused-entry`);
  },
);
