import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import type { AgentComponent } from "../../server/messaging/agent.js";
import { desktop, expectClean, PageDesk, phone } from "../support/page-desk.js";

let desk: PageDesk;

beforeAll(async () => {
  desk = await PageDesk.build();
});

afterAll(() => desk?.stop());

beforeEach(() => desk.start());

afterEach(() => desk.app.dispose());

const choices: AgentComponent = {
  ...{ type: "component", kind: "choices", title: "When?" },
  choices: [{ value: "am", label: "Morning" }],
};
const visit: AgentComponent = {
  ...{ type: "component", kind: "form", title: "Your visit" },
  fields: [{ name: "day", label: "Day", type: "text", required: true }],
};

// With the keyboard on the screen that a field opens, half of what was said would be covered.
test.each([
  ["on a desktop", "to the field", desktop, "text"],
  ["on a phone", "to the conversation", phone, "scroll"],
])("[page] %s the focus goes %s when what had it goes", async (_size, _where, options, expected) => {
  const opened = await desk.open({ ...options, locale: "en-US" });
  const { page } = opened;
  const rested = () => page.waitForFunction((id) => document.activeElement?.id === id, expected);

  const asked = await desk.ask(page, "book me in");
  asked.say(choices);
  asked.answer("Gladly.");
  await press(page, ".action");
  const chosen = await desk.agent.call("Morning");
  await page.locator(".action").waitFor({ state: "detached" });
  await rested();

  chosen.say({ type: "delta", text: "One" });
  await press(page, ".stop");
  await page.locator(".stop").waitFor({ state: "detached" });
  await rested();

  const filled = await desk.ask(page, "a form");
  filled.say(visit);
  filled.answer("Please.");
  await page.fill(".field input", "Monday");
  await press(page, ".send-form");
  await page.locator(".send-form").waitFor({ state: "detached" });
  await rested();
  expectClean(opened);
});

test("[page] a field that is filled in wrongly has the focus, not the one below", async () => {
  const { page } = await desk.open(desktop);
  const filled = await desk.ask(page, "a form");
  filled.say({ ...visit, fields: [{ name: "mail", label: "Mail", type: "email", required: true }] });
  filled.answer("Please.");
  await page.fill(".field input", "nobody");
  await press(page, ".send-form");
  await page.locator(".hint", { hasText: /\S/ }).waitFor();
  await page.waitForFunction(() => document.activeElement?.matches(".field input"));
});

test("[page] from the button that leads to the newest message the focus goes to the conversation", async () => {
  const { page } = await desk.open(desktop);
  const call = await desk.ask(page, "hello");
  call.answer("long\n".repeat(100));
  await page.locator("#log .agent", { hasText: "long" }).waitFor();
  await page.evaluate("document.querySelector('#scroll').scrollTop = 0");
  await press(page, "#newest");
  await page.locator("#newest").waitFor({ state: "hidden" });
  expect(await page.evaluate("document.activeElement.id")).toBe("scroll");
});

test("[page] who has let go of what goes is not brought back", async () => {
  const { page } = await desk.open(desktop);
  const call = await desk.ask(page, "hello");
  call.say({ type: "delta", text: "Good" });
  await page.locator(".stop").focus();
  await page.evaluate("document.activeElement.blur()");
  call.answer("Good morning");
  await page.locator(".stop").waitFor({ state: "detached" });
  expect(await page.evaluate("document.activeElement === document.body")).toBe(true);
});

async function press(page: Page, selector: string): Promise<void> {
  // What is not seen yet takes no focus, and says nothing.
  await page.locator(selector).waitFor();
  await page.locator(selector).focus();
  await page.keyboard.press("Enter");
}
