import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { BrowserContextOptions, Page } from "playwright-core";
import { violations, withAxe } from "../support/axe.js";
import { artifacts, desktop, expectClean, PageDesk, phone, retryAtOnce, say } from "../support/page-desk.js";
import type { TestPage } from "../support/browser.js";
import { ClientSeats } from "../support/client-seats.js";
import { until } from "../support/until.js";
import { secret } from "../support/tokens.js";

let desk: PageDesk;
/** Somebody's site: a plain file of another origin. */
let site: Server;
let siteUrl: string;
let siteHtml: string;
let siteHeaders: Readonly<Record<string, string>>;

beforeAll(async () => {
  desk = await PageDesk.build();
  await mkdir(artifacts, { recursive: true });
  site = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...siteHeaders }).end(siteHtml);
  });
  await new Promise<void>((done) => site.listen(0, "127.0.0.1", done));
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
});

afterAll(async () => {
  site?.close();
  await desk?.stop();
});

beforeEach(async () => {
  await desk.start();
  siteHeaders = {};
});

afterEach(() => desk.app.dispose());

/** The line of the README, for the desk of this test. */
async function readmeLine(attributes = ""): Promise<string> {
  const readme = await readFile(join(import.meta.dirname, "..", "..", "README.md"), "utf8");
  const line = /^ {4}(<script .*widget\.js.*<\/script>)$/m.exec(readme)![1]!;
  return line.replace("http://127.0.0.1:3001", desk.app.url).replace("></script>", ` ${attributes}></script>`);
}

function pageWith(script: string): string {
  return `<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width"><title>A practice</title><style>
    html { font-size: 20px; color: red }
    * { letter-spacing: 0.2em !important; background: yellow }
    div, button, bennu-chat { display: none; position: static; text-transform: uppercase }
  </style></head><body><main class="chat"><h1>Welcome</h1><a href="#x" id="x">link</a></main>${script}</body></html>`;
}

async function visit(options: BrowserContextOptions, prepare?: (page: Page) => Promise<unknown>): Promise<TestPage> {
  const opened = await desk.browser.openPage(options);
  await prepare?.(opened.page);
  await opened.page.goto(siteUrl);
  return opened;
}

const launcher = (page: Page) => page.locator("bennu-chat .launcher");
const panel = (page: Page) => page.locator("bennu-chat .panel");

async function open(page: Page): Promise<void> {
  await launcher(page).click();
  await page.locator("bennu-chat #status[data-state=online]").waitFor();
}

test.each([
  ["desktop", desktop, "Chat", `data-locale="en" data-theme="light"`],
  ["phone", phone, "Chat", `data-locale="ro" data-theme="dark"`],
] as const)(
  "[page] the README's line puts the chat on another origin's page, on a %s",
  async (name, options, title, attributes) => {
    const isPhone = name === "phone";
    siteHtml = pageWith(await readmeLine(attributes));
    const opened = await visit(options, withAxe);
    const { page } = opened;
    const before = await page.evaluate(styleOfSite);
    expect(await violationsInWidget(page)).toEqual([]);
    await page.screenshot({ path: join(artifacts, `widget-${name}-closed.png`) });
    await page.getByRole("button", { name: title, exact: true }).click();
    await page.locator("bennu-chat #status[data-state=online]").waitFor();
    expect(await page.evaluate("document.querySelector('bennu-chat').shadowRoot.activeElement.id")).toBe("text");
    const call = await desk.ask(page, "hello");
    call.answer("Good **morning**");
    await page.locator("bennu-chat .agent strong", { hasText: "morning" }).waitFor();
    await page.screenshot({ path: join(artifacts, `widget-${name}.png`) });
    // On a phone the chat is all there is; elsewhere the page stays in reach beside it.
    const { width, height } = (await panel(page).boundingBox())!;
    if (isPhone) expect({ width, height }).toEqual(options.viewport);
    else expect(width).toBeLessThan(400);
    expect(await page.evaluate(styleOfSite)).toEqual(before);
    expect(await violationsInWidget(page)).toEqual([]);
    const text = page.locator("bennu-chat #text");
    expect(await text.evaluate((input) => [getComputedStyle(input).fontSize, getComputedStyle(input).letterSpacing])).toEqual(["16px", "normal"]); // prettier-ignore
    expect(await panel(page).evaluate((each) => getComputedStyle(each).colorScheme)).toBe(isPhone ? "dark" : "light");
    expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    const close = page.locator("bennu-chat .close");
    expect(await close.isVisible()).toBe(isPhone);
    await (isPhone ? page.getByRole("button", { name: "Închide" }) : launcher(page)).click();
    await panel(page).waitFor({ state: "hidden" });
    expect(await launcher(page).evaluate((each) => (each.getRootNode() as ShadowRoot).activeElement === each)).toBe(
      true,
    );
    expectClean(opened);
  },
);

