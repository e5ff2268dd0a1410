import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import type { TestPage } from "../support/browser.js";
import { ClientSeats } from "../support/client-seats.js";
import { ConsoleBrowser, desktop, expectClean, online, phone } from "../support/console-page.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";

const businessId = "B0100001";
const hostile = [
  `<img src=x onerror="document.title='hurt'">`,
  "<svg onload=alert(1)><script>document.title='hurt'</script>",
  "[x](javascript:alert(1)) javascript:alert(1)",
  `"onmouseover="alert(1)`,
  "\u202egnirts desrever\u2066 and \u2067more",
];
const json = { "content-type": "application/json" };
const hugeWord = "W".repeat(6000);
const made = "img[src=x], .said svg, .row-text svg, .said a, .said script, [onmouseover], [onload], [onerror]";

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
  seats = new ClientSeats(businessId, () => app.url);
});

afterEach(async () => {
  await seats.leaveAll();
  await app.dispose();
});

test("[U-01] [U-02] hostile texts are shown as text: live, in the making, noted, in the list, and from history", async () => {
  const opened = await open();
  const { page } = opened;
  const chat = await seats.online({ userId: "mallory" });
  const first = await chat.send("Hello");
  await row(page, "mallory").click();
  await page.locator(".message.user", { hasText: "Hello" }).waitFor();
  const call = await agent.call("Hello");
  call.say({ type: "thinking", step: "retrieval", label: hostile[0]!, status: "started" });
  await page.locator(".making .started", { hasText: hostile[0]! }).waitFor();
  call.say({ type: "delta", text: hostile.join("\n") });
  await page.locator(".making .said", { hasText: hostile[1]! }).waitFor();
  expect(await page.locator(made).count()).toBe(0);
  const actions = [{ type: "link", label: hostile[1]!, url: "https://example.com/" }];
  call.say({ type: "answer", message: hostile.join("\n"), actions, sources: hostile });
  await page.locator(".message.agent:not(.making)").waitFor();
  for (const text of hostile) {
    const { messageId } = await chat.send(text);
    await row(page, "mallory").getByText(text, { exact: true }).waitFor();
    (await agent.call(text)).answer(`you said ${messageId}`);
  }
  await chat.send(hugeWord);
  const colleague = await seats.consoleOnline();
  await colleague.note(first.sessionId, hostile[0]!);
  await page.locator(".message.note", { hasText: hostile[0]! }).waitFor();
  await page.reload();
  await online(page);
  await row(page, "mallory").click();
  await page.locator(".message.note").waitFor();
  for (const text of hostile) await page.locator(".message.user .said").getByText(text, { exact: true }).waitFor();
  await page.locator(".message.agent").first().getByText("How it was answered").click();
  await browser.look(opened, "hostile");
  expect(await page.locator(made).count()).toBe(0);
  expect(await page.title()).not.toContain("hurt");
  // A word without an end makes nothing wider, and is shown whole only when somebody asks for it.
  expect(await isTooWide(page)).toBe(false);
  await page.getByRole("button", { name: "Show all 6,000 characters" }).click();
  await page.locator(".message.user .said").getByText(hugeWord, { exact: true }).waitFor();
  expect(await isTooWide(page)).toBe(false);
  // What turns letters around in one message ends with it.
  const isolated = await page
    .locator(".said, .row-text bdi, .who bdi")
    .evaluateAll((all) => all.every((each) => getComputedStyle(each).unicodeBidi.startsWith("isolate")));
  expect(isolated).toBe(true);
  expectClean(opened);
});

test("[U-02] nobody else is asked for anything, and charts only when they are looked at", async () => {
  const asked: URL[] = [];
  const { page } = await open(desktop, (opening) =>
    Promise.resolve(opening.on("request", (request) => asked.push(new URL(request.url())))),
  );
  const files = () => asked.map(({ pathname }) => pathname).filter((path) => !path.startsWith("/api/"));
  expect(files().toSorted()).toEqual(["/console", "/console.css", "/console.js", "/icon.svg"].toSorted());
  await page.getByRole("button", { name: "Figures" }).click();
  await page.locator(".plot canvas").nth(2).waitFor();
  expect(files()).toContain("/console-charts.js");
  expect(new Set(asked.map(({ origin }) => origin))).toEqual(new Set([app.url]));
  const { headers } = await fetch(`${app.url}/console`);
  expect(headers.get("content-security-policy")).toMatch(/default-src 'self';script-src 'self';style-src 'self';/);
  expect([headers.get("x-content-type-options"), headers.get("referrer-policy")]).toEqual(["nosniff", "no-referrer"]);
});

