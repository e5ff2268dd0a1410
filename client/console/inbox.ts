import type { AcceptedMessage, ProcessedTurn } from "../console-events.js";
import { asRecord, text } from "../fields.js";
import { readHolder, type SessionUpdate } from "../session.js";
import { type LastSaid, previewMax, type Row } from "./rows.js";

/** Sessions that a console keeps; of more it drops those that are over, the oldest first, then the oldest. */
export const rowsMax = 5000;

const unknown: Omit<Row, "sessionId"> = {
  userId: null,
  title: null,
  status: "active",
  holder: null,
  wantsHuman: false,
  createdAt: "",
  lastMessageAt: "",
  updatedAt: "",
  last: null,
  open: new Map(),
};

/** The sessions of a business, as far as this console has heard of them. */
export class Inbox {
  readonly #rows = new Map<string, Row>();
  #all: readonly Row[] | null = null;

  /** The same array as long as nothing changes. */
  get rows(): readonly Row[] {
    return (this.#all ??= [...this.#rows.values()]);
  }

  row(sessionId: string): Row | null {
    return this.#rows.get(sessionId) ?? null;
  }

  /** A session as HTTP and the replies to commands tell it; the latter without what was said last. */
  told(raw: unknown): void {
    const session = asRecord(raw);
    const sessionId = text(session.sessionId);
    if (sessionId === undefined) return;
    const known = this.#rows.get(sessionId);
    const [createdAt, lastMessageAt] = [text(session.createdAt) ?? "", text(session.lastMessageAt) ?? ""];
    const updatedAt = text(session.updatedAt) ?? known?.updatedAt ?? "";
    // A request that was under way while something was said or done tells what was before.
    if (known !== undefined && (known.lastMessageAt > lastMessageAt || known.updatedAt > updatedAt)) return;
    this.#put(sessionId, {
      ...{ createdAt, lastMessageAt, updatedAt },
      userId: text(session.userId) ?? null,
      title: text(session.title) ?? null,
      status: text(session.status) ?? "active",
      holder: readHolder(session.holder),
      wantsHuman: asRecord(asRecord(session.metadata).context).wantsHuman === true,
      ...(session.latest === undefined ? {} : { last: readLatest(session.latest) }),
      ...(Array.isArray(session.openQuestions) ? { open: new Map(session.openQuestions.map(readQuestion)) } : {}),
    });
  }

  /** @returns whether the session was not known */
  accepted({ sessionId, userId, messageId, message, timestamp }: AcceptedMessage): boolean {
    const known = this.#rows.get(sessionId);
    const open = new Map(known?.open).set(messageId, Date.parse(timestamp));
    const last = lastSaid("user", message, false);
    this.#put(sessionId, { userId, last, open, lastMessageAt: timestamp, status: "active" });
    return known === undefined;
  }

  /** Why a turn failed is not told: what was said in place of an answer is no failure until it was looked up. */
  processed({ sessionId, userId, messageId, message, answer, status, timestamp }: ProcessedTurn): boolean {
    const known = this.#rows.get(sessionId);
    const open = new Map(known?.open);
    open.delete(messageId);
    const from = status === "human" ? "coordinator" : status === "failed" ? "system" : "agent";
    const asksForHuman = message.trim() === "/human" && status === "answered";
    this.#put(sessionId, {
      ...{ userId, open, last: lastSaid(from, answer, false), lastMessageAt: timestamp },
      wantsHuman: status === "human" ? false : asksForHuman || (known?.wantsHuman ?? false),
    });
    return known === undefined;
  }

  updated(update: SessionUpdate): boolean {
    const { sessionId, status, title, holder, userId, updatedAt } = update;
    const known = this.#rows.get(sessionId);
    if (known !== undefined && known.updatedAt > updatedAt) return false;
    this.#put(sessionId, {
      ...{ status, holder, updatedAt },
      title: title ?? null,
      ...(userId === undefined ? {} : { userId }),
      ...(holder === null ? {} : { wantsHuman: false }),
      ...(status === "active" ? {} : { open: unknown.open }),
      lastMessageAt: known?.lastMessageAt ?? updatedAt,
    });
    return known === undefined;
  }

  forget(sessionId: string): void {
    if (this.#rows.delete(sessionId)) this.#all = null;
  }

  #put(sessionId: string, changes: Partial<Row>): void {
    const known = this.#rows.get(sessionId) ?? { ...unknown, sessionId };
    this.#rows.set(sessionId, { ...known, ...changes });
    this.#all = null;
    if (this.#rows.size > rowsMax) this.#rows.delete(this.#leastWanted());
  }

  #leastWanted(): string {
    const [first, ...others] = this.#rows.values();
    const isLess = (one: Row, other: Row) =>
      (one.status === "active") === (other.status === "active")
        ? one.lastMessageAt < other.lastMessageAt
        : one.status !== "active";
    return others.reduce((least, row) => (isLess(row, least) ? row : least), first!).sessionId;
  }
}

function readLatest(raw: unknown): LastSaid | null {
  const { type, content, code } = asRecord(raw);
  // Who did not want the answer any more waits for none.
  const isFailure = code !== undefined && code !== "cancelled";
  return typeof content === "string" ? lastSaid(readFrom(type), content, isFailure) : null;
}

function readQuestion(raw: unknown): [messageId: string, askedAt: number] {
  const { messageId, timestamp } = asRecord(raw);
  return [String(messageId), Date.parse(String(timestamp))];
}

function lastSaid(from: LastSaid["from"], content: string, isFailure: boolean): LastSaid {
  return { from, text: content.slice(0, previewMax), isFailure };
}

function readFrom(type: unknown): LastSaid["from"] {
  return type === "agent" || type === "coordinator" || type === "system" ? type : "user";
}