test("[page] it leaves no name in the page, and nothing in it but its element", async () => {
  siteHtml = pageWith("");
  const { page } = await visit(desktop);
  const names = await page.evaluate<string[]>("Object.getOwnPropertyNames(window)");
  siteHtml = pageWith(await readmeLine());
  await page.reload();
  await open(page);
  const after = await page.evaluate<string[]>("Object.getOwnPropertyNames(window)");
  expect(after.filter((name) => !names.includes(name))).toEqual([]);
  expect(await page.evaluate("[...document.body.children].map((each) => each.localName)")).toEqual(["main", "script", "bennu-chat"]); // prettier-ignore
  expect(
    await page.evaluate("document.adoptedStyleSheets.length + document.head.querySelectorAll('style').length"),
  ).toBe(1);
});

test("[page] the keyboard stays in it while it is open, Escape closes it, and the page hears none of its keys", async () => {
  siteHtml = pageWith(await readmeLine());
  const { page } = await visit(desktop);
  await page.evaluate("document.addEventListener('keydown', ({ key }) => (window.heard ??= []).push(key))");
  await launcher(page).focus();
  await page.keyboard.press("Enter");
  await page.locator("bennu-chat #status[data-state=online]").waitFor();
  const focus = () => page.evaluate<string>("document.activeElement.shadowRoot?.activeElement?.id ?? ''");
  const seen: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    seen.push(await focus());
    await page.keyboard.press("Tab");
  }
  expect(seen).toEqual(["text", "send", "log", "text"]);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Escape");
  await panel(page).waitFor({ state: "hidden" });
  expect(await launcher(page).evaluate((each) => (each.getRootNode() as ShadowRoot).activeElement === each)).toBe(true);
  expect(await launcher(page).getAttribute("aria-expanded")).toBe("false");
  expect(await page.evaluate("window.heard")).toBeUndefined();
});

test("[page] Escape closes it also after what was pressed is gone: a choice, Stop", async () => {
  siteHtml = pageWith(await readmeLine());
  const opened = await visit(desktop);
  const { page } = opened;
  await open(page);
  const asked = await desk.ask(page, "book me in");
  asked.say({ type: "component", kind: "choices", title: "When?", choices: [{ value: "am", label: "Morning" }] });
  asked.answer("Gladly.");
  await page.getByRole("button", { name: "Morning" }).click();
  const chosen = await desk.agent.call("Morning");
  await page.getByRole("button", { name: "Morning" }).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await panel(page).waitFor({ state: "hidden" });
  await launcher(page).click();
  chosen.say({ type: "delta", text: "One" });
  await page.getByRole("button", { name: "Stop" }).press("Enter");
  await page.locator("bennu-chat .stop").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await panel(page).waitFor({ state: "hidden" });
  expectClean(opened);
});

test("[page] what has the focus on the site keeps it, whatever goes in the widget", async () => {
  siteHtml = pageWith(`<input id="site">${await readmeLine()}`);
  const { page } = await visit(desktop);
  await open(page);
  const call = await desk.ask(page, "hello");
  call.say({ type: "delta", text: "Good" });
  await page.getByRole("button", { name: "Stop" }).focus();
  await page.focus("#site");
  call.answer("Good morning");
  await page.locator("bennu-chat .stop").waitFor({ state: "detached" });
  expect(await page.evaluate("document.activeElement.id")).toBe("site");
});

