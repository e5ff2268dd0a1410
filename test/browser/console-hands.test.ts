import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { ConsoleDesk, focused, heading, row, sizes } from "../support/console-desk.js";
import { expectClean, online, untilSeen } from "../support/console-page.js";

let desk: ConsoleDesk;

beforeAll(async () => {
  desk = await ConsoleDesk.build();
});

afterAll(() => desk?.browser.stop());

beforeEach(() => desk.start());

afterEach(() => desk.end());

test("[console] under a pointer no row moves, what has come is told, and goes where it belongs when one wants it to", async () => {
  for (const userId of ["ana", "bob", "carla"]) (await desk.asked(userId, `I am ${userId}`)).call.answer();
  const opened = await desk.open();
  const { page } = opened;
  await row(page, "ana").getByText("Assistant:").waitFor();
  await row(page, "bob").hover();
  (await desk.asked("ana", "Are you there?")).call.answer();
  await row(page, "ana").getByText("answer to Are you there?").waitFor();
  await page.getByRole("button", { name: "1 with something new" }).waitFor();
  (await desk.asked("dora", "I am new")).call.answer();
  await page.getByRole("button", { name: "2 with something new" }).waitFor();
  expect(await shownNames(page)).toEqual(["carla", "bob", "ana"]);
  await desk.browser.look(opened, "still");
  await page.getByRole("button", { name: "2 with something new" }).click();
  await untilSeen("all are where they belong", async () => (await shownNames(page)).join() === "dora,ana,carla,bob");
  (await desk.asked("bob", "Me too")).call.answer();
  await page.getByRole("button", { name: "1 with something new" }).waitFor();
  await page.mouse.move(900, 400);
  await untilSeen("all are where they belong", async () => (await shownNames(page)).join() === "bob,dora,ana,carla");
  expect(await page.locator(".news").count()).toBe(0);
  expectClean(opened);
});

test("[console] by keyboard the focus is never lost, whatever a key has taken away", async () => {
  const { call } = await desk.asked("ana", "Hello");
  call.answer();
  const opened = await desk.open();
  const { page } = opened;
  await row(page, "ana").waitFor();
  await page.keyboard.press("j");
  await page.locator(".message.agent").waitFor();
  // The first: some can be done in the head, and where one writes.
  const pressed = async (name: string) => page.getByRole("button", { name, exact: true }).first().press("Enter");
  await pressed("Take over");
  await page.getByRole("button", { name: "Hand back" }).waitFor();
  expect(await focused(page)).toBe("Hand back");
  await pressed("Resolve");
  await page.locator(".head").getByRole("button", { name: "Reopen" }).waitFor();
  expect(await focused(page)).toBe("Reopen");
  await pressed("Reopen");
  await page.getByRole("button", { name: "Take over" }).waitFor();
  expect(await focused(page)).toBe("Resolve");
  await pressed("Block customer");
  await page.getByRole("dialog").getByRole("button", { name: "Block customer" }).press("Enter");
  await page.locator(".blocked").waitFor();
  await untilFocused(page, "Unblock");
  await pressed("Unblock");
  await page.locator(".blocked").waitFor({ state: "detached" });
  await untilFocused(page, "Block customer");
  await page.getByRole("textbox", { name: "Write to the customer" }).fill("Hello Ana");
  await pressed("Send");
  await page.locator(".message.coordinator", { hasText: "Hello Ana" }).waitFor();
  expect(await focused(page)).toBe("Write to the customer");
  await page.keyboard.press("Escape");
  await page.getByRole("region", { name: "Conversation" }).focus();
  await page.keyboard.press("Escape");
  await heading(page, "No conversation is open").waitFor();
  await untilFocused(page, "Conversations");
  expectClean(opened);
});

test("[console] [M30] on an open server one knows oneself before having done anything, and whose console it is", async () => {
  const { sessionId } = await desk.asked("ana", "Hello");
  const opened = await desk.open();
  const { page } = opened;
  await page.locator(".brand").getByText("Cabinet Stomatologic Zâmbet").waitFor();
  await page.getByRole("button", { name: "Online" }).click();
  await page.locator(".people").getByText("You", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await row(page, "ana").click();
  await page.getByRole("button", { name: "Note", exact: true }).click();
  await page.getByRole("textbox", { name: "Write a note" }).fill("Mine");
  await page.getByRole("button", { name: "Add note" }).click();
  await page.locator(".message.note .by", { hasText: "You · Note" }).waitFor();
  const colleague = await desk.seats.consoleOnline();
  await colleague.note(sessionId, "Not mine");
  await page.locator(".message.note .by", { hasText: /^Colleague .{4} · Note/ }).waitFor();
  expectClean(opened);
});

test.each(sizes)(
  "[console] on a %s what is open is open after a reload, and the way back leads to the list",
  async (name, size) => {
    for (const userId of ["ana", "bob"]) (await desk.asked(userId, `I am ${userId}`)).call.answer();
    const opened = await desk.open(size);
    const { page } = opened;
    await row(page, "ana").click();
    await heading(page, "ana").waitFor();
    await page.reload();
    await online(page);
    await heading(page, "ana").waitFor();
    await page.locator(".message.agent").waitFor();
    await page.goBack();
    await heading(page, "No conversation is open").waitFor({ state: "attached" });
    await row(page, "bob").click();
    await heading(page, "bob").waitFor();
    // A phone shows one thing at a time.
    expect(await row(page, "ana").isVisible()).toBe(name === "desktop");
    expect(page.url()).toMatch(/\/console#[0-9a-f-]{36}$/);
    await page.goBack();
    await row(page, "ana").waitFor();
    expect(page.url()).toMatch(/\/console$/);
    // However many are opened one after another, one step leads back to the list.
    await row(page, "ana").click();
    await page.waitForURL(/#/);
    const places = await page.evaluate("history.length");
    await page.keyboard.press("Escape");
    await page.waitForURL(/\/console$/);
    await row(page, "bob").click();
    await page.waitForURL(/#/);
    expect(await page.evaluate("history.length")).toBe(places);
    expectClean(opened);
  },
);

test("[console] [H23] an address of what is not there, or not here, opens nothing and says so", async () => {
  const { sessionId } = await desk.asked("ana", "Hello");
  const opened = await desk.open();
  const { page } = opened;
  for (const [query, id, shown] of [
    ["", "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11", "ana"],
    ["?business=B2", sessionId, "No conversations yet."],
  ]) {
    await page.goto("about:blank");
    await page.goto(`${desk.app.url}/console${query}#${id}`);
    await page.locator(".line.failure", { hasText: "This conversation is not there any more" }).waitFor();
    await heading(page, "No conversation is open").waitFor();
    await page.getByText(shown!, { exact: true }).waitFor();
    expect(await page.locator(".row").count()).toBe(query === "" ? 1 : 0);
  }
  expect(opened.pageErrors).toEqual([]);
});

function shownNames(page: Page): Promise<string[]> {
  return page
    .locator(".row")
    .evaluateAll((rows) =>
      rows
        .toSorted((one, other) => Number(one.ariaPosInSet) - Number(other.ariaPosInSet))
        .map((each) => each.querySelector(".row-name")?.textContent ?? ""),
    );
}

function untilFocused(page: Page, name: string): Promise<void> {
  return untilSeen(`${name} has the focus`, async () => (await focused(page)) === name);
}
