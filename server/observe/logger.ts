import { type DestinationStream, type Logger, pino } from "pino";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Report } from "../telemetry.js";

/** One JSON object a line, on stderr unless it is given somewhere else to write. */
export function createLogger(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** Turns telemetry into log lines: ids and numbers, never a text, a payload or a token. (SPEC X6) */
export function logTelemetry(telemetry: DeskTelemetry, logger: Logger): void {
  telemetry.attach("socket_connected", (event) => logger.debug(event, "socket connected"));
  telemetry.attach("socket_refused", (event) => logger.info(event, "connection refused"));
  telemetry.attach("socket_closed", (event) => logger.debug(event, "socket closed"));
  telemetry.attach("socket_drain", (event) => logger.info(event, "draining"));
  telemetry.attach("channel_crashed", ({ error, ...event }) =>
    logger.error({ ...event, error: describe(error) }, "channel crashed"),
  );
  telemetry.attach("socket_crashed", ({ error, ...event }) =>
    logger.error({ ...event, error: describe(error) }, "socket crashed"),
  );
  telemetry.attach("limit.reached", (event) => logger.warn(event, "limit reached"));
  telemetry.attach("pubsub.failed", ({ error, ...event }) =>
    logger.error({ ...event, error: describe(error) }, "pubsub failed"),
  );
  telemetry.attach("message.refused", (event) => logger.debug(event, "message refused"));
  telemetry.attach("token.refused", (event) => logger.info(event, "token refused"));
  telemetry.attach("token.revoked", (event) => logger.warn(event, "tokens revoked"));
  telemetry.attach("access.denied", (event) => logger.warn(event, "access denied"));
  telemetry.attach("turn.answered", (event) => logger.debug(event, "turn answered"));
  telemetry.attach("turn.failed", ({ error, ...event }) =>
    logger.warn({ ...event, error: describe(error) }, "turn failed"),
  );
  telemetry.attach("agent.dropped", (event) => logger.info(event, "part of an answer left out"));
  telemetry.attach("agent.circuit", (event) =>
    event.state === "open" ? logger.warn(event, "agent left alone") : logger.info(event, "agent is back"),
  );
  telemetry.attach("model.failed", (event) => logger.warn(event, "model failed"));
  telemetry.attach("platform.sent", (event) => logger.debug(event, "sent to a platform"));
  telemetry.attach("platform.failed", (event) => logger.warn(event, "not sent to a platform"));
  telemetry.attach("turns.recovered", (event) => logger.info(event, "open turns of an earlier process taken up"));
  telemetry.attach("session.abandoned", (event) => logger.debug(event, "session abandoned"));
  telemetry.attach("session.deleted", (event) => logger.info(event, "session deleted"));
  telemetry.attach("store.failed", ({ error, ...event }) => {
    // Of a server that stops nobody need be told.
    const level = (error as Partial<Error> | undefined)?.name === "StoreClosed" ? "debug" : "error";
    logger[level]({ ...event, error: describe(error) }, "store failed");
  });
  telemetry.attach("telemetry.handler_failed", ({ error, ...event }) =>
    logger.error({ ...event, error: describe(error) }, "telemetry handler failed"),
  );
  telemetry.attach("http.failed", ({ error, ...event }) =>
    logger.error({ ...event, error: describe(error) }, "request failed"),
  );
}

/** For errors that nobody listens to any more: those who did have failed themselves. */
export function reportTo(logger: Logger): Report {
  return (name, { error }) => logger.error({ event: name, error: describe(error) }, "unheard");
}

interface Described {
  readonly name: string;
  readonly code?: unknown;
  readonly message?: string;
  readonly at?: readonly string[];
  readonly cause?: Described;
}

const framesMax = 8;
const causesMax = 4;

/**
 * An error as it may stand in a log. A message may hold what a user wrote, so only those of the operating system and
 * of our own adapters are shown; of the others the place in the code says enough.
 */
export function describe(error: unknown, depth = 0): Described {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown };
  const isSafe = syscall !== undefined || typeof code === "number" || safeNames.has(error.name);
  const at = (error.stack ?? "")
    .split("\n")
    .filter((line) => line.startsWith("    at "))
    .slice(0, framesMax);
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    ...(isSafe ? { message: error.message } : {}),
    at: at.map((line) => line.trim()),
    ...(error.cause === undefined || depth >= causesMax ? {} : { cause: describe(error.cause, depth + 1) }),
  };
}

const safeNames: ReadonlySet<string> = new Set([
  "StoreError",
  "StoreClosed",
  "DamagedRecord",
  "DataDirInUse",
  "ConfigError",
  "AgentFailure",
  "KeysUnavailable",
]);
