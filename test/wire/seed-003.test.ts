import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { ChatMessage } from "../../server/messaging/model.js";
import { FakeClock } from "../support/fake-clock.js";
import { connectPhoenix, disconnected, type Payload, type PhoenixChannel, settled } from "../support/phoenix.js";
import type { PhoenixSocket } from "../support/phoenix.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

// The example flow of the seed 003_d1854220c44e62a1: four ids that come and go at different times. A chat window outlives
// its connections, and a task outlives both a connection and a day's session.

const businessId = "B0100001";
const topic = `messages:${businessId}`;
const chatId = "chat_123";
const userId = "user_123";
const hourMs = 60 * 60 * 1000;
/** Two dozen durable writes, one after the other, on a machine that does other things too. */
const conversationMs = 120_000;
/** Of which one may be slow. */
const waitMs = 30_000;

/** A chat widget, or a coordinator's console. */
interface Window {
  readonly socket: PhoenixSocket;
  readonly channel: PhoenixChannel;
  /** The replies to its joins: one more for every connection. */
  readonly joins: Payload[];
  readonly heard: { readonly event: string; readonly payload: Payload }[];
}

let app: TestApp;
let clock: FakeClock;
let widget: Window;
let console: Window;

beforeEach(async () => {
  // Monday, noon in Bucharest.
  clock = new FakeClock(Date.parse("2026-03-02T10:00:00.000Z"));
  app = await startTestApp({ AGENT: "assistant", IDLE_TIMEOUT_MS: "0" }, { clock });
  widget = await opened({ userId, chatId });
  console = await opened({});
});

afterEach(async () => {
  for (const { socket } of [widget, console]) await disconnected(socket);
  await app.dispose();
});

async function opened(payload: Payload): Promise<Window> {
  const socket = await connectPhoenix("1.8.16", app.url);
  const channel = socket.channel(topic, payload);
  const window: Window = { socket, channel, joins: [], heard: [] };
  for (const event of ["new_message", "intent_updated", "session_updated"])
    channel.on(event, (heard) => void window.heard.push({ event, payload: heard }));
  await settled(channel.join(waitMs).receive("ok", (reply) => void window.joins.push(reply)));
  return window;
}

/** Says something in the widget. @returns the answer, and where it was said */
async function say(message: string): Promise<{ readonly answer: string; readonly sessionId: string }> {
  const { messageId, sessionId } = await settled(
    widget.channel.push("new_message", { businessId, locationId: "L0100001", userId, message, chatId }, waitMs),
  );
  const answer = await until(
    "the answer",
    () => heard("new_message").find((each) => each.inReplyTo === messageId),
    waitMs,
  );
  return { answer: String(answer.message), sessionId: String(sessionId) };
}

function heard(event: string, by = widget): readonly Payload[] {
  return by.heard.filter((each) => each.event === event).map(({ payload }) => payload);
}

/** The latest that was told of a task, once it has this status: to the widget, and the same to the console. */
async function told(status: string): Promise<Payload & { readonly intentId: string }> {
  const latest = await until(
    `an intent that is ${status}`,
    () => [heard("intent_updated").at(-1)].find((each) => each?.status === status),
    waitMs,
  );
  await until(
    "the same at the console",
    () => heard("intent_updated", console).length === heard("intent_updated").length,
    waitMs,
  );
  expect(heard("intent_updated", console)).toEqual(heard("intent_updated"));
  return latest as Payload & { readonly intentId: string };
}

async function history(sessionId: string): Promise<readonly ChatMessage[]> {
  const response = await fetch(`${app.url}/api/sessions/${sessionId}/messages`);
  return ((await response.json()) as { readonly messages: readonly ChatMessage[] }).messages;
}

