import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Agent, AgentTurn } from "../../server/messaging/agent.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import type { Store } from "../../server/messaging/store.js";
import { findUser } from "../../server/messaging/users.js";
import { readSession } from "../support/desk-history.js";
import { FakeClock } from "../support/fake-clock.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

// The flow of the seed 002_4b2a0ff5e30a3cb5, told over the web: what is saved when, and once.

const businessId = "B1";
const toolCalls = [{ name: "book", arguments: { at: "10:00" }, result: { ok: true } }];
const dayMs = 24 * 3_600_000;

type Fields = Record<string, unknown>;

/** An agent that looks at what is stored while it is asked. */
class LookingAgent implements Agent {
  readonly turns: AgentTurn[] = [];
  /** By turn: what the session held when the agent was asked. */
  readonly found: (readonly ChatMessage[])[] = [];
  store!: Store;

  constructor(readonly node: Agent["node"]) {}

  async *answer(turn: AgentTurn) {
    this.turns.push(turn);
    this.found.push((await this.store.readMessages(turn.sessionId, { limit: 100 })).items);
    const message = `answer to ${turn.message}`;
    yield this.node === "agent"
      ? ({ type: "answer", message, toolCalls } as const)
      : ({ type: "answer", message } as const);
  }
}

let app: TestApp;
let agent: LookingAgent;
let clock: FakeClock;
let clients: WireClient[];

beforeEach(() => {
  clients = [];
  clock = new FakeClock();
});

afterEach(async () => {
  for (const client of clients) client.close();
  await app.dispose();
});

/** Which of the seed's nodes makes the answer, to what, and what of it is stored besides the text. */
const processors = [
  { node: "command", says: "/help", kept: {} },
  { node: "agent", says: "hello", kept: { toolCalls } },
  { node: "echo", says: "hello", kept: {} },
] as const;
const cases = processors.flatMap((processor) => [
  { ...processor, who: "a new user" },
  { ...processor, who: "a known user" },
]);

describe("[002_4b2a0ff5e30a3cb5] [M7] [M18] a message and its answer", () => {
  test.each(cases)(
    "$who, answered by $node: each is saved once, with what made it",
    async ({ node, says, kept, who }) => {
      await start(node === "agent" ? "agent" : "echo");
      const client = await joined("ana");
      if (who === "a known user") await exchange(client, "earlier");
      const before = await rowsOf(client);
      expect((await findUser(app.store, { businessId, userId: "ana" })) === null).toBe(who === "a new user");

      const accepted = await exchange(client, says);
      const rows = await rowsOf(client);
      expect(rows.slice(0, before.length)).toEqual(before);
      const [question, answer, ...others] = rows.slice(before.length);
      expect(others).toEqual([]);
      expect(question).toMatchObject({
        ...{ messageId: accepted.messageId, offset: before.length + 1, type: "user", userId: "ana", content: says },
        metadata: { source: "websocket" },
      });
      expect(answer).toMatchObject({
        ...{ offset: before.length + 2, type: "agent", userId: "agent" },
        metadata: { source: "websocket", node, inReplyTo: accepted.messageId, ...kept },
      });
      expect(Object.hasOwn(answer!.metadata, "toolCalls")).toBe(node === "agent");
      expect(await findUser(app.store, { businessId, userId: "ana" })).toMatchObject({ userId: "ana", blocked: false });
      const { session } = (await app.store.readHead(String(accepted.sessionId)))!;
      expect([session.lastMessageAt, session.offset]).toEqual([answer!.timestamp, answer!.offset]);
    },
  );

  test("the agent is asked once the message is saved, with all that was said before and without the message itself", async () => {
    await start("agent");
    const client = await joined("ana");
    for (const text of ["one", "/help", "one", "two"]) await exchange(client, text);
    const rows = await rowsOf(client);
    expect(agent.turns.map(({ message }) => message)).toEqual(["one", "one", "two"]);
    for (const [index, turn] of agent.turns.entries()) {
      const { offset } = rows.find(({ messageId }) => messageId === turn.messageId)!;
      // The same words may have been said before; this message was not.
      expect(turn.history).toEqual(rows.slice(0, offset - 1));
      expect(agent.found[index]).toEqual(rows.slice(0, offset));
    }
  });

  test("somebody else's words are in nobody's history", async () => {
    await start("agent");
    const [ana, bob] = [await joined("ana"), await joined("bob")];
    await exchange(ana, "my secret");
    await exchange(bob, "hello", "bob");
    expect(agent.turns.map(({ history }) => history)).toEqual([[], []]);
  });
});

test("[002_4b2a0ff5e30a3cb5] [M18] the thread is made once: messages, sessions, days and a restart do not change it", async () => {
  await start("agent");
  const threads = new Set<string>();
  const sessions = new Set<unknown>();
  const say = async (text: string, userId = "ana") => {
    const { sessionId } = await exchange(await joined(userId), text, userId);
    const { threadId } = (await app.store.readHead(String(sessionId)))!.session;
    if (userId === "ana") {
      sessions.add(sessionId);
      threads.add(threadId);
    }
    return threadId;
  };
  for (const text of ["hello", "again", "/new", "a new session"]) await say(text);
  for (const days of [1, 1, 30]) {
    clock.jumpTo(clock.now() + days * dayMs);
    await say(`after ${days}`);
  }
  for (const client of clients) client.close();
  await app.stop();
  await start("agent", app.dataDir);
  await say("after a restart");
  expect([threads.size, sessions.size]).toEqual([1, 5]);
  expect([...threads]).not.toContain(await say("hello", "bob"));
  const user = await findUser(app.store, { businessId, userId: "ana" });
  expect([...threads]).toEqual([user!.threadId]);
});

async function start(node: Agent["node"], dataDir?: string): Promise<void> {
  agent = new LookingAgent(node);
  const environment = { IDLE_TIMEOUT_MS: "0", ...(dataDir === undefined ? {} : { DATA_DIR: dataDir }) };
  app = await startTestApp(environment, { agents: { echo: agent }, clock });
  agent.store = app.store;
}

async function joined(userId: string): Promise<WireClient> {
  const client = await WireClient.connect(app.url);
  clients.push(client);
  const { status, response } = await client.call(`messages:${businessId}`, "phx_join", { userId });
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return client;
}

/** Says something, and waits for the answer. @returns the reply */
async function exchange(client: WireClient, message: string, userId = "ana"): Promise<Fields> {
  const payload = { businessId, userId, locationId: "default", message };
  const { status, response } = await client.call(`messages:${businessId}`, "new_message", payload);
  if (status !== "ok") throw new Error(JSON.stringify(response));
  await client.next(([, , , event, { inReplyTo }]) => event === "new_message" && inReplyTo === response.messageId);
  return response;
}

/** What is stored of the session that the client speaks in. */
async function rowsOf(client: WireClient): Promise<readonly ChatMessage[]> {
  const said = client.frames.findLast(([, , , event]) => event === "message_accepted");
  return said === undefined ? [] : readSession(app.url, String(said[4].sessionId));
}
