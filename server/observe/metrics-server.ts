import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Metrics } from "./metrics.js";

/** Answers `GET /metrics`. @returns false when the request asks for something else */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** @param isAllowed whoever it refuses gets what any unknown path gets */
export function metricsHandler(metrics: Metrics, isAllowed: (request: IncomingMessage) => boolean): MetricsHandler {
  return (request, response) => {
    const isAsked = request.url === "/metrics" && (request.method === "GET" || request.method === "HEAD");
    if (!isAsked || !isAllowed(request)) return false;
    metrics.read().then(
      (text) => {
        response.writeHead(200, {
          "content-type": metrics.contentType,
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
        });
        response.end(request.method === "HEAD" ? undefined : text);
      },
      () => response.writeHead(500).end(),
    );
    return true;
  };
}

/** A listener for the metrics alone. */
export function metricsServer(handle: MetricsHandler): Server {
  return createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 5000 },
    (request, response) => {
      if (!handle(request, response)) response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    },
  );
}
