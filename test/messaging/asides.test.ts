import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { hangingMax, stepsMax, storeAside } from "../../server/messaging/asides.js";
import { beginDeletion, close, type Head, takeOver } from "../../server/messaging/head.js";
import { type SessionChange, type Store, StoreError } from "../../server/messaging/store.js";
import { annotate, asideOf, asidesOf, newHead, say } from "../contract/store-acts.js";
import { AnsweringDesk, turnLimits } from "../support/answering-desk.js";
import { FakeClock } from "../support/fake-clock.js";
import { interceptedStore, soon } from "../support/intercepted-store.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const far = "9999-01-01T00:00:00.000Z";
const shownAfterMs = 150;

let under: TemporaryStore;
let clock: FakeClock;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
});

afterEach(() => under.dispose());

describe("[M50] an aside that the store asks for again", () => {
  const places = async () =>
    (await asidesOf(under.store, "s1")).map(({ messageId, afterOffset }) => [messageId, afterOffset]);

  /** Asks twice, with something said in between; the first time, what was decided is written or not. */
  const askingTwice = (isWritten: boolean, times = 1): Store => {
    let left = times;
    return interceptedStore(under.store, async (name, given, call) => {
      if (name !== "changeSession" || left === 0) return call();
      left -= 1;
      const [sessionId, change] = given as Parameters<Store["changeSession"]>;
      const withoutWriting = (head: Head) => ({ result: change(head, null).result });
      await under.store.changeSession(sessionId, isWritten ? change : withoutWriting);
      await say(under.store, sessionId, `between ${left}`);
      return call();
    });
  };

  beforeEach(async () => {
    await under.store.createHead(newHead("s1"));
  });

  test("and was written: it is there once, and told as it was", async () => {
    const hung = await storeAside(askingTwice(true), "s1", asideOf("n1"));
    expect(hung).toMatchObject({ kind: "hung", aside: { messageId: "n1", afterOffset: 0 } });
    expect(await places()).toEqual([["n1", 0]]);
  });

  test("and was not written: it is hung anew, on what is the last by then", async () => {
    const hung = await storeAside(askingTwice(false), "s1", asideOf("n1"));
    expect(hung).toMatchObject({ kind: "hung", aside: { messageId: "n1", afterOffset: 1 } });
    expect(await places()).toEqual([["n1", 1]]);
  });

  test("and never gets through is refused, and may be tried again", async () => {
    const storing = storeAside(askingTwice(false, Infinity), "s1", asideOf("n1"));
    await expect(storing).rejects.toThrow(StoreError);
    await expect(storing).rejects.toMatchObject({ retryable: true });
    expect(await places()).toEqual([]);
  });
});

describe("[M52] the steps of an answer", () => {
  test("are stored with it, as they were shown last, before it and in their order", async () => {
    const desk = new AnsweringDesk({ under, clock });
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    clock.advance(shownAfterMs);
    await showing(desk, call, "retrieval", "done");
    call.say({ type: "thinking", step: "tool", label: "too short to be seen", status: "started" });
    call.answer();
    const [question, answer] = await desk.untilAnswered("ana", 1);
    const { sessionId, messageId } = question!;
    const shown = desk.shown.filter(({ event }) => event === "thinking").map(({ payload }) => payload);
    expect(shown.map(({ step, status }) => [step, status])).toEqual([
      ["processing", "started"],
      ["retrieval", "started"],
      ["retrieval", "done"],
      ["processing", "done"],
    ]);
    const { responseId } = answer!.metadata;
    const asides = await asidesOf(under.store, sessionId);
    expect(asides).toEqual(
      [shown[3]!, shown[2]!].map(({ step, label, status, timestamp }): unknown => ({
        messageId: expect.any(String),
        ...{ sessionId, businessId: "B1", userId: "agent", type: "thinking", afterOffset: answer!.offset - 1 },
        ...{ content: label, data: { step, status }, timestamp },
        metadata: { source: "websocket", responseId, inReplyTo: messageId },
      })),
    );
    expect(new Set(asides.map((aside) => aside.messageId)).size).toBe(2);
  });

  test("that failed are stored with the outcome that says so", async () => {
    const desk = new AnsweringDesk({ under, clock });
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    await showing(desk, call, "tool", "failed");
    clock.advance(turnLimits.agentTimeoutMs);
    const [question, outcome] = await desk.untilAnswered("ana", 1);
    expect(outcome).toMatchObject({ type: "system", metadata: { code: "agent_timeout" } });
    const asides = await asidesOf(under.store, question!.sessionId);
    expect(asides.map(({ data }) => data)).toContainEqual({ step: "tool", status: "failed" });
    const responses = new Set(asides.map(({ metadata }) => metadata.responseId));
    expect([...responses]).toEqual([outcome!.metadata.responseId]);
  });

  test("are the newest so many", async () => {
    const desk = new AnsweringDesk({ under, clock });
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    const steps = Array.from({ length: stepsMax + 5 }, (_, index) => `step ${index}`);
    for (const step of steps) await showing(desk, call, step, "done");
    call.answer();
    const [question] = await desk.untilAnswered("ana", 1);
    const asides = await asidesOf(under.store, question!.sessionId);
    expect(asides.map(({ data }) => (data as { readonly step: string }).step)).toEqual(steps.slice(-stepsMax));
  });

  test("are none of an answer that comes at once, and nothing is written for them", async () => {
    const decided: SessionChange<unknown>[] = [];
    const store = interceptedStore(under.store, (name, given, call) => {
      if (name !== "changeSession") return call();
      const [sessionId, change, lookUp] = given as Parameters<Store["changeSession"]>;
      const noting = (...asked: Parameters<typeof change>) => {
        const change_ = change(...asked);
        decided.push(change_);
        return change_;
      };
      return under.store.changeSession(sessionId, noting, lookUp);
    });
    const desk = new AnsweringDesk({ under, clock }, { store });
    desk.agentAnswersAtOnce();
    const { message } = await desk.say("ana", "hello");
    await desk.untilAnswered("ana", 1);
    expect(await asidesOf(under.store, message.sessionId)).toEqual([]);
    expect(decided.length).toBeGreaterThan(0);
    expect(decided.filter((change) => "asides" in change)).toEqual([]);
    expect(await under.store.readHead(message.sessionId)).not.toHaveProperty("asides");
  });
});

