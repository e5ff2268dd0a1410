import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { ConsoleDesk, heading, row } from "../support/console-desk.js";
import { desktop, online, untilSeen } from "../support/console-page.js";
import { PageLine } from "../support/page-line.js";
import { until } from "../support/until.js";

let desk: ConsoleDesk;

beforeAll(async () => {
  desk = await ConsoleDesk.build();
});

afterAll(() => desk?.browser.stop());

beforeEach(() => desk.start());

afterEach(() => desk.end());

test("[console] [M31] what is written before the receipt of a reply is another text, and waits for it", async () => {
  const { chat, page, line } = await openedOnLine();
  const field = page.getByRole("textbox", { name: "Write to the customer" });
  await field.fill("Good morning.");
  line.isDeaf = true;
  await field.press("Enter");
  await until("the customer has it", () => chat.messages.length === 3);
  expect(await field.inputValue()).toBe("");
  await field.pressSequentially("How can I help?");
  await field.press("Enter");
  expect(await field.inputValue()).toBe("How can I help?");
  line.heal();
  await page.locator(".message.coordinator", { hasText: "Good morning." }).waitFor();
  await page.getByRole("button", { name: "Send", disabled: false }).waitFor();
  await field.press("Enter");
  await until("the customer has both", () => chat.messages.length === 4);
  expect(chat.messages.slice(2).map(({ content }) => content)).toEqual(["Good morning.", "How can I help?"]);
  expect(await field.inputValue()).toBe("");
});

test("[console] [M30] a reply that is refused comes back before what was written meanwhile", async () => {
  const { sessionId, page, line } = await openedOnLine();
  const field = page.getByRole("textbox", { name: "Write to the customer" });
  await field.fill("Good morning.");
  line.isMute = true;
  await field.press("Enter");
  await field.pressSequentially("How can I help?");
  await (await desk.seats.consoleOnline()).takeOver(sessionId);
  line.heal();
  await page.locator(".line.failure").waitFor();
  expect(await field.inputValue()).toBe("Good morning.\nHow can I help?");
});

const kinds = [
  ["reply", "Write to the customer", ".message.coordinator"],
  ["note", "Write a note", ".message.note"],
] as const;

test.each(kinds)("[console] [M31] [M51] a %s that a reload overtakes is not lost", async (kind, name, _said) => {
  const { page, line } = await openedOnLine();
  if (kind === "note") await page.keyboard.press("n");
  const field = page.getByRole("textbox", { name });
  await field.fill("I am on it");
  line.isMute = true;
  await field.press("Enter");
  await untilSeen("it has left the field", async () => (await field.inputValue()) === "");
  await page.reload();
  await isRead(page);
  await page.keyboard.press(kind === "note" ? "n" : "r");
  await untilSeen("it is back", async () => (await field.inputValue()) === "I am on it");
  await page.reload();
  await isRead(page);
  await page.keyboard.press(kind === "note" ? "n" : "r");
  expect(await field.inputValue()).toBe("I am on it");
});

test.each(kinds)(
  "[console] [M31] [M51] a %s that is stored, and whose receipt a reload overtakes, does not come back",
  async (kind, name, said) => {
    const { page, line, sessionId } = await openedOnLine();
    if (kind === "note") await page.keyboard.press("n");
    const field = page.getByRole("textbox", { name });
    await field.fill("I am on it");
    line.isDeaf = true;
    await field.press("Enter");
    const history = `${desk.app.url}/api/sessions/${sessionId}/messages?include=note`;
    await until("it is stored", async () => (await (await fetch(history)).text()).includes("I am on it"));
    await page.reload();
    await isRead(page);
    await page.locator(said, { hasText: "I am on it" }).waitFor();
    await page.keyboard.press(kind === "note" ? "n" : "r");
    await untilSeen("it is settled", () => page.evaluate(isSettled));
    expect(await field.inputValue()).toBe("");
    expect(await page.locator(said).count()).toBe(1);
  },
);

/** Runs in the page: nothing is on its way. */
const isSettled = "Object.keys(sessionStorage).every((key) => !/sent/.test(key) || sessionStorage[key] === '{}')";

async function openedOnLine() {
  const { chat, call, sessionId } = await desk.asked("ana", "Hello");
  call.answer();
  const line = new PageLine();
  const { page } = await desk.open(desktop, (page) => page.routeWebSocket(/\/socket\//, line.route));
  await row(page, "ana").click();
  await isRead(page);
  return { chat, sessionId, page, line };
}

async function isRead(page: Page): Promise<void> {
  await online(page);
  await heading(page, "ana").waitFor();
  await page.locator(".message.agent").waitFor();
}
