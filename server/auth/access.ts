import type { Identity, Role } from "./identity.js";

/**
 * What somebody may act on. `own`: what belongs to this user of this business. `business`: all that belongs to the
 * business. An identity of no business is good for every one of them.
 */
export type Reach = "own" | "business";

/** Also for those of whom nothing is known. */
const anyone = "anyone";

type Rule = typeof anyone | Readonly<Partial<Record<Role, Reach>>>;

/**
 * Who may what: the only place that says so. Whoever is not named may not. The table of the SPEC says the same, and a
 * test compares the two. (SPEC X8)
 */
export const rules = {
  /** `/healthz`, `/readyz`, and the pages. */
  "page.read": anyone,
  /** `POST /api/visitors/:businessId`, where the business welcomes them. */
  "visitor.create": anyone,
  /** To be on `messages:<businessId>` at all. */
  "messages.join": { user: "business", coordinator: "business", service: "business" },
  /** To hear what is for a user. */
  "user.hear": { user: "own" },
  /** To hear what is for the coordinators. */
  "console.hear": { coordinator: "business", service: "business" },
  /** `new_message` */
  "message.send": { user: "own" },
  /** `/chats`, and what is said in them; `conversation:` of one. */
  "chat.use": { user: "own" },
  /** `/api/schedules` of a user. */
  "schedule.use": { user: "own", service: "business" },
  /** What asks for a token or a signature of its own: the worker of chats, `/api/webhooks/…`. */
  "hook.call": anyone,
  /** `cancel` */
  "message.cancel": { user: "own" },
  /** `feedback`, on an answer */
  "message.score": { user: "own" },
  /** `delivered`, `read` */
  "message.acknowledge": { user: "own" },
  /** `access_token` */
  "token.renew": { user: "own", coordinator: "own", agent: "own", service: "own" },
  /** One session, and what was said in it. */
  "session.read": { user: "own", coordinator: "business", service: "business" },
  /** `PATCH /api/sessions/:sessionId`: its title; its status, for those who may do that on a channel. */
  "session.change": { user: "own", coordinator: "business", service: "business" },
  /** `DELETE /api/sessions/:sessionId` */
  "session.delete": { user: "own", coordinator: "business", service: "business" },
  /** What hangs on what was said for the coordinators alone: notes and drafts. */
  "asides.read": { coordinator: "business", service: "business" },
  /** `note`: a word to the other coordinators, whoever holds the session. */
  "session.note": { coordinator: "business" },
  /** `watch`, `unwatch`: to hear what happens in one session while it happens. */
  "session.watch": { coordinator: "business", service: "business" },
  /** `typing` */
  "session.type": { user: "own", coordinator: "business" },
  /** `take_over`, `hand_back`, `reply`, `resolve`, `reopen`: what a human does in place of the agent. */
  "session.hold": { coordinator: "business" },
  /** `close` */
  "session.close": { user: "own", coordinator: "business" },
  /** `block` */
  "user.block": { coordinator: "business" },
  /** `GET`, `PATCH /api/businesses/:businessId/users/:userId` */
  "user.manage": { coordinator: "business", service: "business" },
  /** `GET /api/businesses/:businessId`, and what belongs to it. */
  "business.read": { coordinator: "business", service: "business" },
  /** `PUT` of a business; `PUT`, `DELETE` of its documents. */
  "business.write": { service: "business" },
  /** `GET /api/businesses/:businessId/stats` */
  "business.stats": { coordinator: "business", service: "business" },
  /** To be on `agent:<agentId>`. */
  "agent.join": { agent: "own" },
  /** `POST /agents/:agentId/connect` */
  "agent.connect": { coordinator: "business", agent: "own", service: "business" },
  /** To hear what is told in an agent's conversation: `own` is of those who take part. */
  "conversation.hear": { user: "own", coordinator: "business", agent: "own" },
  /** `message:send`, `typing` in an agent's conversation. */
  "conversation.speak": { user: "own", coordinator: "business", agent: "own" },
  /** `GET /conversations`, one of them, and what was said in it. */
  "conversation.read": { user: "own", coordinator: "business", agent: "own", service: "business" },
  /** `POST /conversations`, of an agent. */
  "conversation.create": { coordinator: "business", agent: "own", service: "business" },
  /** `PATCH`, `DELETE` of a conversation; its status, for those who may do that on a channel. */
  "conversation.change": { coordinator: "business", service: "business" },
  /** `participants/add`, `/remove`; a user for themself alone. */
  "conversation.invite": { user: "own", coordinator: "business", agent: "own", service: "business" },
  /** The sessions of a business. */
  "sessions.list": { coordinator: "business", service: "business" },
  /** `POST /api/tokens`, for somebody of that business. */
  "token.issue": { service: "business" },
  /** `DELETE /api/tokens` */
  "token.revoke": { service: "business" },
} as const satisfies Readonly<Record<string, Rule>>;

export type Action = keyof typeof rules;

/** What is acted on. */
export interface Resource {
  /** Null: of all businesses, which is only for who is of all of them. */
  readonly businessId: string | null;
  /** Whose it is; null or left out: nobody's in particular. */
  readonly userId?: string | null | undefined;
}

/** Pure. @param identity null: nothing is known of them. @returns false unless a rule says otherwise */
export function may(identity: Identity | null, action: Action, resource: Resource): boolean {
  const rule: Rule = rules[action];
  if (rule === anyone) return true;
  if (identity === null) return false;
  const reach = Object.hasOwn(rule, identity.role) ? rule[identity.role] : undefined;
  if (reach === "business") return isOfBusiness(identity, resource);
  if (reach !== "own" || identity.userId === null) return false;
  return isOfBusiness(identity, resource) && identity.userId === resource.userId;
}

// Compared as they are: another case, or another width of a letter, is another business.
function isOfBusiness({ businessId }: Identity, resource: Resource): boolean {
  return businessId === null || businessId === resource.businessId;
}
