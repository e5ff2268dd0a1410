import { assemble, decodePush, decodeUtf8, readFields } from "./binary.js";
import { DecodeError, EncodeError } from "./errors.js";
import type { Message, OutBroadcast, OutPush } from "./message.js";
import type { Encoded, Serializer } from "./serializer.js";
import { v1 } from "./v1.js";
import { v2 } from "./v2.js";

const kind = { userBroadcastPush: 3, userBroadcast: 4 } as const;
const encodings = { bytes: 0, json: 1 } as const;
const broadcastEvent = "broadcast";

/** The payload of the event `broadcast`: one user's event for the others on the topic. */
interface UserBroadcast {
  readonly type: typeof broadcastEvent;
  readonly event: string;
  readonly payload: unknown;
  readonly meta?: unknown;
}

/**
 * Version 2 as Supabase's realtime client speaks it: all of V2, and two binary kinds for the event `broadcast`.
 * Lengths are one byte each, of bytes; `encoding` is 0 for bytes, 1 for JSON; `meta` is JSON, or empty.
 *
 *     from the client  03 |join_ref| |ref| |topic| |event| |meta| encoding  join_ref ref topic event meta payload
 *     to the client    04 |topic| |event| |meta| encoding  topic event meta payload
 *
 * To the client, kind 4 carries what text cannot, an inner payload of bytes; the rest leaves as text. (SPEC W12)
 */
export const supabase: Serializer = {
  ...v2,
  name: "2.0.0+supabase",
  decodeBinary: (bytes) => (bytes[0] === kind.userBroadcastPush ? decodeUserBroadcastPush(bytes) : decodePush(bytes)),
  encodePush: (push) => encodeUserBroadcast(push) ?? v2.encodePush(push),
  encodeBroadcast: (broadcast) => encodeUserBroadcast(broadcast) ?? v2.encodeBroadcast(broadcast),
};

/**
 * Version 1 beside it. It has no binary frames, and no client may silence those of version 2 by speaking it: a user
 * broadcast of bytes reaches the others, as Supabase has it. (SPEC W12)
 */
export const supabaseV1: Serializer = {
  ...v1,
  name: "1.0.0+supabase",
  encodePush: (push) => {
    if (isBroadcastOfBytes(push)) throw new EncodeError("version 1.0.0 has no binary frames");
    return v1.encodePush(push);
  },
  encodeBroadcast: (broadcast) => (isBroadcastOfBytes(broadcast) ? null : v1.encodeBroadcast(broadcast)),
};

function decodeUserBroadcastPush(bytes: Uint8Array): Message {
  const { fields, data } = readFields(bytes, { count: 5, headerBytes: 7 });
  const [joinRef, ref, topic, event, meta] = fields.map(textOf) as [string, string, string, string, string];
  const broadcast: UserBroadcast = { type: broadcastEvent, event, payload: decodePayload(bytes[6]!, data) };
  const payload = meta === "" ? broadcast : { ...broadcast, meta: parseJson(meta) };
  return { joinRef, ref, topic, event: broadcastEvent, payload };
}

function decodePayload(encoding: number, data: Uint8Array): unknown {
  if (encoding === encodings.bytes) return data;
  if (encoding !== encodings.json) throw new DecodeError("a user broadcast in an unknown encoding");
  return parseJson(decodeUtf8(data));
}

// Refs are not carried: to the client a push differs from a broadcast only by them.
function encodeUserBroadcast(message: OutPush | OutBroadcast): Encoded | null {
  if (!isBroadcastOfBytes(message)) return null;
  const { topic, payload } = message;
  const meta = payload.meta === undefined ? "" : JSON.stringify(payload.meta);
  const texts = [String(topic), payload.event, meta];
  return assemble({ kind: kind.userBroadcast, texts, encoding: encodings.bytes }, payload.payload);
}

/** A user broadcast of bytes: JSON would make something else of them. */
export function isBroadcastOfBytes(message: Outgoing): message is Outgoing & BroadcastOfBytes {
  const { payload: value } = message;
  if (message.event !== broadcastEvent || typeof value !== "object" || value === null) return false;
  const { type, event, payload } = value as Partial<UserBroadcast>;
  return type === broadcastEvent && typeof event === "string" && payload instanceof Uint8Array;
}

type Outgoing = Pick<OutPush | OutBroadcast, "topic" | "event" | "payload">;

interface BroadcastOfBytes {
  readonly topic: unknown;
  readonly payload: UserBroadcast & { readonly payload: Uint8Array };
}

// Older clients write one byte a character, so their "é" is not UTF-8; what they meant is Latin-1.
function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    return String.fromCharCode(...bytes);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DecodeError("not JSON");
  }
}
