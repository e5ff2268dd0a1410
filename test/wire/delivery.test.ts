import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readCurrentSession } from "../../server/messaging/sessions.js";
import { FakeClock } from "../support/fake-clock.js";
import {
  connectPhoenix,
  disconnected,
  loadLongPoll,
  loadPhoenix,
  type Payload,
  type PhoenixSocket,
  type PhoenixVersion,
  settled,
} from "../support/phoenix.js";
import { RawSocket } from "../support/raw-socket.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { type Frame, WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;

type Fields = Record<string, unknown>;

let app: TestApp;
let agent: ScriptedAgent;
let clock: FakeClock;
let ends: (() => unknown)[];

beforeEach(async () => {
  agent = new ScriptedAgent();
  clock = new FakeClock();
  ends = [];
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { agents: { echo: agent }, clock });
});

afterEach(async () => {
  for (const end of ends) await end();
  await app.dispose();
});

describe("[M26] [A-13] an answer that comes while its user is away is pushed at their next join, once", () => {
  const clients: Record<string, () => Promise<Tab>> = {
    "phoenix 1.4.17": () => phoenixTab("1.4.17"),
    "phoenix 1.6.16": () => phoenixTab("1.6.16"),
    "phoenix 1.8.16": () => phoenixTab("1.8.16"),
    "phoenix 1.8.16 over long-poll": () => phoenixTab("1.8.16", true),
    "version 1 of the protocol": () => oldTab(),
  };

  test.each(Object.keys(clients))("%s", async (name) => {
    const open = clients[name]!;
    const first = await open();
    await first.say("hello");
    await first.close();
    await answeredWhileAway("hello");

    const second = await open();
    await until("the answer", () => second.heard.length > 0);
    expect(second.heard).toMatchObject([{ message: "answer to hello", offset: 2, from: "agent", actions: [] }]);
    await eventually("it is known to be taken", async () => (await deliveredOf("ana")) === 2);
    await second.close();

    const third = await open();
    await third.say("again");
    (await agent.call("again")).answer();
    await until("the next answer", () => third.heard.length > 0);
    expect(third.heard).toMatchObject([{ message: "answer to again", offset: 4 }]);
    await third.close();
  });
});

describe("[M26] [A-13] whose user goes before it is there, an answer is stored all the same: the consoles are told, and the user sees it when they are back", () => {
  const ways: Record<string, (tab: Tabbed) => unknown> = {
    "by leaving the channel": ({ client, joinRef }) => client.call(topic, "phx_leave", {}, joinRef),
    "by closing the connection": ({ client }) => client.close(),
    "without a word": ({ client }) => client.ws.terminate(),
  };

  test.each(Object.keys(ways))("%s", async (way) => {
    const [console, tab] = [await joined(null), await joined()];
    await say(tab, "hello");
    const call = await agent.call("hello");
    await ways[way]!(tab);
    await until("nobody is there", () => app.endpoint.socketCount === 1 || way === "by leaving the channel");
    call.answer();
    const [, , , , processed] = await console.client.event("message_processed");
    expect(processed).toMatchObject({ userId: "ana", message: "hello", answer: "answer to hello", status: "answered" });
    expect(tab.client.frames.filter(([, , , event]) => event === "new_message")).toEqual([]);
    const { sessionId } = tab;
    const resumed = await joined("ana", { resume: { sessionId, offset: 1, epoch: app.store.epoch } });
    expect(resumed.response).toMatchObject({ recovered: true, messages: [{ offset: 2, content: "answer to hello" }] });
    expect(await pushesOf(resumed)).toEqual([]);
    expect(console.client.frames.filter(([, , , event]) => event === "message_processed")).toHaveLength(1);
  });

  test("[M34] one who closes the session has that for an outcome, and no other", async () => {
    const [console, tab] = [await joined(null), await joined()];
    await say(tab, "hello");
    const call = await agent.call("hello");
    const { sessionId } = tab;
    expect((await tab.client.call(topic, "close", { sessionId }, tab.joinRef)).status).toBe("ok");
    tab.client.close();
    await until("nobody is there", () => app.endpoint.socketCount === 1);
    call.answer();
    const [, , , , processed] = await console.client.event("message_processed");
    expect(processed).toMatchObject({ message: "hello", status: "failed" });
    await until("the agent is left", () => call.isLeft);
    const next = await joined();
    expect(next.response).toMatchObject({ sessionId: null, messages: [] });
    const { items } = await app.store.readMessages(String(sessionId), { limit: 10 });
    expect(items.map(({ type }) => type)).toEqual(["user", "system"]);
    await console.client.heartbeat();
    expect(console.client.frames.filter(([, , , event]) => event === "message_processed")).toHaveLength(1);
  });
});

