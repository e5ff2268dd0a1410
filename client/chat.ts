import { ChatError, readError } from "./chat-error.js";
import type { ChatOptions, ChatStatus, ChatView } from "./chat-view.js";
import { type Clock, systemClock } from "./clock.js";
import { Cursor } from "./cursor.js";
import { DeskChannel } from "./desk-channel.js";
import { type ChatEntry, readEntry } from "./entry.js";
import { asRecord, text } from "./fields.js";
import { Live } from "./live.js";
import { Marks } from "./marks.js";
import { type Outbox, outboxOf, type Submit, type Unsent } from "./outbox.js";
import { randomId } from "./random-id.js";
import type { Receipt } from "./receipt.js";
import { type Outcome, Sender } from "./sender.js";
import type { Intent, SessionUpdate } from "./session.js";
import { Subscribers } from "./subscribers.js";
import { Timeline } from "./timeline.js";
import { TypingOut } from "./typing.js";

/** One customer's conversation with one business. */
export class Chat {
  readonly chatId: string;
  readonly #options: ChatOptions;
  readonly #clock: Clock;
  readonly #channel: DeskChannel;
  readonly #timeline = new Timeline();
  readonly #cursor = new Cursor();
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #live: Live;
  readonly #marks: Marks;
  readonly #typing: TypingOut;
  readonly #onMessage = new Subscribers<[entry: ChatEntry]>();
  readonly #onStatus = new Subscribers<[status: ChatStatus]>();
  readonly #onError = new Subscribers<[error: ChatError]>();
  readonly #onSession = new Subscribers<[update: SessionUpdate]>();
  readonly #onIntent = new Subscribers<[intent: Intent]>();
  readonly #onChange = new Subscribers<[]>();
  #online: Extract<ChatStatus, { state: "online" }> | null = null;
  #view: ChatView | null = null;

  constructor(options: ChatOptions) {
    const { businessId, userId, storage = null, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.chatId = options.chatId ?? randomId();
    this.#channel = new DeskChannel(options, {
      params: { businessId, userId },
      handlers: this.#handlers(),
      joinPayload: () => this.#joinPayload(),
      joined: (reply) => this.#joined(reply),
      lost: () => this.#lost(),
      statusChanged: () => this.#statusChanged(),
      renewed: () => this.#sender.renewed(),
      failed: (error) => this.#onError.tell(error),
    });
    this.#outbox = outboxOf(storage, businessId, userId);
    this.#sender = new Sender(this.#outbox, clock, (...settled) => this.#settled(...settled));
    // What cannot be told now is told with the next mark, or the next key.
    const tell = (event: string, payload: object) => void this.#channel.call(event, payload).catch(() => undefined);
    this.#marks = new Marks(clock, tell);
    this.#typing = new TypingOut(clock, (sessionId, typing) => tell("typing", { sessionId, typing }));
    this.#live = new Live(clock, () => this.#changed());
    for (const unsent of this.#outbox.all) this.#showUnsent(unsent);
  }

  /** All that is shown, for those who draw it anew when `onChange` says so. */
  get view(): ChatView {
    this.#view ??= {
      messages: [...this.#timeline.entries],
      running: this.#live.running,
      typists: this.#live.typists,
      status: this.status,
      holder: this.#live.holder,
      intent: this.#live.intent,
    };
    return this.#view;
  }

  /** All messages in order, unsent ones at their end. */
  get messages(): readonly ChatEntry[] {
    return this.#timeline.entries;
  }

  get status(): ChatStatus {
    const { status } = this.#channel;
    return status.state === "online" ? this.#online! : status;
  }

  /** The session that the next message will most likely belong to. */
  get sessionId(): string | null {
    return this.#cursor.sessionId;
  }

  /** How many messages wait to be sent. */
  get unsentCount(): number {
    return this.#outbox.waiting.length;
  }

  /** Joins, and keeps joined over lost connections; wakes from `sleep`. Offline it tries now, and does not wait to. */
  connect(): void {
    this.#channel.connect();
  }

  /** Lets the connection go while nobody uses it. What is sent wakes it, and so does `connect()`. */
  sleep(): void {
    this.#channel.sleep();
  }

  /**
   * Says something. Without a connection it waits for one.
   * @param options.clientMessageId that of a message which failed, to try it again
   * @returns where it is, once it is stored
   * @throws ChatError whose `code` says why it is not
   */
  send(content: string, options: { readonly clientMessageId?: string } = {}): Promise<Receipt> {
    return this.#send(content, options.clientMessageId ?? randomId());
  }

  /**
   * Fills in a form, or takes one of some choices. It is sent as a message is.
   * @param values by the names of the fields; of choices `{choice: value}`
   * @throws ChatError `invalid_values`, with `fields`: nothing is stored, and it can be filled in again
   */
  submit(componentId: string, values: Submit["values"]): Promise<Receipt> {
    return this.#send("", randomId(), { componentId, values });
  }

