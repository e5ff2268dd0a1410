import { isUtf8 } from "node:buffer";
import type { Request, RequestHandler } from "express";
import { sendProblem } from "./problem.js";

const keyBytesMax = 128;

/** Refuses a POST whose `Idempotency-Key` cannot be one, whatever the route makes of it. (SPEC H27) */
export const wellKeyed: RequestHandler = (request, response, next) => {
  const key = bytesOfKey(request);
  if (key === null || (key.length > 0 && key.length <= keyBytesMax && isUtf8(key))) next();
  else sendProblem(response, "invalid_payload", `Idempotency-Key is 1 to ${keyBytesMax} bytes of UTF-8`);
};

/** The `Idempotency-Key` of a request; null without one. */
export function keyOf(request: Request): string | null {
  return bytesOfKey(request)?.toString("utf8") ?? null;
}

// Node reads each byte of a header as a character of Latin-1.
function bytesOfKey({ headers }: Request): Buffer | null {
  // Given twice, it is one text with a comma.
  const key = headers["idempotency-key"] as string | undefined;
  return key === undefined ? null : Buffer.from(key, "latin1");
}
