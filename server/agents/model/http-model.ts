import type { IncomingMessage } from "node:http";
import { longestJson } from "../../../protocol/json.js";
import { type Clock, deadline } from "../../clock.js";
import { AgentError } from "../../messaging/agent.js";
import { isStream, letGo, parsed, readEvents, readText } from "../http-body.js";
import { createHttpClient } from "../http-client.js";
import type { ChatModel, ModelEvent, ModelRequest } from "./chat-model.js";
import { CompletionReader } from "./completion.js";

export interface HttpModelOptions {
  /** The base of the API, such as `https://api.openai.com/v1`; a query behind it is kept. A host alone means its `/v1`. */
  readonly url: string;
  /** As the endpoint calls it. */
  readonly modelName: string;
  /** Sent as a bearer token; none: no token is sent. */
  readonly apiKey?: string | undefined;
  readonly clock: Clock;
  readonly maxAnswerBytes: number;
  /** Silence in the middle of an answer after which it counts as broken off. Default 10 s. */
  readonly idleMs?: number;
}

const idleMsDefault = 10_000;
/** Beside the text: calls, ids, usage. */
const slackBytes = 65_536;
/** Each token comes in a frame that is some sixty times as long. */
const streamFactor = 64;

const version = "/v1";
const path = "/chat/completions";

/**
 * A model behind any endpoint that speaks OpenAI's chat completions, streamed or in one piece.
 * @see SPEC A30; docs/agents.md
 */
export function createHttpModel(options: HttpModelOptions): ChatModel {
  const { url, modelName, apiKey, clock, maxAnswerBytes, idleMs = idleMsDefault } = options;
  const target = addressOf(url);
  const client = createHttpClient({ clock });
  const headers = {
    accept: "text/event-stream, application/json",
    // What is packed is as long as it says only after it was unpacked.
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "bennu",
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  return { name: `${modelName} at ${target.host}`, complete };

  async function* complete(request: ModelRequest): AsyncGenerator<ModelEvent> {
    request.signal.throwIfAborted();
    const begunBy = clock.monotonic() + request.beginMs;
    try {
      const response = await post(request);
      const textBytesMax = Math.max(0, maxAnswerBytes - request.reservedBytes);
      yield* read(response, textBytesMax, Math.max(1, begunBy - clock.monotonic()));
    } catch (cause) {
      throw cause instanceof AgentError ? ofModel(cause) : cause;
    }
  }

  async function post(request: ModelRequest): Promise<IncomingMessage> {
    const begin = new AbortController();
    const cancel = deadline(request.beginMs, clock, () => begin.abort());
    const body = bodyOf(modelName, request);
    const signal = AbortSignal.any([request.signal, begin.signal]);
    try {
      return await client.post(target, { body, headers: { ...headers, "content-length": body.length }, signal });
    } catch (cause) {
      throw begin.signal.aborted ? new AgentError("idle") : cause;
    } finally {
      cancel();
    }
  }

  async function* read(response: IncomingMessage, textBytesMax: number, firstMs: number): AsyncGenerator<ModelEvent> {
    const reader = new CompletionReader(textBytesMax);
    const maxEventBytes = longestJson(maxAnswerBytes, slackBytes);
    const limits = { clock, idleMs, firstMs };
    // Roles, reasoning and signs of life are no beginning: what is to be said has to come by then.
    const begun = deadline(firstMs, clock, () => response.destroy(new AgentError("idle")));
    try {
      if (isStream(response, clock)) {
        const maxBytes = streamFactor * maxAnswerBytes + slackBytes;
        for await (const { data } of readEvents(response, limits, { maxBytes, maxEventBytes })) {
          if (data === "[DONE]") break;
          const text = reader.read(parsed(data));
          if (text !== "" || reader.hasCalls) begun();
          yield* deltaOf(text);
        }
      } else {
        yield* deltaOf(reader.read(parsed(await readText(response, limits, maxEventBytes))));
      }
      yield* reader.end();
    } finally {
      begun();
      letGo(response);
    }
  }
}

function* deltaOf(text: string): Generator<ModelEvent> {
  if (text !== "") yield { type: "delta", text };
}

function addressOf(base: string): URL {
  const url = new URL(base);
  const folder = url.pathname.replace(/\/+$/, "") || version;
  url.pathname = folder.endsWith(path) ? folder : folder + path;
  return url;
}

// No temperature and no limit of tokens: some models refuse the one or the other, and what comes is limited here.
function bodyOf(model: string, { messages, tools }: ModelRequest): Buffer {
  const functions = tools.map(({ name, description, parameters }) => ({
    type: "function",
    function: { name, description, parameters },
  }));
  const body = { model, messages, stream: true, stream_options: { include_usage: true } };
  // An empty list is refused by some.
  return Buffer.from(JSON.stringify(functions.length === 0 ? body : { ...body, tools: functions }));
}

/** The codes of models are told from those of agents. */
function ofModel({ code, isRetryable, retryAfterMs, isThere, cause }: AgentError): AgentError {
  return new AgentError(`model_${code}`, { isRetryable, retryAfterMs, isThere, cause });
}
