// From the module and not from the globals, which belong to whoever turns a fake clock.
import { clearTimeout, setTimeout } from "node:timers";
import type { Frame } from "../../protocol/frame.js";
import type { LocalTransport } from "../endpoint.js";

/** What a channel sent to its client. */
export interface Received {
  readonly kind: "reply" | "push" | "broadcast";
  readonly topic: string;
  readonly event: string;
  /** Of a reply: which push it answers. */
  readonly ref: string | null;
  readonly status?: string;
  /** Of a reply: its response. */
  readonly payload: unknown;
}

/** What a browser says of a connection that ended without a close frame. */
const abnormalCloseCode = 1006;
const normalCloseCode = 1000;

/** Keeps what was sent, for those who ask and for those who wait. */
export class TestTransport implements LocalTransport {
  readonly kind = "test";
  /** All that came, in order. */
  readonly received: Received[] = [];
  /** What no assertion has taken yet. */
  readonly left: Received[] = [];
  closeCode: number | null = null;
  isClosed = false;
  onClose: (code: number) => void = () => undefined;
  readonly #waiting = new Set<() => void>();

  send(frame: Frame): void {
    if (this.isClosed) return;
    const received = decode(frame);
    this.received.push(received);
    this.left.push(received);
    for (const check of [...this.#waiting]) check();
  }

  // What is sent is there.
  fence(done: () => void): void {
    if (!this.isClosed) queueMicrotask(done);
  }

  close(code: number): void {
    if (this.isClosed) return;
    this.closeCode = code;
    this.#end(code);
  }

  terminate(): void {
    this.close(abnormalCloseCode);
  }

  // Nothing is ever too fast for a test.
  pause(): void {}
  resume(): void {}

  /** The client goes away. */
  hangUp(): void {
    if (!this.isClosed) this.#end(normalCloseCode);
  }

  // Nothing comes any more, so nobody need wait for it.
  #end(code: number): void {
    this.isClosed = true;
    for (const check of [...this.#waiting]) check();
    this.onClose(code);
  }

  /** The first of what is left that matches, which is then taken; null when none comes in time, or ever. */
  take(matches: (received: Received) => boolean, patienceMs: number): Promise<Received | null> {
    return this.find(matches, patienceMs, (found) => this.left.splice(this.left.indexOf(found), 1));
  }

  /** As `take`, but it stays there. @param onFound called before anybody else looks */
  find(
    matches: (received: Received) => boolean,
    patienceMs: number,
    onFound: (found: Received) => void = () => undefined,
  ): Promise<Received | null> {
    return new Promise((resolve) => {
      const settle = (found: Received | null) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(found);
      };
      const check = () => {
        const found = this.left.find(matches);
        if (found !== undefined) onFound(found);
        if (found !== undefined || this.isClosed) settle(found ?? null);
      };
      const timer = setTimeout(() => settle(null), patienceMs);
      this.#waiting.add(check);
      check();
    });
  }
}

function decode({ data }: Frame): Received {
  if (typeof data !== "string") return decodeBinary(data);
  const [joinRef, ref, topic, event, payload] = JSON.parse(data) as [unknown, string | null, string, string, unknown];
  if (event !== "phx_reply")
    return { kind: joinRef === null && ref === null ? "broadcast" : "push", topic, event, ref, payload };
  const { status, response } = payload as { readonly status: string; readonly response: unknown };
  return { kind: "reply", topic, event, ref, status, payload: response };
}

function decodeBinary(bytes: Uint8Array): Received {
  const names = ["push", "reply", "broadcast"] as const;
  const kind = names[bytes[0]!]!;
  const lengths = [...bytes.subarray(1, 1 + { push: 3, reply: 4, broadcast: 2 }[kind])];
  let at = 1 + lengths.length;
  const texts = lengths.map((length) => Buffer.from(bytes.subarray(at, (at += length))).toString());
  const payload = bytes.subarray(at);
  if (kind === "push") return { kind, topic: texts[1]!, event: texts[2]!, ref: null, payload };
  if (kind === "broadcast") return { kind, topic: texts[0]!, event: texts[1]!, ref: null, payload };
  return { kind, topic: texts[2]!, event: "phx_reply", ref: texts[1]!, status: texts[3]!, payload };
}
