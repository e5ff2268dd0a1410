import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import type { TestPage } from "../support/browser.js";
import { businessId, ConsoleDesk, heading, row } from "../support/console-desk.js";
import { desktop, expectClean, phone, untilSeen } from "../support/console-page.js";
import { startTestApp } from "../support/start-app.js";

let desk: ConsoleDesk;

beforeAll(async () => {
  desk = await ConsoleDesk.build();
});

afterAll(() => desk?.browser.stop());

beforeEach(() => desk.start());

afterEach(() => desk.end());

test("[console] whoever looks elsewhere is told of each customer who begins to wait, once, without a word of what was said", async () => {
  const opened = await openNotified();
  const { page } = opened;
  await asksForHuman("ana");
  await untilTitle(page, "(1) Console");
  // Who looks at the page sees it.
  expect(await shown(page)).toEqual([]);
  await lookElsewhere(page);
  const bob = await asksForHuman("web:5a1c2b5e-5f0a-4f8e-9d57-0a4c0c8f9f3e");
  await untilTitle(page, "(2) Console");
  await untilSeen("a notification", async () => (await shown(page)).length === 1);
  // What else happens in a session that waits already is no news.
  await (await desk.seats.online({ userId: "ana" })).send("My number is 0722 123 456");
  await row(page, "ana").getByText("My number is").waitFor();
  const carla = await asksForHuman("carla");
  await untilTitle(page, "(3) Console");
  await untilSeen("another one", async () => (await shown(page)).length === 2);
  const body = "Open the console to answer.";
  expect(await shown(page)).toEqual([
    { title: "Visitor 9f3e is waiting", options: { body, tag: bob }, isClosed: false },
    { title: "carla is waiting", options: { body, tag: carla }, isClosed: false },
  ]);
  await page.evaluate("kept[0].dispatchEvent(new Event('click'))");
  await heading(page, "Visitor 9f3e").waitFor();
  expect((await shown(page)).map(({ isClosed }) => isClosed)).toEqual([true, false]);
  // A colleague takes care of the other one.
  await (await desk.seats.consoleOnline()).takeOver(carla);
  await untilTitle(page, "(2) Console");
  await untilSeen("it is gone", async () => (await shown(page))[1]!.isClosed);
  await page.getByRole("button", { name: "Notifications on" }).click();
  await asksForHuman("dora");
  await untilTitle(page, "(3) Console");
  expect(await shown(page)).toHaveLength(2);
  expectClean(opened);
});

test("[console] a storm of customers who wait is one notification, and who waited before is none", async () => {
  await asksForHuman("ana");
  const opened = await openNotified();
  const { page } = opened;
  await untilTitle(page, "(1) Console");
  await lookElsewhere(page);
  // They become known at once, with the list of a connection that was lost meanwhile.
  await desk.app.stop();
  await page.locator(".connection[data-state=offline]").waitFor();
  const elsewhere = await startTestApp({ DATA_DIR: desk.app.dataDir }, { publicDir: desk.browser.publicDir });
  for (const userId of ["bob", "carla", "dora", "elena"]) await asksOverHttp(elsewhere.url, userId);
  await elsewhere.stop();
  await desk.startAgain();
  await untilTitle(page, "(5) Console");
  await untilSeen("a notification", async () => (await shown(page)).length > 0);
  expect((await shown(page)).map(({ title }) => title)).toEqual(["4 customers are waiting"]);
  await page.evaluate("kept[0].dispatchEvent(new Event('click'))");
  await heading(page, "bob").waitFor();
  expect(opened.pageErrors).toEqual([]);
});

test("[console] where a browser makes no notification the page is none the worse, and offers none", async () => {
  const opened = await openNotified(refuseNotifications);
  const { page } = opened;
  await asksForHuman("ana");
  await untilTitle(page, "(1) Console");
  await lookElsewhere(page);
  await asksForHuman("bob");
  await untilTitle(page, "(2) Console");
  await page.getByRole("button", { name: "Notifications on" }).waitFor({ state: "detached" });
  await asksForHuman("carla");
  await untilTitle(page, "(3) Console");
  expectClean(opened);
});

test("[console] on a phone the title counts who waits, in its language", async () => {
  const opened = await desk.open(phone);
  const { page } = opened;
  expect(await page.title()).toBe("Consolă");
  const sessionId = await asksForHuman("ana");
  await untilTitle(page, "(1) Consolă");
  await asksForHuman("bob");
  await untilTitle(page, "(2) Consolă");
  await (await desk.seats.consoleOnline()).resolve(sessionId);
  await untilTitle(page, "(1) Consolă");
  expectClean(opened);
});

interface Shown {
  readonly title: string;
  readonly options: NotificationOptions;
  readonly isClosed: boolean;
}

async function openNotified(prepare = keepNotifications): Promise<TestPage> {
  const opened = await desk.open({ ...desktop, permissions: ["notifications"] }, (page) => page.addInitScript(prepare));
  await opened.page.getByRole("button", { name: "Notify me" }).click();
  await opened.page.getByRole("button", { name: "Notifications on" }).waitFor();
  // Who waits from here on is news.
  await opened.page.locator(".row").or(opened.page.getByText("No conversations yet.")).first().waitFor();
  return opened;
}

/** Runs in the page: keeps those that are made, as they are made. */
function keepNotifications(): void {
  const kept: Notification[] = [];
  const Real = globalThis.Notification;
  class Kept extends Real {
    // A browser without a screen says here that it has none to show, whatever it was granted.
    static override readonly permission = "granted";
    readonly made: Shown;

    constructor(title: string, options: NotificationOptions) {
      super(title, options);
      this.made = { title, options, isClosed: false };
      kept.push(this);
    }

    override close(): void {
      super.close();
      Object.assign(this.made, { isClosed: true });
    }
  }
  Object.assign(globalThis, { Notification: Kept, kept });
}

/** Runs in the page: as a browser that has notifications for service workers alone. */
function refuseNotifications(): void {
  class Refused {
    static readonly permission = "granted";
    static readonly requestPermission = () => Promise.resolve("granted");

    constructor() {
      throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
    }
  }
  Object.assign(globalThis, { Notification: Refused });
}

function shown(page: Page): Promise<readonly Shown[]> {
  return page.evaluate("kept.map(({ made }) => made)");
}

/** As somebody who has put the window away. */
async function lookElsewhere(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setFocusEmulationEnabled", { enabled: false });
  const { windowId } = await devtools.send("Browser.getWindowForTarget");
  await devtools.send("Browser.setWindowBounds", { windowId, bounds: { windowState: "minimized" } });
  await untilSeen("nobody looks", async () => !(await page.evaluate<boolean>("document.hasFocus()")));
}

function untilTitle(page: Page, title: string): Promise<void> {
  return untilSeen(title, async () => (await page.title()) === title);
}

async function asksForHuman(userId: string): Promise<string> {
  const chat = await desk.seats.online({ userId });
  return (await chat.send("/human")).sessionId;
}

/** @param url of the server */
async function asksOverHttp(url: string, userId: string): Promise<void> {
  const headers = { "content-type": "application/json", "x-user-id": userId, "x-role": "user" };
  const body = JSON.stringify({ businessId, locationId: "default", userId, message: "/human" });
  expect((await fetch(`${url}/api/messages?wait=1`, { method: "POST", headers, body })).status).toBe(200);
}
