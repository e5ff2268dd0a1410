import { connect, type Socket } from "node:net";
import { frame, opcode, upgradeRequest } from "./raw-socket.js";

/** How a connection took some bytes: it still answers, it was closed with a code, or it was cut without a word. */
export type Outcome = "alive" | number | "cut";

/** How long an answer may take before the connection hangs. */
const patienceMs = 8000;

/** One connection that sends any bytes and asks after each lot whether anybody still answers. It opens when needed. */
export class Probe {
  readonly #port: number;
  readonly #path: string;
  #tcp: Socket | null = null;
  #unread: Buffer = Buffer.alloc(0);
  #isUpgraded = false;
  #outcome: Outcome | null = null;
  #wanted = "";
  #wake: (() => void) | null = null;
  #ref = 0;
  connections = 0;

  constructor(port: number, path: string) {
    this.#port = port;
    this.#path = path;
  }

  /**
   * Sends bytes, then heartbeats until one is answered or the connection ends.
   * @param after sent after each heartbeat that is not answered: what a frame that claims too much may swallow
   * @throws Error when neither happens: the connection hangs
   */
  async send(bytes: Uint8Array, after: Uint8Array | null = null): Promise<Outcome> {
    const tcp = this.#tcp ?? (await this.#open());
    this.#outcome = null;
    this.#wanted = `probe-${(this.#ref += 1)}`;
    const heartbeat = this.#heartbeat();
    tcp.write(Buffer.concat([bytes, heartbeat]));
    if (after !== null) {
      for (let round = 0; round < swallowRounds && (await this.#within(swallowMs)) === null; round += 1) {
        tcp.write(Buffer.concat([after, heartbeat]));
      }
    }
    return (await this.#within(patienceMs)) ?? this.#fail("no answer and no end");
  }

  /** Sends bytes and ends our half of the connection. @returns once the server has ended its own */
  async sendAndEnd(bytes: Uint8Array): Promise<Outcome> {
    const tcp = this.#tcp ?? (await this.#open());
    this.#outcome = null;
    this.#wanted = "";
    tcp.end(bytes);
    return (await this.#within(patienceMs)) ?? this.#fail("no end");
  }

  close(): void {
    this.#tcp?.resetAndDestroy();
    this.#tcp = null;
  }

  #heartbeat(): Buffer {
    const isV1 = this.#path.includes("vsn=1");
    const fields = { topic: "phoenix", event: "heartbeat", payload: {}, ref: this.#wanted };
    return frame(JSON.stringify(isV1 ? fields : [null, this.#wanted, "phoenix", "heartbeat", {}]));
  }

  #fail(what: string): never {
    this.close();
    throw new Error(what);
  }

  async #open(): Promise<Socket> {
    this.connections += 1;
    const tcp = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#tcp = tcp;
    this.#unread = Buffer.alloc(0);
    this.#isUpgraded = false;
    this.#outcome = null;
    tcp.on("data", (chunk: Buffer) => {
      if (this.#tcp === tcp) this.#take(chunk);
    });
    const ended = () => {
      if (this.#tcp !== tcp) return;
      this.#tcp = null;
      this.#settle("cut");
    };
    tcp.on("end", ended);
    tcp.on("error", ended);
    tcp.on("close", ended);
    tcp.write(upgradeRequest(this.#port, { path: this.#path }));
    if ((await this.#within(patienceMs)) !== "alive") this.#fail("the upgrade was refused");
    return tcp;
  }

  #settle(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#wake?.();
  }

  async #within(ms: number): Promise<Outcome | null> {
    if (this.#outcome !== null) return this.#outcome;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
    return this.#outcome;
  }

  #take(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    if (!this.#isUpgraded) {
      const end = this.#unread.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#isUpgraded = true;
      const isOpen = this.#unread.subarray(0, end).includes(" 101 ");
      this.#unread = this.#unread.subarray(end + 4);
      this.#settle(isOpen ? "alive" : "cut");
    }
    while (this.#takeFrame());
  }

  #takeFrame(): boolean {
    const bytes = this.#unread;
    if (bytes.length < 2) return false;
    const short = bytes[1]!;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < start) return false;
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    const end = start + length;
    if (bytes.length < end) return false;
    this.#unread = bytes.subarray(end);
    const payload = bytes.subarray(start, end);
    const code = bytes[0]! & 0x0f;
    if (code === opcode.close) {
      // Reset, so that thousands of connections leave no ports behind that wait.
      this.close();
      this.#settle(payload.length < 2 ? 1005 : payload.readUInt16BE(0));
    } else if (code === opcode.text && this.#wanted !== "" && payload.includes(`"${this.#wanted}"`)) {
      this.#settle("alive");
    }
    return true;
  }
}

/** How long an answer is waited for before more is sent, and how often. */
const swallowMs = 4;
const swallowRounds = 50;