test(
  "[M60] [M67] [M68] [M69] seed 003: four ids: over a dropped connection, a completed task, an abandoned one, and the next day",
  async () => {
    const { sessionId, answer } = await say("Vreau să fac o programare");
    expect(answer).toBe("Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?");
    const first = await told("active");
    expect(first).toMatchObject({ sessionId, chatId, name: "programare", parameters: {} });

    // The connection drops; the client comes back by itself, in the same window.
    (widget.socket as unknown as { readonly conn: { terminate(): void } }).conn.terminate();
    await until("the rejoin", () => widget.joins.length === 2, waitMs);
    const [before, after] = widget.joins as [Payload, Payload];
    expect(after).toMatchObject({ sessionId, intent: { intentId: first.intentId, chatId, status: "active" } });
    expect(after.connectionId).not.toBe(before.connectionId);
    expect((after.messages as readonly ChatMessage[]).map(({ content }) => content)).toEqual([
      "Vreau să fac o programare",
      answer,
    ]);

    expect((await say("detartraj")).answer).toBe("În ce zi ai vrea să vii?");
    expect((await say("vineri la 10:30, mă numesc Ana Pop, 0722 123 456")).answer).toMatch(
      /^Programarea a fost înregistrată: Detartraj, vineri, 6 martie/,
    );
    expect(await told("completed")).toMatchObject({ intentId: first.intentId, sessionId, chatId });

    // Another task in the same window is another intent.
    await say("Vreau să fac o programare");
    const second = await told("active");
    expect(second.intentId).not.toBe(first.intentId);
    expect((await say("detartraj, vineri")).sessionId).toBe(sessionId);

    const rows = await history(sessionId);
    const byIntent = (intentId?: string) => rows.filter(({ metadata }) => metadata.intentId === intentId);
    // What begins a task was said before anybody knew that it does.
    expect(byIntent().map(({ content }) => content)).toEqual(Array(2).fill("Vreau să fac o programare"));
    expect([byIntent(first.intentId), byIntent(second.intentId)].map(({ length }) => length)).toEqual([5, 3]);
    const connections = new Set(rows.map(({ metadata }) => metadata.connectionId));
    expect(connections).toEqual(new Set([before.connectionId, after.connectionId]));
    expect(new Set(rows.map(({ metadata }) => metadata.chatId))).toEqual(new Set([chatId]));

    // Nothing is said any more.
    clock.advance(hourMs);
    const passing = setInterval(() => clock.advance(1000), 20);
    await told("abandoned").finally(() => clearInterval(passing));
    expect(heard("intent_updated").at(-1)).toMatchObject({ intentId: second.intentId });

    // The next day the same window has another session, and the task goes on.
    clock.jumpTo(Date.parse("2026-03-03T07:00:00.000Z"));
    const next = await say("Vreau să fac o programare");
    expect(next.sessionId).not.toBe(sessionId);
    expect(next.answer).toBe(
      "Continuăm de unde am rămas: Programare, Detartraj, vineri, 6 martie 2026. La ce oră îți este bine?",
    );
    expect(await told("active")).toMatchObject({ intentId: second.intentId, sessionId: next.sessionId, chatId });
    await say("10:30, mă numesc Ana Pop, 0722 123 456");
    const done = await told("completed");
    expect(done).toMatchObject({ intentId: second.intentId, sessionId: next.sessionId });
    expect(heard("intent_updated").filter(({ status }) => status === "abandoned")).toHaveLength(1);

    await say("continuă");
    expect(heard("intent_updated").at(-1)).toEqual(done);
  },
  conversationMs,
);

test(
  "[M68] [M69] seed 003: what was left when the day ended is told as abandoned, and goes on the next day",
  async () => {
    const { sessionId } = await say("Aș vrea un detartraj vineri");
    const left = await told("active");
    clock.jumpTo(Date.parse("2026-03-03T07:00:00.000Z"));
    const next = await say("hai să continuăm");
    expect(next.answer).toMatch(/^Continuăm de unde am rămas: Programare, Detartraj, vineri, 6 martie 2026\./);
    await until("the end of the old one", () => heard("intent_updated").length === 3, waitMs);
    const states = heard("intent_updated").map((each) => [each.intentId, each.sessionId, each.status]);
    const { intentId } = left;
    expect(states).toContainEqual([intentId, sessionId, "abandoned"]);
    expect(states).toContainEqual([intentId, next.sessionId, "active"]);
    const events = widget.heard.filter(({ payload }) => payload.sessionId === sessionId).map(({ event }) => event);
    expect(events.slice(-2)).toEqual(["session_updated", "intent_updated"]);
  },
  conversationMs,
);

test(
  "[H24] [H25] [M40] seed 003: REST while no socket can be had, and the socket goes on where that was",
  async () => {
    await disconnected(widget.socket);
    const before = await fallback("Vreau să fac o programare", "first");
    expect(before).toMatchObject({
      offset: 1,
      answer: { message: "Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?", from: "agent" },
    });
    // Nobody knows whether the answer arrived: the fallback asks again, and it is the same one.
    expect(await fallback("Vreau să fac o programare", "first")).toEqual({ ...before, duplicate: true });
    const { sessionId } = before;
    const [task] = await until("the task at the console", () => {
      const known = heard("intent_updated", console);
      return known.length > 0 && known;
    });
    expect(task).toMatchObject({ sessionId, chatId, status: "active" });
    widget = await opened({ userId, chatId });
    const [joined] = widget.joins as [Payload];
    expect(joined).toMatchObject({ sessionId, intent: { intentId: task!.intentId, status: "active" } });
    expect(
      (joined.messages as readonly ChatMessage[]).map(({ content, metadata }) => [content, metadata.chatId]),
    ).toEqual([
      ["Vreau să fac o programare", chatId],
      [(before.answer as Payload).message, chatId],
    ]);
    expect(await say("detartraj")).toEqual({ answer: "În ce zi ai vrea să vii?", sessionId });
    const rows = await history(String(sessionId));
    expect(rows.map(({ metadata }) => metadata.source)).toEqual(["http", "http", "websocket", "websocket"]);
  },
  conversationMs,
);

/** What the widget does when it has no socket. */
async function fallback(message: string, clientMessageId: string): Promise<Payload> {
  const response = await fetch(`${app.url}/api/messages?wait=1`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": userId, "x-business-id": businessId },
    body: JSON.stringify({ businessId, locationId: "L0100001", userId, message, chatId, clientMessageId }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Payload;
}
