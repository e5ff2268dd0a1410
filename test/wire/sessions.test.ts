import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Agent } from "../../server/messaging/agent.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask } from "../support/plain-http.js";
import { frame as rawFrame, RawSocket } from "../support/raw-socket.js";
import { withSeed } from "../support/random.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { type Frame, WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

type Fields = Record<string, unknown>;

let opened: WireClient[] = [];

afterEach(() => {
  for (const client of opened) client.close();
  opened = [];
});

describe("[M12] the join of a user", () => {
  const rowCount = 320;
  let app: TestApp;
  let sessionId: string;
  let rows: readonly ChatMessage[];

  beforeAll(async () => {
    app = await startTestApp({ MAX_BACKLOG_PER_BUSINESS: "1000" });
    const tab = await joined(app, "ana");
    for (let index = 0; index < rowCount / 2; index += 1) await say(tab, `message ${index}`);
    await until("all are answered", () => eventsOf(tab.client, "new_message").length === rowCount / 2);
    tab.client.close();
    sessionId = String(eventsOf(tab.client, "new_message")[0]!.sessionId);
    const newest = await app.store.readMessages(sessionId, { limit: 1000 });
    rows = newest.items;
  });

  afterAll(() => app.dispose());

  test("who has said nothing yet is told that there is nothing", async () => {
    const { response } = await joined(app, "newcomer");
    expect(response).toEqual({
      role: "user",
      userId: "newcomer",
      connectionId: expect.stringMatching(uuidV4),
      sessionId: null,
      offset: 0,
      epoch: app.store.epoch,
      messages: [],
      recovered: false,
      running: [],
      intent: null,
      holder: null,
      businessName: "B1",
      maxMessageBytes: 8192,
    });
  });

  test("without resume: where the session stands, and no messages", async () => {
    const { response } = await joined(app, "ana");
    expect(response).toMatchObject({ sessionId, offset: rowCount, messages: [], recovered: false });
  });

  test.each([0, 1, 2, 299, 300])("[D-17] after missing %d: all of them, in order", async (missed) => {
    const { response } = await joined(app, "ana", { resume: { sessionId, offset: rowCount - missed } });
    expect(response).toMatchObject({ sessionId, offset: rowCount, recovered: true });
    expect(response.messages).toEqual(missed === 0 ? [] : rows.slice(-missed));
  });

  test("with the epoch of this store it is the same", async () => {
    const resume = { sessionId, offset: rowCount - 3, epoch: app.store.epoch };
    const { response } = await joined(app, "ana", { resume });
    expect([response.recovered, (response.messages as unknown[]).length]).toEqual([true, 3]);
  });

  const unrecovered: [string, (own: { sessionId: string }) => unknown][] = [
    ["more than 300 missed", (own) => ({ ...own, offset: rowCount - 301 })],
    ["everything missed", (own) => ({ ...own, offset: 0 })],
    ["another epoch", (own) => ({ ...own, offset: rowCount - 1, epoch: "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11" })],
    ["an offset in the future", (own) => ({ ...own, offset: rowCount + 1 })],
    ["an offset far in the future", (own) => ({ ...own, offset: Number.MAX_SAFE_INTEGER })],
    ["an unknown session", () => ({ sessionId: "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11", offset: 0 })],
    ["the id that old clients make up", () => ({ sessionId: "B1:ana:1704067200000", offset: 0 })],
    ["a coordinator's cursor", () => ({ cursor: "019b0000-0000-7000-8000-000000000000" })],
  ];

  test.each(unrecovered)("[D-17] %s: nothing, and the client is told so", async (_what, resume) => {
    const { response } = await joined(app, "ana", { resume: resume({ sessionId }) });
    expect(response).toMatchObject({ role: "user", sessionId, offset: rowCount, recovered: false, messages: [] });
  });

  test.each([0, rowCount - 3, rowCount])(
    "[X7] someone else's session, from offset %d on, is answered as an unknown one",
    async (offset) => {
      const [theirs, unknown] = await Promise.all(
        [sessionId, "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11"].map((id) =>
          joined(app, "bob", { resume: { sessionId: id, offset } }),
        ),
      );
      expect({ ...theirs!.response, connectionId: "" }).toEqual({ ...unknown!.response, connectionId: "" });
      expect(theirs!.response).toMatchObject({ sessionId: null, recovered: false, messages: [] });
    },
  );

  test("[X7] the same user of another business finds nothing of this one", async () => {
    const client = await connect(app);
    for (const offset of [0, rowCount - 3]) {
      const payload = { userId: "ana", resume: { sessionId, offset } };
      const { response } = await client.call("messages:B2", "phx_join", payload);
      expect(response).toMatchObject({ sessionId: null, recovered: false, messages: [] });
    }
  });

  test.each([
    { resume: "s1" },
    { resume: {} },
    { resume: { sessionId: "s1" } },
    { resume: { sessionId: "s1", offset: -1 } },
    { resume: { sessionId: "s1", offset: 1.5 } },
    { resume: { sessionId: "s1", offset: "1" } },
    { resume: { sessionId: 1, offset: 1 } },
    { resume: { sessionId: "s1", offset: 1, epoch: 5 } },
    { chatId: 5 },
    { chatId: "x".repeat(129) },
    { userId: "a b" },
    { userId: 5 },
    { role: 5 },
    "ana",
    [],
  ])("[M10] the payload %j is refused, and the socket lives", async (more) => {
    const client = await connect(app);
    const payload = typeof more === "object" && !Array.isArray(more) ? { userId: "ana", ...more } : more;
    expect(await client.call(topic, "phx_join", payload)).toEqual({
      status: "error",
      response: { reason: "invalid_payload" },
    });
    await client.heartbeat();
  });

  test("of a chat window: the newest 50 of it, oldest first", async () => {
    const tab = await joined(app, "carol");
    for (let index = 0; index < 30; index += 1) await say(tab, `in the window ${index}`, { chatId: "window" });
    await say(tab, "elsewhere", { chatId: "another" });
    await say(tab, "nowhere");
    await until("all are answered", () => eventsOf(tab.client, "new_message").length === 32);
    const { response } = await joined(app, "carol", { chatId: "window" });
    const messages = response.messages as ChatMessage[];
    expect(messages.map(({ offset }) => offset)).toEqual(
      (await app.store.readMessages(String(response.sessionId), { limit: 100 })).items
        .filter(({ metadata }) => metadata.chatId === "window")
        .slice(-50)
        .map(({ offset }) => offset),
    );
    expect([messages.length, response.recovered]).toEqual([50, false]);
    expect((await joined(app, "dan", { chatId: "window" })).response.messages).toEqual([]);
  });
});