test("[M28] what comes while it is closed is counted on its button, not told as read, and over the next page too", async () => {
  const seats = new ClientSeats("B0100001", () => desk.app.url);
  const read: number[] = [];
  (await seats.consoleOnline()).on("receipt", (receipt) => read.push(receipt.read));
  siteHtml = pageWith(await readmeLine());
  const opened = await visit(desktop);
  const { page } = opened;
  await open(page);
  const call = await desk.ask(page, "hello");
  await page.keyboard.press("Escape");
  call.answer("Good morning");
  await page.getByRole("button", { name: "Chat, 1 new message" }).waitFor();
  await page.screenshot({ path: join(artifacts, "widget-unread.png") });
  await page.reload();
  const unread = page.getByRole("button", { name: "Chat, 1 new message" });
  await unread.waitFor();
  expect(read).not.toContain(2);
  await unread.click();
  await until("it is told as read", () => read.includes(2));
  await page.locator("bennu-chat .agent", { hasText: "Good morning" }).waitFor();
  await page.getByRole("button", { name: "Chat", exact: true }).waitFor();
  await page.reload();
  await page.locator("bennu-chat .agent", { hasText: "Good morning" }).waitFor({ state: "attached" });
  expect(await page.locator("bennu-chat .badge").isHidden()).toBe(true);
  await seats.leaveAll();
  expectClean(opened);
});

test("[U-02] it works under a policy that allows the desk, and no inline script, style or markup", async () => {
  const { url } = desk.app;
  siteHeaders = {
    "content-security-policy": [
      `default-src 'none'; script-src ${url}; connect-src ${url} ${url.replace("http", "ws")}`,
      "require-trusted-types-for 'script'; trusted-types bennu dompurify",
    ].join("; "),
  };
  siteHtml = `<!doctype html><title>A practice</title><p>Welcome</p>${await readmeLine()}`;
  const { page, pageErrors, consoleErrors } = await visit(desktop);
  await open(page);
  const call = await desk.ask(page, "hello");
  call.answer("Good **morning**");
  await page.locator("bennu-chat .agent strong", { hasText: "morning" }).waitFor();
  expect(await page.locator("bennu-chat .send").evaluate((each) => getComputedStyle(each).borderRadius)).toBe("999px");
  // The site has no icon of its own, and may not ask for one.
  expect([pageErrors, consoleErrors.filter((text) => !text.includes("favicon"))]).toEqual([[], []]);
});

test("[X13] with tokens only a listed site may: another one's visitors read that there is no connection", async () => {
  await desk.app.dispose();
  await desk.start({ AUTH_SECRET: secret, ALLOWED_ORIGINS: siteUrl });
  siteHtml = pageWith(await readmeLine());
  const listed = await visit(desktop);
  await open(listed.page);
  await say(listed.page, "hello");
  (await desk.agent.call("hello")).answer("Good morning");
  await listed.page.locator("bennu-chat .agent", { hasText: "Good morning" }).waitFor();
  expectClean(listed);
  await desk.app.dispose();
  await desk.start({ AUTH_SECRET: secret, ALLOWED_ORIGINS: "https://example.com" });
  siteHtml = pageWith(await readmeLine());
  const other = await visit(desktop, (page) => page.addInitScript(retryAtOnce));
  await launcher(other.page).click();
  await panel(other.page).getByText("No connection. Trying again…").waitFor();
});

// The site's own faults are its own. Of landmarks axe names the site's, when the widget has a second one.
async function violationsInWidget(page: Page): Promise<string[]> {
  const found = await violations(page);
  return found.filter((each) => each.includes("bennu-chat") || each.startsWith("landmark"));
}

/** Runs in the page. */
function styleOfSite(): readonly string[] {
  return ["h1", "a", "html"].map((each) => {
    const { color, fontSize, display, backgroundColor } = getComputedStyle(document.querySelector(each)!);
    return [color, fontSize, display, backgroundColor].join(" ");
  });
}
