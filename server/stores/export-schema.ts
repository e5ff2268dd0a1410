import { z } from "zod";
import type { Head } from "../messaging/head.js";
import type { Aside, ChatMessage } from "../messaging/model.js";
import { durationSteps } from "../messaging/figures.js";
import { partitionOf } from "../messaging/records.js";
import { isStatsKey, noHour, statsDays } from "../messaging/stats-records.js";
import type { CurrentSession } from "../messaging/sessions.js";
import type { RecordKey, SessionOwner } from "../messaging/store.js";
import { isBusinessId, isUserId } from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";

// What one line of an export must hold, all of which the server relies on once it is in a store. A field that is not
// named here belongs to the same version of the format all the same: it is kept as it is, so that what a later Bennu adds
// to a message or a session goes through an earlier one. What would have to be understood makes another version.

export interface ExportedRecord extends RecordKey {
  readonly value: unknown;
}

export type ExportEntry =
  | { readonly record: ExportedRecord }
  | { readonly head: Head }
  | { readonly message: ChatMessage }
  | { readonly aside: Aside };

/** @returns the entry as it stands in the line, or what is wrong with the line */
export function parseEntry(content: unknown): Result<ExportEntry, string> {
  const kind = kinds.find((name) => isObject(content) && Object.hasOwn(content, name));
  if (kind === undefined || Object.keys(content as object).length > 1)
    return failure("is no record, head, message or aside");
  const inner = (content as Readonly<Record<Kind, unknown>>)[kind];
  const parsed = schemas[kind].safeParse(inner);
  if (!parsed.success) return failure(`is ${kind === "aside" ? "an" : "a"} ${kind} ${faultOf(parsed.error)}`);
  const entry = content as ExportEntry;
  const wrong = wrongId(entry);
  if (wrong !== null) return failure(`has a ${wrong} that is none`);
  return "record" in entry ? parseRecord(entry.record, entry) : success(entry);
}

const kinds = ["record", "head", "message", "aside"] as const;
type Kind = (typeof kinds)[number];

// Half of a surrogate pair is no text: stores put something else in its place, and nothing is found under it again.
const id = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => text.isWellFormed());
const count = z.int().min(0);
// As they are written, because they are compared as texts.
const timestamp = z.iso.datetime({ precision: 3 });
const open = z.looseObject({});
const source = z.enum(["websocket", "webhook", "cron", "http"]);

const record = z.strictObject({ partition: id, id, value: z.unknown().refine((value) => value != null) });

const session = z.looseObject({
  sessionId: id,
  businessId: id,
  locationId: z.string(),
  userId: z.string().optional(),
  agentId: z.string().optional(),
  kind: z.enum(["daily", "agent", "chat"]),
  threadId: z.string(),
  title: z.string().optional(),
  teamId: z.string().optional(),
  description: z.string().optional(),
  status: z.enum(["active", "resolved", "closed", "abandoned"]),
  participants: z.array(
    z.looseObject({ type: z.enum(["user", "agent", "coordinator"]), id: z.string(), joined: timestamp }),
  ),
  holder: z.looseObject({ coordinatorId: z.string(), expiresAt: timestamp }).optional(),
  offset: count,
  previousSessionId: z.string().optional(),
  totals: z.looseObject({ messages: count, tokens: z.number().min(0), cost: z.number().min(0) }),
  createdAt: timestamp,
  updatedAt: timestamp,
  lastMessageAt: timestamp,
  createdBy: z.string(),
  metadata: z.looseObject({ businessType: z.string(), context: open }),
});

const waitingTurn = z.looseObject({
  messageId: id,
  offset: z.int().min(1),
  admittedAt: timestamp,
  locationId: z.string(),
  source,
  context: open,
});
const turn = waitingTurn.extend({ earlier: z.array(waitingTurn).optional() });

const intent = z.looseObject({
  intentId: z.string(),
  businessId: z.string(),
  userId: z.string(),
  chatId: z.string().optional(),
  sessionId: z.string(),
  name: z.string(),
  status: z.enum(["active", "completed", "abandoned"]),
  parameters: z.record(z.string(), z.string()),
  missing: z.array(z.string()),
  createdAt: timestamp,
  updatedAt: timestamp,
});

const head = z.looseObject({
  rev: count,
  session,
  day: z.iso.date().nullable(),
  turns: z.array(turn),
  fence: count,
  lease: z.looseObject({ owner: z.string(), fence: count }).nullable(),
  intent: intent.nullable(),
  suspended: intent.nullish(),
  delivered: count,
  read: count,
  deletingSince: z.null(),
  asides: z.looseObject({ afterOffset: count, count }).optional(),
  outbound: z
    .looseObject({
      platform: z.enum(["telegram", "webhook"]),
      isOn: z.boolean(),
      ...{ sent: count, pieces: count, due: count },
      sender: id.nullable(),
    })
    .optional(),
});

const message = z.looseObject({
  messageId: id,
  sessionId: id,
  offset: z.int().min(1),
  businessId: id,
  userId: z.string(),
  content: z.string(),
  type: z.enum(["user", "agent", "coordinator", "system"]),
  timestamp,
  status: z.string().optional(),
  metadata: z.looseObject({
    source,
    node: z.string().optional(),
    externalId: z.string().optional(),
    responseId: z.string().optional(),
    inReplyTo: z.string().optional(),
    clientMessageId: z.string().optional(),
    clientTimestamp: z.string().optional(),
    chatId: z.string().optional(),
    connectionId: z.string().optional(),
    intentId: z.string().optional(),
    coordinatorId: z.string().optional(),
    toolCalls: z.array(z.unknown()).optional(),
    sources: z.array(z.string()).optional(),
    tokens: z.number().optional(),
    durationMs: z.number().optional(),
    actions: z.array(z.looseObject({ type: z.string(), label: z.string() })).optional(),
    code: z.string().optional(),
    isComplete: z.boolean().optional(),
  }),
});

