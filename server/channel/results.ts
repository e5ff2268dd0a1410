import type { Reply, Stop } from "./channel.js";

/** What an app's function gave back, which may be anything. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

export function isReply(value: unknown): value is Reply {
  return typeof value === "object" && value !== null && typeof (value as Reply).status === "string";
}

export function isStop(value: unknown): value is Stop {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "stop");
}
