import type { Request, Response } from "express";
import { z } from "zod";
import type { Oidc } from "../auth/oidc.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Answers } from "../messaging/answers.js";
import type { Chats } from "../messaging/chats.js";
import type { Turns } from "../messaging/turns.js";
import { bearerOf } from "./identify.js";
import { sendProblem, sendRefusal } from "./problem.js";
import type { Route } from "./route.js";
import { refusal } from "../messaging/admission.js";

export interface ChatWorkerDeps {
  /** Null: nobody's tokens are good, and there is no such route. */
  readonly oidc: Oidc | null;
  readonly chats: Chats;
  readonly answers: Answers;
  readonly turns: Pick<Turns, "handedBack">;
  readonly telemetry: DeskTelemetry;
}

const task = z.strictObject({ messageId: z.string("messageId is missing").min(1).max(64) });
const result = z.strictObject({ messageId: z.string(), status: z.enum(["done", "failed"]) });

/** `POST /internal/chat-ai-worker`: has the turn of a chat's message be run, for a task queue elsewhere. (SPEC H34) */
export function chatWorkerRoutes(deps: ChatWorkerDeps): readonly Route[] {
  return [
    {
      method: "post",
      path: "/internal/chat-ai-worker",
      action: "hook.call",
      repeated: "harmless",
      doc: {
        summary: "Runs one turn of a chat, however often it is called",
        security: "oidc",
        body: task,
        answers: { 200: result },
        problems: [401],
      },
      handle: (request, response) => work(deps, request, response),
    },
  ];
}

async function work(deps: ChatWorkerDeps, request: Request, response: Response): Promise<void> {
  const { oidc, chats, answers, turns, telemetry } = deps;
  if (oidc === null) return sendProblem(response, "not_found");
  const token = bearerOf(request);
  if (token === null || !(await oidc.isGood(token))) {
    telemetry.emit("token.refused", { door: "worker", reason: token === null ? "missing" : "forbidden" });
    const error = token === null ? "" : ' error="invalid_token"';
    return sendProblem(response.set("www-authenticate", `Bearer${error}`), "unauthorized");
  }
  const parsed = task.safeParse(request.body);
  if (!parsed.success) return sendProblem(response, "invalid_payload", parsed.error.issues[0]?.message);
  const { messageId } = parsed.data;
  const question = await chats.findMessage(messageId);
  if (question?.type !== "user") return sendProblem(response, "not_found");
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const answering = answers.wait(question, gone.signal);
  // One that is being answered, here or elsewhere, is left to whoever does it.
  turns.handedBack(question.sessionId);
  const outcome = await answering;
  if (outcome === "deleted") return sendProblem(response, "not_found");
  // The queue asks again.
  if (outcome === null) return sendRefusal(response, refusal("busy"));
  response.json({ messageId, status: outcome.type === "system" ? "failed" : "done" });
}