  /** Stops the answer that is being made to a message of one's own. @throws ChatError `not_found`: there is none */
  async cancel(messageId: string): Promise<void> {
    await this.#channel.call("cancel", { messageId });
  }

  /** What one thinks of an answer; the last word counts. @param score 1 or -1 */
  async feedback(messageId: string, score: -1 | 1, comment?: string): Promise<void> {
    const { sessionId } = this.messages.find((entry) => entry.messageId === messageId) ?? {};
    await this.#channel.call("feedback", { messageId, score, comment, sessionId });
  }

  /** Ends the session; the next message begins another. */
  async close(): Promise<void> {
    if (this.sessionId !== null) await this.#channel.call("close", { sessionId: this.sessionId });
  }

  /** To be called at every key, and with false when what was written is gone; it is told as often as it must. */
  typing(typing: boolean): void {
    if (this.sessionId !== null && this.#channel.isOnline) this.#typing.say(this.sessionId, typing);
  }

  /** Everything that is here was seen. */
  read(): void {
    if (this.sessionId !== null && this.#cursor.offset > 0) this.#marks.read(this.sessionId, this.#cursor.offset);
  }

  /** Adds what was read elsewhere, such as history. What is already known is not added again. */
  merge(entries: readonly ChatEntry[]): void {
    for (const entry of entries) this.#take(entry);
  }

  /** How many UTF-16 units at its end the server would not take. 0 also while it has not said how much it takes. */
  excess(content: string): number {
    const max = this.#online?.maxMessageBytes ?? 0;
    return max === 0 ? 0 : content.length - new TextEncoder().encodeInto(content, new Uint8Array(max)).read;
  }

  /** Forgets a message that failed. @param id as in its entry */
  discard(id: string): void {
    if (this.#timeline.find(id)?.state !== "failed") return;
    const unsent = this.#outbox.find(id);
    if (unsent !== undefined) this.#outbox.remove(unsent);
    this.#timeline.forget((entry) => entry.id === id);
    this.#changed();
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

  /** Hears what becomes of sessions: ended, taken over by a human, given back. */
  onSession(callback: (update: SessionUpdate) => void): () => void {
    return this.#onSession.add(callback);
  }

  onIntent(callback: (intent: Intent) => void): () => void {
    return this.#onIntent.add(callback);
  }

  /** Hears that `view` is another. */
  onChange(callback: () => void): () => void {
    return this.#onChange.add(callback);
  }

  /**
   * Ends it. Unsent messages fail with `left`; over a `storage` they are kept, and the next Chat of the same user over it
   * sends them, once. Resolves when the connection is closed.
   */
  async leave(): Promise<void> {
    this.#sender.end();
    await this.#channel.leave();
  }

  #handlers(): Readonly<Record<string, (payload: unknown) => void>> {
    // Before the reply to a join they are of a join before it; the reply says where they stand.
    const live = (event: Parameters<Live["heard"]>[0]) => (payload: unknown) => {
      if (!this.#channel.isOnline) return;
      this.#live.heard(event, payload);
      this.#noteRead();
      this.#changed();
    };
    return {
      new_message: (payload) => this.#heardRaw(payload),
      message_accepted: (payload) => this.#heardRaw(payload),
      thinking: live("thinking"),
      message_delta: live("message_delta"),
      component: live("component"),
      typing: live("typing"),
      session_updated: (payload) => this.#heardSession(payload),
      intent_updated: (payload) => this.#heardIntent(payload),
      error: (payload) => this.#heardError(payload),
    };
  }

  #joinPayload(): object {
    const { resume } = this.#cursor;
    const payload = { userId: this.#options.userId, chatId: this.chatId };
    return this.#online !== null && resume !== null ? { ...payload, resume } : payload;
  }

  #joined(reply: unknown): void {
    const { messages, recovered, businessName, maxMessageBytes } = asRecord(reply);
    const first = this.#online === null;
    if (Array.isArray(messages)) messages.forEach((message) => this.#heardRaw(message));
    this.#cursor.joined(reply);
    this.#live.joined(reply);
    this.#online = {
      state: "online",
      sessionId: this.#cursor.sessionId,
      recovered: recovered !== false,
      first,
      businessName: text(businessName) ?? null,
      maxMessageBytes: typeof maxMessageBytes === "number" ? maxMessageBytes : 0,
    };
  }

  #push({ clientMessageId, text: message, createdAtMs, submit }: Unsent) {
    if (submit !== undefined) return this.#channel.push("component_submit", { ...submit, clientMessageId });
    const { businessId, userId, locationId = "default" } = this.#options;
    const timestamp = new Date(createdAtMs).toISOString();
    const said = { businessId, locationId, userId, message, clientMessageId, chatId: this.chatId, timestamp };
    return this.#channel.push("new_message", said);
  }

  #send(content: string, clientMessageId: string, submit?: Submit): Promise<Receipt> {
    if (this.status.state === "left") return Promise.reject(new ChatError("left", "The chat was left."));
    if (this.#outbox.waiting.some((unsent) => unsent.clientMessageId === clientMessageId)) {
      return Promise.reject(new ChatError("already_sending", "This message is being sent."));
    }
    const said = { clientMessageId, text: content, createdAtMs: this.#clock.now() };
    const unsent = submit === undefined ? said : { ...said, submit };
    if (!this.#outbox.add(unsent))
      return Promise.reject(new ChatError("outbox_full", "Too many messages are waiting."));
    this.#showUnsent(unsent);
    this.typing(false);
    this.#typing.forget();
    if (this.status.state === "asleep") this.connect();
    return this.#sender.send(unsent);
  }

  #heardRaw(raw: unknown): void {
    const entry = readEntry(raw);
    if (entry !== null) this.#heard(entry);
  }

  #heard(entry: ChatEntry): void {
    this.#cursor.heard(entry);
    const { from, sessionId } = entry;
    if (from !== "user" && sessionId === this.sessionId) this.#marks.delivered(sessionId, this.#cursor.offset);
    this.#take(entry);
  }

  // History does not move the cursor: it may be of an earlier session.
  #take(entry: ChatEntry): void {
    this.#show(this.#live.said(entry));
    const { clientMessageId, content, from, messageId, sessionId, offset, timestamp } = entry;
    if (from === "agent" || from === "coordinator") this.#wasRead(entry);
    else this.#noteRead();
    if (clientMessageId === undefined || messageId === undefined) return;
    if (sessionId === undefined || offset === undefined) return;
    this.#sender.confirm({ clientMessageId, text: content }, { messageId, sessionId, offset, timestamp });
  }

