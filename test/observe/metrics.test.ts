import { beforeEach, describe, expect, test } from "@jest/globals";
import { createMetrics, type Metrics } from "../../server/observe/metrics.js";
import type { DeskEvents, DeskTelemetry } from "../../server/desk-telemetry.js";
import { Telemetry } from "../../server/telemetry.js";

let telemetry: DeskTelemetry;
let metrics: Metrics;

beforeEach(() => {
  telemetry = new Telemetry<DeskEvents>();
  metrics = createMetrics(telemetry, { process: false });
});

async function lines(): Promise<readonly string[]> {
  return (await metrics.read()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

async function value(series: string): Promise<number | null> {
  const line = (await lines()).find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

const error = new Error("what user_123 wrote");

/** One event of each kind, full of ids. */
const events: { readonly [Name in keyof DeskEvents]: DeskEvents[Name] } = {
  socket_connected: { mount: "/socket", transport: "websocket", vsn: "2.0.0", durationMs: 3 },
  socket_refused: { mount: "/socket", transport: "websocket", status: 403 },
  socket_closed: { mount: "/socket", transport: "websocket", code: 1012 },
  socket_drain: { count: 1, total: 1, index: 0, rounds: 1, intervalMs: 0 },
  channel_joined: { topic: "messages:B0100001", result: "ok", durationMs: 2 },
  channel_handled_in: { topic: "messages:B0100001", event: "new_message", durationMs: 2 },
  channel_crashed: { topic: "messages:B0100001", event: "new_message", error },
  socket_crashed: { mount: "/socket", error },
  "telemetry.handler_failed": { name: "turn.answered", error },
  "limit.reached": { limit: "MAX_BACKLOG" },
  "pubsub.failed": { operation: "publish", error },
  "message.accepted": { businessId: "B0100001", sessionId: "session_9", duplicate: false, durationMs: 20 },
  "message.refused": { businessId: "B0100001", code: "busy" },
  "token.refused": { door: "websocket", reason: "token_expired" },
  "token.revoked": { businessId: "B0100001", userId: "user_123" },
  "access.denied": { action: "session.read", role: "user", businessId: "B0100001", userId: "user_123" },
  "turn.answered": {
    businessId: "B0100001",
    sessionId: "session_9",
    node: "agent",
    outcome: "answered",
    durationMs: 700,
  },
  "turn.failed": { businessId: "B0100001", sessionId: "session_9", code: "agent_timeout", error },
  "agent.dropped": { businessId: "B0100001", sessionId: "session_9", part: "action" },
  "model.failed": { model: "m at models.example.com", code: "model_status_500" },
  "agent.circuit": { agent: "agents.example.com", state: "open" },
  "platform.sent": { businessId: "B0100001", sessionId: "session_9", platform: "telegram", tries: 2 },
  "platform.failed": {
    businessId: "B0100001",
    sessionId: "session_9",
    platform: "telegram",
    code: "status_500",
    isGivenUp: false,
  },
  "turns.recovered": { sessions: 7 },
  "store.failed": { operation: "write", error },
  "session.abandoned": { businessId: "B0100001", sessionId: "session_9" },
  "session.deleted": { businessId: "B0100001", sessionId: "session_9", messages: 40 },
  "dynamodb.consumed": { operation: "PutItem", table: "bennu-sessions", index: null, units: 1.5, kind: "write" },
  "dynamodb.answered": { operation: "PutItem", result: "ok", attempts: 3, durationMs: 12 },
  "dynamodb.throttled": { operation: "PutItem" },
  "http.failed": { method: "GET", route: "/api/sessions/:id", error },
} as const;

function emitAll(): void {
  for (const name of Object.keys(events) as (keyof DeskEvents)[]) telemetry.emit(name, events[name]);
}

test("[O-14] what happens is counted under its name", async () => {
  emitAll();
  const counted: [string, number][] = [
    ['bennu_sockets_opened_total{transport="websocket"}', 1],
    ['bennu_sockets_open{transport="websocket"}', 0],
    ['bennu_sockets_refused_total{status="403"}', 1],
    ['bennu_sockets_closed_total{code="1012"}', 1],
    ['bennu_joins_total{result="ok"}', 1],
    ["bennu_channel_crashes_total", 1],
    ['bennu_tokens_refused_total{reason="token_expired"}', 1],
    ['bennu_access_denied_total{action="session.read"}', 1],
    ['bennu_limits_reached_total{limit="MAX_BACKLOG"}', 1],
    ['bennu_pubsub_failures_total{operation="publish"}', 1],
    ['bennu_messages_accepted_total{duplicate="false"}', 1],
    ['bennu_message_accept_seconds_bucket{le="0.025"}', 1],
    ['bennu_message_accept_seconds_bucket{le="0.01"}', 0],
    ['bennu_messages_refused_total{code="busy"}', 1],
    ['bennu_turns_total{outcome="answered"}', 1],
    ['bennu_turn_seconds_sum{outcome="answered"}', 0.7],
    ['bennu_agent_failures_total{code="agent_timeout"}', 1],
    ['bennu_agent_dropped_total{part="action"}', 1],
    ['bennu_agent_circuit_changes_total{state="open"}', 1],
    ['bennu_model_failures_total{code="model_status_500"}', 1],
    ["bennu_agent_circuits_open", 1],
    ['bennu_platform_sent_total{platform="telegram"}', 1],
    ['bennu_platform_failures_total{platform="telegram",code="status_500"}', 1],
    ["bennu_sessions_recovered_total", 7],
    ["bennu_sessions_abandoned_total", 1],
    ["bennu_sessions_deleted_total", 1],
    ["bennu_messages_deleted_total", 40],
    ['bennu_store_failures_total{operation="write"}', 1],
    ['bennu_dynamodb_capacity_units_total{operation="PutItem",table="bennu-sessions",index="",kind="write"}', 1.5],
    ['bennu_dynamodb_requests_total{operation="PutItem",result="ok"}', 1],
    ['bennu_dynamodb_retries_total{operation="PutItem"}', 2],
    ['bennu_dynamodb_throttled_total{operation="PutItem"}', 1],
    ['bennu_dynamodb_request_seconds_sum{operation="PutItem"}', 0.012],
    ["bennu_http_failures_total", 1],
  ];
  for (const [series, expected] of counted) expect([series, await value(series)]).toEqual([series, expected]);
});

test("[M8] a turn that ended with an error message is one that failed", async () => {
  telemetry.emit("turn.answered", { ...events["turn.answered"], node: "system" });
  expect(await value('bennu_turns_total{outcome="failed"}')).toBe(1);
  expect(await value('bennu_turns_total{outcome="answered"}')).toBeNull();
});

test("[A11] agents that are left alone are counted as long as they are", async () => {
  for (const state of ["open", "open", "closed"] as const) telemetry.emit("agent.circuit", { agent: "a", state });
  expect(await value("bennu_agent_circuits_open")).toBe(1);
});

describe("[X-17] no metric names anybody", () => {
  test("no business, no session, no topic, no text", async () => {
    emitAll();
    const text = await metrics.read();
    for (const told of ["B0100001", "session_9", "messages:", "user_123", "/api/", "agents.example"])
      expect(text).not.toContain(told);
  });

  test("what should never be a label does not show, and the number of series has an end", async () => {
    telemetry.emit("message.refused", { businessId: "B1", code: 'a"}\n{x="ț' });
    telemetry.emit("store.failed", { operation: "user@example.com", error });
    for (let index = 0; index < 1000; index += 1) {
      telemetry.emit("limit.reached", { limit: `limit_${index}` });
      telemetry.emit("message.refused", { businessId: `B${index}`, code: "busy" });
    }
    expect(await value('bennu_messages_refused_total{code="other"}')).toBe(1);
    expect(await value('bennu_store_failures_total{operation="other"}')).toBe(1);
    const limits = (await lines()).filter((line) => line.startsWith("bennu_limits_reached_total"));
    expect(limits).toHaveLength(65);
    expect(await value('bennu_limits_reached_total{limit="other"}')).toBe(1000 - 64);
    expect((await lines()).length).toBeLessThan(200);
  });
});

test("[L] the process tells of itself when it is asked to", async () => {
  const ofProcess = createMetrics(new Telemetry<DeskEvents>(), { process: true });
  expect(await ofProcess.read()).toMatch(/^process_resident_memory_bytes \d+/m);
  expect(await metrics.read()).not.toContain("process_");
});
