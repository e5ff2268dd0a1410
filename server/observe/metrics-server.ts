import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Metrics } from "./metrics.js";

/** Answers whatever is asked of `/metrics`. @returns false when the request asks for something else */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** @param isAllowed whoever it refuses gets what any unknown path gets */
export function metricsHandler(metrics: Metrics, isAllowed: (request: IncomingMessage) => boolean): MetricsHandler {
  return (request, response) => {
    if (request.url !== "/metrics" || !isAllowed(request)) return false;
    if (request.method !== "GET" && request.method !== "HEAD") {
      refuseMethod(request, response);
      return true;
    }
    metrics.read().then(
      (text) => {
        response.writeHead(200, {
          "content-type": metrics.contentType,
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
        });
        response.end(request.method === "HEAD" ? undefined : text);
      },
      () => sendProblem(response, { status: 500, code: "internal_error", title: "The metrics cannot be read" }),
    );
    return true;
  };
}

/** A listener for the metrics alone. */
export function metricsServer(handle: MetricsHandler): Server {
  return createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 5000 },
    (request, response) => {
      if (!handle(request, response))
        sendProblem(response, { status: 404, code: "not_found", title: "Here are the metrics alone" });
    },
  );
}

function refuseMethod({ method }: IncomingMessage, response: ServerResponse): void {
  response.setHeader("allow", "GET, HEAD, OPTIONS");
  if (method === "OPTIONS") response.writeHead(204).end();
  else sendProblem(response, { status: 405, code: "method_not_allowed", title: "The metrics are read" });
}

// As every error over HTTP. (SPEC H1)
function sendProblem(response: ServerResponse, problem: { status: number; code: string; title: string }): void {
  response.writeHead(problem.status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", ...problem }));
}
