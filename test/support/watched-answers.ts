import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from "node:http";
import { type Answer, faultOf } from "./http-contract.js";

const begun = "http.server.request.start";

/**
 * Holds every answer of the servers in this process to the description of the API, whoever asks.
 * @param isOurs whether a server is one of the product's, by its port
 * @param note is told what was otherwise
 */
export function watchAnswers(isOurs: (port: number) => boolean, note: (fault: string) => void): void {
  subscribe(begun, (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (!isOurs(request.socket.localPort ?? 0)) return;
    record(request, response, (answer) => {
      const fault = faultOf(answer);
      if (fault !== null) note(fault);
    });
  });
}

/** Reads along what is sent, by `writeHead`, `write` and `end`: all that is sent goes through them. */
function record(request: IncomingMessage, response: ServerResponse, take: (answer: Answer) => void): void {
  const { method = "", url = "" } = request;
  const chunks: Buffer[] = [];
  let headers: Record<string, OutgoingHttpHeader | undefined> = {};
  before(response, "writeHead", (given) => {
    const last = given.at(-1);
    const added = typeof last === "object" && last !== null && !Array.isArray(last) ? last : {};
    headers = { ...response.getHeaders(), ...lowerCase(added) };
  });
  const keep = ([chunk]: readonly unknown[]) => {
    if (typeof chunk === "string") chunks.push(Buffer.from(chunk));
    else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  before(response, "write", keep);
  before(response, "end", keep);
  response.on("finish", () => {
    // Of HEAD nothing is sent, whatever was given.
    const text = method === "HEAD" ? "" : Buffer.concat(chunks).toString("utf8");
    take({ method, url, status: response.statusCode, headers, text });
  });
}

function before(
  response: ServerResponse,
  name: "writeHead" | "write" | "end",
  look: (given: readonly unknown[]) => void,
): void {
  const method = response[name].bind(response) as (...given: unknown[]) => unknown;
  const looking = (...given: unknown[]) => {
    look(given);
    return method(...given);
  };
  response[name] = looking as never;
}

function lowerCase(headers: object): Record<string, OutgoingHttpHeader> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
