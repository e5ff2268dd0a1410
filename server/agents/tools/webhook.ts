import { type Clock, deadline, pause } from "../../clock.js";
import { AgentError } from "../../messaging/agent.js";
import { letGo } from "../http-body.js";
import { createHttpClient } from "../http-client.js";
import { secretOfBusiness, signedRequest } from "../http-request.js";
import { isPublicAddress } from "../public-address.js";
import { readReply } from "./reply.js";
import type { ToolCall, ToolDone, ToolOutcome, ToolRefused, Tools } from "./tool.js";

export interface WebhookOptions {
  readonly clock: Clock;
  /** Signs every call; none: they are not signed. */
  readonly secret?: string | undefined;
  /** Where tools may be that the operator did not write down. Default: at public addresses. */
  readonly mayConnectTo?: (address: string) => boolean;
  /** From 0 up to 1, so that calls that failed together are not made again together. */
  readonly random?: () => number;
}

/** Calls for one answer: the first one, and those made again. */
const retriesMax = 2;
/** The first wait before a call is made again is up to this, the next up to twice as long. */
const backoffMs = 500;
/** Of one call, where the business says nothing else: three of them fit into the default deadline of a turn. */
const timeoutMsDefault = 9000;

/**
 * Tools behind URLs. The only place where a call to one is made again: all calls have the same key, by which the tool
 * knows that it is asked for the same thing.
 * @see SPEC A21 to A23; docs/agents.md
 */
export function createWebhooks(options: WebhookOptions): Tools {
  const { clock, secret, mayConnectTo = isPublicAddress, random = Math.random } = options;
  const trusted = createHttpClient({ clock });
  // With connections of its own: one to a private address is never found in it.
  const guarded = createHttpClient({ clock, mayConnectTo });
  return { call };

  async function call(given: ToolCall): Promise<ToolOutcome> {
    const { signal, endsAt } = given;
    for (let retries = 0; ; retries += 1) {
      try {
        return await callOnce(given);
      } catch (cause) {
        signal.throwIfAborted();
        const error = cause instanceof AgentError ? cause : new AgentError("not_http", { cause });
        const waitMs = (error.retryAfterMs ?? 0) + random() * backoffMs * 2 ** retries;
        const isOver = retries === retriesMax || clock.monotonic() + waitMs >= endsAt;
        if (isOver || !mayHelp(error)) return { status: "failed", code: error.code };
        await pause(waitMs, clock, signal);
      }
    }
  }

  async function callOnce({ tool, request, isTrusted, endsAt, signal }: ToolCall): Promise<ToolDone | ToolRefused> {
    const timeout = new AbortController();
    const timeoutMs = Math.min(tool.timeoutMs ?? timeoutMsDefault, Math.max(0, endsAt - clock.monotonic()));
    const cancel = deadline(timeoutMs, clock, () => timeout.abort(new AgentError("timeout", { isRetryable: true })));
    const { body, headers } = signedRequest(request, {
      accept: "application/json",
      idempotencyKey: request.intentId,
      secret: isTrusted ? secret : secretOfBusiness(secret, request.businessId),
    });
    try {
      const ended = AbortSignal.any([signal, timeout.signal]);
      const client = isTrusted ? trusted : guarded;
      const response = await client.post(new URL(tool.url), { body, headers, signal: ended });
      try {
        return await readReply(response, { clock, idleMs: timeoutMs });
      } finally {
        letGo(response);
      }
    } catch (cause) {
      // However the connection says that it was closed.
      timeout.signal.throwIfAborted();
      throw cause;
    } finally {
      cancel();
    }
  }
}

/** 429, any 5xx, no time, no network, a broken connection: the same call may be answered in a moment. */
function mayHelp({ code, isRetryable }: AgentError): boolean {
  return isRetryable || code.startsWith("status_5") || code === "answer_cut";
}
