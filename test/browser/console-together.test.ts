import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import type { TestPage } from "../support/browser.js";
import { ConsoleDesk, focused, heading, row, sizes } from "../support/console-desk.js";
import { expectClean, untilSeen } from "../support/console-page.js";
import { until } from "../support/until.js";

let desk: ConsoleDesk;

beforeAll(async () => {
  desk = await ConsoleDesk.build();
});

afterAll(() => desk?.browser.stop());

beforeEach(() => desk.start());

afterEach(() => desk.end());

test.each(sizes)("[M51] [console] on a %s notes are written and read by colleagues alone", async (size, options) => {
  const { chat, sessionId, call } = await desk.asked("ana", "Hello");
  call.answer();
  const colleague = await desk.seats.consoleOnline();
  const opened = await desk.open(options);
  const { page } = opened;
  await row(page, "ana").click();
  await page.locator(".message.agent").waitFor();
  await page.getByRole("button", { name: "Note", exact: true }).click();
  const field = page.getByRole("textbox", { name: "Write a note" });
  await field.fill("She is a regular\nand pays in cash");
  await page.getByRole("button", { name: "Add note" }).click();
  const mine = page.locator(".message.note", { hasText: "She is a regular\nand pays in cash" });
  await mine.locator(".by", { hasText: "You · Note, for colleagues only" }).waitFor();
  await untilSeen("the field is empty", async () => (await field.inputValue()) === "");
  await colleague.note(sessionId, "I know her");
  await page.locator(".message.note", { hasText: "I know her" }).waitFor();
  await looks(opened, size, `notes-${size}`);
  // What the customer has once something is said after them.
  await colleague.reply(sessionId, "Good morning");
  await until("the customer has the reply", () => chat.messages.length === 3);
  expect(chat.messages.map(({ content }) => content)).toEqual(["Hello", "answer to Hello", "Good morning"]);
  expectClean(opened);
});

test.each(sizes)(
  "[M36] [console] on a %s an answer that comes too late is a draft, and goes out when somebody sends it, as it was changed",
  async (size, options) => {
    const { chat, call } = await desk.asked("ana", "When are you open?");
    const opened = await desk.open(options);
    const { page } = opened;
    await row(page, "ana").click();
    await page.locator(".message.user").waitFor();
    await page.getByRole("button", { name: "Take over" }).click();
    await page.getByText("You have this conversation").waitFor();
    call.answer("From nine to five");
    const draft = page.locator(".message.draft", { hasText: "From nine to five" });
    await draft.waitFor();
    expect(chat.messages).toHaveLength(1);
    await looks(opened, size, `draft-${size}`);
    // At once, whatever else there is to draw.
    await draft.getByRole("button", { name: "Use as reply" }).evaluate((button: HTMLElement) => {
      button.click();
      return new Promise((drawn) => requestAnimationFrame(drawn));
    });
    const field = page.getByRole("textbox", { name: "Write to the customer" });
    expect([await field.inputValue(), await focused(page)]).toEqual(["From nine to five", "Write to the customer"]);
    await page.keyboard.press("End");
    await page.keyboard.type(", on Saturdays too");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator(".message.coordinator", { hasText: "From nine to five, on Saturdays too" }).waitFor();
    await until("the customer has it", () => chat.messages.length === 2);
    expect(chat.messages.map(({ content }) => content)).toEqual([
      "When are you open?",
      "From nine to five, on Saturdays too",
    ]);
    expectClean(opened);
  },
);

test.each(sizes)(
  "[M38] [console] on a %s a customer is blocked after a question, and unblocked",
  async (size, options) => {
    const { call, chat } = await desk.asked("ana", "Hello");
    call.answer();
    const opened = await desk.open(options);
    const { page } = opened;
    await row(page, "ana").click();
    await page.locator(".message.agent").waitFor();
    await page.getByRole("button", { name: "Block customer" }).click();
    const dialog = page.getByRole("dialog", { name: "Block ana?" });
    await looks(opened, size, `block-${size}`);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    await chat.send("Still there?");
    await page.getByRole("button", { name: "Block customer" }).click();
    await dialog.getByRole("button", { name: "Block customer" }).click();
    await page.locator(".blocked").waitFor();
    // What was being answered was ended by a human: nobody waits for one.
    const state = row(page, "ana").locator(".row-state");
    await untilSeen("the list says so", async () => (await state.textContent()) === "With the assistant");
    await expect(chat.send("And now?")).rejects.toMatchObject({ code: "blocked" });
    await looks(opened, size, `blocked-${size}`);
    await page.getByRole("button", { name: "Unblock" }).click();
    await page.locator(".blocked").waitFor({ state: "detached" });
    await chat.send("Here I am");
    await page.keyboard.press("b");
    await dialog.waitFor();
    expectClean(opened);
  },
);

