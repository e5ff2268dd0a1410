import type { IncomingMessage } from "node:http";
import { letGo, parsed, readText, statusError } from "../agents/http-body.js";
import type { HttpClient } from "../agents/http-client.js";
import type { AgentRequest } from "../agents/http-request.js";
import type { Clock } from "../clock.js";
import { AgentError } from "../messaging/agent.js";
import type { Taken } from "../messaging/platforms.js";

const bodyBytesMax = 16_384;
const idleMs = 5000;
/** The request itself was no good, or its user does not want it: so it will be the next time. */
const refusals: ReadonlySet<number> = new Set([400, 403, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431]);

/**
 * Posts one piece. What stands in the way of all of them (a wrong token, an address where nobody is, a redirect) counts as
 * failed: it can be put right. Nothing of what it says names the address, which may hold a secret.
 */
export async function post(
  { client, clock }: { readonly client: HttpClient; readonly clock: Clock },
  target: URL,
  { body, headers }: AgentRequest,
  signal: AbortSignal,
): Promise<Taken> {
  try {
    const response = await client.post(target, { body, headers, signal });
    try {
      return await takenBy(response, clock);
    } finally {
      letGo(response);
    }
  } catch (cause) {
    signal.throwIfAborted();
    const { code, retryAfterMs } = cause instanceof AgentError ? cause : new AgentError("not_http", { cause });
    return { kind: "failed", code, retryAfterMs };
  }
}

// That it was taken is known by the status: what may follow need not arrive.
async function takenBy(response: IncomingMessage, clock: Clock): Promise<Taken> {
  const { statusCode = 0 } = response;
  if (statusCode >= 200 && statusCode < 300) return { kind: "taken" };
  const { code, retryAfterMs } = statusError(response, clock);
  if (refusals.has(statusCode)) return { kind: "refused", code };
  const said = statusCode === 429 ? await retryAfterIn(response, clock) : null;
  return { kind: "failed", code, retryAfterMs: said ?? retryAfterMs };
}

/** Telegram says it in the body: `{parameters: {retry_after: seconds}}`. */
async function retryAfterIn(response: IncomingMessage, clock: Clock): Promise<number | null> {
  try {
    const body = parsed(await readText(response, { clock, idleMs }, bodyBytesMax));
    const { retry_after: seconds } = (body.parameters ?? {}) as { readonly retry_after?: unknown };
    return typeof seconds === "number" && seconds >= 0 ? seconds * 1000 : null;
  } catch (cause) {
    if (cause instanceof AgentError) return null;
    throw cause;
  }
}
