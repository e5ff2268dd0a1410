import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { Agent } from "../../server/messaging/agent.js";
import { startBrowser, type TestBrowser, type TestPage } from "../support/browser.js";
import { artifacts, desktop, expectClean, phone, say } from "../support/page-desk.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret } from "../support/tokens.js";

const root = join(import.meta.dirname, "..", "..");
const question = "Vreau să fac o programare";
const answer = "Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?";

let publicDir: string;
let browser: TestBrowser;
let app: TestApp;

beforeAll(async () => {
  publicDir = await mkdtemp(join(tmpdir(), "bennu-page-"));
  await promisify(execFile)(process.execPath, [join(root, "client", "build.mjs"), publicDir]);
  await mkdir(artifacts, { recursive: true });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.stop();
  await rm(publicDir, { recursive: true, force: true });
});

beforeEach(async () => {
  app = await startTestApp({ AGENT: "assistant" }, { publicDir });
});

afterEach(async () => {
  await app.dispose();
});

const sizes = [
  ["desktop", desktop],
  ["phone", phone],
] as const;

test.each(sizes)("[M14] the seed's conversation on a %s, and still there after a reload", async (name, options) => {
  const opened = await openChat(options);
  const { page } = opened;
  await shot(page, `${name}-empty`);
  await say(page, question);
  await waitForTexts(page, [question, answer]);
  await shot(page, `${name}-answered`);

  await page.reload();
  await waitForTexts(page, [question, answer]);
  expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
  expectClean(opened);
});

test("[page] is usable by its labels alone", async () => {
  const { page } = await openChat(desktop);
  await page.getByRole("textbox", { name: "Your message" }).fill(question);
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("log", { name: "Conversation" }).getByText(answer).waitFor();
  expect(await page.getByRole("status").textContent()).toBe("Connected");
  expect(await page.getByRole("log").getAttribute("aria-live")).toBe("polite");
});

test("[U-01] markup is shown as text: said and answered, live, in another window, and from history", async () => {
  const markup = [
    `<img src=x onerror="document.title='hurt'">`,
    "<svg onload=alert(1)>",
    "javascript:alert(1)",
    `"onmouseover="alert(1)`,
  ];
  await restart({ AGENT: "echo" });
  const opened = await openChat(desktop, "?user=u-markup");
  const other = await openChat(phone, "?user=u-markup");
  for (const text of markup) await say(opened.page, text);
  await other.page
    .locator("#log .bubble.agent")
    .nth(markup.length - 1)
    .waitFor();
  await opened.page.reload();
  for (const { page } of [opened, other]) {
    for (const text of markup) {
      await page.locator(".user .content").getByText(text, { exact: true }).waitFor();
      await page.locator(".agent .content").getByText(text, { exact: true }).waitFor();
    }
    expect(await page.locator("#log :is(img, svg, a, script, [onmouseover], [onload], [onerror])").count()).toBe(0);
    expect(await page.title()).toBe("Cabinet Stomatologic Zâmbet");
  }
  expectClean(opened);
  expectClean(other);
});

test("[U-01] actions are buttons that say their value, links only where they lead into the web", async () => {
  await restart({ AGENT: "echo" }, { echo: createOfferingAgent() });
  const { page } = await openChat(desktop);
  await say(page, "hello");
  await page.getByRole("link", { name: "Our site" }).waitFor();
  await shot(page, "desktop-actions");
  expect(await page.getByRole("link").count()).toBe(1);
  await page.getByRole("button", { name: "Tomorrow" }).click();
  await page.locator(".user.stored .content").getByText("2026-01-02", { exact: true }).waitFor();
  await page.locator("#log .bubble.agent").nth(1).waitFor();
  expect(await page.getByRole("button", { name: "Tomorrow" }).count()).toBe(1);
  // What leads anywhere else is not even offered.
  expect(await page.getByText("Trap").count()).toBe(0);
});

test.each(sizes)(
  "[U-03] on a %s a message written while the server is away is kept, and arrives once",
  async (name, options) => {
    const { page, pageErrors } = await openChat(options);
    await say(page, question);
    await waitForTexts(page, [question, answer]);
    await app.stop();
    await page.locator("#status[data-state=offline]").waitFor();
    await say(page, "Consultație");
    await page.locator(".bubble.sending", { hasText: "Consultație" }).waitFor();
    await shot(page, `${name}-offline`);

    // Shown anew while nobody is there, it has nothing to be shown with; it is not lost by that.
    await page.reload().catch(() => undefined);
    await restart();
    await page.goto(app.url);
    await page.locator("#status[data-state=online]").waitFor();
    await page.locator(".bubble.user.stored", { hasText: "Consultație" }).waitFor();
    await page.locator("#log .bubble.agent").nth(1).waitFor();
    await shot(page, `${name}-back`);
    await page.reload();
    await page.locator("#log .bubble").nth(3).waitFor();
    expect((await texts(page)).filter((text) => text === "Consultație")).toHaveLength(1);
    expect(pageErrors).toEqual([]);
  },
);

