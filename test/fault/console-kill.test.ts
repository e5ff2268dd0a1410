import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Chat } from "bennu/client";
import type { Page } from "playwright-core";
import { ClientSeats } from "../support/client-seats.js";
import { businessId, heading, row, sizes } from "../support/console-desk.js";
import { ConsoleBrowser, online } from "../support/console-page.js";
import { freePort } from "../support/free-port.js";
import { PageLine } from "../support/page-line.js";
import { TestServer } from "../support/server-process.js";
import { secret, tokenOf } from "../support/tokens.js";
import { until } from "../support/until.js";

let browser: ConsoleBrowser;
let server: TestServer;
let seats: ClientSeats;

beforeAll(async () => {
  browser = await ConsoleBrowser.start();
});

afterAll(() => browser?.stop());

beforeEach(async () => {
  // With tokens a coordinator is the same one after a restart. (SPEC M30)
  server = await TestServer.create({ AUTH_SECRET: secret, PORT: String(await freePort()) });
  await server.start();
  seats = new ClientSeats(businessId, () => server.url);
});

afterEach(async () => {
  await seats.leaveAll();
  await server.dispose();
});

test.each(sizes)(
  "[U-03] [M30] [M31] on a %s, with the server killed under a coordinator who writes: still theirs, nothing lost, said once",
  async (size, options) => {
    const { chat, sessionId } = await asked();
    const opened = await enter(options);
    const { page } = opened;
    await take(page);
    const field = page.getByRole("textbox", { name: "Write to the customer" });
    await field.fill("I am on");
    await server.kill();
    await page.locator(".connection[data-state=offline]").waitFor();
    await field.pressSequentially(" it");
    for (let pressed = 0; pressed < 3; pressed += 1) await field.press("Enter");
    await browser.look(opened, `killed-${size}`);
    await server.start();
    await online(page);
    await page.getByText("You have this conversation").waitFor();
    expect(await field.inputValue()).toBe("I am on it");
    expect(await page.locator(".message.coordinator").count()).toBe(0);
    await field.press("Enter");
    await saidOnce(page, { chat, sessionId }, "I am on it");
    expect(await field.inputValue()).toBe("");
    // Handed back by who took it before, it is the assistant's again.
    await page.getByRole("button", { name: "Hand back" }).click();
    await page.getByRole("button", { name: "Take over" }).waitFor();
    expect(opened.pageErrors).toEqual([]);
  },
  300_000,
);

test.each(sizes)(
  "[U-03] [M31] on a %s, with the server killed before it has said that a reply is stored: the reply is found, and not asked for again",
  async (_size, options) => {
    const { chat, sessionId } = await asked();
    const line = new PageLine();
    const { page, pageErrors } = await enter(options, (page) => page.routeWebSocket(/\/socket\//, line.route));
    await take(page);
    const field = page.getByRole("textbox", { name: "Write to the customer" });
    await field.fill("I am on it");
    line.isDeaf = true;
    await field.press("Enter");
    await until("the customer has it", () => chat.messages.length === 3);
    expect(await field.inputValue()).toBe("");
    await field.fill("Anything else?");
    await server.kill();
    line.cut();
    await page.locator(".connection[data-state=offline]").waitFor();
    // Nobody knows yet; nothing else can be said meanwhile.
    await field.press("Enter");
    await server.start();
    await online(page);
    await page.getByRole("button", { name: "Send", disabled: false }).waitFor();
    await saidOnce(page, { chat, sessionId }, "I am on it");
    expect(await field.inputValue()).toBe("Anything else?");
    expect(await page.locator(".line.failure").count()).toBe(0);
    expect(pageErrors).toEqual([]);
  },
  300_000,
);

interface Asked {
  readonly chat: Chat;
  readonly sessionId: string;
}

async function asked(): Promise<Asked> {
  const token = await tokenFor("ana", "user");
  const chat = await seats.online({ userId: "ana", token: () => token });
  const { sessionId } = await chat.send("Hello");
  await until("the assistant has answered", () => chat.messages.length === 2);
  return { chat, sessionId };
}

async function enter(options: (typeof sizes)[number][1], prepare?: (page: Page) => Promise<unknown>) {
  const opened = await browser.open(`${server.url}/console?business=${businessId}`, options, prepare);
  const field = opened.page.getByRole("textbox", { name: "Token" });
  await field.fill(await tokenFor("maria", "coordinator"));
  await field.press("Enter");
  await online(opened.page);
  return opened;
}

async function take(page: Page): Promise<void> {
  await row(page, "ana").click();
  await heading(page, "ana").waitFor();
  await page.locator(".message.agent").waitFor();
  await page.getByRole("button", { name: "Take over" }).click();
  await page.getByText("You have this conversation").waitFor();
}

/** In the page, at the customer's, and in the store. */
async function saidOnce(page: Page, { chat, sessionId }: Asked, reply: string): Promise<void> {
  const said = ["Hello", "Hello", reply];
  await page.locator(".message.coordinator", { hasText: reply }).waitFor();
  expect(await page.locator(".message .said").allTextContents()).toEqual(said);
  await until("the customer has it", () => chat.messages.length === 3);
  expect(chat.messages.map(({ content }) => content)).toEqual(said);
  const authorization = `Bearer ${await tokenFor("maria", "coordinator")}`;
  const path = `${server.url}/api/sessions/${sessionId}/messages`;
  const { messages } = (await (await fetch(path, { headers: { authorization } })).json()) as {
    readonly messages: readonly { readonly content: string }[];
  };
  expect(messages.map(({ content }) => content)).toEqual(said);
}

function tokenFor(sub: string, role: string): Promise<string> {
  return tokenOf({ sub, role, businessId, exp: Math.floor(Date.now() / 1000) + 3600 });
}
