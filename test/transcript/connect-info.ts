import type { ConnectInfo } from "../../server/bennu.js";

/** What the room's event `info` answers: the connect info under the names of the transcripts. */
export function describeInfo({ transport, peer, uri, headers }: ConnectInfo): Record<string, unknown> {
  const { scheme, host, path, query } = uri;
  const named = (wanted: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => wanted(name)));
  const isOfWebSocket = (name: string) => transport === "websocket" && name.startsWith("sec-websocket-");
  return {
    address: peer.address,
    uri: { scheme, host, path, query },
    user_agent: headers["user-agent"] ?? null,
    x_headers: named((name) => name.startsWith("x-")),
    trace_context_headers: named((name) => name === "traceparent" || name === "tracestate"),
    sec_websocket_headers: Object.keys(named(isOfWebSocket)).sort(),
    custom: "value",
  };
}