test.each([
  ["desktop", desktop],
  ["phone", { ...phone, locale: "en-US" }],
] as const)(
  "[H11] on a %s figures are those that are stored: today, yesterday, and hour by hour",
  async (name, size) => {
    const chat = await seats.online({ userId: "ana" });
    for (const text of ["one", "two", "three"]) {
      await chat.send(text);
      (await agent.call(text)).answer();
    }
    // What was counted is stored when the server stops, if not before.
    await restart({});
    const opened = await open({ ...size, timezoneId: name === "phone" ? "Europe/Athens" : "America/New_York" });
    const { page } = opened;
    await row(page, "ana").getByText("Assistant: answer to three").waitFor();
    await page.keyboard.press("s");
    await page.locator(".plot canvas").nth(2).waitFor();
    const tile = (name: string) => page.locator(".tile", { hasText: name }).locator("strong");
    expect(await tile("Messages today").textContent()).toBe("3");
    expect(await tile("Answered by the assistant").textContent()).toBe("100 %");
    // The one hour in which something was answered is seen.
    expect(await page.locator(".plot canvas").last().evaluate(inkOf)).toBeGreaterThan(0);
    // Whose hours they are is told to those whose clocks show others.
    const zone = page.getByText(/^Days and hours are those of the business: Europe\/Bucharest, GMT\+[23]\.$/);
    expect(await zone.count()).toBe(name === "desktop" ? 1 : 0);
    await browser.look(opened, `figures-${name}`);
    await page.getByText("As a table").last().click();
    await page.getByRole("table", { name: "Answered by the assistant" }).getByText("100 %").waitFor();
    await browser.look(opened, `figures-table-${name}`);
    expectClean(opened);
  },
);

test("[X2] where a token is needed it is asked for, kept for the tab alone, and asked for again when it is no good any more", async () => {
  await restart({ AUTH_SECRET: secret });
  const opened = await browser.open(`${app.url}/console?business=${businessId}`);
  const { page } = opened;
  const field = page.getByRole("textbox", { name: "Token" });
  await field.waitFor();
  await browser.look(opened, "sign-in");
  await field.fill("no token at all");
  await field.press("Enter");
  await page.getByRole("alert").getByText("This token is not good").waitFor();
  await field.fill(await token("ana", "user"));
  await field.press("Enter");
  await page.getByRole("alert").getByText("This token is not for coordinators").waitFor();
  await browser.look(opened, "sign-in-refused");
  const good = await token("maria", "coordinator");
  await field.fill(good);
  await field.press("Enter");
  await online(page);
  const kept = "[JSON.stringify({ ...sessionStorage }), JSON.stringify({ ...localStorage }), document.cookie]";
  const [inTab, inBrowser, cookies] = await page.evaluate<[string, string, string]>(kept);
  expect([inTab.includes(good), inBrowser.includes(good), cookies, page.url().includes(good)]).toEqual([
    ...[true, false, "", false],
  ]);
  await page.reload();
  await online(page);
  await restart({ AUTH_SECRET: `another ${secret}` });
  await page.getByRole("alert").getByText("Your token has ended").waitFor();
  expect(await page.evaluate("sessionStorage.length")).toBe(0);
  await field.fill(await token("maria", "coordinator", `another ${secret}`));
  await field.press("Enter");
  await online(page);
  expect(opened.pageErrors).toEqual([]);
});

test.each(["“abc”", "abc\u200b", "🔑", "ab c"])(
  "[X2] what can be no token is refused at once, and not kept: %s",
  async (given) => {
    await restart({ AUTH_SECRET: secret });
    const { page, pageErrors } = await browser.open(`${app.url}/console?business=${businessId}`);
    const field = page.getByRole("textbox", { name: "Token" });
    await field.fill(given);
    await field.press("Enter");
    await page.getByRole("alert").getByText("This token is not good").waitFor();
    expect([await field.inputValue(), await page.evaluate("sessionStorage.length")]).toEqual(["", 0]);
    expect(pageErrors).toEqual([]);
  },
);

test("[X10] once its token is revoked another one is asked for", async () => {
  await restart({ AUTH_SECRET: secret });
  const { page, pageErrors } = await browser.open(`${app.url}/console?business=${businessId}`);
  const field = page.getByRole("textbox", { name: "Token" });
  await field.fill(await token("maria", "coordinator"));
  await field.press("Enter");
  await online(page);
  const headers = { authorization: `Bearer ${await token("billing", "service")}` };
  const revoked = await fetch(`${app.url}/api/tokens?sub=maria&businessId=${businessId}`, {
    method: "DELETE",
    headers,
  });
  expect(revoked.ok).toBe(true);
  await page.getByRole("alert").getByText("Your token has ended").waitFor();
  expect(await page.evaluate("sessionStorage.length")).toBe(0);
  expect(pageErrors).toEqual([]);
});

