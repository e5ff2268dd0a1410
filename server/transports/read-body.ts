import type { IncomingMessage } from "node:http";

/**
 * The body of a request, or why there is none. What is over the limit is still taken off the network up to twice the
 * limit, and not kept, because most clients read no answer before they have sent everything.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | "too big" | "gone"> {
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
