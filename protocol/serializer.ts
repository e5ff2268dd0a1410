import type { Message, OutBroadcast, OutPush, OutReply } from "./message.js";
import { supabase, supabaseV1 } from "./supabase.js";
import { v1 } from "./v1.js";
import { v2 } from "./v2.js";

/** What leaves for a client: text as a string, binary as bytes. */
export type Encoded = string | Uint8Array;

/**
 * Turns frames into messages and back. A serializer has no state, so what it encodes can be sent to any number of
 * sockets that use it.
 */
export interface Serializer {
  /** Names it among the serializers of a mount; equal names encode alike. */
  readonly name: string;
  /** @throws DecodeError when the text is not a message. The connection ends with 1011. (SPEC W7) */
  decodeText(text: string): Message;
  /** @throws DecodeError as `decodeText` does. */
  decodeBinary(bytes: Uint8Array): Message;
  /** What is pushed or broadcast, alone and as JSON. @throws EncodeError when it is neither. Not for bytes. */
  readonly encodePayload: (payload: unknown) => string;
  /** @throws EncodeError when this version cannot carry the payload. */
  encodePush(push: OutPush): Encoded;
  /** @throws EncodeError as `encodePush` does. */
  encodeReply(reply: OutReply): Encoded;
  /**
   * @returns null for what those who speak this version are not told, though others are
   * @throws EncodeError as `encodePush` does.
   */
  encodeBroadcast(broadcast: OutBroadcast): Encoded | null;
}

/** What is spoken on a mount: as Phoenix has it, or with the binary frames that Supabase added. (SPEC W12) */
export type Dialect = "phoenix" | "supabase";

const version1: Readonly<Record<Dialect, Serializer>> = { phoenix: v1, supabase: supabaseV1 };
const version2: Readonly<Record<Dialect, Serializer>> = { phoenix: v2, supabase };

/**
 * The serializer for a `vsn` connect parameter, or null where Phoenix refuses the connection with 403.
 * A missing `vsn` means 1.0.0. The requirement is `~> 1.0.0` or `~> 2.0.0`: any patch version and build, no
 * pre-release. (SPEC W2)
 */
export function serializerFor(vsn: unknown, dialect: Dialect = "phoenix"): Serializer | null {
  if (vsn === undefined) return version1[dialect];
  if (typeof vsn !== "string") return null;
  if (/^1\.0\.(0|[1-9]\d{0,9})(\+[0-9A-Za-z.-]+)?$/.test(vsn)) return version1[dialect];
  if (/^2\.0\.(0|[1-9]\d{0,9})(\+[0-9A-Za-z.-]+)?$/.test(vsn)) return version2[dialect];
  return null;
}
