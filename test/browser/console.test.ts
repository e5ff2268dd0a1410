import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Chat } from "bennu/client";
import type { Locator, Page } from "playwright-core";
import type { TestPage } from "../support/browser.js";
import { ClientSeats } from "../support/client-seats.js";
import { ConsoleBrowser, desktop, expectClean, online, untilSeen } from "../support/console-page.js";
import { type AgentCall, ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

let browser: ConsoleBrowser;
let app: TestApp;
let agent: ScriptedAgent;
let seats: ClientSeats;

beforeAll(async () => {
  browser = await ConsoleBrowser.start();
});

afterAll(() => browser?.stop());

beforeEach(async () => {
  agent = new ScriptedAgent();
  app = await startTestApp({}, { publicDir: browser.publicDir, agents: { echo: agent } });
  seats = new ClientSeats("B0100001", () => app.url);
});

afterEach(async () => {
  await seats.leaveAll();
  await app.dispose();
});

test("[console] the list is live: what is asked, answered, held and over is seen, filtered and searched", async () => {
  const opened = await open();
  const { page } = opened;
  await page.getByText("No conversations yet.").waitFor();
  await browser.look(opened, "empty");
  const ana = await asked("ana", "Do you have time today?");
  await row(page, "ana").getByText("Do you have time today?").waitFor();
  await row(page, "ana").getByText("The assistant is answering").waitFor();
  ana.call.answer("Yes, at three.");
  await row(page, "ana").getByText("Assistant: Yes, at three.").waitFor();
  const bob = await asked("bob", "/human");
  await row(page, "bob").getByText("Asked for a human").waitFor();
  const carla = await asked("carla", "Thanks");
  const colleague = await seats.consoleOnline();
  await colleague.takeOver(carla.sessionId);
  await row(page, "carla").getByText("Waiting for a reply").waitFor();
  // Who holds it is one thing, and who waits another: it is under both.
  for (const [name, users] of [
    ["Waiting", ["bob", "carla"]],
    ["Human", ["carla"]],
  ] as const) {
    await filter(page, name).getByText(String(users.length), { exact: true }).waitFor();
    await filter(page, name).click();
    expect((await names(page)).toSorted()).toEqual(users);
  }
  await filter(page, "All").click();
  // Ana was answered before; those who wait are above her, and stay there when she is answered again.
  (await asked("ana", "And at four?")).call.answer("At four too.");
  await row(page, "ana").getByText("Assistant: At four too.").waitFor();
  expect((await names(page)).at(-1)).toBe("ana");
  await colleague.reply(carla.sessionId, "You are welcome");
  await row(page, "carla").locator(".state.human").waitFor();
  await browser.look(opened, "list");

  await filter(page, "Waiting").click();
  expect(await names(page)).toEqual(["bob"]);
  await filter(page, "Human").click();
  expect(await names(page)).toEqual(["carla"]);
  await filter(page, "Answered").click();
  expect(await names(page)).toEqual(["ana"]);
  await colleague.resolve(bob.sessionId);
  await filter(page, "Resolved").click();
  await row(page, "bob").getByText("Resolved", { exact: true }).waitFor();
  await filter(page, "All").click();
  await page.getByRole("searchbox").fill("AT FOUR");
  await untilSeen("only what matches is shown", async () => (await names(page)).join() === "ana");
  await page.getByRole("searchbox").fill("nobody");
  await page.getByText("Nothing found in all conversations.").waitFor();
  expectClean(opened);
});

test("[console] a conversation that was over before the console was opened is found", async () => {
  const { sessionId } = await asked("stefan+1", "Hello");
  const colleague = await seats.consoleOnline();
  await colleague.resolve(sessionId);
  const opened = await open();
  const { page } = opened;
  await page.getByText("No conversations yet.").waitFor();
  await page.getByRole("searchbox").fill("TEFAN");
  await row(page, "stefan+1").waitFor();
  await page.getByRole("searchbox").fill("");
  await filter(page, "Resolved").click();
  await row(page, "stefan+1").click();
  await page.getByText("This conversation is over. Reopen it to write.").waitFor();
  expectClean(opened);
});

test("[console] [M37] [M52] steps and text are seen as they come, and steps and sources later on demand", async () => {
  const { call, chat } = await asked("ana", "When are you open?");
  const opened = await open();
  const { page } = opened;
  await row(page, "ana").click();
  await page.locator(".message.user", { hasText: "When are you open?" }).waitFor();
  call.say({ type: "thinking", step: "retrieval", label: "Looking it up", status: "started" });
  await page.locator(".making .started", { hasText: "Looking it up" }).waitFor();
  call.say({ type: "delta", text: "From nine " });
  await page.locator(".making .said", { hasText: "From nine" }).waitFor();
  await browser.look(opened, "making");
  call.say({ type: "answer", message: "From nine to five.", sources: ["Opening hours"] });
  await page.locator(".making").waitFor({ state: "detached" });
  const answer = page.locator(".message.agent", { hasText: "From nine to five." });
  await answer.getByText("How it was answered").click();
  await answer.getByText("Looking it up").waitFor();
  await answer.getByText("Opening hours").waitFor();
  await browser.look(opened, "steps");
  chat.read();
  await answer.getByText("Read", { exact: true }).waitFor();
  expectClean(opened);
});

test("[console] [M30] [M31] [M33] [M36] [U-04] taken over, answered once, noted, drafted, handed back, resolved and reopened, by keyboard alone", async () => {
  const { call, chat, sessionId } = await asked("ana", "Can I talk to somebody?");
  const opened = await open();
  const { page } = opened;
  await row(page, "ana").waitFor();
  await page.keyboard.press("j");
  await page.locator(".message.user").waitFor();
  await page.keyboard.press("t");
  await page.getByText("You have this conversation").waitFor();
  call.answer("The assistant's own answer");
  await page.locator(".message.draft", { hasText: "The assistant's own answer" }).waitFor();
  await page.keyboard.press("n");
  await page.keyboard.type("She is a regular");
  await page.keyboard.press("Enter");
  await page.locator(".message.note", { hasText: "She is a regular" }).waitFor();
  await browser.look(opened, "taken-over");
  expect(chat.messages.map(({ content }) => content)).toEqual(["Can I talk to somebody?"]);
  await page.keyboard.press("Escape");

  await page.locator(".message.draft").getByRole("button", { name: "Use as reply" }).press("Enter");
  const field = page.getByRole("textbox", { name: "Write to the customer" });
  await untilSeen("the draft is in the field", async () => (await field.inputValue()) === "The assistant's own answer");
  await field.fill("Maria here");
  await field.evaluate((input) => {
    const enter = () => new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
    for (let pressed = 0; pressed < 3; pressed += 1) input.dispatchEvent(enter());
  });
  await page.locator(".message.coordinator", { hasText: "Maria here" }).waitFor();
  await until("the customer has it", () => chat.messages.length > 1);
  expect(await field.inputValue()).toBe("");

  await field.press("Escape");
  await page.keyboard.press("t");
  await page.getByRole("button", { name: "Take over" }).waitFor();
  await page.keyboard.press("e");
  await page.locator(".standing", { hasText: "Resolved" }).waitFor();
  await page.keyboard.press("e");
  await page.locator(".standing", { hasText: "With the assistant" }).waitFor();
  const { messages } = (await (await fetch(`${app.url}/api/sessions/${sessionId}/messages`)).json()) as {
    messages: { content: string }[];
  };
  expect(messages.map(({ content }) => content)).toEqual(["Can I talk to somebody?", "Maria here"]);
  expectClean(opened);
});

test("[console] everything by keyboard: the list, search, filters, figures, help; and keys can be switched off", async () => {
  for (const userId of ["ana", "bob", "carla"]) (await asked(userId, `I am ${userId}`)).call.answer();
  const opened = await open();
  const { page } = opened;
  await row(page, "ana").getByText("Assistant:").waitFor();
  await page.keyboard.press("j");
  await heading(page, "carla").waitFor();
  await page.keyboard.press("ArrowDown");
  await heading(page, "bob").waitFor();
  await page.keyboard.press("k");
  await heading(page, "carla").waitFor();
  await page.getByRole("listbox").press("End");
  await heading(page, "ana").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("bo");
  await untilSeen("it is found", async () => (await names(page)).join() === "bob");
  await page.keyboard.press("Enter");
  await heading(page, "bob").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.press("Escape");
  expect(await page.getByRole("searchbox").inputValue()).toBe("");
  await untilSeen("all are there again", async () => (await names(page)).length === 3);
  await page.keyboard.press("Escape");
  await page.keyboard.press("2");
  await page.keyboard.press("s");
  await heading(page, "Figures").waitFor();
  await page.keyboard.press("Escape");
  await heading(page, "bob").waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("No conversation is open").waitFor();

  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await browser.look(opened, "keys");
  await page.getByRole("checkbox").press("Space");
  await page.keyboard.press("Escape");
  await filter(page, "All").click();
  await page.getByRole("searchbox").fill("");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.getByRole("listbox").press("ArrowDown");
  // Had `j` done something, this would be the second one.
  await heading(page, "carla").waitFor();
  expectClean(opened);
});

test("[console] [M70] who is online is seen", async () => {
  await seats.online({ userId: "ana" });
  await seats.consoleOnline();
  const opened = await open();
  const { page } = opened;
  await page.getByRole("button", { name: "Online 2" }).click();
  await page.getByText("1 customer online").waitFor();
  expect(await page.locator(".people li").count()).toBe(2);
  await browser.look(opened, "online");
  expectClean(opened);
});

test("[console] what is written stays with its conversation", async () => {
  await asked("ana", "Hello");
  await asked("bob", "Hello");
  const opened = await open();
  const { page } = opened;
  const field = page.getByRole("textbox", { name: "Write to the customer" });
  await row(page, "ana").click();
  await field.fill("For Ana");
  await row(page, "bob").click();
  await heading(page, "bob").waitFor();
  expect(await field.inputValue()).toBe("");
  await row(page, "ana").click();
  await heading(page, "ana").waitFor();
  expect(await field.inputValue()).toBe("For Ana");
  expectClean(opened);
});

interface Asked {
  readonly chat: Chat;
  readonly sessionId: string;
  readonly call: AgentCall;
}

/** A question of a customer, and the agent that was asked; commands it is not. */
async function asked(userId: string, text: string): Promise<Asked> {
  const chat = await seats.online({ userId });
  const { sessionId } = await chat.send(text);
  const call = text.startsWith("/") ? (null as unknown as AgentCall) : await agent.call(text);
  return { chat, sessionId, call };
}

async function open(options = desktop, prepare?: (page: Page) => Promise<unknown>): Promise<TestPage> {
  const opened = await browser.open(`${app.url}/console`, options, prepare);
  await online(opened.page);
  return opened;
}

function row(page: Page, userId: string): Locator {
  return page.locator(".row", { has: page.locator(".row-name").getByText(userId, { exact: true }) });
}

function names(page: Page): Promise<string[]> {
  return page.locator(".row-name").allTextContents();
}

function filter(page: Page, name: string): Locator {
  return page.getByRole("group", { name: "Show" }).getByRole("button", { name });
}

function heading(page: Page, name: string): Locator {
  return page.getByRole("heading", { level: 1, name, exact: true });
}