describe("[M12] the join of a coordinator", () => {
  test("is told which socket it is, how many sessions are active, and where to resume from", async () => {
    const app = await startTestApp();
    const tab = await joined(app, "ana");
    const { sessionId } = await say(tab, "hello");
    const console = await joined(app, null);
    const { connectionId } = console.response;
    expect(console.response).toEqual({
      ...{ role: "coordinator", connectionId: expect.any(String) as unknown },
      ...{ activeSessions: 1, cursor: expect.any(String) as unknown },
    });
    // It is the one under which they hold what they take. (M30)
    const taken = await console.client.call(topic, "take_over", { sessionId }, console.joinRef);
    expect(taken.response).toMatchObject({ session: { holder: { coordinatorId: connectionId } } });
    await app.dispose();
  });

  test("with a cursor: all that was processed since a minute before it, and nothing earlier", async () => {
    const clock = new FakeClock();
    const app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { clock });
    const tab = await joined(app, "ana");
    const answered = async (text: string) => {
      await say(tab, text);
      await tab.client.next(([, , , event, { message }]) => event === "new_message" && message === text);
    };
    await answered("long before");
    clock.advance(60_001);
    await answered("a minute before");
    clock.advance(60_000);
    const first = await joined(app, null);
    first.client.close();
    clock.advance(1000);
    for (let index = 0; index < 210; index += 1) await answered(`missed ${index}`);
    const other = await connect(app);
    await other.call("messages:B2", "phx_join", { userId: "ana" });
    const again = await joined(app, null, { resume: { cursor: first.response.cursor } });
    await answered("live");
    await again.client.next(([, , , event, { message }]) => event === "message_processed" && message === "live");
    expect(eventsOf(again.client, "message_processed").map(({ message }) => message)).toEqual([
      "a minute before",
      ...Array.from({ length: 210 }, (_, index) => `missed ${index}`),
      "live",
    ]);
    await app.dispose();
  });

  test("[M22] without those of a session that was deleted", async () => {
    const clock = new FakeClock();
    const app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { clock });
    const first = await joined(app, null);
    const [ana, bob] = [await joined(app, "ana"), await joined(app, "bob")];
    const said = await say(ana, "gone");
    await ana.client.event("new_message");
    await say(bob, "stays");
    await bob.client.event("new_message");
    const { status } = await ask(app, `/api/sessions/${String(said.sessionId)}`, { method: "DELETE" });
    expect(status).toBe(204);
    const again = await joined(app, null, { resume: { cursor: first.response.cursor } });
    await again.client.event("message_processed");
    await again.client.heartbeat();
    expect(eventsOf(again.client, "message_processed").map(({ message }) => message)).toEqual(["stays"]);
    await app.dispose();
  });

  test("with a cursor of days ago: only the last 24 hours", async () => {
    const clock = new FakeClock();
    const app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { clock });
    const first = await joined(app, null);
    const tab = await joined(app, "ana");
    await say(tab, "long ago");
    await tab.client.event("new_message");
    clock.advance(24 * 3_600_000 + 1);
    await say(tab, "today");
    await tab.client.event("new_message");
    const again = await joined(app, null, { resume: { cursor: first.response.cursor } });
    await again.client.event("message_processed");
    await again.client.heartbeat();
    expect(eventsOf(again.client, "message_processed").map(({ message }) => message)).toEqual(["today"]);
    await app.dispose();
  });

  test.each(["no cursor", "00000000-0000-7000-8000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff"])(
    "with %j for a cursor it joins all the same",
    async (cursor) => {
      const app = await startTestApp();
      const console = await joined(app, null, { resume: { cursor } });
      expect(console.response.role).toBe("coordinator");
      await console.client.heartbeat();
      await app.dispose();
    },
  );
});

