import { isDeepStrictEqual } from "node:util";
import { type RawData, WebSocket } from "ws";
import { decode, encode, expectedFrame, type Frame, type Message, type Vsn } from "./frames.js";

/** The server did something else than Phoenix does. */
export class Difference extends Error {
  override readonly name = "Difference";

  constructor(
    readonly expected: string,
    readonly came: string,
  ) {
    super(`expected ${expected}, came ${came}`);
  }
}

/** How long an answer may take. */
const patienceMs = 3000;
/** How long nothing more may come until nothing more is held to come. */
const quietMs = 80;
const shownMax = 400;

/** One connection to the server that is asked. */
export class Client {
  readonly vsn: Vsn;
  readonly #ws: WebSocket;
  readonly #waiting = new Set<() => void>();
  #received: Frame[] = [];
  #closeCode: number | null = null;

  private constructor(ws: WebSocket, vsn: Vsn) {
    this.vsn = vsn;
    this.#ws = ws;
    ws.on("message", (data: RawData, isBinary) => {
      this.#received.push(decode(data as Buffer, isBinary));
      this.#wake();
    });
    ws.on("close", (code) => {
      this.#closeCode = code;
      this.#wake();
    });
    ws.on("error", () => undefined);
  }

  /** @throws Difference when the connection is refused or cannot be made */
  static async connect(url: string, vsn: Vsn): Promise<Client> {
    const ws = new WebSocket(`${url}?vsn=${vsn}`, { handshakeTimeout: patienceMs, perMessageDeflate: false });
    const client = new Client(ws, vsn);
    await new Promise<void>((resolve, reject) => {
      ws.once("open", resolve);
      ws.once("error", (cause) => reject(new Difference("a connection", cause.message || String(cause))));
    });
    return client;
  }

  send(...message: Message): void {
    this.#ws.send(encode(this.vsn, message));
  }

  sendRaw(data: string | Uint8Array): void {
    this.#ws.send(data);
  }

  /**
   * Waits for exactly these messages, in this order and nothing besides.
   * @throws Difference
   */
  expects(...messages: Message[]): Promise<void> {
    return this.expectsFrames(...messages.map((message) => expectedFrame(this.vsn, message)));
  }

  async expectsFrames(...frames: Frame[]): Promise<void> {
    await this.#until(() => this.#received.length >= frames.length || this.#closeCode !== null, patienceMs);
    await this.#until(() => this.#closeCode !== null, quietMs);
    const came = this.#received;
    this.#received = [];
    const isClosed = this.#closeCode !== null;
    if (isClosed || !isDeepStrictEqual(came, frames)) {
      throw new Difference(show(frames), show(came) + (isClosed ? ` and close ${this.#closeCode}` : ""));
    }
  }

  /** Waits for the end of the connection, and nothing before it. @throws Difference */
  async expectsClose(code: number): Promise<void> {
    await this.#until(() => this.#closeCode !== null, patienceMs);
    if (this.#closeCode === code && this.#received.length === 0) return;
    throw new Difference(`close ${code}`, `${show(this.#received)} and ${this.#closeCode ?? "no"} close`);
  }

  close(): void {
    this.#ws.terminate();
  }

  #until(isDone: () => boolean, ms: number): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const check = () => {
        if (isDone()) finish();
      };
      const timer = setTimeout(finish, ms);
      this.#waiting.add(check);
    });
  }

  #wake(): void {
    for (const check of this.#waiting) check();
  }
}

function show(frames: readonly Frame[]): string {
  if (frames.length === 0) return "nothing";
  const text = frames.map((frame) => JSON.stringify(frame)).join(" ");
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}…`;
}