const aside = message.omit({ offset: true, status: true }).extend({
  afterOffset: count,
  type: z.enum(["thinking", "note", "draft"]),
});

const schemas = { record, head, message, aside } as const;

const clientMessage = z.looseObject({ messageId: id, sessionId: id, textHash: z.string() });

// The head of a session in which nothing was said yet.
const seed = head.extend({ session: session.extend({ offset: z.literal(0) }), turns: z.array(turn).max(0) });
const current = z
  .looseObject({ sessionId: id, day: z.union([z.iso.date(), z.literal("")]), seed })
  .refine(({ sessionId, seed }) => sessionId === seed.session.sessionId, { path: ["sessionId"] });

const user = z.looseObject({
  businessId: id,
  userId: id,
  name: z.string().optional(),
  locale: z.enum(["ro", "en"]).optional(),
  blocked: z.boolean(),
  platforms: z.array(z.string()),
  threadId: z.string(),
  greeted: z.boolean(),
  createdAt: timestamp,
  lastSeenAt: timestamp,
});

const feedback = z.looseObject({
  messageId: id,
  score: z.union([z.literal(-1), z.literal(1)]),
  comment: z.string().optional(),
  timestamp,
});

const figures = z.looseObject({
  ...{ messages: count, answered: count, failed: count, human: count },
  durations: z.array(count).max(durationSteps.length),
});
const hourFigures = z.looseObject({ quarters: z.array(figures).length(noHour.quarters.length) });
const statsDay = z.strictObject({});

// The records that we know; others are kept as they are. (server/messaging/records.ts)
function parseRecord({ partition, id, value }: ExportedRecord, entry: ExportEntry): Result<ExportEntry, string> {
  // No process runs on a store that is being imported into.
  if (/^(node|job)#/.test(partition)) return failure(`is a record of a running process, ${partition}`);
  const schema = schemaOf(partition, id);
  if (schema === null) return success(entry);
  if ((schema === hourFigures || schema === statsDay) && !isStatsKey({ partition, id }))
    return failure("is a record of figures of no hour and no day");
  const parsed = schema.safeParse(value);
  if (!parsed.success) return failure(`is a record ${faultOf(parsed.error, "value")}`);
  if (unowned.has(schema)) return success(entry);
  const owner = (id === "current" ? (value as CurrentSession).seed.session : value) as SessionOwner;
  return partitionOf(owner) === partition ? success(entry) : failure("is a record of somebody else than it says");
}

/** Those that do not say whose they are. */
const unowned: ReadonlySet<z.ZodType> = new Set<z.ZodType>([clientMessage, feedback, hourFigures, statsDay]);

function schemaOf(partition: string, id: string): z.ZodType | null {
  const { kind } = ownerOf(partition);
  if (kind === "feedback") return feedback;
  if (kind === "stats") return hourFigures;
  if (partition === statsDays) return statsDay;
  if (kind !== "user" && kind !== "agent") return null;
  if (id === "current") return current;
  if (id === "profile") return user;
  return id.startsWith("client#") ? clientMessage : null;
}

// A "#" stands between the ids that keys are made of: an id that holds one would be found as somebody else's.
function idsOf(entry: ExportEntry): readonly (readonly [string, string | undefined, (id: unknown) => boolean])[] {
  if ("record" in entry) {
    const { kind, businessId, ownerId } = ownerOf(entry.record.partition);
    if (kind !== "user" && kind !== "agent") return [];
    return [
      ["businessId", businessId, isBusinessId],
      [`${kind}Id`, ownerId, isUserId],
    ];
  }
  if ("message" in entry || "aside" in entry) {
    const { businessId, sessionId, userId } = "message" in entry ? entry.message : entry.aside;
    return [
      ["businessId", businessId, isBusinessId],
      ["sessionId", sessionId, isSessionId],
      ["userId", userId, isUserId],
    ];
  }
  const { businessId, sessionId, userId, agentId } = entry.head.session;
  return [
    ["businessId", businessId, isBusinessId],
    ["sessionId", sessionId, isSessionId],
    // One of the two it belongs to.
    ["userId", userId ?? (agentId === undefined ? "" : undefined), isUserId],
    ["agentId", agentId, isUserId],
  ];
}

function ownerOf(partition: string): { readonly kind: string; readonly businessId: string; readonly ownerId: string } {
  const [kind = "", businessId = "", ...rest] = partition.split("#");
  return { kind, businessId, ownerId: rest.join("#") };
}

/** The name of an id that is not as ids are. (SPEC M11) */
function wrongId(entry: ExportEntry): string | null {
  const wrong = idsOf(entry).find(([, id, isRight]) => id !== undefined && !isRight(id));
  return wrong === undefined ? null : wrong[0];
}

// Ours are UUIDs, and those of other systems are as their users' are.
const isSessionId = isUserId;

function faultOf({ issues }: z.ZodError, within?: string): string {
  const [issue] = issues;
  const path = [...(within === undefined ? [] : [within]), ...(issue?.path ?? [])].map(String).join(".");
  if (issue?.code === "unrecognized_keys") return `with something else, ${issue.keys.join(", ")}`;
  return path === "" ? "that is none" : `whose ${path} is not as it must be`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
