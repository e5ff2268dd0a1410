import { heartbeat, reserved } from "../../protocol/events.js";
import type { Message, Ref } from "../../protocol/message.js";

/** What one message means for a socket. */
export type Decision = "heartbeat" | "join" | "rejoin" | "leave" | "leaveUnjoined" | "deliver" | "unmatched" | "stale";

/**
 * Decides on one message, given the channel that the socket has on its topic, if any.
 * @see SPEC R1–R7
 */
export function route(message: Message, channel: { readonly joinRef: Ref } | undefined): Decision {
  const { topic, event, joinRef } = message;
  if (topic === heartbeat.topic && event === heartbeat.event) return "heartbeat";
  if (event === reserved.join) return channel === undefined ? "join" : "rejoin";
  if (channel === undefined) return event === reserved.leave ? "leaveUnjoined" : "unmatched";
  // A stale join_ref is a client that has already rejoined; running its old push would run it twice. Without one, the
  // message is for whichever channel there is: clients of version 1 never send it.
  if (joinRef !== null && !sameRef(joinRef, channel.joinRef)) return "stale";
  return event === reserved.leave ? "leave" : "deliver";
}

// Without conversion: 1 is not "1". Anything but a string, number, boolean or null is compared as JSON.
function sameRef(a: Ref, b: Ref): boolean {
  if (a === b) return true;
  return typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b);
}