test("[M26] an answer that was heard live is not pushed again, in this process or the next", async () => {
  const [tab, console] = [await joined(), await joined(null)];
  await say(tab, "hello");
  (await agent.call("hello")).answer();
  await tab.client.event("new_message");
  await console.client.event("receipt");
  expect(await pushedAtJoin()).toEqual([]);
  // What was known is written before the process ends.
  await app.stop();
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0", DATA_DIR: app.dataDir }, { agents: { echo: agent }, clock });
  expect(await pushedAtJoin()).toEqual([]);
});

test("[M27] answers of several days come oldest first, those of a day that is over too", async () => {
  const tab = await joined();
  await say(tab, "first");
  await say(tab, "second");
  await gone(tab);
  await answeredWhileAway("first");
  await answeredWhileAway("second");
  clock.advance(24 * 3_600_000);
  const next = await joined();
  // Nothing was said today: what is undelivered is yesterday's.
  expect(next.response).toMatchObject({ sessionId: null, messages: [] });
  const repeated = await pushesOf(next);
  expect(repeated.map(({ message }) => message)).toEqual(["answer to first", "answer to second"]);
  expect(repeated[0]!.sessionId).toBe(tab.sessionId);
});

test("[M26] two tabs: both that were away are given it; after one has taken it, a third is not", async () => {
  const tab = await joined();
  await say(tab, "hello");
  await gone(tab);
  await answeredWhileAway("hello");
  const [one, other] = await Promise.all([mute(), mute()]);
  for (const each of [one, other]) await each.message((frame) => (frame as Frame)[3] === "new_message");
  expect(answersIn(one)).toEqual(answersIn(other));
  // Neither has said so yet.
  expect(await pushedAtJoin()).toMatchObject([{ offset: 2 }]);
  await eventually("one has taken it", async () => (await deliveredOf("ana")) === 2);
  expect(await pushedAtJoin()).toEqual([]);
});

test("[M26] whose connection ends before the pong is given the same again, with the same responseId", async () => {
  const raw = await mute();
  raw.sendJson(["1", "2", topic, "new_message", messageOf("hello")]);
  (await agent.call("hello")).answer();
  await raw.message((frame) => (frame as Frame)[3] === "new_message");
  await until("the ping behind it", () => raw.frames.some(({ opcode }) => opcode === 9));
  raw.reset();
  await until("it is gone", () => app.endpoint.socketCount === 0);
  const [answer] = answersIn(raw);
  expect(await pushedAtJoin()).toEqual([answer]);
});

test("[M26] a channel that was left before the pong has taken nothing", async () => {
  const raw = await mute();
  raw.sendJson(["1", "2", topic, "new_message", messageOf("hello")]);
  (await agent.call("hello")).answer();
  const ping = await until("the ping", () => raw.frames.find(({ opcode }) => opcode === 9));
  raw.sendJson(["1", "3", topic, "phx_leave", {}]);
  raw.pong(ping.payload);
  await raw.message((frame) => (frame as Frame)[3] === "phx_close");
  expect(await pushedAtJoin()).toHaveLength(1);
});

