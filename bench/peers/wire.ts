/** What the clients of the bench say, and how long what they are answered must be: the same for every peer. */
export const topic = "room:bench";

const joinRef = "1";
const pushRef = "1001";
const said = { text: "Do you have a table for four tonight, at about eight? We would like to sit outside." };

export const path = "/socket/websocket?vsn=2.0.0";
export const join = JSON.stringify([joinRef, joinRef, topic, "phx_join", {}]);
export const push = JSON.stringify([joinRef, pushRef, topic, "echo", said]);
export const joinReply = JSON.stringify([joinRef, joinRef, topic, "phx_reply", { status: "ok", response: {} }]);
export const pushReply = JSON.stringify([joinRef, pushRef, topic, "phx_reply", { status: "ok", response: said }]);

/** A broadcast whose frame is about `sizeBytes` long. */
export function broadcast(event: string, sizeBytes: number): string {
  const empty = JSON.stringify([null, null, topic, event, { n: 0, d: "" }]);
  return JSON.stringify([null, null, topic, event, { n: 0, d: "x".repeat(Math.max(0, sizeBytes - empty.length)) }]);
}
