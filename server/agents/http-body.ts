import type { IncomingMessage } from "node:http";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { type Clock, deadline } from "../clock.js";
import { AgentError } from "../messaging/agent.js";

export interface BodyLimits {
  readonly clock: Clock;
  /** Between two pieces of a body. */
  readonly idleMs: number;
  /** Before the first one. Default `idleMs`. */
  readonly firstMs?: number;
}

const retryableStatus: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** What a status that is no answer means. */
export function statusError({ statusCode = 0, headers }: IncomingMessage, clock: Clock): AgentError {
  const isRetryable = retryableStatus.has(statusCode);
  return new AgentError(`status_${statusCode}`, {
    isRetryable,
    retryAfterMs: isRetryable ? retryAfterOf(headers["retry-after"], clock) : null,
    // A redirect is never followed: where it points is not what the operator wrote down.
    isThere: statusCode < 500 && !isRetryable,
  });
}

/** Seconds, or a date. */
function retryAfterOf(text: string | undefined, clock: Clock): number | null {
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - clock.now());
}

const streamType = "text/event-stream";

/**
 * Whether an answer is a stream of events; if not, it is JSON.
 * @throws AgentError for every other one
 */
export function isStream(response: IncomingMessage, clock: Clock): boolean {
  const { statusCode = 0 } = response;
  if (statusCode < 200 || statusCode >= 300) throw statusError(response, clock);
  return contentTypeOf(response, ["application/json", streamType]) === streamType;
}

/** @throws AgentError for one that is packed, or is none of these types */
export function contentTypeOf<Type extends string>({ headers }: IncomingMessage, types: readonly Type[]): Type {
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") throw new AgentError("encoded_answer", { isThere: true });
  const given = headers["content-type"]?.split(";")[0]!.trim().toLowerCase();
  const type = types.find((each) => each === given);
  if (type === undefined) throw new AgentError("content_type", { isThere: true });
  return type;
}

/** The whole of a body of at most so many bytes. @throws AgentError */
export async function readText(response: IncomingMessage, limits: BodyLimits, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(response, limits, maxBytes)) chunks.push(chunk);
  return decoded(() => new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
}

/** The events of a body that is a stream of them, as soon as they are here. @throws AgentError */
export async function* readEvents(
  response: IncomingMessage,
  limits: BodyLimits,
  { maxBytes, maxEventBytes }: { readonly maxBytes: number; readonly maxEventBytes: number },
): AsyncGenerator<EventSourceMessage> {
  const ready: EventSourceMessage[] = [];
  let failure: AgentError | null = null;
  const parser = createParser({
    onEvent: (message) => void ready.push(message),
    onError: ({ type }) => {
      if (type === "max-buffer-size-exceeded") failure = new AgentError("answer_too_long", { isThere: true });
    },
    maxBufferSize: maxEventBytes,
  });
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of chunksOf(response, limits, maxBytes)) {
    parser.feed(decoded(() => decoder.decode(chunk, { stream: true })));
    if (failure !== null) throw failure as AgentError;
    yield* ready.splice(0);
  }
}

/** The pieces of a body, of which there is at most so much, none of them long after the one before. */
async function* chunksOf(
  response: IncomingMessage,
  { clock, idleMs, firstMs = idleMs }: BodyLimits,
  maxBytes: number,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  let cancel = () => {};
  const wait = (ms: number) => {
    cancel = deadline(ms, clock, () => response.destroy(new AgentError("idle")));
  };
  wait(firstMs);
  try {
    for await (const chunk of response.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      cancel();
      bytes += chunk.length;
      if (bytes > maxBytes) throw new AgentError("answer_too_long", { isThere: true });
      yield chunk;
      wait(idleMs);
    }
  } catch (cause) {
    throw cause instanceof AgentError ? cause : new AgentError("answer_cut", { cause });
  } finally {
    cancel();
  }
}

/** One that has arrived whole leaves its connection to the next call. */
export function letGo(response: IncomingMessage): void {
  if (response.complete) response.resume();
  else response.destroy();
}

/** @throws AgentError for what is no JSON object */
export function parsed(json: string): Record<string, unknown> {
  const value = decoded(() => JSON.parse(json) as unknown);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new AgentError("not_json", { isThere: true });
}

// What is said of bytes that cannot be read quotes them, so it is left out.
function decoded<Value>(decode: () => Value): Value {
  try {
    return decode();
  } catch {
    throw new AgentError("not_json", { isThere: true });
  }
}