describe("[M28] what a client says of itself", () => {
  test.each(["delivered", "read"])(
    "%s: what is up to there is not pushed again, though no pong ever came",
    async (event) => {
      const console = await joined(null);
      const raw = await mute();
      raw.sendJson(["1", "2", topic, "new_message", messageOf("hello")]);
      (await agent.call("hello")).answer();
      await raw.message((frame) => (frame as Frame)[3] === "new_message");
      const sessionId = answersIn(raw)[0]!.sessionId;
      raw.sendJson(["1", "3", topic, event, { sessionId, offset: 2 }]);
      const reply = (await raw.message((frame) => (frame as Frame)[1] === "3")) as Frame;
      const marks = { delivered: 2, read: event === "read" ? 2 : 0 };
      expect(reply[4]).toEqual({ status: "ok", response: { sessionId, ...marks } });
      const [, , , , receipt] = await console.client.event("receipt");
      expect(receipt).toEqual({ sessionId, userId: "ana", ...marks });
      expect(await pushedAtJoin()).toEqual([]);
    },
  );

  test("never lowers a mark; beyond the end it says nothing; somebody else's is not there", async () => {
    const tab = await joined();
    await say(tab, "hello");
    (await agent.call("hello")).answer();
    await tab.client.event("new_message");
    const { sessionId } = tab;
    const push = (of: Tabbed, event: string, payload: unknown) => of.client.call(topic, event, payload, of.joinRef);
    const ok = (delivered: number, read: number) => ({ status: "ok", response: { sessionId, delivered, read } });
    expect(await push(tab, "read", { sessionId, offset: 2 })).toEqual(ok(2, 2));
    expect(await push(tab, "read", { sessionId, offset: 1 })).toEqual(ok(2, 2));
    expect(await push(tab, "delivered", { sessionId, offset: 0 })).toEqual(ok(2, 2));
    expect(await push(tab, "read", { sessionId, offset: 3 })).toEqual(ok(2, 2));
    const [bob, console] = [await joined("bob"), await joined(null)];
    const unknown = "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11";
    for (const [of, id] of [
      [bob, sessionId],
      [console, sessionId],
      [tab, unknown],
    ] as const) {
      const { status, response } = await push(of, "delivered", { sessionId: id, offset: 1 });
      expect([status, response.code]).toEqual(["error", "session_not_found"]);
    }
    for (const payload of [{}, { sessionId }, { sessionId, offset: -1 }, { sessionId, offset: "1" }, [], "x"]) {
      const { status, response } = await push(tab, "delivered", payload);
      expect([status, String(response.code)]).toEqual(["error", expect.stringMatching(/^(missing|invalid)_/)]);
    }
  });
});

describe("[M26] [D-17] a client that resumes", () => {
  test("has the answer in `messages`, and is not pushed it; nor what it says it had", async () => {
    const raw = await mute();
    for (const text of ["one", "two"]) {
      raw.sendJson(["1", text, topic, "new_message", messageOf(text)]);
      (await agent.call(text)).answer();
      await raw.message((frame) => (frame as Frame)[4].message === `answer to ${text}`);
    }
    const { sessionId } = answersIn(raw)[0]!;
    const tab = await joined("ana", { resume: { sessionId, offset: 2, epoch: app.store.epoch } });
    expect((tab.response.messages as Fields[]).map(({ offset }) => offset)).toEqual([3, 4]);
    expect(await pushesOf(tab)).toEqual([]);
  });

  test("from another epoch is given what nobody took, as one that does not resume", async () => {
    const tab = await joined();
    await say(tab, "hello");
    await gone(tab);
    await answeredWhileAway("hello");
    const other = await joined("ana", { resume: { sessionId: tab.sessionId, offset: 2, epoch: "another" } });
    expect(other.response).toMatchObject({ recovered: false, messages: [] });
    expect(await pushesOf(other)).toMatchObject([{ offset: 2, message: "answer to hello" }]);
  });
});

test("[X3] somebody else is given nothing of it", async () => {
  const tab = await joined();
  await say(tab, "hello");
  await gone(tab);
  await answeredWhileAway("hello");
  expect(await pushesOf(await joined("bob"))).toEqual([]);
  expect(await pushesOf(await joined(null))).toEqual([]);
});

/** Somebody who chats, whatever their client is. */
interface Tab {
  /** Payloads of `new_message`. */
  readonly heard: Payload[];
  say(message: string): Promise<void>;
  close(): Promise<void>;
}

async function phoenixTab(version: PhoenixVersion, isLongPoll = false): Promise<Tab> {
  const socket = isLongPoll ? await connectOverLongPoll(version) : await connectPhoenix(version, app.url);
  const channel = socket.channel(topic, { userId: "ana" });
  const heard: Payload[] = [];
  channel.on("new_message", (payload) => void heard.push(payload));
  await settled(channel.join());
  return {
    heard,
    say: async (message) => void (await settled(channel.push("new_message", messageOf(message)))),
    close: async () => {
      if (isLongPoll) await settled(channel.leave());
      await disconnected(socket);
      if (!isLongPoll) await until("it is gone", () => app.endpoint.socketCount === 0);
    },
  };
}

