import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Principal, PrivacyChecker } from "../support/privacy-checker.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { type Frame, WireClient } from "../support/wire.js";

const businesses = ["B0100001", "B0200002"];
const userIds = ["u", "u:1", "u1", "u:1:B0200002", "U"];
const roundCount = 8;

/** One place where frames arrive: a topic of a socket, and who joined it. */
interface Listener {
  readonly client: WireClient;
  readonly topic: string;
  readonly principal: Principal;
  readonly joinRef: string;
}

describe("[X3] [I-5] [C-15] two businesses whose users talk all at once", () => {
  const checker = new PrivacyChecker();
  const tabs: Listener[] = [];
  const consoles: Listener[] = [];
  /** The words that each user said, by the id of the message. */
  const said = new Map<string, { readonly owner: Principal; readonly text: string; readonly sessionId: string }>();
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ AGENT: "echo", MAX_BACKLOG_PER_BUSINESS: "1000" });
    await openEverything();
    await talk();
    await everythingArrived();
  });

  afterAll(async () => {
    for (const { client } of [...tabs, ...consoles]) client.close();
    await app.dispose();
  });

  test("nobody received a frame that belongs to another user or business", () => {
    const leaks = [...tabs, ...consoles].flatMap(({ client, topic, principal }) =>
      framesOn(client, topic).flatMap((frame) => checker.leaks(principal, frame)),
    );
    expect(leaks).toEqual([]);
  });

  test("every frame came on a topic that its socket had joined", () => {
    const clients = new Set([...tabs, ...consoles].map(({ client }) => client));
    for (const client of clients) {
      const joined = [...tabs, ...consoles].filter((listener) => listener.client === client).map(({ topic }) => topic);
      expect([...new Set(client.frames.map(([, , topic]) => topic))].toSorted()).toEqual(
        ["phoenix", ...joined].toSorted(),
      );
    }
  });

  test("every tab of a user received each answer once, in the order of the offsets", () => {
    for (const tab of tabs) {
      const answers = payloadsOf(tab, "new_message");
      const expected = [...said]
        .filter(([, { owner }]) => isSame(owner, tab.principal))
        .map(([messageId]) => messageId);
      expect(answers.map(({ inReplyTo }) => inReplyTo).toSorted()).toEqual(expected.toSorted());
      const offsets = answers.map(({ offset }) => Number(offset));
      expect(offsets).toEqual(offsets.toSorted((one, other) => one - other));
      for (const { inReplyTo, message } of answers) expect(message).toBe(said.get(String(inReplyTo))!.text);
    }
  });

  test("every tab of a user received each message_accepted once, and nothing else", () => {
    for (const tab of tabs) {
      const accepted = payloadsOf(tab, "message_accepted").map(({ messageId }) => String(messageId));
      const expected = [...said]
        .filter(([, { owner }]) => isSame(owner, tab.principal))
        .map(([messageId]) => messageId);
      expect(accepted.toSorted()).toEqual(expected.toSorted());
      const events = new Set(framesOn(tab.client, tab.topic).map(([, , , event]) => event));
      expect([...events].toSorted()).toEqual(["message_accepted", "new_message", "phx_reply"]);
    }
  });

  test("every console received each message_processed of its own business once, and no answer", () => {
    for (const console of consoles) {
      const processed = payloadsOf(console, "message_processed").map(({ messageId }) => String(messageId));
      const expected = [...said].filter(([, { owner }]) => owner.businessId === console.principal.businessId);
      expect(processed.toSorted()).toEqual(expected.map(([messageId]) => messageId).toSorted());
      expect(payloadsOf(console, "new_message")).toEqual([]);
      expect(payloadsOf(console, "error")).toEqual([]);
    }
  });

  test("[X7] another user's history over HTTP is answered exactly as one that does not exist", async () => {
    const unknown = await history("8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11", { "x-user-id": "u" });
    expect(unknown.status).toBe(404);
    const sessions = new Map([...said.values()].map(({ owner, sessionId }) => [sessionId, owner]));
    expect(sessions.size).toBe(businesses.length * userIds.length);
    for (const [sessionId, owner] of sessions) {
      for (const reader of everybody()) {
        const headers = { "x-user-id": String(reader.userId), "x-business-id": reader.businessId };
        const answer = await history(sessionId, headers);
        const madeUp = await history(`${owner.businessId}:${owner.userId}:${Date.now() - 43_200_000}`, headers);
        if (isSame(reader, owner)) {
          expect([answer.status, madeUp.status]).toEqual([200, 200]);
          expect(checker.leaks(owner, JSON.parse(answer.body))).toEqual([]);
          expect(JSON.parse(answer.body)).toMatchObject({ messages: expect.arrayContaining([]) as unknown, sessionId });
        } else {
          expect([answer, madeUp]).toEqual([unknown, unknown]);
        }
      }
    }
  });

  test("[X7] a coordinator of one business finds neither sessions nor histories of another", async () => {
    for (const { owner, sessionId } of said.values()) {
      const elsewhere = businesses.find((businessId) => businessId !== owner.businessId)!;
      const answer = await history(sessionId, { "x-role": "coordinator", "x-business-id": elsewhere });
      expect(answer.status).toBe(404);
    }
    for (const businessId of businesses) {
      const response = await fetch(`${app.url}/api/sessions/business/${businessId}/active`);
      expect(checker.leaks({ businessId, userId: null }, await response.json())).toEqual([]);
    }
  });

  test("a message in another's name is forbidden, told to nobody else, and not stored", async () => {
    const tab = tabs.find(({ principal }) => isSame(principal, { businessId: "B0100001", userId: "u" }))!;
    const before = tabs.map(({ client }) => client.frames.length);
    const heardBefore = consoles.map(({ client }) => client.frames.length);
    for (const [businessId, userId] of [
      ["B0100001", "u1"],
      ["B0100001", "u:1"],
      ["B0200002", "u"],
    ] as const) {
      const payload = { businessId, userId, locationId: "default", message: "in another's name" };
      const reply = await tab.client.call(tab.topic, "new_message", payload, tab.joinRef);
      expect([reply.status, reply.response.code]).toEqual(["error", "forbidden"]);
    }
    for (const { client } of [...tabs, ...consoles]) await client.heartbeat();
    for (const sessionId of new Set([...said.values()].map((each) => each.sessionId))) {
      expect((await history(sessionId, {})).body).not.toContain("in another's name");
    }
    tabs.forEach(({ client, principal, topic }, index) => {
      const later = client.frames
        .slice(before[index])
        .filter((frame) => frame[2] === topic && frame[3] !== "phx_reply");
      const expected = isSame(principal, tab.principal) ? ["error", "error", "error"] : [];
      expect(later.map(([, , , event]) => event)).toEqual(expected);
    });
    // A receipt gathers what was delivered before, and comes when its time has come.
    const isTold = (frame: Frame, topic: string) => frame[2] === topic && frame[3] !== "receipt";
    consoles.forEach(({ client, topic }, index) => {
      expect(client.frames.slice(heardBefore[index]).filter((frame) => isTold(frame, topic))).toEqual([]);
    });
  });

  function everybody(): Principal[] {
    return businesses.flatMap((businessId) => userIds.map((userId) => ({ businessId, userId })));
  }

  async function openEverything(): Promise<void> {
    for (const principal of everybody()) {
      tabs.push(await open(await WireClient.connect(app.url), principal));
      tabs.push(
        await open(await WireClient.connect(app.url, `&userId=${encodeURIComponent(principal.userId!)}`), principal),
      );
    }
    for (const businessId of [...businesses, ...businesses]) {
      consoles.push(await open(await WireClient.connect(app.url), { businessId, userId: null }));
    }
    // One connection in both businesses, as another user in each; and one that watches the first and talks in the second.
    const both = await WireClient.connect(app.url);
    tabs.push(await open(both, { businessId: "B0100001", userId: "u" }));
    tabs.push(await open(both, { businessId: "B0200002", userId: "u1" }));
    const split = await WireClient.connect(app.url);
    consoles.push(await open(split, { businessId: "B0100001", userId: null }));
    tabs.push(await open(split, { businessId: "B0200002", userId: "u" }));
  }

  async function open(client: WireClient, principal: Principal): Promise<Listener> {
    const topic = `messages:${principal.businessId}`;
    const { status, response } = await client.call(topic, "phx_join", { userId: principal.userId });
    if (status !== "ok") throw new Error(JSON.stringify(response));
    // The socket's, so of everybody whom it joined as: consoles see it of themselves among those who are online.
    const others = [...tabs, ...consoles].filter((listener) => listener.client === client);
    for (const each of [principal, ...others.map((other) => other.principal)]) checker.own(each, response.connectionId);
    return { client, topic, principal, joinRef: String(client.frames.at(-1)![0]) };
  }

  async function talk(): Promise<void> {
    const rounds = Array.from({ length: roundCount }, (_, round) => round);
    await Promise.all(tabs.flatMap((tab, index) => rounds.map((round) => say(tab, `word ${index}.${round}`))));
  }

  async function say({ client, topic, principal, joinRef }: Listener, words: string): Promise<void> {
    const text = checker.text(principal, words);
    const payload = { ...principal, locationId: "default", message: text, clientMessageId: words };
    const { status, response } = await client.call(topic, "new_message", payload, joinRef);
    if (status !== "ok") throw new Error(JSON.stringify(response));
    const { messageId, sessionId } = response as { messageId: string; sessionId: string };
    checker.own(principal, messageId, sessionId);
    said.set(messageId, { owner: principal, text, sessionId });
  }

  // Whatever the server sent before it answered the heartbeat is there.
  async function everythingArrived(): Promise<void> {
    await until("every turn has its outcome", () =>
      consoles.slice(0, 2).every((console) => payloadsOf(console, "message_processed").length >= countOf(console)),
    );
    for (const { client } of [...tabs, ...consoles]) await client.heartbeat();
    for (const { messageId, responseId, inReplyTo } of tabs.flatMap((tab) => payloadsOf(tab, "new_message"))) {
      checker.own(said.get(String(inReplyTo))!.owner, messageId, responseId);
    }
  }

  function countOf({ principal }: Listener): number {
    return [...said.values()].filter(({ owner }) => owner.businessId === principal.businessId).length;
  }

  async function history(
    sessionId: string,
    headers: Record<string, string>,
  ): Promise<{ status: number; body: string }> {
    const response = await fetch(`${app.url}/api/sessions/${encodeURIComponent(sessionId)}/messages?limit=200`, {
      headers,
    });
    return { status: response.status, body: await response.text() };
  }
});

function framesOn(client: WireClient, topic: string): Frame[] {
  return client.frames.filter((frame) => frame[2] === topic);
}

function payloadsOf({ client, topic }: Listener, event: string): Record<string, unknown>[] {
  return framesOn(client, topic)
    .filter((frame) => frame[3] === event)
    .map(([, , , , payload]) => payload);
}

function isSame(one: Principal, other: Principal): boolean {
  return one.businessId === other.businessId && one.userId === other.userId;
}
