import { asRecord, optional, text } from "./fields.js";

/** What became of a session. (SPEC M39, M72) */
export interface SessionUpdate {
  readonly sessionId: string;
  readonly status: string;
  /** It is gone, with all that was said in it. (SPEC H23) */
  readonly deleted: boolean;
  readonly title?: string;
  /** A human has it in hand; `coordinatorId` is told to coordinators only. */
  readonly holder: Holder | null;
  /** Told to coordinators only. */
  readonly userId?: string;
  readonly updatedAt: string;
}

export interface Holder {
  /** ISO 8601, UTC; sooner or later, as they go on. */
  readonly expiresAt: string;
  readonly coordinatorId?: string;
}

/** A task that the agent works on with its user. (SPEC M60) */
export interface Intent {
  readonly intentId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly name: string;
  readonly status: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly missing: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

export function readSessionUpdate(raw: unknown): SessionUpdate | null {
  const { sessionId, status, deleted, title, holder, userId, updatedAt } = asRecord(raw);
  const [id, state] = [text(sessionId), text(status)];
  if (id === undefined || state === undefined) return null;
  return {
    sessionId: id,
    status: state,
    deleted: deleted === true,
    holder: readHolder(holder),
    updatedAt: text(updatedAt) ?? "",
    ...optional("title", text(title)),
    ...optional("userId", text(userId)),
  };
}

export function readHolder(raw: unknown): Holder | null {
  const { expiresAt, coordinatorId } = asRecord(raw);
  const until = text(expiresAt);
  return until === undefined ? null : { expiresAt: until, ...optional("coordinatorId", text(coordinatorId)) };
}

export function readIntent(raw: unknown): Intent | null {
  const { intentId, userId, sessionId, name, status, parameters, missing, createdAt, updatedAt } = asRecord(raw);
  const [id, called] = [text(intentId), text(name)];
  if (id === undefined || called === undefined) return null;
  return {
    intentId: id,
    name: called,
    userId: text(userId) ?? "",
    sessionId: text(sessionId) ?? "",
    status: text(status) ?? "active",
    parameters: asRecord(parameters),
    missing: Array.isArray(missing) ? missing.filter((each) => typeof each === "string") : [],
    createdAt: text(createdAt) ?? "",
    updatedAt: text(updatedAt) ?? "",
  };
}
