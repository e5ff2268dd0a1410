import { WebSocket } from "ws";
import { readSession } from "./desk-history.js";
import {
  loadLongPoll,
  loadPhoenix,
  type Payload,
  type PhoenixChannel,
  type PhoenixPush,
  type PhoenixSocket,
  vanished,
} from "./phoenix.js";
import { until } from "./until.js";

/** A message as a page shows it. */
export interface Row {
  readonly messageId: string;
  readonly offset: number;
  readonly type: string;
  readonly content: string;
  readonly responseId?: unknown;
}

export interface PageOptions {
  /** Through whatever is done to the line. */
  readonly url: string;
  /** Where history is read. */
  readonly historyUrl: string;
  readonly businessId: string;
  readonly userId: string;
}

/** What pages saw, so that a test can tell that it has tried something. */
export interface Seen {
  /** Answers in the making that a join gave, with some text already. */
  snapshots: number;
  /** Answers that were pushed at a join because nobody had taken them. */
  redelivered: number;
  /** Joins that gave what was missed. */
  recovered: number;
  /** Messages that were acknowledged as known already. */
  duplicates: number;
}

/** A page in a browser, with a phoenix.js client of some age. It notes whatever it is told that must not be. */
export abstract class ChatPage {
  readonly violations: string[] = [];
  readonly rows = new Map<string, Row>();
  readonly seen: Seen;
  protected readonly options: PageOptions;
  protected isJoined = false;
  #readings = 0;
  #socket: PhoenixSocket | null = null;
  #channel: PhoenixChannel | null = null;
  readonly #pushes: PhoenixPush[] = [];
  /** Of the present join: what it gave, and what was pushed since. */
  #given = new Set<string>();
  #offsetAtJoin = 0;
  #lastPushed = 0;

  constructor(options: PageOptions, seen: Seen) {
    this.options = options;
    this.seen = seen;
  }

  protected abstract joinPayload(): Payload;
  /** What it listens to besides answers. */
  protected abstract readonly handlers: Readonly<Record<string, (payload: Payload) => void>>;
  protected abstract joined(reply: Payload): void;
  abstract say(text: string): void;

  protected get topic(): string {
    return `messages:${this.options.businessId}`;
  }

  protected push(event: string, payload: Payload): PhoenixPush {
    return this.#noted(this.#channel!.push(event, payload));
  }

  #noted(push: PhoenixPush): PhoenixPush {
    this.#pushes.push(push);
    return push;
  }

  /** Joined, and everything it asked for is there. */
  get isSettled(): boolean {
    return this.isJoined && this.#readings === 0;
  }

  async settled(): Promise<void> {
    await until("the page has joined", () => this.isSettled || this.violations.length > 0);
  }

  async open(version: "1.4.17" | "1.8.16", isLongPoll = false): Promise<void> {
    const Socket = await loadPhoenix(version);
    const transport = isLongPoll ? await loadLongPoll(version) : WebSocket;
    const atOnce = () => 1;
    const times = { reconnectAfterMs: atOnce, rejoinAfterMs: atOnce, heartbeatIntervalMs: 800, timeout: 3000 };
    const url = isLongPoll ? this.options.url : this.options.url.replace(/^http/, "ws");
    this.#socket = new Socket(`${url}/socket`, { transport, ...times });
    this.#socket.onClose(() => (this.isJoined = false));
    this.#socket.connect();
    this.rejoin();
  }

  /** Leaves the channel it had, if any, and joins again on the same socket. */
  rejoin(): void {
    if (this.#channel !== null) this.#noted(this.#channel.leave());
    this.isJoined = false;
    const channel = this.#socket!.channel(this.topic, () => this.joinPayload());
    this.#channel = channel;
    // A broadcast has no join_ref: the client gives it to the channel that is being left, too.
    const on = (event: string, heard: (payload: Payload) => void) =>
      channel.on(event, (payload) => void (this.#channel === channel && heard(payload)));
    on("new_message", (payload) => this.#pushed(payload));
    for (const [event, heard] of Object.entries(this.handlers)) on(event, heard);
    this.#noted(channel.join())
      .receive("ok", (reply) => void (this.#channel === channel && this.#joined(reply)))
      .receive("error", (reason) => this.violate(`the join was refused: ${JSON.stringify(reason)}`));
  }

  /** The page is closed, or shown anew. Whoever has its line must cut it: a page that goes says nothing. */
  vanish(): void {
    this.isJoined = false;
    vanished(this.#socket!, this.#pushes);
  }

  /** A push and its reply: everything that the server sent before has arrived. */
  async roundTrip(sessionId: string): Promise<void> {
    const isAnswered = new Promise<boolean>((resolve) => {
      this.push("read", { sessionId, offset: 0 })
        .receive("ok", () => resolve(true))
        .receive("timeout", () => resolve(false));
    });
    if (!(await isAnswered)) await this.roundTrip(sessionId);
  }

  #joined(reply: Payload): void {
    const messages = reply.messages as readonly Row[];
    this.#given = new Set(messages.map(({ messageId }) => messageId));
    this.#offsetAtJoin = Number(reply.offset);
    this.#lastPushed = 0;
    if (reply.recovered === true) this.seen.recovered += 1;
    this.isJoined = true;
    this.joined(reply);
  }

  #pushed(payload: Payload): void {
    const { messageId, offset, message, responseId, from } = payload as Payload & Pick<Row, "messageId" | "offset">;
    this.show({ messageId, offset, type: String(from), content: String(message), responseId });
    // Until the reply to a join comes, what comes is of a join before it.
    if (!this.isJoined) return;
    this.noteGiven(messageId);
    if (offset <= this.#lastPushed) this.violate(`answer ${offset} was pushed after answer ${this.#lastPushed}`);
    this.#lastPushed = offset;
    if (offset <= this.#offsetAtJoin) this.seen.redelivered += 1;
    this.answered(payload);
  }

  /** An answer was pushed. */
  protected answered(_payload: Payload): void {}

  /** Was given by the present join, or since. */
  protected isGiven(messageId: string): boolean {
    return this.#given.has(messageId);
  }

  protected noteGiven(messageId: string): void {
    if (this.isGiven(messageId)) this.violate(`${messageId} was given twice at one join`);
    this.#given.add(messageId);
  }

  protected show(row: Row): void {
    const { messageId, offset, type, content, responseId } = row;
    const shown = { messageId, offset, type, content, ...(responseId === undefined ? {} : { responseId }) };
    const before = this.rows.get(messageId) ?? shown;
    if (JSON.stringify(before) !== JSON.stringify(shown)) {
      this.violate(`${JSON.stringify(before)} has become ${JSON.stringify(shown)}`);
    }
    this.rows.set(messageId, shown);
  }

  protected violate(what: string): void {
    this.violations.push(what);
  }

  protected async readHistory(sessionId: string): Promise<void> {
    this.#readings += 1;
    for (const message of await readSession(this.options.historyUrl, sessionId)) this.show(rowOf(message));
    this.#readings -= 1;
  }
}

interface Stored extends Row {
  readonly metadata: { readonly responseId?: string };
}

/** A stored message as pages show it. */
export function rowOf({ metadata, ...message }: Stored): Row {
  const { messageId, offset, type, content } = message;
  const { responseId } = metadata;
  return { messageId, offset, type, content, ...(responseId === undefined ? {} : { responseId }) };
}
