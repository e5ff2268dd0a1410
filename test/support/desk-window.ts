import {
  connectPhoenix,
  disconnected,
  type Payload,
  type PhoenixChannel,
  type PhoenixSocket,
  settled,
} from "./phoenix.js";
import { until } from "./until.js";

/** Of one thing that is written durably, on a machine that does other things too. */
const waitMs = 30_000;

const events = [
  "thinking",
  "message_delta",
  "component",
  "new_message",
  "error",
  "intent_updated",
  "message_processed",
];

/** A chat page, or a coordinator's console, with the phoenix client as it is published. */
export class DeskWindow {
  /** The replies to its joins: one more for every connection. */
  readonly joins: Payload[] = [];
  readonly #businessId: string;
  readonly #userId: unknown;
  readonly #socket: PhoenixSocket;
  readonly #channel: PhoenixChannel;
  readonly #heard: { readonly event: string; readonly payload: Payload }[] = [];

  private constructor(businessId: string, payload: Payload, socket: PhoenixSocket) {
    this.#businessId = businessId;
    this.#userId = payload.userId;
    this.#socket = socket;
    this.#channel = socket.channel(`messages:${businessId}`, payload);
    for (const event of events) this.#channel.on(event, (heard) => void this.#heard.push({ event, payload: heard }));
  }

  /** @param payload of its joins; one without a `userId` is a coordinator's */
  static async open(url: string, businessId: string, payload: Payload): Promise<DeskWindow> {
    const window = new DeskWindow(businessId, payload, await connectPhoenix("1.8.16", url));
    await settled(window.#channel.join(waitMs).receive("ok", (reply) => void window.joins.push(reply)));
    return window;
  }

  /** Pushes a message. @returns the reply, which says that it is stored */
  say(message: string): Promise<Payload> {
    const to = { businessId: this.#businessId, locationId: "L0100001", userId: this.#userId };
    return this.push("new_message", { ...to, message });
  }

  push(event: string, payload: Payload): Promise<Payload> {
    return settled(this.#channel.push(event, payload, waitMs));
  }

  /** What was pushed of this event, oldest first. */
  heard(event: string): readonly Payload[] {
    return this.#heard.filter((each) => each.event === event).map(({ payload }) => payload);
  }

  /** The names of all that was pushed about one message, in their order. */
  eventsAbout(messageId: unknown): readonly string[] {
    const isAbout = ({ payload }: { readonly payload: Payload }) =>
      payload.messageId === messageId || payload.inReplyTo === messageId;
    return this.#heard.filter(isAbout).map(({ event }) => event);
  }

  hears(event: string, matches: (payload: Payload) => boolean): Promise<Payload> {
    return until(`${event} that matches`, () => this.heard(event).find(matches), waitMs);
  }

  /** The outcome of a message. */
  answerTo({ messageId }: Payload): Promise<Payload> {
    return this.hears("new_message", ({ inReplyTo }) => inReplyTo === messageId);
  }

  /** The network is gone without a word; the client comes back by itself. @returns once it has joined again */
  async drop(): Promise<void> {
    const count = this.joins.length;
    (this.#socket as unknown as { readonly conn: { terminate(): void } }).conn.terminate();
    await until("the rejoin", () => this.joins.length > count, waitMs);
  }

  close(): Promise<void> {
    return disconnected(this.#socket);
  }
}