async function connectOverLongPoll(version: PhoenixVersion): Promise<PhoenixSocket> {
  const [Socket, transport] = [await loadPhoenix(version), await loadLongPoll(version)];
  const socket = new Socket(`${app.url}/socket`, { transport, heartbeatIntervalMs: 800 });
  await new Promise<void>((resolve) => {
    socket.onOpen(resolve);
    socket.connect();
  });
  return socket;
}

/** A client from before the frames were arrays. */
async function oldTab(): Promise<Tab> {
  const raw = await RawSocket.open(app.port, { path: "/socket/websocket?vsn=1.0.0" });
  type OldFrame = { readonly event: string; readonly ref: unknown; readonly payload: Payload };
  const messages = () => raw.messages as OldFrame[];
  const push = async (ref: string, event: string, payload: unknown) => {
    raw.sendJson({ topic, event, payload, ref });
    await until("a reply", () => messages().find((frame) => frame.ref === ref));
  };
  let pongCount = 0;
  const pongs = setInterval(() => {
    const pings = raw.frames.filter(({ opcode }) => opcode === 9);
    for (const { payload } of pings.slice(pongCount)) raw.pong(payload);
    pongCount = pings.length;
  }, 10);
  await push("1", "phx_join", { userId: "ana" });
  return {
    get heard() {
      return messages().flatMap(({ event, payload }) => (event === "new_message" ? [payload] : []));
    },
    say: (message) => push("2", "new_message", messageOf(message)),
    close: async () => {
      clearInterval(pongs);
      raw.reset();
      await until("it is gone", () => app.endpoint.socketCount === 0);
    },
  };
}

/** A version 2 client that never answers a ping. */
async function mute(): Promise<RawSocket> {
  const raw = await RawSocket.open(app.port);
  ends.push(() => raw.reset());
  raw.sendJson(["1", "1", topic, "phx_join", { userId: "ana" }]);
  await raw.message((frame) => (frame as Frame)[3] === "phx_reply");
  return raw;
}

function answersIn(raw: RawSocket): Fields[] {
  return (raw.messages as Frame[]).flatMap(([, , , event, payload]) => (event === "new_message" ? [payload] : []));
}

interface Tabbed {
  readonly client: WireClient;
  readonly joinRef: string;
  readonly response: Fields;
  sessionId?: unknown;
}

async function joined(userId: string | null = "ana", more: Fields = {}): Promise<Tabbed> {
  const client = await WireClient.connect(app.url);
  ends.push(() => client.close());
  const { status, response } = await client.call(topic, "phx_join", { userId, ...more });
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return { client, response, joinRef: String(client.frames[0]![0]) };
}

async function say(tab: Tabbed, message: string): Promise<void> {
  const { status, response } = await tab.client.call(topic, "new_message", messageOf(message), tab.joinRef);
  if (status !== "ok") throw new Error(JSON.stringify(response));
  tab.sessionId = response.sessionId;
}

async function gone(tab: Tabbed): Promise<void> {
  tab.client.close();
  await until("it is gone", () => app.endpoint.socketCount === 0);
}

/** What the next one to join is pushed; it goes without having said that it took it, if it can. */
async function pushedAtJoin(): Promise<Fields[]> {
  return pushesOf(await joined());
}

/** What has been pushed until now: after the reply to a heartbeat nothing is under way. */
async function pushesOf({ client }: Tabbed): Promise<Fields[]> {
  await client.heartbeat();
  return client.frames.flatMap(([, , , event, payload]) => (event === "new_message" ? [payload] : []));
}

/** Has the agent answer, and waits until that is stored. */
async function answeredWhileAway(message: string): Promise<void> {
  const { offset } = (await todays("ana"))!.session;
  (await agent.call(message)).answer();
  await eventually("it is stored", async () => ((await todays("ana"))?.session.offset ?? 0) > offset);
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  let isSo = false;
  await until(what, () => {
    void holds().then((value) => (isSo ||= value));
    return isSo;
  });
}

async function todays(userId: string) {
  const current = await readCurrentSession(app.store, { businessId, userId });
  return current === null ? null : app.store.readHead(current.value.sessionId);
}

/** As written: marks are written a little later. */
async function deliveredOf(userId: string): Promise<number | undefined> {
  clock.advance(5000);
  return (await todays(userId))?.delivered;
}

function messageOf(message: string): Fields {
  return { businessId, userId: "ana", locationId: "default", message };
}
