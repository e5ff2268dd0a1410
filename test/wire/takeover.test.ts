import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { hangingMax } from "../../server/messaging/asides.js";
import { holdingMs } from "../../server/messaging/holding.js";
import { blockedText, closingText } from "../../server/messaging/texts.js";
import { FakeClock } from "../support/fake-clock.js";
import { goodToken } from "../support/forged-tokens.js";
import { ana, carla, here } from "../support/principals.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const businessId = "B1";
const topic = `messages:${businessId}`;

let seats: Seat[] = [];

async function seat(app: TestApp, payload: Fields, { on = topic, query = "" } = {}): Promise<Seat> {
  const taken = await Seat.take(app, payload, { on, query });
  seats.push(taken);
  return taken;
}

async function everythingArrived(there = seats): Promise<void> {
  for (const { client } of there) await client.heartbeat();
}

function answersOf({ heard }: { readonly heard: Fields[] }): unknown[] {
  return heard.map(({ from, message }) => `${String(from)}: ${String(message)}`);
}

const said = (seated: Seat) => answersOf({ heard: seated.heard("new_message") });

describe("on an open server", () => {
  let app: TestApp;
  let agent: ScriptedAgent;
  let clock: FakeClock;
  let tabs: Seat[];
  let consoles: Seat[];
  let strangers: Seat[];

  beforeEach(async () => {
    agent = new ScriptedAgent();
    clock = new FakeClock();
    app = await startTestApp({ MAX_MESSAGE_BYTES: "100", IDLE_TIMEOUT_MS: "0" }, { clock, agents: { echo: agent } });
    tabs = [await seat(app, { userId: "ana" }), await seat(app, { userId: "ana" })];
    consoles = [await seat(app, {}), await seat(app, {})];
    strangers = [
      await seat(app, { userId: "bob" }),
      await seat(app, { userId: "ana" }, { on: "messages:B2" }),
      await seat(app, {}, { on: "messages:B2" }),
    ];
  });

  // Whatever happens to ana, nobody else hears of it.
  afterEach(async () => {
    const there = seats;
    seats = [];
    try {
      await everythingArrived(there);
      for (const stranger of strangers) expect(stranger.frames.filter(([event]) => event !== "error")).toEqual([]);
    } finally {
      for (const { client } of there) client.close();
      // An agent that was never answered for is not waited for long.
      const passing = setInterval(() => clock.advance(1000), 5);
      await app.dispose();
      clearInterval(passing);
    }
  });

  /** Message by message, the outcomes that the consoles heard of: each heard the same, and of each message once. */
  async function outcomes(): Promise<Record<string, string>> {
    await everythingArrived();
    const [one, other] = consoles.map((console) => console.heard("message_processed"));
    expect(one).toEqual(other);
    const ids = one!.map(({ messageId }) => messageId);
    expect(new Set(ids).size).toBe(ids.length);
    return Object.fromEntries(
      one!.map(({ message, answer, status }) => [String(message), `${String(status)}: ${String(answer)}`]),
    );
  }

  /** Passes time in small steps, and lets what falls due come to its end. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1000) {
      clock.advance(Math.min(1000, left));
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  test("[M30] [M31] [M36] [A-14] in the middle of the agent's answer: the human's is the only one, and the agent's a draft", async () => {
    const [tab] = tabs as [Seat];
    const [console, other] = consoles as [Seat, Seat];
    const { messageId, sessionId } = await tab.says("hello");
    const call = await agent.call("hello");
    call.say({ type: "delta", text: "the ag" });
    for (const each of tabs) await each.hears("message_delta");
    const held = await console.ask("take_over", { sessionId });
    const expiresAt = new Date(clock.now() + holdingMs).toISOString();
    const coordinatorId = (held.response.session as { holder: { coordinatorId: string } }).holder.coordinatorId;
    expect([held.status, held.response.session]).toMatchObject([
      "ok",
      { sessionId, status: "active", holder: { expiresAt } },
    ]);
    const shown = { sessionId, status: "active", updatedAt: expect.any(String) };
    for (const each of consoles)
      expect(await each.hears("session_updated")).toEqual({
        ...shown,
        userId: "ana",
        holder: { coordinatorId, expiresAt },
      });
    for (const each of tabs) expect(await each.hears("session_updated")).toEqual({ ...shown, holder: { expiresAt } });
    call.say({ type: "delta", text: "not for the user any more" });
    // More than two deltas are apart.
    await pass(200);
    const later = await tab.says("are you there?");
    call.answer("the agent's");
    const draft = {
      ...{ businessId, sessionId, userId: "ana", messageId, message: "the agent's", actions: [] },
      ...{ responseId: expect.any(String), timestamp: expect.any(String) },
    };
    for (const each of consoles) expect(await each.hears("draft")).toEqual(draft);
    const { items } = await app.store.readAsides(sessionId, { from: 0, to: 9, limit: 9 });
    expect(items.filter(({ type }) => type !== "thinking")).toMatchObject([
      { type: "draft", content: "the agent's", afterOffset: 2, userId: "agent", metadata: { inReplyTo: messageId } },
    ]);
    const refused = await other.ask("reply", { sessionId, message: "so am I" });
    expect([refused.status, refused.response]).toMatchObject([
      "error",
      { code: "held_by_other", holder: { coordinatorId, expiresAt } },
    ]);
    expect((await console.ask("reply", { sessionId, message: "a human is" })).status).toBe("ok");
    for (const each of tabs) {
      expect(await each.hears("new_message")).toMatchObject({
        ...{
          from: "coordinator",
          message: "a human is",
          inReplyTo: later.messageId,
          sessionId,
          offset: 3,
          isComplete: true,
        },
      });
    }
    expect(await outcomes()).toEqual({ hello: "human: a human is", "are you there?": "human: a human is" });
    const ids = new Set(console.heard("message_processed").map(({ responseId }) => responseId));
    expect([...ids]).toEqual([tab.heard("new_message")[0]!.responseId]);
    for (const each of tabs) expect([said(each), each.heard("draft")]).toEqual([["coordinator: a human is"], []]);
    expect(JSON.stringify(tabs.map(({ frames }) => frames))).not.toContain(coordinatorId);
    for (const each of tabs) expect(each.heard("message_delta").map(({ text }) => text)).toEqual(["the ag"]);
    expect(agent.asked).toEqual(["hello"]);
  });

  test("[M51] a note is for the coordinators, whoever holds the session, and no user ever hears of it", async () => {
    const [tab] = tabs as [Seat];
    const [console, other] = consoles as [Seat, Seat];
    const { sessionId } = await tab.says("hello");
    const held = await console.ask("take_over", { sessionId });
    const { session } = held.response as { readonly session: Fields };
    const text = "she has called before";
    const noted = await other.ask("note", { sessionId, message: text });
    expect(noted).toEqual({ status: "ok", response: { session } });
    const note = {
      ...{ businessId, sessionId, userId: "ana", messageId: expect.any(String), afterOffset: 1, message: text },
      ...{ coordinatorId: expect.any(String), timestamp: expect.any(String) },
    };
    const [heard, same] = [await console.hears("note"), await other.hears("note")];
    expect([heard, same]).toEqual([note, heard]);
    const { coordinatorId } = session.holder as { readonly coordinatorId: string };
    expect(heard.coordinatorId).not.toBe(coordinatorId);
    await console.ask("resolve", { sessionId });
    expect((await console.ask("note", { sessionId, message: "é".repeat(50) })).status).toBe("ok");
    const { items } = await app.store.readAsides(sessionId, { from: 0, to: 9, limit: 9 });
    expect(items).toMatchObject([
      { type: "note", userId: "coordinator", content: text, afterOffset: 1, messageId: heard.messageId },
      { type: "note", content: "é".repeat(50), afterOffset: 2, metadata: { coordinatorId } },
    ]);
    const refusals: [Seat, Fields, string][] = [
      [tab, { sessionId, message: text }, "forbidden"],
      [console, { message: text }, "missing_parameters"],
      [console, { sessionId, message: " " }, "missing_parameters"],
      [console, { sessionId, message: 5 }, "invalid_payload"],
      [console, { sessionId: 5, message: text }, "invalid_payload"],
      [console, { sessionId, message: `${"é".repeat(50)}!` }, "message_too_long"],
      [console, { sessionId: "unknown", message: text }, "session_not_found"],
    ];
    for (const [by, payload, code] of refusals)
      expect((await by.ask("note", payload)).response).toMatchObject({ code });
    for (let count = 1; count < hangingMax; count += 1) await console.ask("note", { sessionId, message: text });
    expect((await console.ask("note", { sessionId, message: text })).response).toMatchObject({ code: "busy" });
    await everythingArrived();
    expect(other.heard("note")).toHaveLength(hangingMax + 1);
    for (const each of tabs) {
      expect(JSON.stringify(each.frames)).not.toContain(text);
      expect(each.heard("note")).toEqual([]);
    }
    const again = await seat(app, { userId: "ana", resume: { sessionId, offset: 0 } });
    expect(JSON.stringify(again.joined)).not.toContain(text);
    expect(await app.store.readAsides(sessionId, { from: 2, to: 2, limit: 99 })).toMatchObject({ hasMore: false });
  });

  test("[M33] handed back: the agent answers the newest, and the earlier end with it", async () => {
    const [tab] = tabs as [Seat];
    const [console, other] = consoles as [Seat, Seat];
    const { sessionId } = await tab.says("one");
    (await agent.call("one")).answer();
    await tab.hears("new_message");
    await console.ask("take_over", { sessionId });
    for (const text of ["two", "three", "four"]) await tab.says(text);
    await pass(60_000);
    expect(agent.asked).toEqual(["one"]);
    expect((await other.ask("hand_back", { sessionId })).response.code).toBe("held_by_other");
    const { response } = await console.ask("hand_back", { sessionId });
    expect(response.session).not.toHaveProperty("holder");
    (await agent.call("four")).answer("to all");
    for (const each of tabs) await each.hears("new_message", ({ message }) => message === "to all");
    expect(await outcomes()).toEqual({
      ...{
        one: "answered: answer to one",
        two: "answered: to all",
        three: "answered: to all",
        four: "answered: to all",
      },
    });
    expect(agent.asked).toEqual(["one", "four"]);
    expect(tab.heard("session_updated").map(({ holder }) => holder === null)).toEqual([false, true]);
  });

  test("[M32] who falls silent loses it: within 5 s of the end the newest is the agent's; whoever does something keeps it", async () => {
    const [tab] = tabs as [Seat];
    const [console, other] = consoles as [Seat, Seat];
    const { sessionId } = await tab.says("one");
    await agent.call("one");
    await console.ask("take_over", { sessionId });
    await pass(holdingMs - 10_000);
    expect((await console.ask("reply", { sessionId, message: "wait" })).status).toBe("ok");
    await tab.says("two");
    await tab.says("three");
    await pass(holdingMs - 1000);
    expect((await other.ask("take_over", { sessionId })).response.code).toBe("held_by_other");
    expect(agent.asked).toEqual(["one"]);
    await pass(6000);
    (await agent.call("three")).answer("from the agent");
    for (const each of tabs) await each.hears("new_message", ({ from }) => from === "agent");
    expect(await outcomes()).toEqual({
      one: "human: wait",
      two: "answered: from the agent",
      three: "answered: from the agent",
    });
    for (const each of [...tabs, ...consoles])
      expect(each.heard("session_updated").at(-1)).toMatchObject({ holder: null });
    expect((await other.ask("take_over", { sessionId })).status).toBe("ok");
  });

  test("[M31] what a human says unasked reaches the user and every console, and what is no text reaches nobody", async () => {
    const [tab] = tabs as [Seat];
    const [console] = consoles as [Seat];
    const { sessionId } = await tab.says("one");
    (await agent.call("one")).answer();
    await tab.hears("new_message");
    const refusals: [Fields, string, string][] = [
      [{ sessionId, message: " \n" }, "missing_parameters", "Missing required parameters: message"],
      [{}, "missing_parameters", "Missing required parameters: sessionId, message"],
      [{ sessionId, message: 5 }, "invalid_payload", "message is not a string"],
      [
        { sessionId, message: "é".repeat(51) },
        "message_too_long",
        "The message is longer than this server takes: 100 bytes",
      ],
      [{ sessionId, message: "x", inReplyTo: "nothing" }, "not_found", "There is no such thing here"],
    ];
    for (const [payload, code, error] of refusals)
      expect((await console.ask("reply", payload)).response).toMatchObject({ code, error });
    expect((await console.ask("reply", { sessionId, message: "é".repeat(50) })).status).toBe("ok");
    for (const each of tabs) await each.hears("new_message", ({ from }) => from === "coordinator");
    expect(await outcomes()).toEqual({ one: "answered: answer to one", "": `human: ${"é".repeat(50)}` });
    expect(
      (await app.store.readMessages(sessionId, { limit: 9 })).items.map(({ offset, type }) => [offset, type]),
    ).toEqual([
      ...[
        [1, "user"],
        [2, "agent"],
        [3, "coordinator"],
      ],
    ]);
  });

  test.each(["resolve", "close"])(
    "[M34] [M35] %s: what is open ends as one system message; reopened it goes on",
    async (event) => {
      const [tab] = tabs as [Seat];
      const [console] = consoles as [Seat];
      const { sessionId } = await tab.says("one");
      const call = await agent.call("one");
      await tab.says("two");
      const { response } = await console.ask(event, { sessionId });
      const status = `${event}d`;
      expect(response.session).toMatchObject({ sessionId, status });
      call.answer("too late");
      for (const each of tabs) {
        expect(await each.hears("new_message")).toMatchObject({ from: "system", message: closingText("en") });
        expect(await each.hears("session_updated")).toMatchObject({ sessionId, status, holder: null });
      }
      expect((await console.ask("take_over", { sessionId })).response.code).toBe("session_not_found");
      expect((await console.ask("reopen", { sessionId })).response.session).toMatchObject({
        sessionId,
        status: "active",
      });
      const again = await tab.says("three");
      expect(again.sessionId).toBe(sessionId);
      (await agent.call("three")).answer();
      for (const each of tabs) await each.hears("new_message", ({ from }) => from === "agent");
      const failed = `failed: ${closingText("en")}`;
      expect(await outcomes()).toEqual({ one: failed, two: failed, three: "answered: answer to three" });
      expect(tab.heard("error")).toEqual([]);
    },
  );

  test.each([
    ["resolve", "coordinator"],
    ["close", "coordinator"],
    ["close", "user"],
    ["block", "coordinator"],
  ])("[M41] %s by a %s: what was shown as begun ends before the outcome, and nothing follows it", async (event, by) => {
    const { sessionId } = await tabs[0]!.says("one");
    const call = await agent.call("one");
    for (const console of consoles) await console.ask("watch", { sessionId });
    await pass(1000);
    for (const each of [...tabs, ...consoles]) await each.hears("thinking", ({ status }) => status === "started");
    const asker = by === "user" ? tabs[0]! : consoles[0]!;
    expect((await asker.ask(event, { sessionId })).status).toBe("ok");
    await until("its agent is stopped", () => call.signal.aborted);
    call.say({ type: "delta", text: "too late" }, { type: "answer", message: "too late" });
    await pass(1000);
    await everythingArrived();
    const told = (outcome: string) => [
      ...["typing: true", "thinking: started", "thinking: done", "typing: false", outcome, "session_updated: "],
    ];
    const toldTo = ({ frames }: Seat) =>
      frames
        .filter(([name]) => !["message_accepted", "receipt"].includes(name))
        .map(
          ([name, { typing, status }]) =>
            `${name}: ${String(name === "typing" ? typing : name === "thinking" ? status : "")}`,
        );
    for (const each of tabs) expect(toldTo(each)).toEqual(told("new_message: "));
    for (const each of consoles) expect(toldTo(each)).toEqual(told("message_processed: "));
  });

  test("[M34] a user closes the own session, whoever holds it; the next message begins another; nobody closes another's", async () => {
    const [tab] = tabs as [Seat];
    const [console] = consoles as [Seat];
    const { sessionId } = await tab.says("one");
    await agent.call("one");
    await console.ask("take_over", { sessionId });
    const [bob, elsewhere] = strangers as [Seat, Seat];
    const unknown = await bob.ask("close", { sessionId: "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11" });
    for (const each of [bob, elsewhere])
      expect((await each.ask("close", { sessionId })).response).toEqual(unknown.response);
    expect(unknown.response.code).toBe("session_not_found");
    expect((await tab.ask("close", { sessionId })).response.session).toMatchObject({ status: "closed" });
    const next = await tab.says("two", "ana");
    expect(next.sessionId).not.toBe(sessionId);
    expect((await app.store.readHead(next.sessionId))?.session.previousSessionId).toBe(sessionId);
    expect(await outcomes()).toEqual({ one: `failed: ${closingText("en")}` });
  });

  test("[M35] what is of yesterday is not reopened", async () => {
    const [tab] = tabs as [Seat];
    const { sessionId } = await tab.says("one");
    const [console] = consoles as [Seat];
    await console.ask("resolve", { sessionId });
    clock.jumpTo(clock.now() + 24 * 60 * 60 * 1000);
    const { response } = await console.ask("reopen", { sessionId });
    expect([response.code, (await app.store.readHead(sessionId))?.session.status]).toEqual([
      "session_not_found",
      "resolved",
    ]);
  });

  test("[M38] a user who is blocked: what is open ends, what is said is refused and not stored", async () => {
    const [tab, second] = tabs as [Seat, Seat];
    const [console] = consoles as [Seat];
    const { sessionId } = await tab.says("one");
    await agent.call("one");
    expect((await console.ask("block", { sessionId })).status).toBe("ok");
    await tab.hears("new_message", ({ from }) => from === "system");
    for (const each of [tab, second]) {
      const payload = { businessId, userId: "ana", locationId: "default", message: "two" };
      expect((await each.ask("new_message", payload)).response).toMatchObject({ code: "blocked" });
    }
    await strangers[1]!.says("the same name elsewhere");
    await everythingArrived();
    for (const { client } of strangers) client.frames.length = 0;
    expect((await app.store.readHead(sessionId))?.session.offset).toBe(2);
    expect(await outcomes()).toEqual({ one: `failed: ${blockedText("en")}` });
  });

  test("[M37] who watches a session hears of it until it does not; nobody else does", async () => {
    const [console, other] = consoles as [Seat, Seat];
    const { sessionId } = await tabs[0]!.says("one");
    const tell = async (text: string) => {
      app.endpoint.broadcast(`session:${sessionId}`, "typing", { text });
      await everythingArrived();
      return [console, other].map((each) => each.heard("typing").filter((payload) => payload.text === text).length);
    };
    expect(await tell("before")).toEqual([0, 0]);
    for (let times = 0; times < 2; times += 1) expect((await console.ask("watch", { sessionId })).status).toBe("ok");
    expect(await tell("watched")).toEqual([1, 0]);
    expect((await strangers[2]!.ask("watch", { sessionId })).response.code).toBe("session_not_found");
    expect((await strangers[0]!.ask("watch", { sessionId })).response.code).toBe("forbidden");
    expect((await console.ask("unwatch", { sessionId })).status).toBe("ok");
    expect(await tell("not watched any more")).toEqual([0, 0]);
  });

  test("[X7] from another business, and without an id, nothing is done", async () => {
    const { sessionId } = await tabs[0]!.says("one");
    const [console] = consoles as [Seat];
    const before = await app.store.readHead(sessionId);
    const unknown = "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11";
    for (const event of [
      "take_over",
      "hand_back",
      "reply",
      "resolve",
      "reopen",
      "close",
      "block",
      "watch",
      "unwatch",
    ]) {
      const [theirs, none] = await Promise.all(
        [sessionId, unknown].map((id) => strangers[2]!.ask(event, { sessionId: id, message: "hi" })),
      );
      expect([theirs!.response.code, theirs!.response]).toEqual(["session_not_found", none!.response]);
      expect((await console.ask(event, { message: "hi" })).response).toMatchObject({
        ...{ code: "missing_parameters", error: "Missing required parameters: sessionId" },
      });
    }
    expect(await app.store.readHead(sessionId)).toEqual(before);
  });
});

describe("[X8] with tokens", () => {
  const secret = "a secret of more than thirty-two bytes";
  let app: TestApp;
  let agent: ScriptedAgent;

  beforeAll(async () => {
    agent = new ScriptedAgent();
    app = await startTestApp({ AUTH_SECRET: secret }, { agents: { echo: agent } });
  });

  afterAll(async () => {
    for (const { client } of seats) client.close();
    seats = [];
    await app.dispose();
  });

  test("[M30] a coordinator is who the token says, on every socket; two of them at once are one who has it and one who has not", async () => {
    const on = `messages:${here}`;
    const query = (who: typeof ana) => `&token=${encodeURIComponent(goodToken(who, secret))}`;
    const tab = await seat(app, {}, { on, query: query(ana) });
    const cora = { ...carla, userId: "cora" };
    const [one, again, other] = await Promise.all(
      [carla, carla, cora].map((who) => seat(app, {}, { on, query: query(who) })),
    );
    const { sessionId } = await tab.says("hello");
    await agent.call("hello");
    const asked = await Promise.all([one!, other!].map((each) => each.ask("take_over", { sessionId })));
    expect(asked.map(({ status }) => status).toSorted()).toEqual(["error", "ok"]);
    const won = asked[0]!.status === "ok" ? "carla" : "cora";
    const lost = asked.find(({ status }) => status === "error")!;
    expect(lost.response).toMatchObject({ code: "held_by_other", holder: { coordinatorId: won } });
    expect((await again!.ask("take_over", { sessionId })).status).toBe(won === "carla" ? "ok" : "error");
    expect((await tab.ask("take_over", { sessionId })).response.code).toBe("forbidden");
    const replied = await (won === "carla" ? again! : other!).ask("reply", { sessionId, message: "from a human" });
    expect(replied.status).toBe("ok");
    await tab.hears("new_message");
    expect(said(tab)).toEqual(["coordinator: from a human"]);
    await until("all heard", () =>
      [one!, again!, other!].every((each) => each.heard("message_processed").length === 1),
    );
  });
});
