import { isDeeper } from "../../protocol/depth.js";
import type { Message, Ref } from "../../protocol/message.js";
import type { SocketLimits } from "./limits.js";

/** What is wrong with a message before it is routed, or null. Pure. (SPEC L1–L4) */
export function inspect(message: Message, limits: SocketLimits): "malformed" | "tooDeep" | "eventTooLong" | null {
  const { maxRefBytes, maxEventBytes, maxJsonDepth } = limits;
  if (maxRefBytes > 0 && !(isSmallRef(message.ref, maxRefBytes) && isSmallRef(message.joinRef, maxRefBytes))) {
    return "malformed";
  }
  if (maxEventBytes > 0 && typeof message.event === "string" && isLonger(message.event, maxEventBytes)) {
    return "eventTooLong";
  }
  // The frame itself is the first level, so its payload has one level less.
  if (maxJsonDepth > 0 && isDeeper(message.payload, maxJsonDepth - 1)) return "tooDeep";
  // Every answer echoes the topic, so there is no answering one that is too deep.
  if (maxJsonDepth > 0 && isDeeper(message.topic, maxJsonDepth - 1)) return "malformed";
  return null;
}

/** True when `text` takes more than `maxBytes` of UTF-8. */
export function isLonger(text: string, maxBytes: number): boolean {
  // A UTF-16 unit takes between one and three bytes, so most texts need no counting.
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes;
}

function isSmallRef(ref: Ref, maxBytes: number): boolean {
  if (ref === null || Number.isSafeInteger(ref)) return true;
  return typeof ref === "string" && !isLonger(ref, maxBytes);
}