test.each(sizes)(
  "[M30] [M61] [console] on a %s two coordinators see each other write, and what one has the other leaves alone until it is free",
  async (size, options) => {
    const { sessionId } = await desk.asked("ana", "Hello");
    const colleague = await desk.seats.consoleOnline();
    const opened = await desk.open(options);
    const { page } = opened;
    await row(page, "ana").click();
    await heading(page, "ana").waitFor();
    const typing = page.getByText(/^Colleague .{4} is writing…$/);
    await untilSeen("the colleague types", () => {
      // Told once in 2 s; that it ended, at once. The page may not watch yet.
      for (const isTyping of [false, true]) colleague.typing(sessionId, isTyping);
      return typing.isVisible();
    });
    colleague.typing(sessionId, false);
    await typing.waitFor({ state: "detached" });
    const typists: string[] = [];
    colleague.on("typing", (_sessionId, all) => typists.push(...all.map(({ from }) => from)));
    await colleague.watch(sessionId);
    const field = page.getByRole("textbox", { name: "Write to the customer" });
    await field.fill("I was just about to");
    await until("the colleague sees who types", () => typists.includes("coordinator"));
    await colleague.takeOver(sessionId);
    // Said where one writes, also to those who hear the page, and the words stay.
    const reason = page.locator(".composer").getByRole("status");
    await reason.filter({ hasText: /^Colleague .{4} has this conversation\. You can leave a note\.$/ }).waitFor();
    expect(await reason.isVisible()).toBe(true);
    // What came before that has been drawn, and nobody is told that he writes himself.
    expect(await typing.count()).toBe(0);
    expect(await field.getAttribute("aria-describedby")).toBe(await reason.getAttribute("id"));
    expect(await field.inputValue()).toBe("I was just about to");
    expect(await field.isEditable()).toBe(false);
    await field.press("Enter");
    await looks(opened, size, `held-by-other-${size}`);

    await page.keyboard.press("Escape");
    await page.keyboard.press("n");
    await page.keyboard.type("Shall I?");
    await page.keyboard.press("Enter");
    await page.locator(".message.note", { hasText: "Shall I?" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("r");
    const takeOver = page.locator(".composer").getByRole("button", { name: "Take over" });
    expect(await takeOver.evaluate((button) => button === document.activeElement)).toBe(true);
    await page.keyboard.press("Enter");
    await page.locator(".line.failure", { hasText: "It is free once it is handed back" }).waitFor();
    await reason.filter({ hasText: "has this conversation" }).waitFor();
    expect(await takeOver.evaluate((button) => button === document.activeElement)).toBe(true);
    await page.locator(".line.failure").getByRole("button").click();

    // Steps back, and both are there at once.
    await colleague.handBack(sessionId);
    await untilSeen("one can write again", () => field.isEditable());
    expect(await field.inputValue()).toBe("I was just about to");
    const taken = await Promise.allSettled([
      colleague.takeOver(sessionId),
      page.locator(".head").getByRole("button", { name: "Take over" }).click(),
    ]);
    // Whoever came first has it; the other is told.
    if (taken[0].status === "fulfilled") {
      await page.locator(".line.failure", { hasText: "A colleague has this conversation" }).waitFor();
      await colleague.handBack(sessionId);
      await untilSeen("one can write again", () => field.isEditable());
    } else {
      expect(taken[0].reason).toMatchObject({ code: "held_by_other" });
    }
    await field.press("Enter");
    await page.locator(".message.coordinator", { hasText: "I was just about to" }).waitFor();
    await expect(colleague.reply(sessionId, "Me too")).rejects.toMatchObject({ code: "held_by_other" });
    expect(await page.locator(".message.coordinator").count()).toBe(1);
    expectClean(opened);
  },
);

test.each(sizes)(
  "[M30] [M35] [console] on a %s what cannot be written to says why, and what can be done about it is one key away",
  async (_size, options) => {
    const { chat, call, sessionId } = await desk.asked("ana", "Hello");
    call.answer();
    const colleague = await desk.seats.consoleOnline();
    await colleague.takeOver(sessionId);
    const opened = await desk.open(options);
    const { page } = opened;
    await row(page, "ana").click();
    await page.locator(".message.agent").waitFor();
    const reason = page.locator(".composer").getByRole("status");
    await reason.filter({ hasText: "has this conversation" }).waitFor();
    // On an open server whoever is gone is gone for good. (SPEC M30)
    await colleague.leave();
    await page.locator(".online", { hasText: "1" }).waitFor();
    await writesAfter(page, "Take over", "I have it now");
    await page.locator(".standing", { hasText: "You have this conversation" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("e");
    await reason.filter({ hasText: "This conversation is over. Reopen it to write." }).waitFor();
    await writesAfter(page, "Reopen", "One more thing");
    await until("the customer has both", () => chat.messages.length === 4);
    expectClean(opened);
  },
);

/** By `r`, which leads to what can be done, and Enter, which does it and leads on to the field. */
async function writesAfter(page: Page, remedy: string, text: string): Promise<void> {
  await page.keyboard.press("r");
  const button = page.locator(".composer").getByRole("button", { name: remedy });
  expect(await button.evaluate((each) => each === document.activeElement)).toBe(true);
  await page.keyboard.press("Enter");
  const field = page.locator(".composer textarea");
  const isReady = async () => (await focused(page)) === "Write to the customer" && (await field.isEditable());
  await untilSeen("one can write in the field, which has the focus", isReady);
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await page.locator(".message.coordinator", { hasText: text }).waitFor();
}

/** A picture of it, and nothing that is too small for a finger, or for a pointer. */
async function looks(opened: TestPage, size: (typeof sizes)[number][0], name: string): Promise<void> {
  await desk.browser.look(opened, name);
  const least = size === "phone" ? 44 : 24;
  const small = await opened.page.locator("button, summary, textarea, input").evaluateAll((all, least) => {
    const boxes = all
      .filter((each) => each.checkVisibility())
      .map((each) => [each, each.getBoundingClientRect()] as const);
    return boxes
      .filter(([, { width, height }]) => width < least || height < least)
      .map(([each, { width, height }]) => `${each.outerHTML.slice(0, 80)} ${width} x ${height}`);
  }, least);
  expect({ name, small }).toEqual({ name, small: [] });
}
