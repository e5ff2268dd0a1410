import { ChatError } from "../chat-error.js";
import type { OnlineMember, ReadReceipt } from "../console-events.js";
import { Coordinator } from "../coordinator.js";
import { retryDelayMs } from "../limits.js";
import { Subscribers } from "../subscribers.js";
import type { Api } from "./api.js";
import { endOf, hasArrived, type Seen, type Sent, type Words } from "./arrival.js";
import { Inbox } from "./inbox.js";
import { Lookups } from "./lookups.js";
import { Opened } from "./opened.js";
import { entriesOf, type Entry } from "./transcript.js";

export type Command = "takeOver" | "handBack" | "resolve" | "reopen" | "block";

export interface DeskOptions {
  readonly api: Api;
  readonly token: string | null;
  /** Who this coordinator is, where a token says so. */
  readonly self: string | null;
  /** The token is not good any more. */
  readonly onUnauthorized: () => void;
}

/** Of how many sessions it is remembered how far they were read. */
const marksMax = 1000;

/** All that the console knows and does. Views draw it anew when it has changed. */
export class Desk {
  readonly api: Api;
  readonly inbox = new Inbox();
  readonly coordinator: Coordinator;
  readonly opened: Opened;
  readonly #hasToken: boolean;
  readonly #onUnauthorized: () => void;
  readonly #changed = new Subscribers<[]>();
  readonly #lookups = new Lookups((sessionId) => this.#readSession(sessionId));
  readonly #marks = new Map<string, ReadReceipt>();
  readonly #pending = new Set<string>();
  readonly #own = new Set<string>();
  #online: readonly OnlineMember[] = [];
  #businessName: string | null = null;
  #notice: string | null = null;
  #isTokenEnding = false;
  #lostAt: string | null = null;
  #isListed = false;
  #isCurrent = false;
  #hasListFailed = false;
  #listTries = 0;
  #relisting: ReturnType<typeof setTimeout> | null = null;

  constructor({ api, token, self, onUnauthorized }: DeskOptions) {
    this.api = api;
    this.#hasToken = token !== null;
    this.#onUnauthorized = onUnauthorized;
    if (self !== null) this.#own.add(self);
    const given = token === null ? {} : { token: (reason: string) => this.#tokenFor(token, reason) };
    this.coordinator = new Coordinator({ url: "/socket", businessId: api.businessId, ...given });
    this.opened = new Opened({
      ...{ api, inbox: this.inbox, coordinator: this.coordinator },
      changed: () => this.#tell(),
      failed: (cause) => this.#unauthorized(cause),
    });
    this.#listen();
  }

  get online(): readonly OnlineMember[] {
    return this.#online;
  }

  /** Its id, until its name is known. */
  get businessName(): string {
    return this.#businessName ?? this.api.businessId;
  }

  /** What went wrong last, in the words of a code; null: nothing. */
  get notice(): string | null {
    return this.#notice;
  }

  get isTokenEnding(): boolean {
    return this.#isTokenEnding;
  }

  get isListed(): boolean {
    return this.#isListed;
  }

  /** Whether all that is active has been told over the present connection. */
  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  get hasListFailed(): boolean {
    return this.#hasListFailed;
  }

  /** When the connection was lost, ISO 8601: all that is known is of then. Null: it is there, or never was. */
  get lostAt(): string | null {
    return this.#lostAt;
  }

  get isOnline(): boolean {
    return this.coordinator.status.state === "online";
  }

  onChange(callback: () => void): () => void {
    return this.#changed.add(callback);
  }

  /** Connects; where the connection is lost it tries again at once. */
  start(): void {
    this.coordinator.connect();
  }

  stop(): void {
    if (this.#relisting !== null) clearTimeout(this.#relisting);
    this.opened.stop();
    void this.coordinator.leave();
  }

  isOwn(coordinatorId: string | undefined): boolean {
    return coordinatorId !== undefined && this.#own.has(coordinatorId);
  }

  isPending(sessionId: string): boolean {
    return this.#pending.has(sessionId);
  }

  mark(sessionId: string): ReadReceipt | null {
    return this.#marks.get(sessionId) ?? null;
  }

  /** Reads sessions that are over, or that a search finds, besides the active ones. @returns whether that is all */
  async find(asked: { readonly status: string } | { readonly q: string }): Promise<boolean> {
    let isAll = true;
    await this.#read(async () => {
      const { sessions, hasMore } = await this.api.find(asked);
      sessions.forEach((session) => this.inbox.told(session));
      isAll = !hasMore;
    });
    return isAll;
  }

