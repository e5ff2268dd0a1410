import { type Browser, type BrowserContextOptions, chromium, type LaunchOptions, type Page } from "playwright-core";
import { debianChromium, packagedChromium } from "./chromium-install.js";
import { patienceMs } from "./store-of-run.js";

/** A page, and whatever went wrong in it. */
export interface TestPage {
  readonly page: Page;
  readonly pageErrors: string[];
  readonly consoleErrors: string[];
}

export interface TestBrowser {
  /** Opens an empty page of its own: no cookies and no storage of another. */
  openPage(options?: BrowserContextOptions): Promise<TestPage>;
  stop(): Promise<void>;
}

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

const howToInstall =
  "No Chromium runs here. Install one with `npm ci` (x64 Linux: @sparticuz/chromium) or `apt-get install chromium` (/usr/bin/chromium).";

/**
 * Starts a Chromium with an empty profile, which goes when it stops.
 * @throws Error that says in one line what to install, when none runs
 */
export async function startBrowser(): Promise<TestBrowser> {
  const browser = await launchAny();
  return {
    openPage: (options) => openPage(browser, options),
    stop: () => browser.close(),
  };
}

async function launchAny(): Promise<Browser> {
  const causes: unknown[] = [];
  for (const install of [packagedChromium, debianChromium]) {
    try {
      for (const options of await install()) {
        const browser = await tryLaunch(options, causes);
        if (browser !== null) return browser;
      }
    } catch (cause) {
      causes.push(cause);
    }
  }
  throw new Error(howToInstall, { cause: new AggregateError(causes) });
}

// Playwright makes a new user-data-dir for each launch and removes it on close.
async function tryLaunch(options: LaunchOptions, causes: unknown[]): Promise<Browser | null> {
  try {
    return await chromium.launch({ ...options, args });
  } catch (cause) {
    causes.push(cause);
    return null;
  }
}

async function openPage(browser: Browser, options?: BrowserContextOptions): Promise<TestPage> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  const opened: TestPage = { page, pageErrors: [], consoleErrors: [] };
  page.on("pageerror", (error) => opened.pageErrors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") opened.consoleErrors.push(message.text());
  });
  return opened;
}
