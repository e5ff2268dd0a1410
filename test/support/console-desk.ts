import type { Chat } from "bennu/client";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import type { TestPage } from "./browser.js";
import { ClientSeats } from "./client-seats.js";
import { ConsoleBrowser, desktop, online, phone } from "./console-page.js";
import { type AgentCall, ScriptedAgent } from "./scripted-agent.js";
import { startTestApp, type TestApp } from "./start-app.js";

export const businessId = "B0100001";

/** For `test.each`: what everything that can be done there is tried at. */
export const sizes = [
  ["desktop", desktop],
  ["phone", { ...phone, locale: "en-US" }],
] as const;

/** Consoles in a browser at a desk whose agent says what the test tells it. */
export class ConsoleDesk {
  readonly browser: ConsoleBrowser;
  agent = new ScriptedAgent();
  app!: TestApp;
  readonly seats = new ClientSeats(businessId, () => this.app.url);

  private constructor(browser: ConsoleBrowser) {
    this.browser = browser;
  }

  static async build(): Promise<ConsoleDesk> {
    return new ConsoleDesk(await ConsoleBrowser.start());
  }

  /** @param options.isEcho the agent says everything back by itself */
  async start(environment: Readonly<Record<string, string>> = {}, { isEcho = false } = {}): Promise<void> {
    this.agent = new ScriptedAgent();
    const { publicDir } = this.browser;
    const agents = isEcho ? {} : { agents: { echo: this.agent } };
    this.app = await startTestApp(environment, { publicDir, ...agents });
  }

  /** At the same address with the same data, after `app.stop()`. */
  startAgain(): Promise<void> {
    return this.start({ DATA_DIR: this.app.dataDir, PORT: String(this.app.port) });
  }

  async end(): Promise<void> {
    await this.seats.leaveAll();
    await this.app.dispose();
  }

  /** @param prepare done before it is loaded */
  async open(options: BrowserContextOptions = desktop, prepare?: (page: Page) => Promise<unknown>): Promise<TestPage> {
    const opened = await this.browser.open(`${this.app.url}/console`, options, prepare);
    await online(opened.page);
    return opened;
  }

  /** A question of a customer, and the agent that was asked. */
  async asked(userId: string, text: string): Promise<Asked> {
    const chat = await this.seats.online({ userId });
    const { sessionId } = await chat.send(text);
    return { chat, sessionId, call: await this.agent.call(text) };
  }
}

export interface Asked {
  readonly chat: Chat;
  readonly sessionId: string;
  readonly call: AgentCall;
}

export function row(page: Page, userId: string): Locator {
  return page.locator(".row", { has: page.locator(".row-name").getByText(userId, { exact: true }) });
}

export function heading(page: Page, name: string): Locator {
  return page.getByRole("heading", { level: 1, name, exact: true });
}

/** What has the focus, by its name. */
export function focused(page: Page): Promise<string> {
  return page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent");
}
