import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { holdingMs } from "../../server/messaging/holding.js";
import { FakeClock } from "../support/fake-clock.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const hourMs = 60 * 60 * 1000;

type Fields = Record<string, unknown>;

let app: TestApp;
let clock: FakeClock;
let clients: WireClient[];
let tab: WireClient;
let console: WireClient;
let strangers: WireClient[];

beforeEach(async () => {
  clock = new FakeClock();
  clients = [];
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0", SESSION_IDLE_HOURS: "1" }, { clock });
  tab = await joined({ userId: "ana" });
  console = await joined({});
  strangers = [
    await joined({ userId: "bob" }),
    await joined({ userId: "ana" }, "messages:B2"),
    await joined({}, "messages:B2"),
  ];
});

// Whatever becomes of ana's sessions, nobody else hears of it.
afterEach(async () => {
  for (const stranger of strangers) {
    await stranger.heartbeat();
    expect(stranger.frames.filter(([, , , event]) => event === "session_updated")).toEqual([]);
  }
  for (const client of clients) client.close();
  await app.dispose();
});

async function joined(payload: Fields, on = topic): Promise<WireClient> {
  const client = await WireClient.connect(app.url);
  clients.push(client);
  const { status } = await client.call(on, "phx_join", payload);
  if (status !== "ok") throw new Error("the join was refused");
  return client;
}

async function replyOfJoin(payload: Fields): Promise<Fields> {
  return (await joined(payload)).frames[0]![4].response as Fields;
}

/** Says something, and waits for its answer. @returns the session */
async function talk(message: string, more: Fields = {}): Promise<string> {
  const payload = { businessId, userId: "ana", locationId: "default", message, ...more };
  const { response } = await tab.call(topic, "new_message", payload);
  await tab.next(([, , , event, { inReplyTo }]) => event === "new_message" && inReplyTo === response.messageId);
  return String(response.sessionId);
}

/** What both hear of a session: the user not who, the coordinator more. */
async function heardOf(sessionId: string, status: string): Promise<void> {
  const isIt = ([, , , event, payload]: WireClient["frames"][number]) =>
    event === "session_updated" &&
    payload.sessionId === sessionId &&
    payload.status === status &&
    payload.holder === null;
  const [ofUser, ofConsole] = [(await tab.next(isIt))[4], (await console.next(isIt))[4]];
  const updatedAt = expect.any(String) as unknown;
  expect(ofUser).toEqual({ sessionId, status, holder: null, updatedAt });
  expect(ofConsole).toEqual({ sessionId, status, holder: null, updatedAt, userId: "ana" });
}

function timesTold(): number {
  return tab.frames.filter(([, , , event]) => event === "session_updated").length;
}

describe("[M72] session_updated", () => {
  test("tells of a session that is abandoned, and that it is active again when something is said in it", async () => {
    const sessionId = await talk("hello");
    clock.advance(3 * hourMs);
    // The store is real, so the job that goes through it takes its time, and its pauses are the clock's.
    const passing = setInterval(() => clock.advance(1000), 5);
    await heardOf(sessionId, "abandoned").finally(() => clearInterval(passing));
    expect(await talk("again", { sessionId })).toBe(sessionId);
    await heardOf(sessionId, "active");
    await talk("and again");
    expect(timesTold()).toBe(2);
  });

  test("tells of yesterday's session that is closed when today's begins", async () => {
    const sessionId = await talk("hello");
    clock.jumpTo(clock.now() + 24 * hourMs);
    expect(await talk("a new day")).not.toBe(sessionId);
    await heardOf(sessionId, "closed");
    expect(timesTold()).toBe(1);
  });

  test.each(["/close", "/new"])("tells of a session that its user ends by %s, after the answer", async (command) => {
    const sessionId = await talk("hello");
    await talk(command);
    await heardOf(sessionId, "closed");
    const events = tab.frames.map(([, , , event]) => event);
    expect(events.lastIndexOf("session_updated")).toBeGreaterThan(events.lastIndexOf("new_message"));
    await talk("/help");
    expect(timesTold()).toBe(1);
  });

  test("tells that a coordinator has it no longer when the next message finds their time over", async () => {
    const sessionId = await talk("hello");
    await console.call(topic, "take_over", { sessionId });
    clock.jumpTo(clock.now() + holdingMs);
    await talk("anybody there?");
    await heardOf(sessionId, "active");
  });
});

describe("[M71] a user's join reply", () => {
  test("says until when a coordinator has the session in hand, not who", async () => {
    expect(await replyOfJoin({ userId: "ana" })).toHaveProperty("holder", null);
    const sessionId = await talk("hello");
    expect(await replyOfJoin({ userId: "ana" })).toHaveProperty("holder", null);
    await console.call(topic, "take_over", { sessionId });
    const expiresAt = new Date(clock.now() + holdingMs).toISOString();
    const reply = await replyOfJoin({ userId: "ana" });
    expect(reply).toMatchObject({ sessionId, holder: { expiresAt } });
    expect(reply.holder).toEqual({ expiresAt });
    const [, , , , told] = await tab.event("session_updated");
    expect(told.holder).toEqual(reply.holder);
  });

  test("not any more once the time of the holder is over, though nobody wrote that", async () => {
    const sessionId = await talk("hello");
    await console.call(topic, "take_over", { sessionId });
    clock.jumpTo(clock.now() + holdingMs);
    expect(await replyOfJoin({ userId: "ana" })).toHaveProperty("holder", null);
    expect((await app.store.readHead(sessionId))?.session.holder).toBeDefined();
  });
});
