import { DecodeError, EncodeError } from "./errors.js";
import type { Message, OutBroadcast, OutPush, OutReply, Ref } from "./message.js";

const kind = { push: 0, reply: 1, broadcast: 2 } as const;
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `00 |join_ref| |ref| |topic| |event| join_ref ref topic event data`: lengths are one byte each. (SPEC W9) */
export function decodePush(bytes: Uint8Array): Message {
  if (bytes[0] !== kind.push || bytes.length < 5) throw new DecodeError("not a binary push");
  let at = 5;
  const take = (lengthAt: number): string => {
    const end = at + bytes[lengthAt]!;
    if (end > bytes.length) throw new DecodeError("a binary push that is cut off");
    const text = decodeUtf8(bytes.subarray(at, end));
    at = end;
    return text;
  };
  const [joinRef, ref, topic, event] = [take(1), take(2), take(3), take(4)];
  return { joinRef, ref, topic, event, payload: bytes.subarray(at) };
}

/** `00 |join_ref| |topic| |event| join_ref topic event data`. A push from the server has no ref. */
export function encodePushBytes({ joinRef, topic, event, payload }: OutPush): Uint8Array {
  return assemble(kind.push, [refText(joinRef), String(topic), event], payload as Uint8Array);
}

/** `01 |join_ref| |ref| |topic| |status| join_ref ref topic status data`. */
export function encodeReplyBytes({ joinRef, ref, topic, status, response }: OutReply): Uint8Array {
  return assemble(kind.reply, [refText(joinRef), refText(ref), String(topic), status], response as Uint8Array);
}

/** `02 |topic| |event| topic event data`. */
export function encodeBroadcastBytes({ topic, event, payload }: OutBroadcast): Uint8Array {
  return assemble(kind.broadcast, [String(topic), event], payload as Uint8Array);
}

function assemble(kindByte: number, texts: readonly string[], data: Uint8Array): Uint8Array {
  const fields = texts.map((text) => utf8.encode(text));
  const headerLength = 1 + fields.length;
  const textLength = fields.reduce((sum, field) => sum + field.length, 0);
  const frame = new Uint8Array(headerLength + textLength + data.length);
  frame[0] = kindByte;
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

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new DecodeError("not UTF-8");
  }
}
