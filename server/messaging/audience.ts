import { may } from "../auth/access.js";
import type { Identity } from "../auth/identity.js";
import type { Broadcast } from "./broadcast.js";

/**
 * Who hears what. All customers of a business join the same wire topic, but nothing is ever broadcast on it: each
 * audience has an internal topic, and a channel subscribes to those that its identity entitles it to. (SPEC X3)
 */
const audiences = {
  /** Every socket of one user. A businessId has no colon, so no two users share a topic. */
  user: {
    action: "user.hear",
    topic: (whom: Whom) => userTopic(whom),
  },
  /** The coordinators of a business. */
  console: { action: "console.hear", topic: ({ businessId }: Whom) => consoleTopic(businessId) },
  /** Who watches one session. No join hears it: a coordinator asks for it. (SPEC M37) */
  session: {
    action: "session.watch",
    topic: ({ sessionId }: Whom) => (sessionId === undefined ? null : sessionTopic(sessionId)),
  },
} as const;

export function userTopic({ businessId, userId }: Pick<Whom, "businessId" | "userId">): string {
  return `user:${businessId}:${userId}`;
}

export function sessionTopic(sessionId: string): string {
  return `session:${sessionId}`;
}

export function consoleTopic(businessId: string): string {
  return `console:${businessId}`;
}

export type Audience = keyof typeof audiences;

/** Whom it is about. */
export interface Whom {
  readonly businessId: string;
  readonly userId: string;
  readonly sessionId?: string;
}

/** Every event that is broadcast, and who hears it. There is no other way to send one. (SPEC X3) */
export const hearers = {
  message_accepted: ["user", "console"],
  thinking: ["user", "session"],
  message_delta: ["user", "session"],
  component: ["user"],
  new_message: ["user"],
  "message:updated": ["user"],
  error: ["user"],
  typing: ["user", "session"],
  message_processed: ["console"],
  receipt: ["console"],
  session_updated: ["user", "console"],
  intent_updated: ["user", "console"],
  draft: ["console"],
  note: ["console"],
  /** Told by the engine's Presence. (SPEC M70) */
  presence_diff: ["console"],
  feedback: ["console"],
} as const satisfies Readonly<Record<string, readonly Audience[]>>;

export type DeskEvent = keyof typeof hearers;

/**
 * Tells an event to those who may hear it.
 * @param payload a function where not all of them may hear the same; null: they hear nothing of it
 */
export function tell(
  broadcast: Broadcast,
  event: DeskEvent,
  whom: Whom,
  payload: Payload | ((audience: Audience) => Payload | null),
): void {
  for (const audience of hearers[event]) {
    const topic = audiences[audience].topic(whom);
    const told = typeof payload === "function" ? payload(audience) : payload;
    if (topic !== null && told !== null) broadcast(topic, event, told);
  }
}

type Payload = Readonly<Record<string, unknown>>;

/** The internal topics that somebody may hear of a business. */
export function topicsFor(identity: Identity, businessId: string): readonly string[] {
  const whom = { businessId, userId: identity.userId ?? "" };
  return Object.values(audiences)
    .filter(({ action }) => may(identity, action, whom))
    .map(({ topic }) => topic(whom))
    .filter((topic) => topic !== null);
}
