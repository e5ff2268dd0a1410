import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpAnswer } from "./mount.js";

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** What one more connection is answered where there is no room for it. */
export const noRoom: HttpAnswer = { status: 503, headers: { "retry-after": "5" } };

export function sendAnswer(response: ServerResponse, { status, headers = {}, body = "" }: HttpAnswer): void {
  // The peer may have gone while its answer was made.
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
}

/** Answers a request for an upgrade with an ordinary response, and ends its connection. */
export function refuseUpgrade(stream: Duplex, { status, headers = {}, body = "" }: HttpAnswer): void {
  const all = { ...headers, connection: "close", "content-length": String(Buffer.byteLength(body)) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  // The answer ends the connection for both sides: a peer that keeps its half open would keep the server from stopping.
  stream.once("finish", () => stream.destroy());
  // A peer that resets meanwhile must not become an unhandled error.
  stream.on("error", () => stream.destroy());
  stream.end(`HTTP/1.1 ${status} ${reasons[status] ?? "Error"}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}