describe("[M14] [M15] [M16] a message and its answer", () => {
  test("reach the sender as reply, message_accepted, new_message; other tabs as the latter two", async () => {
    const app = await startTestApp();
    const [sender, other, console] = [await joined(app, "ana"), await joined(app, "ana"), await joined(app, null)];
    for (let round = 0; round < 20; round += 1) {
      const from = [sender, other, console].map(({ client }) => client.frames.length);
      const { messageId, offset, timestamp, sessionId } = await say(sender, `round ${round}`, {
        clientMessageId: `c${round}`,
      });
      for (const { client } of [sender, other]) await client.event("new_message");
      await console.client.event("message_processed");
      const heard = [sender, other, console].map(({ client }, index) =>
        client.frames.slice(from[index]).flatMap(([, , , event]) => (event === "receipt" ? [] : [event])),
      );
      expect(heard).toEqual([
        ["phx_reply", "message_accepted", "new_message"],
        ["message_accepted", "new_message"],
        ["message_accepted", "message_processed"],
      ]);
      const accepted = eventsOf(other.client, "message_accepted").at(-1);
      expect(accepted).toEqual({
        ...{ messageId, offset, timestamp, sessionId },
        ...{ message: `round ${round}`, clientMessageId: `c${round}`, userId: "ana", locationId: "default" },
      });
    }
    await app.dispose();
  });

  test("[M6] sent again, it is told to the sender alone", async () => {
    const app = await startTestApp();
    const [sender, other, console] = [await joined(app, "ana"), await joined(app, "ana"), await joined(app, null)];
    const first = await say(sender, "hello", { clientMessageId: "c1" });
    await console.client.event("message_processed");
    for (const { client } of [sender, other, console]) await client.heartbeat();
    const from = [sender, other, console].map(({ client }) => client.frames.length);
    expect(await say(sender, "hello", { clientMessageId: "c1" })).toEqual({ ...first, duplicate: true });
    for (const { client } of [sender, other, console]) await client.heartbeat();
    const heard = [sender, other, console].map(({ client }, index) =>
      client.frames.slice(from[index]).flatMap(([, , on, event]) => (on === topic ? [event] : [])),
    );
    expect(heard).toEqual([["phx_reply", "message_accepted"], [], []]);
    expect(eventsOf(sender.client, "message_accepted").at(-1)).toMatchObject({
      duplicate: true,
      clientMessageId: "c1",
    });
    await app.dispose();
  });

  test("[M9] [M10] [M19] a failure reaches the user as new_message from system and as error, the console as failed", async () => {
    const agent: Agent = {
      node: "echo",
      answer: () => {
        throw new Error("what only the machine room may know");
      },
    };
    const app = await startTestApp({}, { agents: { echo: agent } });
    const [tab, other, console] = [await joined(app, "ana"), await joined(app, "ana"), await joined(app, null)];
    const { messageId, sessionId } = await say(tab, "hello");
    for (const { client } of [tab, other]) {
      const [, , , , answer] = await client.event("new_message");
      const [, , , , error] = await client.event("error");
      expect(answer).toMatchObject({
        from: "system",
        inReplyTo: messageId,
        sessionId,
        offset: 2,
        isComplete: true,
        actions: [],
      });
      expect(error).toMatchObject({ code: "agent_failed", messageId });
      expect(Object.keys(error).toSorted()).toEqual(["code", "error", "message", "messageId"]);
    }
    const [, , , , processed] = await console.client.event("message_processed");
    expect(processed).toMatchObject({ status: "failed", messageId, userId: "ana" });
    for (const { client } of [tab, other, console]) {
      expect(JSON.stringify(client.frames)).not.toContain("machine room");
    }
    const history = (await app.store.readMessages(String(sessionId), { limit: 10 })).items;
    expect(history.map(({ type }) => type)).toEqual(["user", "system"]);
    await app.dispose();
  });
});

