import { DecodeError, EncodeError } from "./errors.js";
import type { Message, OutBroadcast, OutPush, OutReply, Ref } from "./message.js";

const kind = { push: 0, reply: 1, broadcast: 2 } as const;
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `00 |join_ref| |ref| |topic| |event| join_ref ref topic event data`: lengths are one byte each. (SPEC W9) */
export function decodePush(bytes: Uint8Array): Message {
  if (bytes[0] !== kind.push) throw new DecodeError("not a binary push");
  const { fields, data } = readFields(bytes, { count: 4, headerBytes: 5 });
  const [joinRef, ref, topic, event] = fields.map(decodeUtf8);
  return { joinRef: joinRef!, ref: ref!, topic: topic!, event: event!, payload: data };
}

/** The fields whose lengths are the bytes after the kind, and what follows them. @throws DecodeError */
export function readFields(
  bytes: Uint8Array,
  { count, headerBytes }: { readonly count: number; readonly headerBytes: number },
): { fields: Uint8Array[]; data: Uint8Array } {
  if (bytes.length < headerBytes) throw new DecodeError("a binary frame without a whole header");
  const fields: Uint8Array[] = [];
  let at = headerBytes;
  for (const length of bytes.subarray(1, 1 + count)) {
    if (at + length > bytes.length) throw new DecodeError("a binary frame that is cut off");
    fields.push(bytes.subarray(at, (at += length)));
  }
  return { fields, data: bytes.subarray(at) };
}

/** `00 |join_ref| |topic| |event| join_ref topic event data`. A push from the server has no ref. */
export function encodePushBytes({ joinRef, topic, event, payload }: OutPush): Uint8Array {
  return assemble({ kind: kind.push, texts: [refText(joinRef), String(topic), event] }, payload as Uint8Array);
}

/** `01 |join_ref| |ref| |topic| |status| join_ref ref topic status data`. */
export function encodeReplyBytes({ joinRef, ref, topic, status, response }: OutReply): Uint8Array {
  const texts = [refText(joinRef), refText(ref), String(topic), status];
  return assemble({ kind: kind.reply, texts }, response as Uint8Array);
}

/** `02 |topic| |event| topic event data`. */
export function encodeBroadcastBytes({ topic, event, payload }: OutBroadcast): Uint8Array {
  return assemble({ kind: kind.broadcast, texts: [String(topic), event] }, payload as Uint8Array);
}

interface Fields {
  readonly kind: number;
  readonly texts: readonly string[];
  /** A byte of the header that follows the lengths, where the kind has one. */
  readonly encoding?: number;
}

/** `kind |texts…| encoding? texts… data`. @throws EncodeError */
export function assemble({ kind: kindByte, texts, encoding }: Fields, data: Uint8Array): Uint8Array {
  const fields = texts.map((text) => utf8.encode(text));
  const headerLength = 1 + fields.length + (encoding === undefined ? 0 : 1);
  const textLength = fields.reduce((sum, field) => sum + field.length, 0);
  const frame = new Uint8Array(headerLength + textLength + data.length);
  frame[0] = kindByte;
  if (encoding !== undefined) frame[headerLength - 1] = encoding;
  let at = headerLength;
  fields.forEach((field, index) => {
    if (field.length > 255) throw new EncodeError("a binary frame has room for 255 bytes of topic, event and refs");
    frame[1 + index] = field.length;
    frame.set(field, at);
    at += field.length;
  });
  frame.set(data, at);
  return frame;
}

function refText(ref: Ref): string {
  if (ref === null) return "";
  return typeof ref === "string" ? ref : JSON.stringify(ref);
}

/** @throws DecodeError */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new DecodeError("not UTF-8");
  }
}
