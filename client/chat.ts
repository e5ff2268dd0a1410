import { type Channel, Socket, type SocketConnectOption } from "phoenix";
import { ChatError, readError } from "./chat-error.js";
import { Cursor } from "./cursor.js";
import { type ChatEntry, readEntry } from "./entry.js";
import { asRecord, optional, text } from "./fields.js";
import { limits, retryDelayMs } from "./limits.js";
import { type KeyValueStorage, Outbox, type Unsent } from "./outbox.js";
import { type Outcome, type Receipt, Sender } from "./sender.js";
import { Subscribers } from "./subscribers.js";
import { Timeline } from "./timeline.js";

export interface ChatOptions {
  /** The desk's mount: `/socket` in a page of the same server, `ws://host:port/socket` elsewhere. */
  readonly url: string;
  readonly businessId: string;
  readonly userId: string;
  /** Default: `default`, which counts as the first location of the business. */
  readonly locationId?: string;
  /** This window; made once and kept over reconnects. Default: a new one. */
  readonly chatId?: string;
  /** Asked at every connect, and when the server says that the token is about to end. */
  readonly token?: () => string;
  /** Where unsent messages survive a reload, such as `sessionStorage`. Default: nowhere. */
  readonly storage?: KeyValueStorage;
  /** A WebSocket class, for a runtime that has none of its own. */
  readonly transport?: new (endpoint: string) => object;
  /** Milliseconds to wait before reconnect number `tries`, counted from 1. */
  readonly reconnectAfterMs?: (tries: number) => number;
}

export type ChatStatus =
  | { readonly state: "idle" | "connecting" | "left" }
  /** `recovered` false: more was missed than the join could tell; read the session's history. */
  | {
      readonly state: "online";
      readonly sessionId: string | null;
      readonly recovered: boolean;
      readonly first: boolean;
    }
  /** The connection is lost; it is tried again until it works. */
  | { readonly state: "offline" }
  /** The server does not let this user in. It is asked again from time to time. */
  | { readonly state: "refused"; readonly error: ChatError }
  /** The server ended this window's part, for example because of too many windows. `connect()` begins anew. */
  | { readonly state: "closed" };

/** One customer's conversation with one business. */
export class Chat {
  readonly chatId: string;
  readonly #options: ChatOptions;
  readonly #socket: Socket;
  readonly #timeline = new Timeline();
  readonly #cursor = new Cursor();
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #onMessage = new Subscribers<[entry: ChatEntry]>();
  readonly #onStatus = new Subscribers<[status: ChatStatus]>();
  readonly #onError = new Subscribers<[error: ChatError]>();
  #channel: Channel | null = null;
  #status: ChatStatus = { state: "idle" };
  #joinedBefore = false;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.chatId = options.chatId ?? crypto.randomUUID();
    this.#socket = new Socket(options.url, socketOptions(options));
    this.#outbox = new Outbox(options.storage ?? null, `bennu.unsent:${options.businessId}:${options.userId}`);
    this.#sender = new Sender(this.#outbox, (unsent, outcome) => this.#settled(unsent, outcome));
    for (const unsent of this.#outbox.waiting) this.#showSending(unsent);
  }

  /** All messages in order, unsent ones at their end. */
  get messages(): readonly ChatEntry[] {
    return this.#timeline.entries;
  }

  get status(): ChatStatus {
    return this.#status;
  }

  /** The session that the next message will most likely belong to. */
  get sessionId(): string | null {
    return this.#cursor.sessionId;
  }

