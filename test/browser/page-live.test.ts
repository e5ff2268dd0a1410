import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { formLabelsFor } from "../../client/page/form-labels.js";
import { labelsFor } from "../../client/page/labels.js";
import type { AgentComponent } from "../../server/messaging/agent.js";
import type { TestPage } from "../support/browser.js";
import { ClientSeats } from "../support/client-seats.js";
import { desktop, expectClean, holdQuietTimers, PageDesk, phone, say } from "../support/page-desk.js";
import type { AgentCall } from "../support/scripted-agent.js";
import { until } from "../support/until.js";

const visit: AgentComponent = {
  ...{ type: "component", kind: "form", title: "Your visit" },
  fields: [
    { name: "day", label: "Day", type: "date", required: true },
    { name: "kind", label: "Kind", type: "choice", required: true, options: ["First visit", "Check-up"] },
    { name: "phone", label: "Phone", type: "phone", required: false },
  ],
};

let desk: PageDesk;
let seats: ClientSeats;

beforeAll(async () => {
  desk = await PageDesk.build();
});

afterAll(() => desk?.stop());

beforeEach(async () => {
  await desk.start();
  seats = new ClientSeats("B0100001", () => desk.app.url);
});

afterEach(async () => {
  await seats.leaveAll();
  await desk.app.dispose();
});