describe("[M4] order under pressure", () => {
  test("[D-16] ten messages in one TCP write are stored and acknowledged in the order in which they were sent", async () => {
    const app = await startTestApp();
    const socket = await RawSocket.open(app.port);
    socket.sendJson(["j", "j", topic, "phx_join", { userId: "ana" }]);
    await until("the join", () => repliesIn(socket).length === 1);
    const refs = Array.from({ length: 10 }, (_, index) => `r${index}`);
    socket.write(
      ...refs.map((ref) => rawFrame(JSON.stringify(["j", ref, topic, "new_message", messageOf("ana", ref)]))),
    );
    await until("all replies", () => repliesIn(socket).length === 11);
    expect(repliesIn(socket).map(([, ref]) => ref)).toEqual(["j", ...refs]);
    const offsets = repliesIn(socket)
      .slice(1)
      .map(([, , , , payload]) => Number((payload.response as Fields).offset));
    expect(offsets).toEqual(offsets.toSorted((one, other) => one - other));
    const { response } = repliesIn(socket)[1]![4] as { response: Fields };
    await until(
      "all answers",
      () => socket.messages.filter((each) => (each as Frame)[3] === "new_message").length === 10,
    );
    const rows = (await app.store.readMessages(String(response.sessionId), { limit: 100 })).items;
    expect(rows.map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(rows.filter(({ type }) => type === "user").map(({ content }) => content)).toEqual(refs);
    expect(rows.filter(({ type }) => type === "agent").map(({ content }) => content)).toEqual(refs);
    await socket.finish();
    await app.dispose();
  });

  test("[D-15] twenty at once from two sockets: no gap in the offsets, and reply k answers question k", async () => {
    const running = new Set<string>();
    const app = await startTestApp({}, { agents: { echo: slowly(running) } });
    const tabs = [await joined(app, "ana"), await joined(app, "ana")];
    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    const replies = await Promise.all(texts.map((text, index) => say(tabs[index % 2]!, text)));
    for (const { client } of tabs) {
      await until("all answers", () => eventsOf(client, "new_message").length === 20);
    }
    const rows = (await app.store.readMessages(String(replies[0]!.sessionId), { limit: 100 })).items;
    expect(rows.map(({ offset }) => offset)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    const questions = rows.filter(({ type }) => type === "user");
    const answers = rows.filter(({ type }) => type === "agent");
    expect(answers.map(({ metadata, content }) => [metadata.inReplyTo, content])).toEqual(
      questions.map(({ messageId, content }) => [messageId, `answer to ${content}`]),
    );
    replies.forEach(({ messageId, offset }, index) => {
      expect(questions.find((row) => row.messageId === messageId)).toMatchObject({ content: texts[index], offset });
    });
    for (const { client } of tabs) {
      expect(eventsOf(client, "new_message").map(({ offset }) => offset)).toEqual(answers.map(({ offset }) => offset));
    }
    await app.dispose();
  });

  test("[D-18] joins while messages are being stored: what was missed and what is live are together everything", async () => {
    const app = await startTestApp({ MAX_BACKLOG_PER_BUSINESS: "1000" });
    const writer = await joined(app, "ana");
    const { sessionId } = await say(writer, "first");
    // With their answers fewer than the 300 that a resume gives back.
    const messageCount = 140;
    const joins: { readonly tab: Joined; readonly since: number }[] = [];
    const joining: Promise<void>[] = [];
    for (let index = 0; index < messageCount; index += 1) {
      const sent = say(writer, `message ${index}`);
      for (const since of [0, index]) {
        joining.push(
          joined(app, "ana", { resume: { sessionId, offset: since } }).then((tab) => void joins.push({ tab, since })),
        );
      }
      await sent;
    }
    await Promise.all(joining);
    await until("all answers", () => eventsOf(writer.client, "new_message").length === messageCount + 1);
    const rows = (await app.store.readMessages(String(sessionId), { limit: 1000 })).items;
    expect(rows).toHaveLength(2 * (messageCount + 1));
    expect(joins).toHaveLength(2 * messageCount);
    for (const { tab, since } of joins) {
      await tab.client.heartbeat();
      const missing = tab.response.recovered === true ? rows.slice(since) : [];
      expect(offsetsOf(tab)).toEqual(missing.map(({ offset }) => offset));
      expect(repeatedIn(tab)).toEqual([]);
    }
    expect(joins.filter(({ tab }) => tab.response.recovered !== true)).toEqual([]);
    await app.dispose();
  });

  test("[D-18] [M27] 200 joins of every kind while messages are being stored: nothing comes twice, nothing out of order", () =>
    withSeed(async (random) => {
      const app = await startTestApp({ MAX_BACKLOG_PER_BUSINESS: "1000" }, { agents: { echo: slowly(new Set()) } });
      const writer = await joined(app, "ana");
      const { sessionId } = await say(writer, "first", { chatId: "window" });
      const joins: { readonly tab: Joined; readonly isResumed: boolean }[] = [];
      const joining: Promise<void>[] = [];
      for (let index = 0; index < 100; index += 1) {
        const sent = say(writer, `message ${index}`, random() < 0.5 ? { chatId: "window" } : {});
        for (let each = 0; each < 2; each += 1) {
          const kind = random();
          const isResumed = kind < 0.3;
          const resume = isResumed ? { sessionId, offset: Math.floor(random() * index) } : null;
          const more = kind > 0.6 ? { chatId: "window" } : { resume };
          for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) {
            await new Promise<void>((resolve) => setImmediate(resolve));
          }
          joining.push(joined(app, "ana", more).then((tab) => void joins.push({ tab, isResumed })));
        }
        await sent;
      }
      await Promise.all(joining);
      await until("all answers", () => eventsOf(writer.client, "new_message").length === 101);
      const rows = (await app.store.readMessages(String(sessionId), { limit: 1000 })).items;
      expect(joins).toHaveLength(200);
      for (const { tab, isResumed } of joins) {
        await tab.client.heartbeat();
        expect(repeatedIn(tab)).toEqual([]);
        const answers = eventsOf(tab.client, "new_message").map(({ offset }) => Number(offset));
        expect(answers).toEqual(answers.toSorted((one, other) => one - other));
        // Whatever was not there yet when it joined has come; an old client has nothing else to go by.
        const known = new Set(offsetsOf(tab));
        const later = rows.filter(({ offset }) => offset > Number(tab.response.offset));
        expect(later.filter(({ offset }) => !known.has(offset))).toEqual([]);
        expect(tab.response.recovered).toBe(isResumed);
      }
      await app.dispose();
    }));
});

/** An agent that takes its time, another for each message, and checks that it has one question of a session at a time. */
function slowly(running: Set<string>): Agent {
  return {
    node: "echo",
    historyMax: 0,
    async *answer({ sessionId, message }) {
      if (running.has(sessionId)) throw new Error("two at once");
      running.add(sessionId);
      const turns = (message.length * 31 + message.charCodeAt(message.length - 1) * 7) % 13;
      for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      running.delete(sessionId);
      yield { type: "answer", message: `answer to ${message}` };
    },
  };
}

interface Joined {
  readonly client: WireClient;
  readonly userId: string | null;
  readonly joinRef: string;
  readonly response: Fields;
}

async function connect(app: TestApp): Promise<WireClient> {
  const client = await WireClient.connect(app.url);
  opened.push(client);
  return client;
}

async function joined(app: TestApp, userId: string | null, more: Fields = {}): Promise<Joined> {
  const client = await connect(app);
  const { status, response } = await client.call(topic, "phx_join", { userId, ...more });
  if (status !== "ok") throw new Error(JSON.stringify(response));
  const joinRef = String(client.frames.find(([, , , event]) => event === "phx_reply")![0]);
  return { client, userId, joinRef, response };
}

function messageOf(userId: string | null, message: string, more: Fields = {}): Fields {
  return { businessId, userId, locationId: "default", message, ...more };
}

async function say({ client, userId, joinRef }: Joined, message: string, more: Fields = {}): Promise<Fields> {
  const { status, response } = await client.call(topic, "new_message", messageOf(userId, message, more), joinRef);
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return response;
}

function eventsOf(client: WireClient, name: string): Fields[] {
  return client.frames.filter(([, , , event]) => event === name).map(([, , , , payload]) => payload);
}

function repliesIn(socket: RawSocket): Frame[] {
  return (socket.messages as Frame[]).filter(([, , , event]) => event === "phx_reply");
}

/** The messages that came more than once, be it in the reply to the join or as an event. */
function repeatedIn({ client, response }: Joined): unknown[] {
  const all = [
    ...(response.messages as Fields[]),
    ...eventsOf(client, "message_accepted"),
    ...eventsOf(client, "new_message"),
  ].map(({ messageId }) => messageId);
  return all.filter((messageId, index) => all.indexOf(messageId) !== index);
}

/** The offsets that a tab knows of, each message once, however often it came; in order. */
function offsetsOf({ client, response }: Joined): number[] {
  const known = new Map<unknown, number>();
  const all = [
    ...(response.messages as Fields[]),
    ...eventsOf(client, "message_accepted"),
    ...eventsOf(client, "new_message"),
  ];
  for (const { messageId, offset } of all) known.set(messageId, Number(offset));
  return [...known.values()].toSorted((one, other) => one - other);
}
