import type { IncomingMessage } from "node:http";
import * as z from "zod";
import { type BodyLimits, contentTypeOf, parsed, readText, statusError } from "../http-body.js";
import type { ToolDone, ToolRefused } from "./tool.js";

const replyBytesMax = 16_384;
const messageMax = 8192;
const namesMax = 100;

const message = z.string().trim().min(1).max(messageMax).nullable().catch(null);
const value = z.union([z.string().max(1024), z.number(), z.boolean()]).transform(String);

// What is not as it should be is left out: that it was done, or cannot be, was said by the status.
const reply = z.object({
  message: message.default(null),
  parameters: z.record(z.string().max(64), value).catch({}).default({}),
  invalid: z.array(z.string()).max(namesMax).catch([]).default([]),
});

const doneStatus: ReadonlySet<number> = new Set([200, 201, 204]);
const refusedStatus: ReadonlySet<number> = new Set([409, 422]);

/**
 * What a tool answers. (SPEC A22)
 * @throws AgentError for what is no answer
 */
export async function readReply(response: IncomingMessage, limits: BodyLimits): Promise<ToolDone | ToolRefused> {
  const { statusCode = 0 } = response;
  const isDone = doneStatus.has(statusCode);
  if (!isDone && !refusedStatus.has(statusCode)) throw statusError(response, limits.clock);
  const said = reply.parse(isBare(response) ? {} : await readJson(response, limits));
  return isDone
    ? { status: "done", message: said.message, parameters: said.parameters }
    : { status: "refused", message: said.message, invalid: said.invalid };
}

function isBare({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 204 || headers["content-length"] === "0";
}

async function readJson(response: IncomingMessage, limits: BodyLimits): Promise<Record<string, unknown>> {
  contentTypeOf(response, ["application/json"]);
  return parsed(await readText(response, limits, replyBytesMax));
}
