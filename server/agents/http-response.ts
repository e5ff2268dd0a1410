import type { IncomingMessage } from "node:http";
import type { EventSourceMessage } from "eventsource-parser";
import { longestJson } from "../../protocol/json.js";
import { AgentError, type AgentEvent } from "../messaging/agent.js";
import { type BodyLimits, isStream, letGo, parsed, readEvents, readText } from "./http-body.js";

export interface ResponseLimits extends BodyLimits {
  readonly maxAnswerBytes: number;
}

/** Beside the text of an answer: its names, actions and tool calls. */
const slackBytes = 65_536;
/** A stream says its text twice, with a frame around each piece. */
const streamFactor = 4;

/**
 * What an agent over HTTP answers, event by event. Nothing of it is trusted: who reads it checks it. When nobody reads
 * any more, and more is to come, the connection is closed.
 * @throws AgentError
 */
export async function* readResponse(response: IncomingMessage, limits: ResponseLimits): AsyncGenerator<AgentEvent> {
  try {
    if (isStream(response, limits.clock)) yield* readStream(response, limits);
    else yield await readJson(response, limits);
  } finally {
    letGo(response);
  }
}

async function readJson(response: IncomingMessage, limits: ResponseLimits): Promise<AgentEvent> {
  return eventOf("answer", await readText(response, limits, longestJson(limits.maxAnswerBytes, slackBytes)));
}

async function* readStream(response: IncomingMessage, limits: ResponseLimits): AsyncGenerator<AgentEvent> {
  const maxEventBytes = longestJson(limits.maxAnswerBytes, slackBytes);
  const maxBytes = streamFactor * maxEventBytes;
  for await (const message of readEvents(response, limits, { maxBytes, maxEventBytes })) yield* eventsOf(message);
  // What was shown so far is no answer: only the agent can say that it is whole.
  throw new AgentError("stream_without_answer");
}

const eventNames: ReadonlySet<string> = new Set(["thinking", "delta", "component", "action", "answer"]);

/** Of other names there may be more one day; they are none of our business. */
function eventsOf({ event, data }: EventSourceMessage): readonly AgentEvent[] {
  return event !== undefined && eventNames.has(event) ? [eventOf(event, data)] : [];
}

// Its type is what the reader of all agents' events makes sure of.
function eventOf(type: string, json: string): AgentEvent {
  const said = parsed(json);
  const event = type === "action" ? { action: said } : type === "answer" ? answerOf(said) : said;
  return { ...event, type } as unknown as AgentEvent;
}

/** An answer has these fields and no others: whose answer it is, an agent cannot say. */
function answerOf({ message, actions, isComplete, toolCalls, tokens }: Record<string, unknown>) {
  return { message, actions, isComplete, toolCalls, tokens };
}
