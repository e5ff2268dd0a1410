import { WebSocket } from "ws";
import { type Acknowledged, type Evidence, findViolations, type Sent, type Told } from "./checker.js";
import { readHistory } from "./desk-history.js";
import { until } from "./until.js";
import type { Frame } from "./wire.js";

/** In every text that a load sends: it stands nowhere else, and in no log. */
export const loadMarker = "ăîșț";

/** An error reply to a `new_message`. */
export type Refusal = Readonly<Record<string, unknown>>;

/** Messages of a user that are sent and not answered at the same time. */
const windowMax = 4;
const answeredTimeoutMs = 60_000;
const recheckMs = 200;

/**
 * A user who talks without pause. What was not acknowledged is sent again, in the same order, on the next connection;
 * once something was refused, nothing more is sent on this one.
 */
export class LoadUser {
  readonly sent: Sent[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly told: Told[] = [];
  readonly refused: Refusal[] = [];
  /** Payloads of the event `error`. */
  readonly errors: Refusal[] = [];
  isTalking = true;
  readonly #businessId: string;
  readonly #userId: string;
  readonly #unacknowledged = new Map<string, Sent>();
  readonly #unanswered = new Set<string>();
  /** clientMessageIds by the ref that they were sent under. */
  readonly #refs = new Map<string, string>();
  #ws: WebSocket | null = null;
  #ref = 0;
  #isRefused = false;

  constructor(businessId: string, userId: string) {
    this.#businessId = businessId;
    this.#userId = userId;
  }

  get unacknowledgedCount(): number {
    return this.#unacknowledged.size;
  }

  /** Acknowledged on this connection, and not answered on it. */
  get unansweredCount(): number {
    return this.#unanswered.size;
  }

  /** Leaves the connection there was, if any. A connection that fails is left alone: the next one makes up for it. */
  connect(url: string): void {
    this.disconnect();
    this.#unanswered.clear();
    this.#refs.clear();
    this.#isRefused = false;
    const ws = new WebSocket(`${url.replace(/^http/, "ws")}/socket/websocket?vsn=2.0.0`);
    this.#ws = ws;
    ws.on("error", () => undefined);
    ws.on("open", () => this.#write(joinRef, joinRef, "phx_join", { userId: this.#userId }));
    ws.on("message", (data: Buffer) => {
      if (ws === this.#ws) this.#heard(JSON.parse(data.toString()) as Frame);
    });
  }

  disconnect(): void {
    this.#ws?.terminate();
    this.#ws = null;
  }

  #heard([, ref, , event, payload]: Frame): void {
    if (event === "phx_reply") this.#replied(String(ref), payload as unknown as Reply);
    else if (event === "new_message") this.#answered(payload);
    else if (event === "error") this.errors.push(payload);
    else if (event === "phx_error" || event === "phx_close") this.refused.push({ code: event });
    if (!this.#isRefused) this.#talk();
  }

  #replied(ref: string, { status, response }: Reply): void {
    if (ref === joinRef) {
      if (status === "ok") for (const message of this.#unacknowledged.values()) this.#push(message);
      else this.#refuse(response);
      return;
    }
    const clientMessageId = this.#refs.get(ref);
    if (clientMessageId === undefined) return;
    if (status !== "ok") {
      this.#refuse(response);
      return;
    }
    const { messageId, sessionId, offset, timestamp, duplicate } = response as unknown as Accepted;
    this.acknowledged.push({ userId: this.#userId, clientMessageId, messageId, sessionId, offset, timestamp });
    this.#unacknowledged.delete(clientMessageId);
    // The answer to a duplicate may have been pushed before we came back.
    if (duplicate !== true) this.#unanswered.add(messageId);
  }

  #refuse(response: Refusal): void {
    this.#isRefused = true;
    this.refused.push(response);
  }

  #answered(payload: Refusal): void {
    const { messageId, sessionId, offset, inReplyTo, message } = payload as unknown as Told;
    this.told.push({ userId: this.#userId, messageId, sessionId, offset, inReplyTo, message });
    this.#unanswered.delete(inReplyTo);
  }

  #talk(): void {
    while (this.isTalking && this.#unacknowledged.size + this.#unanswered.size < windowMax) {
      const count = this.sent.length + 1;
      // Of different lengths, up to what needs a page of its own in the store.
      const text = `message ${count} of ${this.#userId}, ${loadMarker} 🚗 ${".".repeat((count * 389) % 3000)}`;
      const message = { userId: this.#userId, clientMessageId: `c${count}`, text };
      this.sent.push(message);
      this.#unacknowledged.set(message.clientMessageId, message);
      this.#push(message);
    }
  }

  #push({ clientMessageId, text }: Sent): void {
    const ref = String((this.#ref += 1));
    this.#refs.set(ref, clientMessageId);
    this.#write(joinRef, ref, "new_message", {
      businessId: this.#businessId,
      locationId: "L1",
      userId: this.#userId,
      message: text,
      clientMessageId,
    });
  }

  #write(ofJoin: string, ref: string, event: string, payload: unknown): void {
    this.#ws?.send(JSON.stringify([ofJoin, ref, `messages:${this.#businessId}`, event, payload]), () => undefined);
  }
}

const joinRef = "join";

interface Reply {
  readonly status: string;
  readonly response: Refusal;
}

interface Accepted extends Omit<Acknowledged, "userId" | "clientMessageId"> {
  readonly duplicate?: boolean;
}

/** Users of one business who all talk at once. */
export class Load {
  /** Those who talk. Whoever is taken out of here never comes back, but what they saw still counts. */
  users: readonly LoadUser[];
  readonly #all: readonly LoadUser[];
  readonly #businessId: string;

  constructor(businessId: string, userCount: number) {
    this.#businessId = businessId;
    this.#all = Array.from({ length: userCount }, (_, index) => new LoadUser(businessId, `user_${index + 1}`));
    this.users = this.#all;
  }

  get acknowledgedCount(): number {
    return this.#all.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  }

  get unacknowledgedCount(): number {
    return this.users.reduce((sum, user) => sum + user.unacknowledgedCount, 0);
  }

  get unansweredCount(): number {
    return this.#all.reduce((sum, user) => sum + user.unansweredCount, 0);
  }

  get refused(): readonly Refusal[] {
    return this.#all.flatMap(({ refused }) => refused);
  }

  connect(url: string): void {
    for (const user of this.users) user.connect(url);
  }

  disconnect(): void {
    for (const user of this.#all) user.disconnect();
  }

  /** Says nothing new any more, and waits until all that was said is acknowledged. */
  async finish(): Promise<void> {
    for (const user of this.users) user.isTalking = false;
    await until("everything is acknowledged", () => this.unacknowledgedCount === 0 || this.refused.length > 0, 60_000);
    if (this.refused.length > 0) throw new Error(`refused: ${JSON.stringify(this.refused[0])}`);
  }

  /** Reads everything as it is now, and compares. @returns the promises that were broken */
  async check(url: string): Promise<string[]> {
    return findViolations(await this.#evidence(url), { answersDue: false });
  }

  /** As `check`, once everything is answered; what is not answered in time is a broken promise too. */
  async checkAnswered(url: string, timeoutMs = answeredTimeoutMs): Promise<string[]> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const violations = findViolations(await this.#evidence(url), { answersDue: true });
      const isOpen = violations.some((violation) => violation.startsWith("[M20]"));
      if (!isOpen || Date.now() > end) return violations;
      // Reading everything is work for the server too.
      await new Promise((resolve) => setTimeout(resolve, recheckMs));
    }
  }

  async #evidence(url: string): Promise<Evidence> {
    const [sent, acknowledged, told] = [
      this.#all.flatMap((user) => user.sent),
      // Copied, because what is acknowledged while we read need not be in what we read.
      this.#all.flatMap((user) => user.acknowledged),
      this.#all.flatMap((user) => user.told),
    ];
    const named = new Set([...acknowledged, ...told].map(({ sessionId }) => sessionId));
    return { sent, acknowledged, told, history: await readHistory(url, this.#businessId, named) };
  }
}
