import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { ConsoleDesk, heading, row } from "../support/console-desk.js";
import { desktop, expectClean, online, phone, untilSeen } from "../support/console-page.js";
import { until } from "../support/until.js";

const sizes = [
  ["desktop", desktop],
  ["phone", { ...phone, locale: "en-US" }],
] as const;
const uuid = "5a1c2b5e-5f0a-4f8e-9d57-0a4c0c8f9f3e";

let desk: ConsoleDesk;

beforeAll(async () => {
  desk = await ConsoleDesk.build();
});

afterAll(() => desk?.browser.stop());

beforeEach(() => desk.start());

afterEach(() => desk.end());

test.each(sizes)(
  "[console] on a %s a search that finds nothing says where it looked, leads to all, and is emptied by Escape",
  async (name, size) => {
    for (const userId of ["ana", "bob"]) (await desk.asked(userId, `I am ${userId}`)).call.answer();
    const opened = await desk.open(size);
    const { page } = opened;
    const field = page.getByRole("searchbox");
    await row(page, "ana").waitFor();
    await filter(page, "Waiting").click();
    await page.getByText("Nothing here.").waitFor();
    await field.fill("ana");
    await page.getByText("Nothing found in “Waiting”.").waitFor();
    await desk.browser.look(opened, `nothing-found-${name}`);
    await page.getByRole("button", { name: "Search in all" }).click();
    await untilSeen("ana is found", async () => (await names(page)).join() === "ana");
    await field.fill("nobody at all");
    await page.getByText("Nothing found in all conversations.").waitFor();
    expect(await page.getByRole("button", { name: "Search in all" }).count()).toBe(0);
    await field.press("Escape");
    expect(await field.inputValue()).toBe("");
    await untilSeen("all are there", async () => (await names(page)).length === 2);
    // Emptied, it still has the focus; the next one leaves it.
    expect(await focused(page)).toBe("search");
    await field.fill("bob");
    await untilSeen("bob is found", async () => (await names(page)).join() === "bob");
    await field.press("ArrowDown");
    await heading(page, "bob").waitFor();
    if (name === "desktop") expect(await focused(page)).toBe("list");
    expectClean(opened);
  },
);

test("[console] who got no answer waits for one, and who wanted none any more does not", async () => {
  const opened = await desk.open();
  const { page } = opened;
  (await desk.asked("ana", "Hello")).call.say(new Error("no"));
  const { chat } = await desk.asked("bob", "Good day");
  await chat.cancel(chat.messages[0]!.messageId!);
  const stateOf = (userId: string) => row(page, userId).locator(".row-state").textContent();
  await untilSeen("ana waits", async () => (await stateOf("ana")) === "Got no answer");
  await untilSeen("bob is answered", async () => (await stateOf("bob")) === "With the assistant");
  expect(opened.pageErrors).toEqual([]);
});

test.each(sizes)(
  "[console] on a %s a visitor has a name that can be read, everywhere the same, and is found by it and by the whole id",
  async (name, size) => {
    await desk.asked(`web:${uuid}`, "Hello");
    await desk.asked("ana", "I am not Visitor 9f3e");
    const opened = await desk.open(size);
    const { page } = opened;
    const visitor = row(page, "Visitor 9f3e");
    await visitor.getByText("Hello").waitFor();
    await desk.browser.look(opened, `visitor-${name}`);
    for (const query of [`web:${uuid}`, uuid.slice(0, 13), "Hello 9f3e"]) {
      await page.getByRole("searchbox").fill(query);
      await untilSeen("only the visitor is found", async () => (await names(page)).join() === "Visitor 9f3e");
    }
    await page.getByRole("searchbox").fill("visitor 9f3e hello");
    await untilSeen("the visitor is found by name", async () => (await names(page)).join() === "Visitor 9f3e");
    expect(await visitor.getByTitle(`web:${uuid}`, { exact: true }).count()).toBe(1);
    await visitor.click();
    await heading(page, "Visitor 9f3e").getByTitle(`web:${uuid}`, { exact: true }).waitFor();
    await page.locator(".message.user").waitFor();
    await page.keyboard.press("b");
    await page.getByRole("dialog", { name: "Block Visitor 9f3e?" }).waitFor();
    // Nobody reads it; who needs it finds it in the details.
    const shown = page.locator(".row, .head, dialog").getByText(uuid);
    expect(await shown.count()).toBe(0);
    expectClean(opened);
  },
);

test.each(sizes)(
  "[console] [U-03] [M70] on a %s, offline, nobody is said to be online, and one can try at once",
  async (name, size) => {
    (await desk.asked("ana", "Hello")).call.answer();
    const sockets = new Set<string>();
    let tries = 0;
    const opened = await desk.open(size, async (page) => {
      await page.clock.install();
      page.on("websocket", (socket) => {
        const key = String((tries += 1));
        sockets.add(key);
        socket.on("close", () => sockets.delete(key));
      });
    });
    const { page } = opened;
    await page.getByRole("button", { name: "Online 1" }).waitFor();
    await row(page, "ana").locator(".here").waitFor();
    await desk.app.stop();
    const line = page.locator(".line", { hasText: /No connection since \d\d:\d\d\./ });
    await line.waitFor();
    await row(page, "ana").locator(".here").waitFor({ state: "detached" });
    const were = page.getByRole("button", { name: /^Who was online at \d\d:\d\d$/ });
    expect(await were.textContent()).toMatch(/–$/);
    await desk.browser.look(opened, `offline-${name}`);
    // Nothing lies over what one works with meanwhile, and no word over another.
    await page.getByRole("searchbox").click({ trial: true });
    await filter(page, "Waiting").click({ trial: true });
    const brand = (await page.locator(".brand").boundingBox())!;
    const connection = (await page.locator(".connection").boundingBox())!;
    expect(connection.x).toBeGreaterThanOrEqual(brand.x + brand.width);
    await were.click();
    const dialog = page.getByRole("dialog", { name: /^Who was online at \d\d:\d\d$/ });
    await dialog.getByText("You", { exact: true }).waitFor();
    expect(await dialog.getByText("online", { exact: false }).count()).toBe(1);
    await desk.browser.look(opened, `offline-online-${name}`);
    await page.keyboard.press("Escape");
    // From here on no time passes: whatever is tried, is tried because somebody asked for it.
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await until("what was tried has failed", () => sockets.size === 0);
    await desk.startAgain();
    const before = tries;
    await line.getByRole("button", { name: "Try now" }).click();
    await until("it is tried", () => tries === before + 1);
    await page.clock.resume();
    await online(page);
    await line.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Online 1" }).waitFor();
    expect(tries).toBe(before + 1);
    expect(opened.pageErrors).toEqual([]);
  },
);

function names(page: Page): Promise<string[]> {
  return page.locator(".row-name").allTextContents();
}

function filter(page: Page, name: string): Locator {
  return page.getByRole("group", { name: "Show" }).getByRole("button", { name });
}

function focused(page: Page): Promise<string> {
  return page.evaluate("document.activeElement.id");
}
