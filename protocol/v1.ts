import { reserved } from "./events.js";
import { DecodeError, EncodeError } from "./errors.js";
import { encodeJson, isNoJson } from "./json.js";
import type { Message } from "./message.js";
import type { Serializer } from "./serializer.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** vsn 1.0.0, and no vsn at all: a JSON object `{topic, event, payload, ref}`, exactly these four keys on the way out. (SPEC W3) */
export const v1: Serializer = {
  name: "1.0.0",
  decodeText,
  // Phoenix parses a binary frame of a version 1 client as the JSON text it hopes to find there.
  decodeBinary: (bytes) => decodeText(toText(bytes)),
  // Any JSON: what is no object is sent too, as Phoenix does on this version. (SPEC W6)
  encodePayload: encodeJson,
  encodePush: ({ topic, event, payload, ref }) => encode(topic, event, encodeJson(noBytes(payload)), ref),
  encodeReply: ({ topic, ref, status, response }) => {
    if (isNoJson(response)) throw new EncodeError("the response of a reply is nothing that JSON knows");
    return JSON.stringify({ topic, event: reserved.reply, payload: { status, response: noBytes(response) }, ref });
  },
  encodeBroadcast: ({ topic, event, payload, json }) =>
    encode(topic, event, json ?? encodeJson(noBytes(payload)), null),
};

function decodeText(text: string): Message {
  const value = parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new DecodeError("not an object");
  const fields = value as Record<string, unknown>;
  for (const key of ["topic", "event", "payload", "ref"]) {
    if (!Object.hasOwn(fields, key)) throw new DecodeError(`no ${key}`);
  }
  const joinRef = Object.hasOwn(fields, "join_ref") ? fields.join_ref : null;
  return { joinRef, ref: fields.ref, topic: fields.topic, event: fields.event, payload: fields.payload };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DecodeError("not JSON");
  }
}

function toText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new DecodeError("not UTF-8");
  }
}

function encode(topic: unknown, event: string, payload: string, ref: unknown): string {
  const head = `{"topic":${JSON.stringify(topic)},"event":${JSON.stringify(event)}`;
  return `${head},"payload":${payload},"ref":${JSON.stringify(ref)}}`;
}

function noBytes(payload: unknown): unknown {
  if (payload instanceof Uint8Array) throw new EncodeError("version 1.0.0 has no binary frames");
  return payload;
}
