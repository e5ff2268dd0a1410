import type { IncomingMessage } from "node:http";

/**
 * The body of a request, or why there is none. What is over the limit is still taken off the network up to twice the
 * limit, and not kept, because most clients read no answer before they have sent everything.
 * @throws Error when somebody has read it before, and did not leave it in `body`: it will not come again
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | "too big" | "gone"> {
  if (request.readableDidRead) {
    const body = bodyLeftIn(request);
    return Promise.resolve(body.length > maxBytes ? "too big" : body);
  }
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else chunks = [];
      if (length > maxBytes * 2) {
        request.pause();
        resolve("too big");
      }
    });
    request.on("end", () => resolve(length > maxBytes ? "too big" : Buffer.concat(chunks)));
    request.on("error", () => resolve("gone"));
    request.on("close", () => resolve("gone"));
  });
}

/** What Express's parsers make of a body, made bytes again. */
function bodyLeftIn(request: IncomingMessage): Buffer {
  const { body } = request as { readonly body?: unknown };
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === "string") return Buffer.from(body);
  const isJson = /^application\/json\b/i.test(request.headers["content-type"] ?? "");
  if (isJson && typeof body === "object" && body !== null) return Buffer.from(JSON.stringify(body));
  throw new Error("the body of a long-poll was read before Endpoint.handle, which must come before any body parser");
}
