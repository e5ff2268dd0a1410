import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type ProblemCode, problemOf, problemType } from "./problem.js";

/** By what Node says of a request that it cannot read; whatever else it says is 400. */
const faults: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
  HPE_HEADER_OVERFLOW: "headers_too_large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "payload_too_large",
};

/** Answers what Node itself would turn away with an empty page: what it cannot read, or not in time. (SPEC H1) */
export function answerUnreadable(server: Server): void {
  server.on("clientError", ({ code = "" }: NodeJS.ErrnoException, stream: Duplex) => refuse(stream, faults[code]));
  server.on("checkExpectation", (_request, response) => refuseBy(response, "expectation_failed"));
}

/** Leaves out what names no host, where Node was told not to look. (RFC 9112, 3.2) */
export function withHost(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (isNameless(request)) refuseBy(response, "invalid_payload", "Host is missing");
    else listener(request, response);
  };
}

function isNameless({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === "1.1" && headers.host === undefined;
}

function refuse(stream: Duplex, code: ProblemCode = "invalid_payload"): void {
  const { _httpMessage: answering } = stream as { readonly _httpMessage?: ServerResponse | null };
  // Whoever reads an answer that has begun would take this for a part of it.
  if (!stream.writable || answering?.headersSent === true) {
    stream.destroy();
    return;
  }
  const problem = problemOf(code);
  const body = JSON.stringify(problem);
  const lines = Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}\r\n`);
  // A peer that keeps its half open would keep the server from stopping.
  stream.once("finish", () => stream.destroy());
  stream.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join("")}\r\n${body}`);
}

function refuseBy(response: ServerResponse, code: ProblemCode, detail?: string): void {
  const problem = problemOf(code, detail);
  const body = JSON.stringify(problem);
  response.writeHead(problem.status, headersOf(body)).end(body);
}

function headersOf(body: string) {
  return { "content-type": problemType, "content-length": Buffer.byteLength(body), connection: "close" };
}
