import { closeCode } from "../../protocol/events.js";
import type { Frame } from "../../protocol/frame.js";
import type { Encoded, Serializer } from "../../protocol/serializer.js";
import { Socket, type SocketContext, type SocketIdentity } from "../channel/socket.js";
import type { Transport } from "../channel/transport.js";
import type { Cancel, Clock } from "../clock.js";
import { LongPollBuffer } from "./longpoll-buffer.js";
import type { Entry } from "./longpoll-entries.js";
import type { LongPollOptions } from "./mount.js";
import { type Flushable, flushSoon } from "./outbox.js";

/** A poll that waits for something to come. */
interface Poll {
  readonly answer: (frames: readonly Encoded[]) => void;
  readonly cancel: Cancel;
}

/** What became of what a POST waits for: it went on, took longer than the window, or the session ended over it. */
export type Taking = "taken" | "late" | "ended";

/** Half windows that may pass without a poll: then the client is gone. */
const silentHalvesMax = 3;

const fencesMax = 256;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * One connection over long-poll. Between its polls nothing of it is on the network, so what is sent waits in a buffer,
 * and a client that stops polling is gone. (SPEC T7–T10)
 */
export class LongPollSession implements Transport, Flushable {
  readonly kind = "longpoll";
  readonly token: string;
  /** Of whoever opened it; null: none was given. */
  readonly authToken: string | null;
  readonly socket: Socket;
  /** Bytes of one POST. */
  readonly maxBodyBytes: number;
  /** POSTs that are under way. */
  postCount = 0;
  readonly #options: LongPollOptions;
  readonly #clock: Clock;
  readonly #onError: (cause: unknown) => void;
  readonly #onClosed: (session: LongPollSession, code: number) => void;
  readonly #buffer: LongPollBuffer;
  /** POSTs that wait until frames are taken again. */
  readonly #waiting = new Set<() => void>();
  /** What is to be called when the session ends over them: these, and those that wait for a join. */
  readonly #unsettled = new Set<() => void>();
  /** Who waits for a poll that comes after the one that takes what is in the buffer now. */
  #fences: (() => void)[] = [];
  #taken: (() => void)[] = [];
  #poll: Poll | null = null;
  #superseded: Poll | null = null;
  #cancelExpiry: Cancel;
  #paused = false;
  #open = true;

  constructor(parts: {
    /** By which its requests find it. */
    readonly token: string;
    readonly authToken: string | null;
    readonly options: LongPollOptions;
    readonly maxBodyBytes: number;
    readonly clock: Clock;
    readonly context: SocketContext;
    readonly serializer: Serializer;
    readonly identity: SocketIdentity;
    readonly onError: (cause: unknown) => void;
    readonly onClosed: (session: LongPollSession, code: number) => void;
  }) {
    this.token = parts.token;
    this.authToken = parts.authToken;
    this.maxBodyBytes = parts.maxBodyBytes;
    this.#options = parts.options;
    this.#clock = parts.clock;
    this.#onError = parts.onError;
    this.#onClosed = parts.onClosed;
    this.#buffer = new LongPollBuffer(parts.options.maxBufferBytes);
    this.#cancelExpiry = this.#expireLater();
    this.socket = new Socket(parts.context, this, parts.serializer, parts.identity);
  }

  // From the client.

  /**
   * Answers once: with what is unread, at once or as soon as something comes; with nothing at the end of the window. Of
   * two polls the later one gets what comes, and the first runs into its window.
   * @returns a function that gives the poll up, when its request is gone
   */
  poll(answer: (frames: readonly Encoded[]) => void): Cancel {
    this.#cancelExpiry();
    this.#supersede();
    // Who asks for more has taken what it was given.
    for (const done of this.#taken.splice(0)) done();
    if (!this.#buffer.isEmpty || !this.#open) {
      this.#cancelExpiry = this.#expireLater();
      answer(this.#take());
      return () => undefined;
    }
    const cancelWindow = this.#clock.after(this.#options.windowMs, () => this.#finish(poll, []));
    const poll: Poll = { answer, cancel: cancelWindow };
    this.#poll = poll;
    return () => this.#drop(poll);
  }

  /**
   * Waits until frames are taken: a channel that does not keep up slows its client down by this.
   */
  readable(): Promise<Taking> {
    return this.#withinWindow((done) => {
      if (!this.#paused) {
        done();
        return () => undefined;
      }
      this.#waiting.add(done);
      return () => void this.#waiting.delete(done);
    });
  }

