import { decodePush, encodeBroadcastBytes, encodePushBytes, encodeReplyBytes } from "./binary.js";
import { reserved } from "./events.js";
import { DecodeError, EncodeError } from "./errors.js";
import { checkLastIsObject, encodeJsonObject, isNoJson } from "./json.js";
import type { Message, OutBroadcast, OutPush, OutReply } from "./message.js";
import type { Encoded, Serializer } from "./serializer.js";

/** vsn 2.0.0: a JSON array `[join_ref, ref, topic, event, payload]`; a binary payload travels in a binary frame. (SPEC W4) */
export const v2: Serializer = {
  name: "2.0.0",
  decodeText,
  decodeBinary: decodePush,
  encodePayload: encodeJsonObject,
  encodePush,
  encodeReply,
  encodeBroadcast,
};

function decodeText(text: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DecodeError("not JSON");
  }
  // More than five elements are taken, the rest ignored, as Phoenix does.
  if (!Array.isArray(value) || value.length < 5) throw new DecodeError("not an array of five");
  return { joinRef: value[0], ref: value[1], topic: value[2], event: value[3], payload: value[4] };
}

// Without spaces: some clients cut the frame at its first commas. JSON.stringify writes none. (SPEC W6)
function encodePush(push: OutPush): Encoded {
  const { joinRef, ref, topic, event, payload } = push;
  if (payload instanceof Uint8Array) return encodePushBytes(push);
  const text = JSON.stringify([joinRef, ref, topic, event, payload]);
  checkLastIsObject(text, payload);
  return text;
}

function encodeReply(reply: OutReply): Encoded {
  const { joinRef, ref, topic, status, response } = reply;
  if (response instanceof Uint8Array) return encodeReplyBytes(reply);
  if (isNoJson(response)) throw new EncodeError("the response of a reply is nothing that JSON knows");
  return JSON.stringify([joinRef, ref, topic, reserved.reply, { status, response }]);
}

function encodeBroadcast(broadcast: OutBroadcast): Encoded {
  const { topic, event, payload, json = null } = broadcast;
  if (payload instanceof Uint8Array) return encodeBroadcastBytes(broadcast);
  if (json !== null && !json.startsWith("{")) throw new EncodeError("version 2.0.0 broadcasts objects and bytes");
  return `[null,null,${JSON.stringify(topic)},${JSON.stringify(event)},${json ?? encodeJsonObject(payload)}]`;
}
