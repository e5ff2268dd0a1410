import { type ServerResponse, STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpAnswer } from "./mount.js";

/** What one more connection is answered where there is no room for it. */
export const noRoom: HttpAnswer = { status: 503, headers: { "retry-after": "5" } };

/** And where its address has as many as one may have. */
export const tooMany: HttpAnswer = { status: 429, headers: { "retry-after": "5" } };

/** They say where an answer ends, and are ours to say. */
const framing = new Set(["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"]);

/**
 * An answer that the app has made, as it can be sent.
 * @throws TypeError for one that cannot: a part of it may be a stranger's words
 */
export function checkAnswer({ status, headers = {}, body = "" }: HttpAnswer): HttpAnswer {
  if (!Number.isInteger(status) || status < 200 || status > 599) throw new TypeError("onRefused must return a status");
  if (typeof headers !== "object") throw new TypeError("the headers that onRefused returns must be an object");
  if (typeof body !== "string") throw new TypeError("the body that onRefused returns must be a string");
  const sent = Object.entries(headers).filter(([name]) => !framing.has(name.toLowerCase()));
  for (const [name, value] of sent) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      // What Node says of it has the value in it.
      throw new TypeError(`onRefused returns a header that cannot be sent: ${JSON.stringify(name)}`);
    }
  }
  return { status, headers: Object.fromEntries(sent), body };
}

export function sendAnswer(response: ServerResponse, { status, headers = {}, body = "" }: HttpAnswer): void {
  // The peer may have gone while its answer was made, or somebody else may have been quicker.
  if (response.destroyed || response.headersSent) return;
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
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}
