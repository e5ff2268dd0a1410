import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { DeskTelemetry } from "../desk-telemetry.js";

/** What Prometheus reads. */
export interface Metrics {
  readonly contentType: string;
  /** All of it, as text. */
  read(): Promise<string>;
}

export interface MetricsOptions {
  /** Memory, CPU, event loop and garbage collection of this process as well. Once a process is enough. */
  readonly process: boolean;
}

/** Values of one label that are told apart; what comes after them is "other". */
const labelValuesMax = 64;

const acceptSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const turnSeconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/**
 * Turns telemetry into counters and histograms. No label comes from a user, and none names one: not a business, not a
 * topic, not a session. However many values a label is given, it has a limited number of them. (SPEC X6, faults X-18)
 */
export function createMetrics(telemetry: DeskTelemetry, options: MetricsOptions): Metrics {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry });
  countConnections(telemetry, registry);
  countMessages(telemetry, registry);
  countTurns(telemetry, registry);
  countAgents(telemetry, registry);
  countPlatforms(telemetry, registry);
  countCleanup(telemetry, registry);
  countFailures(telemetry, registry);
  countDynamo(telemetry, registry);
  return { contentType: registry.contentType, read: () => registry.metrics() };
}

function countConnections(telemetry: DeskTelemetry, registry: Registry): void {
  const registers = [registry];
  const open = new Gauge({
    name: "bennu_sockets_open",
    help: "Connected peers.",
    labelNames: ["transport"],
    registers,
  });
  const opened = counter(registry, "bennu_sockets_opened_total", "Peers that connected.", ["transport"]);
  const refused = counter(registry, "bennu_sockets_refused_total", "Peers that were not let in.", ["status"]);
  const closed = counter(registry, "bennu_sockets_closed_total", "Peers that are gone, by close code.", ["code"]);
  const joins = counter(registry, "bennu_joins_total", "Joins of channels.", ["result"]);
  telemetry.attach("socket_connected", ({ transport }) => {
    open.inc({ transport });
    opened({ transport });
  });
  telemetry.attach("socket_closed", ({ transport, code }) => {
    open.dec({ transport });
    closed({ code });
  });
  telemetry.attach("socket_refused", ({ status }) => refused({ status }));
  telemetry.attach("channel_joined", ({ result }) => joins({ result }));
}

function countMessages(telemetry: DeskTelemetry, registry: Registry): void {
  const accepted = counter(registry, "bennu_messages_accepted_total", "Messages that were acknowledged.", [
    "duplicate",
  ]);
  const refused = counter(registry, "bennu_messages_refused_total", "Messages that were refused.", ["code"]);
  const limits = counter(registry, "bennu_limits_reached_total", "Times that a limit was reached.", ["limit"]);
  const took = new Histogram({
    name: "bennu_message_accept_seconds",
    help: "From the arrival of a message until it was stored.",
    buckets: acceptSeconds,
    registers: [registry],
  });
  telemetry.attach("message.accepted", ({ duplicate, durationMs }) => {
    accepted({ duplicate });
    took.observe(durationMs / 1000);
  });
  telemetry.attach("message.refused", ({ code }) => refused({ code }));
  const tokens = counter(registry, "bennu_tokens_refused_total", "Tokens that were no good, or missing.", ["reason"]);
  const denied = counter(registry, "bennu_access_denied_total", "Requests for what is somebody else's.", ["action"]);
  telemetry.attach("limit.reached", ({ limit }) => limits({ limit }));
  telemetry.attach("token.refused", ({ reason }) => tokens({ reason }));
  telemetry.attach("access.denied", ({ action }) => denied({ action }));
}

function countTurns(telemetry: DeskTelemetry, registry: Registry): void {
  const turns = counter(registry, "bennu_turns_total", "Turns that have their outcome.", ["outcome"]);
  const recovered = counter(registry, "bennu_sessions_recovered_total", "Sessions taken up from another process.", []);
  const took = new Histogram({
    name: "bennu_turn_seconds",
    help: "From the acknowledgement of a message until its outcome was stored.",
    labelNames: ["outcome"],
    buckets: turnSeconds,
    registers: [registry],
  });
  telemetry.attach("turn.answered", ({ node, durationMs }) => {
    const outcome = node === "system" ? "failed" : "answered";
    turns({ outcome });
    took.observe({ outcome }, durationMs / 1000);
  });
  telemetry.attach("turns.recovered", ({ sessions }) => recovered({}, sessions));
}

