import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "@jest/globals";
import type { BrowserContextOptions, Page } from "playwright-core";
import { startBrowser, type TestBrowser, type TestPage } from "./browser.js";

const root = join(import.meta.dirname, "..", "..");
const artifacts = join(root, "test-artifacts");

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

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** The console as it is built now, in a real browser. */
export class ConsoleBrowser {
  readonly publicDir: string;
  readonly #browser: TestBrowser;
  readonly #axe: string;

  private constructor(publicDir: string, browser: TestBrowser, axe: string) {
    this.publicDir = publicDir;
    this.#browser = browser;
    this.#axe = axe;
  }

  static async start(): Promise<ConsoleBrowser> {
    const publicDir = await mkdtemp(join(tmpdir(), "bennu-console-"));
    await promisify(execFile)(process.execPath, [join(root, "client", "build.mjs"), publicDir]);
    await mkdir(artifacts, { recursive: true });
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    return new ConsoleBrowser(publicDir, await startBrowser(), axe);
  }

  async stop(): Promise<void> {
    await this.#browser.stop();
    await rm(this.publicDir, { recursive: true, force: true });
  }

  /** Opens an empty page at an address. @param prepare is run before */
  async open(url: string, options = desktop, prepare?: (page: Page) => Promise<unknown>): Promise<TestPage> {
    const opened = await this.#browser.openPage(options);
    await prepare?.(opened.page);
    await opened.page.goto(url);
    return opened;
  }

  /** Keeps a picture of this state, and asks axe of it, in light and in dark. */
  async look({ page }: TestPage, name: string): Promise<void> {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(artifacts, `console-${name}-${colorScheme}.png`) });
      const violations = await this.#violations(page, colorScheme);
      expect({ name, colorScheme, violations }).toEqual({ name, colorScheme, violations: [] });
    }
  }

  // Evaluated by the debugger, which the page's own policy does not bind: it lets in no script of a test.
  // In the dark nothing but the colours is another.
  async #violations(page: Page, colorScheme: "light" | "dark"): Promise<readonly string[]> {
    if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(this.#axe);
    const options = colorScheme === "light" ? {} : { runOnly: ["color-contrast"] };
    const violations = await page.evaluate<readonly Violation[]>(
      `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations)`,
    );
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  }
}

export async function online(page: Page): Promise<void> {
  await page.locator(".connection[data-state=online]").waitFor();
}

export function expectClean({ pageErrors, consoleErrors }: TestPage): void {
  expect({ pageErrors, consoleErrors }).toEqual({ pageErrors: [], consoleErrors: [] });
}

/** Waits until something about a page holds that no locator can wait for. */
export async function untilSeen(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
}