test("[U-03] while the server is away that is said calmly, what is written stays, and afterwards nothing is missing", async () => {
  await restart({}, true);
  const chat = await seats.online({ userId: "ana" });
  await chat.send("before");
  const bob = await say("bob");
  const opened = await open();
  const { page, pageErrors } = opened;
  await row(page, "ana").click();
  await page.locator(".message.agent", { hasText: "before" }).waitFor();
  const field = page.getByRole("textbox", { name: "Write to the customer" });
  await field.fill("I am on it");
  await app.stop();
  await page.getByText("Offline", { exact: true }).waitFor();
  await page.getByText("No connection since ").waitFor();
  await browser.look(opened, "offline");
  await field.press("Enter");
  expect(await page.getByRole("button", { name: "Take over" }).isDisabled()).toBe(true);
  // Something that no event tells afterwards happens where the page cannot hear it.
  const elsewhere = await startTestApp({ DATA_DIR: app.dataDir }, { publicDir: browser.publicDir });
  const resolved = { method: "PATCH", headers: json, body: JSON.stringify({ status: "resolved" }) };
  expect((await fetch(`${elsewhere.url}/api/sessions/${bob}`, resolved)).status).toBe(200);
  await elsewhere.stop();
  await restart({}, true);
  await chat.send("meanwhile");
  await online(page);
  await page.locator(".message.agent", { hasText: "meanwhile" }).waitFor();
  await row(page, "ana").getByText("Assistant: meanwhile").waitFor();
  await row(page, "bob").getByText("Resolved", { exact: true }).waitFor();
  expect(await field.inputValue()).toBe("I am on it");
  await page.reload();
  await online(page);
  await page.locator(".message.agent", { hasText: "meanwhile" }).waitFor();
  expect(await field.inputValue()).toBe("I am on it");
  expect(await page.locator(".message.coordinator").count()).toBe(0);
  await field.press("Enter");
  await page.locator(".message.coordinator", { hasText: "I am on it" }).waitFor();
  await row(page, "ana").getByText("Team: I am on it").waitFor();
  expect(pageErrors).toEqual([]);
});

test("[console] on a phone one thing is shown at a time, in Romanian", async () => {
  const chat = await seats.online({ userId: "ana" });
  await chat.send("Bună ziua");
  const opened = await open(phone);
  const { page } = opened;
  await row(page, "ana").waitFor();
  await browser.look(opened, "phone-list");
  expect(await isTooWide(page)).toBe(false);
  await row(page, "ana").tap();
  await page.locator(".message.user", { hasText: "Bună ziua" }).waitFor();
  expect(await row(page, "ana").isVisible()).toBe(false);
  await page.getByRole("button", { name: "Preia" }).tap();
  await page.getByText("Conversația e la tine").waitFor();
  await browser.look(opened, "phone-conversation");
  expect(await isTooWide(page)).toBe(false);
  await page.getByRole("textbox", { name: "Scrie-i clientului" }).fill("Bună, sunt Maria");
  await page.getByRole("button", { name: "Trimite" }).tap();
  await page.locator(".message.coordinator", { hasText: "Bună, sunt Maria" }).waitFor();
  await page.getByRole("button", { name: "Înapoi la listă" }).tap();
  await row(page, "ana").waitFor();
  await page.getByRole("button", { name: "Cifre" }).tap();
  await page.locator(".plot canvas").first().waitFor();
  await browser.look(opened, "phone-figures");
  expect(await isTooWide(page)).toBe(false);
  expect(await page.locator("html").getAttribute("lang")).toBe("ro");
  expectClean(opened);
});

/** Runs in the page: how many pixels of a chart are of the colour of its line. */
function inkOf(canvas: Element): number {
  const { width, height } = canvas as HTMLCanvasElement;
  const pixels = new Uint32Array(
    (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height).data.buffer,
  );
  const probe = new OffscreenCanvas(1, 1).getContext("2d")!;
  probe.fillStyle = getComputedStyle(canvas).getPropertyValue("--accent-ink").trim();
  probe.fillRect(0, 0, 1, 1);
  const [ink] = new Uint32Array(probe.getImageData(0, 0, 1, 1).data.buffer);
  return pixels.filter((pixel) => pixel === ink).length;
}

/** Stops the server where it still runs, and starts it at the same address with the same data. */
async function restart(environment: Readonly<Record<string, string>>, isEcho = false): Promise<void> {
  await app.stop();
  const place = { DATA_DIR: app.dataDir, PORT: String(app.port), ...environment };
  app = await startTestApp(place, { publicDir: browser.publicDir, ...(isEcho ? {} : { agents: { echo: agent } }) });
}

/** @returns the sessionId */
async function say(userId: string): Promise<string> {
  const body = { businessId, locationId: "default", userId, message: `I am ${userId}` };
  const headers = { ...json, "x-user-id": userId, "x-role": "user" };
  const response = await fetch(`${app.url}/api/messages`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { sessionId: string }).sessionId;
}

function token(sub: string, role: string, key = secret): Promise<string> {
  return tokenOf({ sub, role, businessId, exp: Math.floor(Date.now() / 1000) + 3600 }, { key });
}

async function open(options = desktop, prepare?: (page: Page) => Promise<unknown>): Promise<TestPage> {
  const opened = await browser.open(`${app.url}/console`, options, prepare);
  await online(opened.page);
  return opened;
}

function row(page: Page, userId: string): Locator {
  return page.locator(".row", { has: page.locator(".row-name").getByText(userId, { exact: true }) });
}

// What is cut off with an ellipsis is wider than its place, and shows no more than that.
function isTooWide(page: Page): Promise<boolean> {
  return page
    .locator("html, .thread, .list, .figures-body, .details, .head")
    .evaluateAll((all) => all.some(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth));
}