function countAgents(telemetry: DeskTelemetry, registry: Registry): void {
  const failures = counter(registry, "bennu_agent_failures_total", "Answers that did not come about.", ["code"]);
  const dropped = counter(registry, "bennu_agent_dropped_total", "Parts of answers that were left out.", ["part"]);
  const changes = counter(
    registry,
    "bennu_agent_circuit_changes_total",
    "Times that an agent was left alone, or back.",
    ["state"],
  );
  const open = new Gauge({
    name: "bennu_agent_circuits_open",
    help: "Agents that are left alone for now.",
    registers: [registry],
  });
  telemetry.attach("turn.failed", ({ code }) => failures({ code }));
  const modelFailures = counter(registry, "bennu_model_failures_total", "Calls to the model that failed.", ["code"]);
  telemetry.attach("model.failed", ({ code }) => modelFailures({ code }));
  telemetry.attach("agent.dropped", ({ part }) => dropped({ part }));
  telemetry.attach("agent.circuit", ({ state }) => {
    changes({ state });
    open.inc(state === "open" ? 1 : -1);
  });
}

function countPlatforms(telemetry: DeskTelemetry, registry: Registry): void {
  const sent = counter(registry, "bennu_platform_sent_total", "Pieces of answers that left for a platform.", [
    "platform",
  ]);
  const failures = counter(registry, "bennu_platform_failures_total", "Attempts to send that failed.", [
    "platform",
    "code",
  ]);
  telemetry.attach("platform.sent", ({ platform }) => sent({ platform }));
  telemetry.attach("platform.failed", ({ platform, code }) => failures({ platform, code }));
}

function countCleanup(telemetry: DeskTelemetry, registry: Registry): void {
  const abandoned = counter(registry, "bennu_sessions_abandoned_total", "Sessions in which nothing was said.", []);
  const deleted = counter(registry, "bennu_sessions_deleted_total", "Sessions whose messages were deleted.", []);
  const messages = counter(registry, "bennu_messages_deleted_total", "Messages that were deleted.", []);
  telemetry.attach("session.abandoned", () => abandoned({}));
  telemetry.attach("session.deleted", ({ messages: count }) => {
    deleted({});
    messages({}, count);
  });
}

function countFailures(telemetry: DeskTelemetry, registry: Registry): void {
  const store = counter(registry, "bennu_store_failures_total", "Calls of the store that failed.", ["operation"]);
  const pubsub = counter(registry, "bennu_pubsub_failures_total", "Broadcasts that failed.", ["operation"]);
  const channels = counter(registry, "bennu_channel_crashes_total", "Channels that ended by a mistake of ours.", []);
  const sockets = counter(registry, "bennu_socket_crashes_total", "Connections that a mistake of ours cost.", []);
  const http = counter(registry, "bennu_http_failures_total", "Requests that ended by a mistake of ours.", []);
  telemetry.attach("store.failed", ({ operation }) => store({ operation }));
  telemetry.attach("pubsub.failed", ({ operation }) => pubsub({ operation }));
  telemetry.attach("channel_crashed", () => channels({}));
  telemetry.attach("socket_crashed", () => sockets({}));
  telemetry.attach("http.failed", () => http({}));
}

function countDynamo(telemetry: DeskTelemetry, registry: Registry): void {
  const units = counter(registry, "bennu_dynamodb_capacity_units_total", "Capacity units that requests took.", [
    "operation",
    "table",
    "index",
    "kind",
  ]);
  const requests = counter(registry, "bennu_dynamodb_requests_total", "Requests, by what they came to.", [
    "operation",
    "result",
  ]);
  const retries = counter(registry, "bennu_dynamodb_retries_total", "Attempts beyond the first.", ["operation"]);
  const throttled = counter(registry, "bennu_dynamodb_throttled_total", "Attempts that were throttled.", ["operation"]);
  const took = new Histogram({
    name: "bennu_dynamodb_request_seconds",
    help: "One request with all its attempts.",
    labelNames: ["operation"],
    buckets: acceptSeconds,
    registers: [registry],
  });
  telemetry.attach("dynamodb.consumed", ({ operation, table, index, kind, units: taken }) =>
    units({ operation, table, index: index ?? "", kind }, taken),
  );
  telemetry.attach("dynamodb.throttled", ({ operation }) => throttled({ operation }));
  telemetry.attach("dynamodb.answered", ({ operation, result, attempts, durationMs }) => {
    requests({ operation, result });
    if (attempts > 1) retries({ operation }, attempts - 1);
    took.observe({ operation }, durationMs / 1000);
  });
}

type Labels<Name extends string> = Readonly<Record<Name, string | number | boolean>>;

function counter<Name extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Name[],
): (labels: Labels<Name>, by?: number) => void {
  const metric = new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
  const known = new Map<string, Set<string>>(labelNames.map((label) => [label, new Set<string>()]));
  return (labels, by = 1) => {
    const bounded: Partial<Record<string, string>> = {};
    for (const label of labelNames) bounded[label] = boundedValue(known.get(label)!, String(labels[label]));
    metric.inc(bounded as Record<Name, string>, by);
  };
}

// Names of ours are few and short. Whatever else should ever get here does not grow, and does not show.
function boundedValue(known: Set<string>, value: string): string {
  if (known.has(value)) return value;
  if (known.size >= labelValuesMax || !/^[\w .-]{0,255}$/.test(value)) return "other";
  known.add(value);
  return value;
}
