import { WebSocket } from "ws";
import { patienceMs } from "./store-of-run.js";

export type Frame = readonly [
  joinRef: unknown,
  ref: unknown,
  topic: string,
  event: string,
  payload: Record<string, unknown>,
];

/**
 * A version 2 client of the wire itself, which sees every frame. `next` waits for a frame that matches; what has been
 * waited for is not found again.
 */
export class WireClient {
  readonly frames: Frame[] = [];
  readonly #ws: WebSocket;
  readonly #unread: Frame[] = [];
  readonly #waiting = new Set<() => void>();
  #ref = 0;
  closed: { readonly code: number } | null = null;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      this.frames.push(frame);
      this.#unread.push(frame);
      this.#wake();
    });
    ws.on("close", (code) => {
      this.closed = { code };
      this.#wake();
    });
    ws.on("error", () => undefined);
  }

  static async connect(url: string, query = ""): Promise<WireClient> {
    const ws = new WebSocket(`${url.replace(/^http/, "ws")}/socket/websocket?vsn=2.0.0${query}`);
    const client = new WireClient(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once("open", resolve);
      ws.once("error", reject);
    });
    return client;
  }

  get ws(): WebSocket {
    return this.#ws;
  }

  send(joinRef: unknown, ref: unknown, topic: unknown, event: unknown, payload: unknown): void {
    this.#ws.send(JSON.stringify([joinRef, ref, topic, event, payload]));
  }

  /** Pushes, and waits for the reply. */
  async call(
    topic: string,
    event: string,
    payload: unknown,
    joinRef: string | null = null,
  ): Promise<{ status: string; response: Record<string, unknown> }> {
    const ref = `c${(this.#ref += 1)}`;
    this.send(event === "phx_join" ? ref : joinRef, ref, topic, event, payload);
    const reply = await this.next((frame) => frame[1] === ref && frame[3] === "phx_reply");
    return reply[4] as { status: string; response: Record<string, unknown> };
  }

  /** The next frame that matches, now or later. */
  async next(matches: (frame: Frame) => boolean, timeoutMs = patienceMs): Promise<Frame> {
    let found: Frame | undefined;
    await this.#until(() => {
      const index = this.#unread.findIndex(matches);
      if (index >= 0) found = this.#unread.splice(index, 1)[0];
      return index >= 0;
    }, timeoutMs);
    return found!;
  }

  event(name: string, timeoutMs?: number): Promise<Frame> {
    return this.next((frame) => frame[3] === name, timeoutMs);
  }

  async closeCode(timeoutMs = patienceMs): Promise<number> {
    await this.#until(() => this.closed !== null, timeoutMs);
    return this.closed!.code;
  }

  /** A heartbeat, answered: everything the server sent before it has arrived. */
  async heartbeat(): Promise<void> {
    const { status } = await this.call("phoenix", "heartbeat", {});
    if (status !== "ok") throw new Error("the heartbeat was refused");
  }

  close(): void {
    this.#ws.close();
  }

  async #until(isDone: () => boolean, timeoutMs: number): Promise<void> {
    if (isDone()) return;
    await new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!isDone()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(
          new Error(`nothing that matches within ${timeoutMs} ms; got ${JSON.stringify(this.frames).slice(0, 2000)}`),
        );
      }, timeoutMs);
      this.#waiting.add(check);
    });
  }

  #wake(): void {
    for (const check of this.#waiting) check();
  }
}
