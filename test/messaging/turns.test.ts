import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Agent, AgentEvent } from "../../server/messaging/agent.js";
import { failureText } from "../../server/messaging/texts.js";
import type { Turns } from "../../server/messaging/turns.js";
import { AnsweringDesk, type DeskOptions, noPlace, turnLimits } from "../support/answering-desk.js";
import { crashingStore } from "../support/crashing-store.js";
import { FakeClock } from "../support/fake-clock.js";
import { forgetfulStore } from "../support/intercepted-store.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const { agentTimeoutMs, waitMs, maxAnswerBytes } = turnLimits;

let under: TemporaryStore;
let clock: FakeClock;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
});

afterEach(async () => {
  await under.dispose();
});

describe("[M7] order", () => {
  test("the turns of a session run one after another, in the order in which they were said", async () => {
    const desk = deskOf();
    for (const text of ["one", "two", "three"]) await desk.say("ana", text);
    for (const [index, text] of ["one", "two", "three"].entries()) {
      const call = await desk.agent.call(text);
      expect(desk.agent.asked).toHaveLength(index + 1);
      call.answer();
    }
    const rows = await desk.untilAnswered("ana", 3);
    expect(rows.map(({ content }) => content)).toEqual([
      "one",
      "two",
      "three",
      "answer to one",
      "answer to two",
      "answer to three",
    ]);
    expect(rows.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(rows.slice(3).map(({ metadata }) => metadata.inReplyTo)).toEqual(
      rows.slice(0, 3).map(({ messageId }) => messageId),
    );
  });

  test("[A1] an agent sees what was answered since its question was asked, and not what waits behind it", async () => {
    const agent = new ScriptedAgent(3);
    const desk = deskOf({ agent });
    for (const text of ["one", "two", "three", "four"]) await desk.say("ana", text);
    const seen: string[][] = [];
    for (const text of ["one", "two", "three", "four"]) {
      const call = await agent.call(text);
      seen.push(call.turn.history.map(({ content }) => content));
      call.answer();
    }
    await desk.untilAnswered("ana", 4);
    expect(seen).toEqual([
      [],
      ["one", "answer to one"],
      ["two", "answer to one", "answer to two"],
      ["answer to one", "answer to two", "answer to three"],
    ]);
  });

  test("sessions run side by side: one that hangs holds up no other", async () => {
    const desk = deskOf();
    await desk.say("ana", "hangs");
    await desk.say("bob", "hello");
    await desk.say("cid", "hello too");
    (await desk.agent.call("hello too")).answer();
    await desk.untilAnswered("cid", 1);
    (await desk.agent.call("hello")).answer();
    await desk.untilAnswered("bob", 1);
    expect(await desk.answersOf("ana")).toEqual([]);
  });

  test("no more agents are called at once than there may be; the next takes the place of one that is done", async () => {
    const desk = deskOf({ concurrency: 2 });
    for (const userId of ["ana", "bob", "cid", "dan"]) await desk.say(userId, `from ${userId}`);
    await desk.agent.call("from bob");
    await expectStays(() => desk.agent.asked, ["from ana", "from bob"]);
    (await desk.agent.call("from bob")).answer();
    await desk.agent.call("from cid");
    await expectStays(() => desk.agent.asked, ["from ana", "from bob", "from cid"]);
    (await desk.agent.call("from ana")).answer();
    await desk.agent.call("from dan");
  });

  // Whenever it comes: nothing may be left lying because it came while the work on its session was being put away.
  test("a message that is admitted at any moment of the end of the turn before it is answered", async () => {
    for (let ticks = 0; ticks < 40; ticks += 1) {
      const userId = `user${ticks}`;
      const desk: AnsweringDesk = deskOf({
        around: (responder) => ({
          ...responder,
          respond: async (run) => {
            const answered = await responder.respond(run);
            if (run.question.content === "one") await desk.sayAfter(ticks, userId, "two");
            return answered;
          },
        }),
      });
      await desk.say(userId, "one");
      (await desk.agent.call("one")).answer();
      (await desk.agent.call("two")).answer();
      await desk.untilAnswered(userId, 2);
    }
  });
});

describe("[M7] [D-01] an outcome whose write was not acknowledged, and that is asked for again", () => {
  test("was written: it is told, once, and the turn is over", async () => {
    const { store, forgetOnce } = forgetfulStore(under.store);
    const desk = deskOf({ store });
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    forgetOnce();
    call.answer();
    const [, answer] = await desk.untilAnswered("ana", 1);
    await until("it is told to the user", () => desk.told.some(({ event }) => event === "new_message"));
    const told = desk.told.filter(({ event }) => event === "new_message" || event === "message_processed");
    expect(told.map(({ event, payload }) => [event, payload.responseId])).toEqual([
      ["new_message", answer!.metadata.responseId],
      ["message_processed", answer!.metadata.responseId],
    ]);
    await desk.say("ana", "and now?");
    (await desk.agent.call("and now?")).answer();
    expect(await desk.untilAnswered("ana", 2)).toHaveLength(4);
  });
});

describe("[M19] [A1] whatever the agent does, the turn ends", () => {
  test("it hangs: not before the timeout, and then with agent_timeout; it is told to stop", async () => {
    const desk = deskOf();
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    expect(call.turn.deadline).toBe(clock.now() + agentTimeoutMs);
    clock.advance(agentTimeoutMs - 1);
    expect([call.signal.aborted, await desk.answersOf("ana")]).toEqual([false, []]);
    clock.advance(1);
    const [, outcome] = await desk.untilAnswered("ana", 1);
    expect(outcome).toMatchObject({
      type: "system",
      userId: "system",
      content: failureText("en", "agent_timeout"),
      metadata: { code: "agent_timeout", isComplete: true },
    });
    expect(call.signal.aborted).toBe(true);
    expect(desk.failures.map(({ code }) => code)).toEqual(["agent_timeout"]);
  });

  test("[M41] it fails after a part of its text was shown: the failure takes the place of that", async () => {
    const desk = deskOf();
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    call.say({ type: "delta", text: "torn te" }, new Error("broken"));
    const [, outcome] = await desk.untilAnswered("ana", 1);
    const [delta] = desk.shown.filter(({ event }) => event === "message_delta");
    expect(delta?.payload).toMatchObject({ text: "torn te", responseId: outcome!.metadata.responseId });
    expect(outcome).toMatchObject({ type: "system", content: failureText("en", "agent_failed") });
  });

  test("it answers after the deadline: nobody hears of it, and the next turn has begun", async () => {
    const desk = deskOf();
    await desk.say("ana", "one");
    await desk.say("ana", "two");
    const late = await desk.agent.call("one");
    clock.advance(agentTimeoutMs);
    const next = await desk.agent.call("two");
    late.answer("too late");
    next.answer();
    const rows = await desk.untilAnswered("ana", 2);
    expect(rows.map(({ type }) => type)).toEqual(["user", "user", "system", "agent"]);
    expect(JSON.stringify(rows)).not.toContain("too late");
    expect(desk.heard("new_message")).toHaveLength(2);
  });

  test("it answers twice: the first is the answer, and the second is never read", async () => {
    const desk = deskOf();
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    call.answer("first");
    call.answer("second");
    const rows = await desk.untilAnswered("ana", 1);
    expect(rows.map(({ content }) => content)).toEqual(["hello", "first"]);
    await until("the agent is left", () => call.isLeft);
  });

  test("what it thinks before its answer is not the answer", async () => {
    const desk = deskOf();
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    call.say(
      { type: "thinking", step: "retrieval", label: "Looking", status: "started" },
      { type: "delta", text: "not " },
      { type: "answer", message: "this", isComplete: false, tokens: 12, actions: [{ type: "call", label: "Call us" }] },
    );
    const [, outcome] = await desk.untilAnswered("ana", 1);
    expect(outcome).toMatchObject({
      content: "this",
      type: "agent",
      metadata: { isComplete: false, tokens: 12, actions: [{ type: "call", label: "Call us" }] },
    });
  });

  const answers: [string, (AgentEvent | Error | "end")[]][] = [
    ["throws", [new Error("broken")]],
    ["throws after it has begun", [{ type: "delta", text: "The" }, new Error("broken")]],
    ["ends without an answer", ["end"]],
    ["answers nothing", [{ type: "answer", message: "" }]],
    ["answers what is no text", [{ type: "answer", message: 5 } as unknown as AgentEvent]],
    ["answers too long", [{ type: "answer", message: "x".repeat(maxAnswerBytes + 1) }]],
    ["answers too long in bytes", [{ type: "answer", message: "ă".repeat(maxAnswerBytes / 2 + 1) }]],
  ];

  test.each(answers)("it %s: agent_failed", async (_what, events) => {
    const desk = deskOf();
    await desk.say("ana", "hello");
    (await desk.agent.call("hello")).say(...events);
    const [, outcome] = await desk.untilAnswered("ana", 1);
    expect(outcome).toMatchObject({ type: "system", metadata: { code: "agent_failed" } });
    expect(desk.failures.map(({ code }) => code)).toEqual(["agent_failed"]);
    await until("no timer is left", () => clock.timerCount === 0);
  });

  test("it throws before it returns anything: agent_failed", async () => {
    const agent: Agent = {
      node: "echo",
      answer: () => {
        throw new Error("broken");
      },
    };
    const desk = deskOf({ agent });
    await desk.say("ana", "hello");
    const [, outcome] = await desk.untilAnswered("ana", 1);
    expect(outcome).toMatchObject({ type: "system", metadata: { code: "agent_failed" } });
  });

  test("[L11] an answer that is as long as it may be is taken; half a surrogate pair is mended", async () => {
    const desk = deskOf();
    await desk.say("ana", "hello");
    (await desk.agent.call("hello")).answer("ă".repeat(maxAnswerBytes / 2));
    await desk.say("bob", "hello, I am bob");
    (await desk.agent.call("hello, I am bob")).answer("\ud83d!");
    expect((await desk.untilAnswered("ana", 1))[1]?.content).toBe("ă".repeat(maxAnswerBytes / 2));
    expect((await desk.untilAnswered("bob", 1))[1]?.content).toBe("\ufffd!");
  });

  test("[M10] [M16] [M17] a failure is told to the user twice over, and to the coordinators as failed", async () => {
    const desk = deskOf({ locale: "ro" });
    const { message } = await desk.say("ana", "hello");
    (await desk.agent.call("hello")).say(new Error("secret of the machine room"));
    const [, outcome] = await desk.untilAnswered("ana", 1);
    await until("everybody is told", () => desk.told.length === 3);
    expect(desk.told.map(({ topic, event }) => [topic, event])).toEqual([
      ["user:B1:ana", "new_message"],
      ["user:B1:ana", "error"],
      ["console:B1", "message_processed"],
    ]);
    expect(desk.told[0]!.payload).toMatchObject({
      from: "system",
      message: failureText("ro", "agent_failed"),
      inReplyTo: message.messageId,
      messageId: outcome!.messageId,
    });
    expect(desk.told[1]!.payload).toMatchObject({
      code: "agent_failed",
      message: "Eroare la procesarea mesajului",
      messageId: message.messageId,
    });
    expect(desk.told[2]!.payload).toMatchObject({ status: "failed", messageId: message.messageId, userId: "ana" });
    expect(JSON.stringify(desk.told)).not.toContain("machine room");
  });

  test("a turn that finds no place to run ends as busy, without the agent; those that run go on", async () => {
    const desk = deskOf({ concurrency: 1 });
    await desk.say("ana", "first");
    await desk.agent.call("first");
    await desk.say("bob", "waits");
    await until("it waits", () => waits(desk, "bob"));
    clock.advance(waitMs - 1);
    expect(await desk.answersOf("bob")).toEqual([]);
    clock.advance(1);
    const [, outcome] = await desk.untilAnswered("bob", 1);
    expect(outcome).toMatchObject({ type: "system", content: failureText("en", "busy"), metadata: { code: "busy" } });
    (await desk.agent.call("first")).answer();
    await desk.untilAnswered("ana", 1);
    expect(desk.agent.asked).toEqual(["first"]);
    expect(desk.failures.map(({ code }) => code)).toEqual(["busy"]);
  });

  test("one that found a place in time is not busy, however long its agent takes", async () => {
    const desk = deskOf({ concurrency: 1 });
    await desk.say("ana", "first");
    const first = await desk.agent.call("first");
    await desk.say("bob", "waits");
    await until("it waits", () => waits(desk, "bob"));
    clock.advance(waitMs - 1);
    first.answer();
    const second = await desk.agent.call("waits");
    clock.advance(agentTimeoutMs - 1);
    second.answer();
    expect((await desk.untilAnswered("bob", 1))[1]?.type).toBe("agent");
  });
});

describe("[M21] backlog", () => {
  test("a place is given back with each outcome", async () => {
    const desk = deskOf({ maxBacklogPerBusiness: 2 });
    await desk.say("ana", "one");
    await desk.say("ana", "two");
    expect(desk.turns.reserve({ businessId: "B1", userId: "ana" })).toBeNull();
    (await desk.agent.call("one")).answer();
    const place = await until("a place", () => desk.turns.reserve({ businessId: "B1", userId: "ana" }));
    expect(desk.turns.reserve({ businessId: "B1", userId: "ana" })).toBeNull();
    place.release();
    (await desk.agent.call("two")).answer();
    await until("both places", () => bothPlaces(desk.turns));
  });
});

describe("[M20] what an earlier process left open", () => {
  test("is answered by the next one, in order, and once", async () => {
    const before = deskOf();
    for (const [userId, text] of [
      ["ana", "one"],
      ["ana", "two"],
      ["bob", "three"],
    ] as const)
      await before.store(userId, text);
    const after = deskOf({ node: "second" });
    after.agentAnswersAtOnce();
    await after.turns.recover();
    expect((await after.untilAnswered("ana", 2)).map(({ content }) => content)).toEqual([
      "one",
      "two",
      "answer to one",
      "answer to two",
    ]);
    await after.untilAnswered("bob", 1);
    await after.turns.recover();
    await after.turns.drain(0);
    expect(after.agent.asked.toSorted()).toEqual(["one", "three", "two"]);
    expect((await under.store.readSessionsWithWork({ limit: 10 })).items).toEqual([]);
  });

  test("of more sessions than one page of them, every one is answered once", async () => {
    const before = deskOf();
    const users = Array.from({ length: 230 }, (_, index) => `user${index}`);
    await Promise.all(users.map((userId) => before.store(userId, userId)));
    const after = deskOf({ node: "second", concurrency: 300 });
    const recovered: number[] = [];
    after.telemetry.attach("turns.recovered", ({ sessions }) => void recovered.push(sessions));
    after.agentAnswersAtOnce();
    await after.turns.recover();
    await until("all are answered", () => after.heard("new_message").length === users.length);
    expect(recovered).toEqual([230]);
    expect(after.agent.asked.toSorted()).toEqual(users.toSorted());
  });

  test("comes before what is said now, also when that comes first", async () => {
    const before = deskOf();
    await before.store("ana", "old");
    const after = deskOf({ node: "second" });
    await after.say("ana", "new");
    (await after.agent.call("old")).answer();
    await after.turns.recover();
    (await after.agent.call("new")).answer();
    const rows = await after.untilAnswered("ana", 2);
    expect(rows.map(({ content }) => content)).toEqual(["old", "new", "answer to old", "answer to new"]);
    expect(after.agent.asked).toEqual(["old", "new"]);
  });

  test.each(["before", "after"] as const)(
    "a process that dies %s any of its writes: the next one finishes, and one outcome is stored",
    async (when) => {
      let at = 0;
      for (; ; at += 1) {
        const userId = `user${at}`;
        const dying = crashingStore(under.store, at, when);
        const first = deskOf({ node: `first${at}`, store: dying.store });
        first.agentAnswersAtOnce();
        const accepted = await first.store(userId, "hello", under.store);
        first.turns.admitted(accepted, noPlace);
        await until("the end of it", () => dying.hasCrashed() || first.heard("message_processed").length === 1);
        const second = deskOf({ node: `second${at}` });
        second.agentAnswersAtOnce();
        await second.turns.recover();
        const rows = await second.untilAnswered(userId, 1);
        expect(rows.map(({ offset, type }) => [offset, type])).toEqual([
          [1, "user"],
          [2, "agent"],
        ]);
        if (!dying.hasCrashed()) break;
      }
      expect(at).toBe(2);
    },
  );
});

describe("[M8] a second outcome", () => {
  test("of a node that lost the session is dropped: one is stored, and one is told", async () => {
    const first = deskOf({ node: "first", isAbandoned: () => false });
    const second = deskOf({ node: "second" });
    await first.say("ana", "hello");
    const old = await first.agent.call("hello");
    await second.turns.recover();
    const current = await second.agent.call("hello");
    old.answer("from the first");
    await until("the first has finished", () => old.isLeft);
    expect(await first.answersOf("ana")).toEqual([]);
    current.answer("from the second");
    const rows = await second.untilAnswered("ana", 1);
    expect(rows.map(({ content }) => content)).toEqual(["hello", "from the second"]);
    expect([first.told, second.heard("new_message").length]).toEqual([[], 1]);
  });

  test("of a node whose lease nobody took is stored; another that is asked meanwhile leaves it alone", async () => {
    const first = deskOf({ node: "first" });
    const second = deskOf({ node: "second", isAbandoned: () => false });
    await first.say("ana", "hello");
    const call = await first.agent.call("hello");
    await second.turns.recover();
    call.answer();
    await first.untilAnswered("ana", 1);
    expect(second.agent.calls).toEqual([]);
  });
});

describe("[M20] drain", () => {
  test("what runs finishes; what waits stays open, and nothing begins any more", async () => {
    const desk = deskOf({ concurrency: 1 });
    await desk.say("ana", "runs");
    await desk.say("ana", "next in the session");
    const call = await desk.agent.call("runs");
    await desk.say("bob", "waits for a place");
    const drained = settles(desk.turns.drain(25_000));
    await desk.say("cid", "said while draining");
    expect(drained.isDone).toBe(false);
    call.answer();
    await until("drained", () => drained.isDone);
    expect((await desk.untilAnswered("ana", 1)).map(({ content }) => content)).toEqual([
      "runs",
      "next in the session",
      "answer to runs",
    ]);
    expect(desk.agent.asked).toEqual(["runs"]);
    expect((await under.store.readSessionsWithWork({ limit: 10 })).items).toHaveLength(3);
  });

  test("an agent that hangs is waited for no longer than was said", async () => {
    const desk = deskOf();
    await desk.say("ana", "hangs");
    await desk.agent.call("hangs");
    const drained = settles(desk.turns.drain(5000));
    clock.advance(4999);
    await expectStays(() => drained.isDone, false);
    clock.advance(1);
    await until("drained", () => drained.isDone);
    expect(await desk.answersOf("ana")).toEqual([]);
  });

  test("with nothing to do it is over at once", async () => {
    await deskOf().turns.drain(25_000);
    expect(clock.timerCount).toBeLessThanOrEqual(1);
  });

  test("a turn that waits for a place is left to whoever comes next, not told that the server is busy", async () => {
    const desk = deskOf({ concurrency: 1 });
    await desk.say("ana", "hangs");
    await desk.agent.call("hangs");
    await desk.say("bob", "waits");
    await until("it waits", () => waits(desk, "bob"));
    void desk.turns.drain(25_000);
    clock.advance(waitMs);
    await expectStays(() => desk.told, []);
    const next = deskOf({ node: "second" });
    next.agentAnswersAtOnce();
    await next.turns.recover();
    expect((await next.untilAnswered("bob", 1))[1]?.type).toBe("agent");
  });
});

test("[S4] a store that fails leaves the turn open, tells of it, and holds no other session up", async () => {
  const desk = deskOf();
  const operations: string[] = [];
  desk.telemetry.attach("store.failed", ({ operation }) => void operations.push(operation));
  const dying = crashingStore(under.store, 0, "before");
  const broken = deskOf({ store: dying.store, telemetry: desk.telemetry });
  broken.agentAnswersAtOnce();
  broken.turns.admitted(await broken.store("ana", "hello", under.store), noPlace);
  await until("it is told", () => operations.length === 1);
  expect(operations).toEqual(["answer a turn"]);
  expect(broken.told).toEqual([]);
  expect((await under.store.readSessionsWithWork({ limit: 10 })).items).toHaveLength(1);
});

function deskOf(options: DeskOptions = {}): AnsweringDesk {
  return new AnsweringDesk({ under, clock }, options);
}

function waits({ runs, agent }: AnsweringDesk, userId: string): boolean {
  return runs
    .ofUser("B1", userId)
    .some(({ messageId }) => agent.calls.every(({ turn }) => turn.messageId !== messageId));
}

function bothPlaces(turns: Turns): boolean {
  const places = [
    turns.reserve({ businessId: "B1", userId: "ana" }),
    turns.reserve({ businessId: "B1", userId: "ana" }),
  ];
  for (const place of places) place?.release();
  return places.every((place) => place !== null);
}

function settles(promise: Promise<unknown>): { readonly isDone: boolean } {
  const state = { isDone: false };
  void promise.then(() => (state.isDone = true));
  return state;
}

/** Gives everything that is under way the chance to come to an end: then it is still so. */
async function expectStays<T>(read: () => T, expected: T): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    await touch(under.store);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect(read()).toEqual(expected);
}