  /** Opens a session, also one of which no list has told. */
  show(sessionId: string): void {
    this.opened.show(sessionId);
    if (this.inbox.row(sessionId) === null) this.#lookups.add(sessionId);
  }

  /** Does something to a session. Never twice at once, and never again by itself. */
  command(name: Command, sessionId: string): Promise<boolean> {
    return this.#does(sessionId, async () => {
      const session = await this.coordinator[name](sessionId);
      if (name === "block") this.opened.change(sessionId, { isBlocked: true });
      return session;
    });
  }

  /** The end of a session; null: it was not read. */
  endOf(sessionId: string): readonly Seen[] | null {
    const entries = this.#entriesOf(sessionId);
    return entries === null ? null : endOf(entries);
  }

  /** @returns whether it is stored; else what was written should stay */
  say(sessionId: string, { kind, message, before }: Sent): Promise<boolean> {
    return this.#does(sessionId, async () => {
      try {
        return await this.coordinator[kind](sessionId, message);
      } catch (cause) {
        const isUnknown = cause instanceof ChatError && cause.code === "undelivered" && before !== null;
        if (!isUnknown || !(await this.#hasArrived(sessionId, { kind, message }, before))) throw cause;
        return this.api.session(sessionId);
      }
    });
  }

  /** Whether what another page has said is stored; null: the session was not read since. */
  isStored(sessionId: string, sent: Sent): boolean | null {
    const entries = this.#entriesOf(sessionId);
    return entries === null ? null : sent.before !== null && hasArrived(sent, sent.before, entries);
  }

  async unblock(sessionId: string): Promise<void> {
    const userId = this.inbox.row(sessionId)?.userId;
    if (userId == null) return;
    await this.#read(async () => {
      await this.api.unblock(userId);
      this.opened.change(sessionId, { isBlocked: false });
    });
  }

  dismiss(): void {
    this.#notice = null;
    this.#tell();
  }

  #entriesOf(sessionId: string): readonly Entry[] | null {
    const transcript = this.opened.is(sessionId) ? this.opened.session!.transcript : null;
    return transcript?.isLoaded === true ? transcript.entries : null;
  }

  // Asked of the server that is there after the one that did not say.
  async #hasArrived(sessionId: string, words: Words, before: readonly Seen[]): Promise<boolean> {
    await this.#untilOnline();
    const page = await this.api.messages(sessionId, null).catch(() => null);
    return page !== null && hasArrived(words, before, entriesOf(page.messages));
  }

  #untilOnline(): Promise<void> {
    if (this.isOnline) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.onChange(() => {
        if (!this.isOnline) return;
        stop();
        resolve();
      });
    });
  }

  async #does(sessionId: string, act: () => Promise<unknown>): Promise<boolean> {
    if (this.#pending.has(sessionId)) return false;
    this.#pending.add(sessionId);
    this.#notice = null;
    this.#tell();
    try {
      this.inbox.told(await act());
      void this.opened.read(sessionId);
      return true;
    } catch (cause) {
      this.#failed(cause);
      return false;
    } finally {
      this.#pending.delete(sessionId);
      this.#tell();
    }
  }

  #listen(): void {
    const { coordinator, inbox } = this;
    const heard = (sessionId: string, isNew: boolean) => {
      if (isNew) this.#lookups.add(sessionId);
      if (this.opened.is(sessionId)) void this.opened.read(sessionId);
      this.#tell();
    };
    coordinator.on("status", () => {
      this.#isCurrent = false;
      if (this.isOnline) this.#joined();
      else if (this.#isListed) this.#lostAt ??= new Date().toISOString();
      const { state } = coordinator.status;
      // One that was revoked ends the connection, or is let in no more.
      if (this.#hasToken && (state === "closed" || state === "refused")) this.#tryToken();
      this.#tell();
    });
    coordinator.on("accepted", (message) => {
      if (inbox.accepted(message)) this.#lookups.add(message.sessionId);
      this.#tell();
    });
    coordinator.on("processed", (turn) => {
      const isNew = inbox.processed(turn);
      heard(turn.sessionId, isNew || turn.status === "failed");
    });
    coordinator.on("session", (update) => {
      const isNew = inbox.updated(update);
      // One that is deleted is told as one that is over; that it is gone is seen by asking.
      heard(update.sessionId, isNew || update.status !== "active");
    });
    for (const event of ["draft", "note", "feedback"] as const)
      coordinator.on(event, ({ sessionId }: { readonly sessionId: string }) => heard(sessionId, false));
    coordinator.on("receipt", (receipt) => {
      this.#marks.set(receipt.sessionId, receipt);
      if (this.#marks.size > marksMax) this.#marks.delete(this.#marks.keys().next().value!);
      this.#tell();
    });
    coordinator.on("presence", (online) => {
      this.#online = online;
      this.#tell();
    });
    coordinator.on("error", ({ code }) => code === "session_not_found" || this.#tell());
  }

  #joined(): void {
    this.#lostAt = null;
    const { connectionId } = this.coordinator;
    // Who we are on an open server; a token says it better.
    if (connectionId !== null) this.#own.add(connectionId);
    if (this.#businessName === null) void this.#readName();
    void this.#refresh();
  }

  async #readName(): Promise<void> {
    // Its id has to do; the next join asks again.
    this.#businessName = await this.api.businessName().catch(() => null);
    this.#tell();
  }

  // What was missed while the line was gone, and at first everything.
  async #refresh(): Promise<void> {
    if (this.#relisting !== null) clearTimeout(this.#relisting);
    this.#relisting = null;
    try {
      const { sessions } = await this.api.active();
      sessions.forEach((session) => this.inbox.told(session));
      const active = new Set(sessions.map((session) => String(session.sessionId)));
      // What was active, and is not any more.
      for (const { sessionId, status } of this.inbox.rows)
        if (status === "active" && !active.has(sessionId)) this.#lookups.add(sessionId);
      this.#isListed = true;
      this.#isCurrent = this.isOnline;
      this.#hasListFailed = false;
      this.#listTries = 0;
    } catch (cause) {
      this.#hasListFailed = true;
      this.#unauthorized(cause);
      this.#listTries += 1;
      // Without a line the next join asks again.
      if (this.isOnline) this.#relisting = setTimeout(() => void this.#refresh(), retryDelayMs(this.#listTries));
    }
    this.opened.enter();
    this.#tell();
  }

  async #readSession(sessionId: string): Promise<void> {
    try {
      const session = await this.api.session(sessionId);
      if (session.businessId === this.api.businessId) this.inbox.told(session);
      else this.#gone(sessionId);
    } catch (cause) {
      if (cause instanceof ChatError && cause.code === "session_not_found") this.#gone(sessionId);
    }
    this.#tell();
  }

  // Deleted, or never there: there is nothing to show of it.
  #gone(sessionId: string): void {
    this.inbox.forget(sessionId);
    if (!this.opened.is(sessionId)) return;
    this.opened.hide();
    this.#notice = "session_not_found";
  }

  async #read(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (cause) {
      this.#failed(cause);
    }
    this.#tell();
  }

  #tokenFor(token: string, reason: string): string {
    if (reason === "connect") return token;
    if (reason === "expiring") this.#isTokenEnding = true;
    else this.#tryToken();
    this.#tell();
    // There is no other one until somebody signs in again.
    if (reason === "expiring") throw new ChatError("token_unavailable", "There is no other token.");
    return token;
  }

  #tryToken(): void {
    void this.api.enter().catch((cause: unknown) => this.#unauthorized(cause));
  }

  #failed(cause: unknown): void {
    this.#notice = cause instanceof ChatError ? cause.code : "unknown";
    this.#unauthorized(cause);
    this.#tell();
  }

  #unauthorized(cause: unknown): void {
    if (cause instanceof ChatError && cause.code === "unauthorized") this.#onUnauthorized();
  }

  #tell(): void {
    this.#changed.tell();
  }
}
