import type { ErrorRequestHandler, RequestHandler, Response } from "express";
import { type Code, codes } from "../../protocol/codes.js";
import { StoreError } from "../messaging/store.js";
import type { DeskTelemetry } from "../desk-telemetry.js";

type ProblemCode = Code | "unauthorized" | "unsupported_media_type" | "internal_error";

const statuses: Readonly<Partial<Record<ProblemCode, number>>> = {
  missing_parameters: 400,
  invalid_payload: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  session_not_found: 404,
  unsupported_media_type: 415,
  internal_error: 500,
  storage_unavailable: 503,
};

const titles: Readonly<Record<Exclude<ProblemCode, Code>, string>> = {
  unauthorized: "A valid token is needed",
  unsupported_media_type: "The body must not be encoded",
  internal_error: "Something went wrong here",
};

/** Answers with `application/problem+json`. (RFC 9457, SPEC H1) */
export function sendProblem(response: Response, code: ProblemCode, detail?: string): void {
  const status = statuses[code] ?? 400;
  const title = code in codes ? codes[code as Code] : titles[code as Exclude<ProblemCode, Code>];
  response
    .status(status)
    .type("application/problem+json")
    .send(JSON.stringify({ type: "about:blank", title, status, code, ...(detail === undefined ? {} : { detail }) }));
}

export const notFound: RequestHandler = (_request, response) => sendProblem(response, "not_found");

/** The only place where what a route throws becomes an answer. It never shows a stack. */
export function problemHandler(telemetry: DeskTelemetry): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    // Express says with a status below 500 that the request itself could not be read.
    const status = (error as { status?: unknown } | null)?.status;
    if (typeof status === "number" && status >= 400 && status < 500) {
      sendProblem(response, status === 404 ? "not_found" : "invalid_payload");
      return;
    }
    telemetry.emit("http.failed", { method: request.method, route: request.path.replace(/[^/]{20,}/g, ":id"), error });
    sendProblem(response, error instanceof StoreError ? "storage_unavailable" : "internal_error");
  };
}
