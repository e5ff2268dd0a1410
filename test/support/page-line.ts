import type { WebSocketRoute } from "playwright-core";

type Frame = string | Buffer;

/** Between a page and the server, for `page.routeWebSocket`: what either says can be kept from the other. */
export class PageLine {
  /** What the server says does not reach the page. */
  isDeaf = false;
  /** What the page says does not reach the server. */
  isMute = false;
  #page: WebSocketRoute | null = null;
  #kept: (() => void)[] = [];

  /** The next connection is whole, and what the one before has kept is lost. */
  readonly route = (page: WebSocketRoute): void => {
    this.#reset();
    this.#page = page;
    const server = page.connectToServer();
    page.onMessage((frame: Frame) => this.#pass(this.isMute, () => server.send(frame)));
    server.onMessage((frame: Frame) => this.#pass(this.isDeaf, () => page.send(frame)));
  };

  /** What was kept arrives. */
  heal(): void {
    const kept = this.#kept;
    this.#reset();
    for (const send of kept) send();
  }

  /** The page hears no more of this one, and everything of the next. */
  cut(): void {
    this.#reset();
    void this.#page?.close();
  }

  #pass(isKept: boolean, send: () => void): void {
    if (isKept) this.#kept.push(send);
    else send();
  }

  #reset(): void {
    this.isDeaf = false;
    this.isMute = false;
    this.#kept = [];
  }
}
