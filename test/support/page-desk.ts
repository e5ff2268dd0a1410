import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "@jest/globals";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { AppOptions } from "../../server/app.js";
import { startBrowser, type TestBrowser, type TestPage } from "./browser.js";
import { type AgentCall, ScriptedAgent } from "./scripted-agent.js";
import { startTestApp, type TestApp } from "./start-app.js";

const root = join(import.meta.dirname, "..", "..");
export const artifacts = join(root, "test-artifacts");
export const desktop: BrowserContextOptions = {
  viewport: { width: 1280, height: 800 },
  locale: "en-US",
  colorScheme: "light",
};
export const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  locale: "ro-RO",
  colorScheme: "dark",
  hasTouch: true,
  isMobile: true,
};

/** The pages as they are built now, one browser, and a desk whose agent says what the test tells it. */
export class PageDesk {
  readonly browser: TestBrowser;
  readonly publicDir: string;
  agent = new ScriptedAgent();
  app!: TestApp;

  private constructor(browser: TestBrowser, publicDir: string) {
    this.browser = browser;
    this.publicDir = publicDir;
  }

  static async build(): Promise<PageDesk> {
    const publicDir = await mkdtemp(join(tmpdir(), "bennu-page-"));
    await promisify(execFile)(process.execPath, [join(root, "client", "build.mjs"), publicDir]);
    return new PageDesk(await startBrowser(), publicDir);
  }

  async start(
    environment: Readonly<Record<string, string>> = {},
    options: Partial<Omit<AppOptions, "config">> = {},
  ): Promise<TestApp> {
    this.agent = new ScriptedAgent();
    const { publicDir, agent } = this;
    this.app = await startTestApp(environment, { publicDir, agents: { echo: agent }, ...options });
    return this.app;
  }

  async stop(): Promise<void> {
    await this.browser.stop();
    await rm(this.publicDir, { recursive: true, force: true });
  }

  /** The page, once it is online. @param prepare done before it is loaded */
  async open(
    options: BrowserContextOptions,
    prepare?: (page: Page) => Promise<unknown>,
    query = "",
  ): Promise<TestPage> {
    const opened = await this.browser.openPage(options);
    await prepare?.(opened.page);
    await opened.page.goto(`${this.app.url}/${query}`);
    await online(opened.page);
    return opened;
  }

  async ask(page: Page, text: string): Promise<AgentCall> {
    await say(page, text);
    return this.agent.call(text);
  }
}

export async function online(page: Page): Promise<void> {
  await page.locator("#status[data-state=online]").waitFor();
}

export async function say(page: Page, text: string): Promise<void> {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

/** Runs in the page: what waits a second or two before it tries again does not wait. */
export function retryAtOnce(): void {
  const set = globalThis.setTimeout;
  const soon = (callback: () => void, ms = 0) => set(callback, ms >= 1000 && ms <= 2500 ? 1 : ms);
  Object.assign(globalThis, { setTimeout: soon });
}

/** Runs in the page: timers of five minutes wait for the test. Turning the page's whole clock would break its connection. */
export function holdQuietTimers(): void {
  const timers = new Map<number, () => void>();
  const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
  let last = 1e9;
  const held = (callback: () => void, ms?: number) => {
    if (ms !== 300_000) return set(callback, ms);
    timers.set((last += 1), callback);
    return last;
  };
  const given = (id?: number) => void (timers.delete(id ?? 0) || clear(id));
  Object.assign(globalThis, { quietTimers: timers, setTimeout: held, clearTimeout: given });
}

export function expectClean({ pageErrors, consoleErrors }: TestPage): void {
  expect({ pageErrors, consoleErrors }).toEqual({ pageErrors: [], consoleErrors: [] });
}
