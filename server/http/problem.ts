import type { ErrorRequestHandler, RequestHandler, Response } from "express";
import { type Code, codes } from "../../protocol/codes.js";
import { KeysUnavailable } from "../auth/token.js";
import type { Refusal } from "../messaging/admission.js";
import { StoreError } from "../messaging/store.js";
import type { DeskTelemetry } from "../desk-telemetry.js";

/** What only HTTP says, beside the codes of channels. */
export const httpCodes = {
  unauthorized: "A valid token is needed",
  too_many_schedules: "This user has as many schedules as there may be",
  too_many_businesses: "This server holds as many businesses as it can",
  precondition_failed: "It is not what If-Match names any more",
  method_not_allowed: "That is not done here; Allow says what is",
  request_timeout: "The request took too long to arrive",
  payload_too_large: "The body is larger than this server takes",
  unsupported_media_type: "A body is application/json, and not encoded",
  expectation_failed: "What Expect asks for is not done here",
  headers_too_large: "The head of the request is larger than this server takes",
  keys_unavailable: "Whether the token is good cannot be said at the moment",
  internal_error: "Something went wrong here",
} as const;

export type ProblemCode = Code | keyof typeof httpCodes;

const statuses: Readonly<Partial<Record<ProblemCode, number>>> = {
  missing_parameters: 400,
  invalid_payload: 400,
  unauthorized: 401,
  quota_exceeded: 402,
  blocked: 403,
  forbidden: 403,
  not_found: 404,
  session_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  held_by_other: 409,
  too_many_businesses: 409,
  too_many_schedules: 409,
  precondition_failed: 412,
  message_too_long: 413,
  payload_too_large: 413,
  unsupported_media_type: 415,
  expectation_failed: 417,
  idempotency_mismatch: 422,
  rate_limited: 429,
  headers_too_large: 431,
  internal_error: 500,
  busy: 503,
  storage_unavailable: 503,
  keys_unavailable: 503,
};

/** Of what is said of a message elsewhere and of more than that here. */
const titles: Readonly<Partial<Record<ProblemCode, string>>> = {
  ...httpCodes,
  storage_unavailable: "The store cannot be read or written at the moment",
};

export const problemType = "application/problem+json";

/** The body of an error. (RFC 9457, SPEC H1) */
export function problemOf(code: ProblemCode, detail?: string, errors?: readonly FieldError[]) {
  const title = titles[code] ?? codes[code as Code];
  return { type: "about:blank", title, status: statuses[code] ?? 400, code, detail, errors };
}

/** One thing that is wrong in a body: the names and numbers that lead to it, with dots in between. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** Answers with `application/problem+json`. (SPEC H1) */
export function sendProblem(
  response: Response,
  code: ProblemCode,
  detail?: string,
  errors?: readonly FieldError[],
): void {
  const problem = problemOf(code, detail, errors);
  // What is undefined is left out.
  response.status(problem.status).type(problemType).send(JSON.stringify(problem));
}

/**
 * 401 for who is known by a header of another kind than `Authorization`: the challenge names it. (RFC 9110, 15.5.2)
 * @param header by which they would be known
 */
export function sendUnsigned(response: Response, header: string, whose: string): void {
  sendProblem(response.set("www-authenticate", header), "unauthorized", `${header} is not that of ${whose}`);
}

/** Answers what a client wanted and did not get, as its channel would have been told. (SPEC H1) */
export function sendRefusal(response: Response, { code, words, retryAfterMs }: Refusal): void {
  if (retryAfterMs !== undefined) response.set("retry-after", String(Math.ceil(retryAfterMs / 1000)));
  sendProblem(response, code, words === codes[code] ? undefined : words);
}

/** Behind the routes of a path: it is there, and what was asked is not done to it. (RFC 9110, 9.3.7 and 15.5.6) */
export function methodNotAllowed(methods: readonly string[]): RequestHandler {
  const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  return (request, response) => {
    response.set("allow", allow);
    if (request.method === "OPTIONS") response.status(204).end();
    else sendProblem(response, "method_not_allowed");
  };
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
      sendProblem(response, faults[status] ?? "invalid_payload");
      return;
    }
    // The pattern, because a path holds what somebody wrote.
    const route = (request.route as { readonly path?: unknown } | undefined)?.path;
    telemetry.emit("http.failed", { method: request.method, route: typeof route === "string" ? route : "none", error });
    sendProblem(response, failureOf(error));
  };
}

const faults: Readonly<Record<number, ProblemCode>> = {
  404: "not_found",
  413: "payload_too_large",
  415: "unsupported_media_type",
};

function failureOf(error: unknown): ProblemCode {
  if (error instanceof StoreError) return "storage_unavailable";
  return error instanceof KeysUnavailable ? "keys_unavailable" : "internal_error";
}