  /**
   * Takes one message.
   * @returns "taken" once it has been handled; "late" when a join held it up for longer than the window
   */
  receive(entry: Entry): Promise<Taking> {
    return this.#withinWindow((done) => {
      this.#deliver(entry);
      this.socket.whenSettled(done);
      return () => undefined;
    });
  }

  // From the socket.

  send(frame: Frame): void {
    if (!this.#open) return;
    if (this.#buffer.isEmpty && this.#poll !== null) flushSoon(this);
    if (this.#buffer.push(frame)) return;
    // A poll that waits takes what there is; without one nobody does, and a gap would be worse than the end.
    this.flush();
    if (!this.#buffer.push(frame)) this.close(closeCode.slow, "");
  }

  flush(): void {
    if (this.#poll !== null && !this.#buffer.isEmpty) this.#finish(this.#poll, this.#take());
  }

  dropUnsent(topic: unknown): boolean {
    return this.#buffer.drop(topic);
  }

  /** The next poll but the one that takes it says that it was taken. (SPEC T13) */
  fence(done: () => void): void {
    if (this.#open && this.#fences.length < fencesMax) this.#fences.push(done);
  }

  #take(): readonly Encoded[] {
    this.#taken.push(...this.#fences.splice(0));
    return this.#buffer.take();
  }

  /** Ends the session. A poll that waits is answered, so that its client asks again and learns of it. */
  close(code: number, _reason: string): void {
    if (!this.#open) return;
    this.flush();
    this.#open = false;
    this.#buffer.clear();
    this.#fences = this.#taken = [];
    this.#waiting.clear();
    this.socket.closed();
    this.#supersede();
    if (this.#superseded !== null) this.#finish(this.#superseded, []);
    this.#cancelExpiry();
    for (const end of [...this.#unsettled]) end();
    this.#onClosed(this, code);
  }

  /** Ends it at once. There is no connection of its own to cut. */
  terminate(): void {
    this.close(closeCode.restarting, "");
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const taken of this.#waiting) taken();
    this.#waiting.clear();
  }

  #deliver({ isText, bytes }: Entry): void {
    try {
      if (!isText) this.socket.receiveBinary(bytes);
      else this.#deliverText(bytes);
    } catch (cause) {
      // A mistake of ours: it costs this session, not the process.
      this.#onError(cause);
      this.close(closeCode.malformed, "");
    }
  }

  #deliverText(bytes: Uint8Array): void {
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      this.close(closeCode.malformed, "");
      return;
    }
    this.socket.receiveText(text);
  }

  #withinWindow(begin: (done: () => void) => Cancel): Promise<Taking> {
    if (!this.#open) return Promise.resolve("ended");
    return new Promise((resolve) => {
      let giveUp: Cancel = () => undefined;
      const settle = (taking: Taking) => {
        cancelWindow();
        this.#unsettled.delete(end);
        giveUp();
        resolve(taking);
      };
      const end = () => settle("ended");
      const cancelWindow = this.#clock.after(this.#options.windowMs, () => settle("late"));
      this.#unsettled.add(end);
      giveUp = begin(() => settle("taken"));
    });
  }

  // Two polls that were answered at each other's expense would chase each other, so the first one waits. Of three, the
  // oldest is answered: no client has three, and their number has a limit.
  #supersede(): void {
    if (this.#poll === null) return;
    if (this.#superseded !== null) this.#finish(this.#superseded, []);
    this.#superseded = this.#poll;
    this.#poll = null;
  }

  #finish(poll: Poll, frames: readonly Encoded[]): void {
    this.#drop(poll);
    poll.answer(frames);
  }

  #drop(poll: Poll): void {
    poll.cancel();
    if (this.#superseded === poll) this.#superseded = null;
    if (this.#poll !== poll) return;
    this.#poll = null;
    if (this.#open) this.#cancelExpiry = this.#expireLater();
  }

  #expireLater(): Cancel {
    if (!this.#open) return () => undefined;
    let halves = 0;
    // Counted, and not measured: of a stall of the process only a half counts, and a poll that came meanwhile is read.
    return this.#clock.every(this.#options.windowMs / 2, () => {
      halves += 1;
      if (halves === silentHalvesMax) this.close(closeCode.protocolError, "");
    });
  }
}