test("[U-04] a tab that is made a copy of, with what it has not sent yet, says it once", async () => {
  await restart({ AGENT: "echo" });
  const { page } = await openChat(desktop, "?user=u-tabs");
  await app.stop();
  await page.locator("#status[data-state=offline]").waitFor();
  await say(page, "only once");
  await page.locator(".bubble.sending").waitFor();
  const kept = await page.evaluate<[string, string][]>("Object.entries(sessionStorage)");
  await restart({ AGENT: "echo" });
  // As browsers do it: the copy has the storage of the tab it was made of.
  const copy = await page.context().newPage();
  await copy.addInitScript((entries) => entries.forEach(([key, value]) => sessionStorage.setItem(key, value)), kept);
  await copy.goto(`${app.url}/?user=u-tabs`);
  for (const tab of [page, copy]) {
    await tab.locator("#log .bubble.agent").waitFor();
    await tab.locator("#log .user.stored").waitFor();
  }
  await copy.close();
  await page.reload();
  await page.locator("#log .bubble.agent").waitFor();
  expect(await texts(page)).toEqual(["only once", "only once"]);
});

test.each([
  ["an open server", {}],
  ["a server with tokens", { AUTH_SECRET: secret }],
])(
  "[X11] on %s a visitor is made once, and another one has a conversation of their own",
  async (_name, environment) => {
    await restart(environment);
    const first = await openChat(desktop);
    const visitor = () => first.page.evaluate("JSON.parse(localStorage.getItem('bennu.visitor:B0100001')).sub");
    const userId = await visitor();
    expect(userId).toMatch(/^visitor-[0-9a-f-]{36}$/);
    await say(first.page, question);
    await waitForTexts(first.page, [question, answer]);
    await first.page.reload();
    await waitForTexts(first.page, [question, answer]);
    expect(await visitor()).toBe(userId);

    const second = await openChat(desktop);
    await second.page.locator("#empty").waitFor();
    expect(await texts(second.page)).toEqual([]);
    expectClean(first);
  },
);

test("[X11] one whose token the server no longer knows is somebody new, and can write", async () => {
  await restart({ AUTH_SECRET: secret });
  const { page } = await openChat(desktop);
  const visitor = () => page.evaluate("JSON.parse(localStorage.getItem('bennu.visitor:B0100001')).sub");
  const userId = await visitor();
  await restart({ AUTH_SECRET: `another ${secret}` });
  await page.locator("#status[data-state=offline]").waitFor();
  await page.waitForEvent("load");
  await page.locator("#status[data-state=online]").waitFor();
  expect(await visitor()).not.toBe(userId);
  await say(page, question);
  await waitForTexts(page, [question, answer]);
});

test.each(["while it is open", "at a reload"])(
  "[X11] what somebody who is new by now wrote and did not send is in the field, once, found out %s",
  async (when) => {
    await restart({ AUTH_SECRET: secret });
    const { page } = await openChat(desktop);
    await app.stop();
    await page.locator("#status[data-state=offline]").waitFor();
    for (const text of ["first", "second"]) {
      await say(page, text);
      await page.locator(".bubble.sending", { hasText: text }).waitFor();
    }
    const isOpen = when === "while it is open";
    if (isOpen) await page.fill("#text", "third");
    else await page.goto("about:blank");
    await restart({ AUTH_SECRET: `another ${secret}` });
    if (isOpen) await page.waitForEvent("load");
    else await page.goto(app.url);
    await page.locator("#status[data-state=online]").waitFor();
    expect(await page.inputValue("#text")).toBe(isOpen ? "first\nsecond\nthird" : "first\nsecond");
    expect(await texts(page)).toEqual([]);
    const kept = await page.evaluate<string[]>("Object.values(sessionStorage)");
    expect(kept.filter((value) => /first|third/.test(value))).toEqual([]);
  },
);

/** Stops the server where it still runs, and starts it at the same address with the same data. */
async function restart(
  environment: Readonly<Record<string, string>> = {},
  agents: Readonly<Record<string, Agent>> = {},
) {
  await app.stop();
  const place = { DATA_DIR: app.dataDir, PORT: String(app.port) };
  app = await startTestApp({ AGENT: "assistant", ...place, ...environment }, { publicDir, agents });
}

function createOfferingAgent(): Agent {
  const actions = [
    { type: "reply", label: "Today" },
    { type: "reply", label: "Tomorrow", value: "2026-01-02" },
    { type: "link", label: "Our site", url: "https://example.com/" },
    { type: "link", label: "Trap", url: "javascript:document.title='hurt'" },
  ];
  return {
    node: "echo",
    async *answer() {
      yield await Promise.resolve({ type: "answer" as const, message: "When would you like to come?", actions });
    },
  };
}

async function openChat(options: BrowserContextOptions, query = ""): Promise<TestPage> {
  const opened = await browser.openPage(options);
  await opened.page.goto(`${app.url}/${query}`);
  await opened.page.locator("#status[data-state=online]").waitFor();
  return opened;
}

async function waitForTexts(page: Page, expected: readonly string[]): Promise<void> {
  await page
    .locator(".bubble.stored .content")
    .nth(expected.length - 1)
    .waitFor();
  expect(await texts(page)).toEqual(expected);
}

function texts(page: Page): Promise<string[]> {
  return page.locator("#log .content").allTextContents();
}

function shot(page: Page, name: string): Promise<Buffer> {
  return page.screenshot({ path: join(artifacts, `page-${name}.png`) });
}