  /** Joins, and keeps joined over lost connections. Calling it while it does so changes nothing. */
  connect(): void {
    if (this.#channel !== null) return;
    this.#setStatus({ state: "connecting" });
    this.#socket.connect();
    this.#channel = this.#join();
  }

  /**
   * Says something. Without a connection it waits for one.
   * @param options.clientMessageId that of a message which failed, to try it again
   * @returns where it is, once it is stored
   * @throws ChatError whose `code` says why it is not
   */
  send(content: string, options: { readonly clientMessageId?: string } = {}): Promise<Receipt> {
    const clientMessageId = options.clientMessageId ?? crypto.randomUUID();
    if (this.#status.state === "left") return Promise.reject(new ChatError("left", "The chat was left."));
    if (this.#outbox.find(clientMessageId) !== undefined) {
      return Promise.reject(new ChatError("already_sending", "This message is being sent."));
    }
    const unsent = { clientMessageId, text: content, createdAtMs: Date.now() };
    if (!this.#outbox.add(unsent))
      return Promise.reject(new ChatError("outbox_full", "Too many messages are waiting."));
    this.#showSending(unsent);
    return this.#sender.send(unsent);
  }

  /** Adds what was read elsewhere, such as history. What is already known is not added again. */
  merge(entries: readonly ChatEntry[]): void {
    for (const entry of entries) this.#take(entry);
  }

  /** Hears of each message that is new or has changed. @returns how to hear no more */
  onMessage(callback: (entry: ChatEntry) => void): () => void {
    return this.#onMessage.add(callback);
  }

  onStatus(callback: (status: ChatStatus) => void): () => void {
    return this.#onStatus.add(callback);
  }

  /** Hears of what no promise of `send` tells. */
  onError(callback: (error: ChatError) => void): () => void {
    return this.#onError.add(callback);
  }

  /** Ends it: unsent messages fail with `left`. Resolves when the connection is closed. */
  async leave(): Promise<void> {
    this.#sender.end("left");
    const channel = this.#channel;
    this.#setStatus({ state: "left" });
    if (channel !== null)
      await new Promise<void>((done) => channel.leave().receive("ok", done).receive("timeout", done));
    await new Promise<void>((done) => this.#socket.disconnect(done));
  }

  #join(): Channel {
    const channel = this.#socket.channel(`messages:${this.#options.businessId}`, () => this.#joinPayload());
    channel.on("new_message", (payload) => this.#heardRaw(payload));
    channel.on("message_accepted", (payload) => this.#heardRaw(payload));
    channel.on("error", (payload) => this.#heardError(payload));
    channel.on("token_expiring", () => this.#renewToken(channel));
    channel.onError(() => this.#lost());
    channel.onClose(() => this.#closed());
    channel
      .join()
      .receive("ok", (reply) => this.#joined(channel, reply))
      .receive("error", (reply) => this.#refused(reply))
      .receive("timeout", () => this.#lost());
    return channel;
  }

  #joinPayload(): object {
    const { resume } = this.#cursor;
    const payload = { userId: this.#options.userId, chatId: this.chatId };
    return this.#joinedBefore && resume !== null ? { ...payload, resume } : payload;
  }

  #joined(channel: Channel, reply: unknown): void {
    const { messages, recovered } = asRecord(reply);
    const first = !this.#joinedBefore;
    this.#joinedBefore = true;
    if (Array.isArray(messages)) messages.forEach((message) => this.#heardRaw(message));
    this.#cursor.joined(reply);
    this.#setStatus({ state: "online", sessionId: this.#cursor.sessionId, recovered: recovered !== false, first });
    this.#sender.open((unsent) => channel.push("new_message", this.#newMessage(unsent), limits.sendTimeoutMs));
  }

  #newMessage({ clientMessageId, text: message, createdAtMs }: Unsent): object {
    const { businessId, userId, locationId = "default" } = this.#options;
    const timestamp = new Date(createdAtMs).toISOString();
    return { businessId, locationId, userId, message, clientMessageId, chatId: this.chatId, timestamp };
  }

  #heardRaw(raw: unknown): void {
    const entry = readEntry(raw);
    if (entry !== null) this.#heard(entry);
  }

  #heard(entry: ChatEntry): void {
    this.#cursor.heard(entry);
    this.#take(entry);
  }

  // History does not move the cursor: it may be of an earlier session.
  #take(entry: ChatEntry): void {
    this.#show(entry);
    const { clientMessageId, content, messageId, sessionId, offset, timestamp } = entry;
    if (clientMessageId === undefined || messageId === undefined) return;
    if (sessionId === undefined || offset === undefined) return;
    this.#sender.confirm({ clientMessageId, text: content }, { messageId, sessionId, offset, timestamp });
  }

  #settled({ clientMessageId, text: content }: Unsent, outcome: Outcome): void {
    const said = { id: clientMessageId, clientMessageId, from: "user", content, actions: [] } as const;
    if (outcome.ok) return this.#heard({ ...said, state: "stored", ...outcome.receipt });
    const timestamp = this.#timeline.find(clientMessageId)?.timestamp ?? this.#timeline.lastTimestamp;
    this.#show({ ...said, state: "failed", timestamp, code: outcome.error.code });
  }

  #showSending({ clientMessageId, text: content }: Unsent): void {
    const timestamp = this.#timeline.lastTimestamp;
    this.#show({
      id: clientMessageId,
      clientMessageId,
      state: "sending",
      from: "user",
      content,
      timestamp,
      actions: [],
    });
  }

  #show(entry: ChatEntry): void {
    const changed = this.#timeline.merge(entry);
    if (changed !== null) this.#onMessage.tell(changed);
  }

  // An error with a clientMessageId belongs to a `send`, whose promise tells it; the push repeats it for old clients.
  #heardError(payload: unknown): void {
    if (text(asRecord(payload).clientMessageId) === undefined) this.#onError.tell(readError(payload));
  }

  #renewToken(channel: Channel): void {
    if (this.#options.token !== undefined) channel.push("access_token", { token: this.#options.token() });
  }

  #lost(): void {
    this.#sender.shut();
    if (this.#status.state !== "left") this.#setStatus({ state: "offline" });
  }

  #refused(reply: unknown): void {
    this.#setStatus({ state: "refused", error: readError(reply) });
  }

  #closed(): void {
    this.#sender.shut();
    this.#channel = null;
    if (this.#status.state !== "left") this.#setStatus({ state: "closed" });
  }

  #setStatus(status: ChatStatus): void {
    this.#status = status;
    this.#onStatus.tell(status);
  }
}

function socketOptions(options: ChatOptions): Partial<SocketConnectOption> {
  const wait = options.reconnectAfterMs ?? retryDelayMs;
  return {
    params: { businessId: options.businessId, userId: options.userId },
    reconnectAfterMs: wait,
    rejoinAfterMs: wait,
    ...optional("transport", options.transport),
    // phoenix takes a function here and asks it at every connect; its published types know only the string.
    ...optional("authToken", options.token as unknown as string | undefined),
  };
}