describe.each([
  ["desktop", desktop],
  ["phone", phone],
])("on a %s", (_name, options) => {
  const labels = labelsFor(options.locale!);
  const formLabels = formLabelsFor(labels.lang);

  test("[M40] [M41] steps and text are seen as they come, are not read aloud, and go on after a reload", async () => {
    const { opened, call } = await asked("hello");
    const { page } = opened;
    call.say({ type: "thinking", step: "retrieval", label: "Looking it up", status: "started" });
    await page.locator(".step.started", { hasText: "Looking it up" }).waitFor();
    call.say({ type: "delta", text: "Good " });
    await page.locator(".running .content", { hasText: "Good" }).waitFor();
    await page.reload();
    await page.locator(".running .content", { hasText: "Good" }).waitFor();
    call.say({ type: "delta", text: "morning <b>Ana</b>" });
    await page.locator(".running .content", { hasText: "Good morning <b>Ana</b>" }).waitFor();
    // What grows is in no live region; the log is one, and has the question alone.
    expect(await page.locator(":is([aria-live], [role=log], [role=status]) .running").count()).toBe(0);
    expect(await page.locator("#log .bubble").count()).toBe(1);
    call.answer("Good morning <b>Ana</b>");
    await page.locator("#log .agent .content", { hasText: "Good morning <b>Ana</b>" }).waitFor();
    await page.locator(".running").waitFor({ state: "detached" });
    expectClean(opened);
  });

  test("[M40] [M61] one's own words are marked as delivered once they are stored, and as read once somebody begins", async () => {
    const { opened, call } = await asked("hello");
    const { page } = opened;
    const mark = (text: string) => page.locator("#log .user", { hasText: text }).locator(".mark");
    call.say({ type: "delta", text: "Good " });
    await mark("hello").getByText(labels.read, { exact: true }).waitFor();
    call.answer("Good morning");
    await page.locator("#log .agent").waitFor();
    const console = await seats.consoleOnline();
    await console.takeOver(call.turn.sessionId);
    await say(page, "are you there?");
    await mark("are you there?").getByText(labels.stored, { exact: true }).waitFor();
    console.typing(call.turn.sessionId, true);
    await mark("are you there?").getByText(labels.read, { exact: true }).waitFor();
    await page.reload();
    await mark("hello").getByText(labels.read, { exact: true }).waitFor();
    expectClean(opened);
  });

  test("[M42] an answer is stopped from the keyboard, and the focus is not lost while it grows", async () => {
    const { opened, call } = await asked("hello");
    const { page } = opened;
    call.say({ type: "delta", text: "Once upon a time" });
    await page.getByRole("button", { name: labels.stop }).focus();
    call.say({ type: "delta", text: " there was" });
    await page.locator(".running .content", { hasText: "there was" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("#log .bubble.system").waitFor();
    expect(call.signal.aborted).toBe(true);
    expectClean(opened);
  });

  test("[M63] [M64] a form is filled in with the keyboard alone, says what is wrong with a field, and is then over", async () => {
    const { opened, call } = await asked("book me in");
    const { page } = opened;
    call.say(visit);
    call.answer("Gladly.");
    const form = page.getByRole("form", { name: "Your visit" });
    await form.waitFor();
    // The questions stand in the form, not in the text too.
    expect(await page.locator("#log .agent .content").textContent()).toBe("Gladly.");
    await form.getByRole("button", { name: formLabels.sendForm }).press("Enter");
    await form.getByText(formLabels.required).nth(1).waitFor();
    expect(await form.getByLabel("Day").evaluate((input) => input === document.activeElement)).toBe(true);
    await form.getByLabel("Day").fill("2026-03-05");
    await form.getByLabel("Kind").selectOption("Check-up");
    await form.getByLabel("Phone").fill("12");
    await form.getByLabel("Phone").press("Enter");
    await form.getByText(formLabels.invalid.phone).waitFor();
    await form.getByLabel("Phone").fill("0712 345 678");
    await form.getByLabel("Phone").press("Enter");
    await page.locator("#log .user.stored", { hasText: "Kind: Check-up" }).waitFor();
    await form.waitFor({ state: "detached" });
    const next = await desk.agent.call("Day: 2026-03-05\nKind: Check-up\nPhone: 0712345678");
    next.say({ type: "component", kind: "choices", title: "When?", choices: [{ value: "am", label: "Morning" }] });
    next.answer("Almost done.");
    await page.getByRole("group", { name: "When?" }).getByRole("button", { name: "Morning" }).click();
    await page.locator("#log .user.stored", { hasText: "Morning" }).waitFor();
    (await desk.agent.call("Morning")).answer("See you");
    await page.reload();
    await page.locator("#log .agent", { hasText: "See you" }).waitFor();
    expect(await page.locator(".component").count()).toBe(0);
    expectClean(opened);
  });

  test("[M61] [M39] who writes is seen on both sides, and that a human has taken over", async () => {
    const console = await seats.consoleOnline();
    const { opened, call } = await asked("hello");
    const { page } = opened;
    call.answer("Hello");
    await page.locator("#log .agent").waitFor();
    const { sessionId } = call.turn;
    const typists: unknown[] = [];
    console.on("typing", (_of, who) => typists.push(...who.map(({ from }) => from)));
    await console.watch(sessionId);
    await page.locator("#text").pressSequentially("Are you");
    await until("the coordinator sees it", () => typists.includes("user"));
    await console.takeOver(sessionId);
    console.typing(sessionId, true);
    await page.locator("#waiting.shown", { hasText: labels.teamWrites }).waitFor();
    await page.getByRole("status").getByText(labels.team).waitFor();
    await console.reply(sessionId, "Maria here, see https://example.com/map.");
    await page.locator("#log .coordinator").waitFor();
    await page.locator("#waiting:not(.shown)").waitFor();
    expect(await page.getByRole("link").evaluateAll((links) => links.map((link) => link.getAttribute("href")))).toEqual(
      ["https://example.com/map"],
    );
    expectClean(opened);
  });

  test("[M28] consoles learn that a page has shown a message, and not before it is seen", async () => {
    const console = await seats.consoleOnline();
    const read: number[] = [];
    console.on("receipt", (receipt) => read.push(receipt.read));
    const { call } = await asked("hello");
    call.answer("Hello");
    await until("it was read", () => read.includes(2));
  });

  test("[M12] a page sleeps after five quiet minutes, and the next key wakes it", async () => {
    const { opened, call } = await asked("hello", (page) => page.addInitScript(holdQuietTimers));
    const { page } = opened;
    const timers = () => page.evaluate<number[]>("[...quietTimers.keys()]");
    call.answer("Hello");
    await page.locator("#log .agent").waitFor();
    const [before] = await timers();
    await page.locator("#text").press("a");
    const after = await timers();
    expect(after).toHaveLength(1);
    expect(after).not.toContain(before);
    await page.evaluate("[...quietTimers.values()][0]()");
    await page.locator("#status[data-state=asleep]").waitFor();
    await until("its connection is closed", () => desk.app.endpoint.socketCount === 0);
    const console = await seats.consoleOnline();
    await console.reply(call.turn.sessionId, "Are you there?");
    expect(await page.locator("#log .coordinator").count()).toBe(0);
    await page.locator("#text").press("b");
    await page.locator("#log .coordinator", { hasText: "Are you there?" }).waitFor();
    await page.locator("#status[data-state=online]").waitFor();
    expect(await page.locator("#text").inputValue()).toBe("ab");
    expectClean(opened);
  });

  test("[H3] what is older comes when somebody scrolls up to it, and what is seen stays in its place", async () => {
    const chat = await seats.online({ userId: "reader" });
    for (let n = 1; n <= 40; n += 1) {
      await chat.send(`message ${n}`);
      (await desk.agent.call(`message ${n}`)).answer();
      await until("its answer", () => chat.messages.length === 2 * n);
    }
    const opened = await desk.open(options, undefined, "?user=reader");
    const { page } = opened;
    await page.locator("#log .bubble").nth(49).waitFor();
    const oldest = page.locator("#log .content", { hasText: /^message 16$/ });
    await page.locator("#scroll").evaluate((scroll) => (scroll.scrollTop = 0));
    await page.locator("#log .bubble").nth(79).waitFor();
    expect(await oldest.isVisible()).toBe(true);
    expect(await page.locator("#scroll").evaluate((scroll) => scroll.scrollTop)).toBeGreaterThan(0);
    await page.locator("#earlier").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: labels.newest }).click();
    await page.getByRole("button", { name: labels.newest }).waitFor({ state: "hidden" });
    expect(await page.locator("#log .content").allTextContents()).toEqual(chat.messages.map(({ content }) => content));
    expectClean(opened);
  });

  /** A page that has asked something, and the agent that was asked. */
  async function asked(
    text: string,
    prepare?: (page: Page) => Promise<unknown>,
  ): Promise<{ readonly opened: TestPage; readonly call: AgentCall }> {
    const opened = await desk.open(options, prepare);
    return { opened, call: await desk.ask(opened.page, text) };
  }
});