  // Whoever answers has read what was said until then, and so has whoever begins to.
  #noteRead(): void {
    for (const { messageId } of this.#live.running) {
      const asked = this.messages.findLast((entry) => entry.messageId === messageId);
      if (asked !== undefined) this.#wasRead(asked);
    }
    if (this.#live.typists.includes("coordinator")) this.#wasRead(this.#cursor);
  }

  #wasRead({ sessionId, offset }: { readonly sessionId?: string | null; readonly offset?: number }): void {
    if (typeof sessionId !== "string" || offset === undefined) return;
    const read = this.#timeline.read(sessionId, offset);
    if (read.length > 0) this.#view = null;
    for (const entry of read) this.#onMessage.tell(entry);
  }

  #settled({ clientMessageId, text: content, submit }: Unsent, outcome: Outcome, isAwaited: boolean): void {
    // What a form says is known when `message_accepted` tells; one that was refused stands where it stood.
    if (submit !== undefined) {
      if (!outcome.ok && !isAwaited) this.#onError.tell(outcome.error);
      return;
    }
    const said = { id: clientMessageId, clientMessageId, from: "user", content, ...nothingShown } as const;
    if (outcome.ok) return this.#heard({ ...said, state: "stored", ...outcome.receipt });
    const timestamp = this.#timeline.find(clientMessageId)?.timestamp ?? this.#timeline.lastTimestamp;
    this.#show({ ...said, state: "failed", timestamp, code: outcome.error.code });
  }

  #showUnsent({ clientMessageId, text: content, submit, code }: Unsent): void {
    if (submit !== undefined) return;
    const timestamp = this.#timeline.lastTimestamp;
    const said = { id: clientMessageId, clientMessageId, from: "user", content, timestamp, ...nothingShown } as const;
    this.#show(code === undefined ? { ...said, state: "sending" } : { ...said, state: "failed", code });
  }

  #show(entry: ChatEntry): void {
    const changed = this.#timeline.merge(entry);
    // Whoever hears of it looks at what there is now.
    this.#view = null;
    if (changed !== null) this.#onMessage.tell(changed);
    this.#changed();
  }

  #heardSession(payload: unknown): void {
    const update = this.#live.heardSession(payload, (sessionId) => sessionId === this.sessionId);
    if (update === null) return;
    if (update.deleted) {
      this.#timeline.forget(({ sessionId }) => sessionId === update.sessionId);
      this.#cursor.forget(update.sessionId);
    }
    this.#onSession.tell(update);
    this.#changed();
  }

  #heardIntent(payload: unknown): void {
    const intent = this.#live.heardIntent(payload);
    if (intent === null) return;
    this.#onIntent.tell(intent);
    this.#changed();
  }

  // One without a messageId repeats an error reply for old clients: whoever asked has had it.
  #heardError(payload: unknown): void {
    if (text(asRecord(payload).messageId) !== undefined) this.#onError.tell(readError(payload));
  }

  #lost(): void {
    this.#sender.shut();
    this.#marks.shut();
    this.#typing.forget();
    this.#live.lost();
  }

  #statusChanged(): void {
    this.#onStatus.tell(this.status);
    this.#changed();
    if (!this.#channel.isOnline) return;
    this.#marks.open();
    this.#sender.open((unsent) => this.#push(unsent));
  }

  #changed(): void {
    this.#view = null;
    this.#onChange.tell();
  }
}

const nothingShown = { actions: [], components: [] } as const;