describe("[M36] an answer that comes too late", () => {
  test("is stored as a draft, and told to the coordinators alone, once it is there", async () => {
    let isToldEarly = false;
    const store = interceptedStore(under.store, async (name, given, call) => {
      if (name !== "changeSession") return call();
      const stored = await asidesOf(under.store, given[0] as string);
      isToldEarly ||= desk.heard("draft").length > stored.length;
      return call();
    });
    const desk = new AnsweringDesk({ under, clock }, { store });
    const { sessionId, call, messageId } = await takenOver(desk);
    call.answer("the agent's");
    await until("it is told", () => desk.heard("draft").length > 0);
    const [draft] = await asidesOf(under.store, sessionId);
    const [{ topic, payload }] = desk.heard("draft") as [(typeof desk.told)[number]];
    expect(topic).toBe("console:B1");
    expect(draft).toMatchObject({
      ...{ type: "draft", userId: "agent", content: "the agent's", afterOffset: 1, timestamp: payload.timestamp },
      metadata: { inReplyTo: messageId, responseId: payload.responseId },
    });
    expect([payload.messageId, payload.message, isToldEarly]).toEqual([messageId, "the agent's", false]);
    expect(desk.heard("draft")).toHaveLength(1);
    expect((await desk.rowsOf("ana")).map(({ type }) => type)).toEqual(["user"]);
  });

  test("[L25] is told and not stored where as much hangs as there may be", async () => {
    const desk = new AnsweringDesk({ under, clock });
    const { sessionId, call } = await takenOver(desk);
    for (let index = 0; index < hangingMax; index += 1) await annotate(under.store, sessionId, `n${index}`);
    call.answer();
    await until("it is told", () => desk.heard("draft").length > 0);
    const types = (await asidesOf(under.store, sessionId)).map(({ type }) => type);
    expect([types.length, types.includes("draft")]).toEqual([hangingMax, false]);
  });

  test("[M20] is finished before a drain is over, also where its session was taken over during that", async () => {
    const desk = new AnsweringDesk({ under, clock });
    const { message } = await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    let isDrained = false;
    const drained = desk.turns.drain(25_000).then(() => (isDrained = true));
    const holder = { coordinatorId: "carla", expiresAt: far };
    await under.store.changeSession(message.sessionId, (head) => takeOver(head, holder, clock.now()));
    desk.turns.takenOver(message.sessionId);
    await soon();
    expect(isDrained).toBe(false);
    call.answer();
    await drained;
    expect(desk.heard("draft")).toHaveLength(1);
  });

  test("is neither told nor stored when its session is being deleted", async () => {
    const desk = new AnsweringDesk({ under, clock });
    const { sessionId, call } = await takenOver(desk);
    await under.store.changeSession(sessionId, (head) => close({ ...head, turns: [] }, "closed", clock.now()));
    await under.store.changeSession(sessionId, (head) => beginDeletion({ ...head, turns: [] }, far, clock.now()));
    expect((await under.store.readHead(sessionId))?.deletingSince).not.toBeNull();
    call.answer();
    await desk.turns.drain(10_000);
    expect([desk.heard("draft"), await asidesOf(under.store, sessionId)]).toEqual([[], []]);
  });

  async function takenOver(desk: AnsweringDesk) {
    const { message } = await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    const holder = { coordinatorId: "carla", expiresAt: far };
    await under.store.changeSession(message.sessionId, (head) => takeOver(head, holder, clock.now()));
    return { call, sessionId: message.sessionId, messageId: message.messageId };
  }
});

/** A step that lasts long enough to be seen, to its end. */
async function showing(
  desk: AnsweringDesk,
  call: Awaited<ReturnType<AnsweringDesk["agent"]["call"]>>,
  step: string,
  status: "done" | "failed",
): Promise<void> {
  const isShown = (is: string) =>
    desk.shown.some(({ event, payload }) => event === "thinking" && payload.step === step && payload.status === is);
  const waiting = clock.timerCount;
  call.say({ type: "thinking", step, label: `label of ${step}`, status: "started" });
  await until(`${step} begins`, () => clock.timerCount > waiting);
  clock.advance(shownAfterMs);
  expect(isShown("started")).toBe(true);
  call.say({ type: "thinking", step, label: `label of ${step}`, status });
  await until(`${step} ends`, () => isShown(status));
}
