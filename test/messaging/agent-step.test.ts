import { getEventListeners } from "node:events";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { type Agent, type AgentAnswer, AgentError, type AgentEvent } from "../../server/messaging/agent.js";
import { createAgentHealths } from "../../server/messaging/steps/agent-health.js";
import { type AgentSlot, AgentSlots } from "../../server/messaging/steps/agent-slots.js";
import {
  AgentFailure,
  type CallOptions,
  callAgent,
  type CheckedAnswer,
  type Dropped,
  type ShownEvent,
  TurnWithdrawn,
} from "../../server/messaging/steps/agent.js";
import { turnOf } from "../agents/turns.js";
import { FakeClock } from "../support/fake-clock.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { until } from "../support/until.js";

const timeoutMs = 30_000;
const probeMs = 5000;
const maxAnswerBytes = 1000;

const away = (retryAfterMs: number | null = null) => new AgentError("status_503", { isRetryable: true, retryAfterMs });
const broken = () => new AgentError("status_500");
const badAnswer = () => new AgentError("not_json", { isThere: true });

let clock: FakeClock;
let agent: ScriptedAgent;
let random: number;
let healths: NonNullable<CallOptions["healths"]>;
let circuits: [Agent, boolean][];
let slots: AgentSlots;

beforeEach(() => {
  clock = new FakeClock();
  agent = new ScriptedAgent();
  random = 0;
  circuits = [];
  const onCircuit = (changed: Agent, isOpen: boolean) => void circuits.push([changed, isOpen]);
  healths = createAgentHealths(clock, { random: () => random, onCircuit });
  slots = slotsFor(64);
});

function slotsFor(max: number): AgentSlots {
  return new AgentSlots({ clock, healths, max, waitMs: timeoutMs });
}

/** A call on its way, from the moment at which it waits for its slot, and all that came of it. */
class Call {
  readonly shown: ShownEvent[] = [];
  readonly dropped: Dropped[] = [];
  readonly slot: AgentSlot;
  readonly ended: Promise<AgentAnswer | AgentFailure | TurnWithdrawn>;
  result: AgentAnswer | AgentFailure | TurnWithdrawn | null = null;

  constructor(message: string, options: Partial<CallOptions> = {}, asked: Agent = agent, businessId = "B1") {
    const turn = turnOf(message, { messageId: `id of ${message}` });
    this.slot = slots.slotFor(asked, { businessId, since: clock.now() });
    const call = async () => {
      await this.slot.enter((options.controller ?? new AbortController()).signal);
      return callAgent(asked, turn, clock, {
        timeoutMs,
        maxAnswerBytes,
        healths,
        slot: this.slot,
        onEvent: (event) => void this.shown.push(event),
        onDropped: (part) => void this.dropped.push(part),
        ...options,
      });
    };
    this.ended = call()
      .catch((failure: unknown) => failure as AgentFailure)
      .finally(() => this.slot.end());
    void this.ended.then((result) => (this.result = result));
  }

  get code(): string | null {
    if (this.result === null) return null;
    if (this.result instanceof TurnWithdrawn) return "withdrawn";
    return this.result instanceof AgentFailure ? this.result.code : "answered";
  }
}

/** Everything that can happen without time passing has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass step by step, so that what is waited for at one moment can wait for the next. */
async function pass(ms: number, stepMs = ms): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await settled();
  }
}

async function told(message: string, ...events: readonly (AgentEvent | Error | "end")[]): Promise<Call> {
  const call = new Call(message);
  (await agent.call(message)).say(...events);
  await settled();
  return call;
}

async function answeredWith(answer: Record<string, unknown>, ...before: readonly unknown[]): Promise<Call> {
  const events = [...before, { type: "answer", message: "the answer", ...answer }] as AgentEvent[];
  return told("hello", ...events);
}

/** The circuit is open, as of now. */
async function opened(): Promise<void> {
  for (let n = 0; n < 5; n += 1) expect((await told(`fails ${n}`, broken())).code).toBe("agent_failed");
  agent.calls.length = 0;
}

describe("an agent that does not answer", () => {
  test("[A-01] [M19] fails the turn at the deadline, not before, and is stopped; the next turn is answered", async () => {
    const call = new Call("hello");
    const asked = await agent.call("hello");
    await pass(timeoutMs - 1);
    expect([call.code, asked.signal.aborted]).toEqual([null, false]);
    await pass(1);
    expect([call.code, asked.signal.aborted]).toEqual(["agent_timeout", true]);
    expect(clock.timerCount).toBe(0);
    expect((await told("next", { type: "answer", message: "yes" })).code).toBe("answered");
  });

  test("[A-02] is not heard any more when it answers later", async () => {
    const calls = Array.from({ length: 5 }, (_, n) => new Call(`late ${n}`));
    await settled();
    await pass(timeoutMs);
    expect(calls.map(({ code }) => code)).toEqual(Array(5).fill("agent_timeout"));
    for (const asked of agent.calls) asked.say({ type: "delta", text: "late" }, { type: "answer", message: "late" });
    await settled();
    expect(calls.map(({ shown, code }) => [shown, code])).toEqual(Array(5).fill([[], "agent_timeout"]));
    // Nor does it count as being back.
    const next = new Call("next");
    await settled();
    expect([agent.asked.includes("next"), next.code]).toEqual([false, null]);
  });

  test("[T-05] has a second when the process stood still at its deadline: what arrived meanwhile is its answer", async () => {
    slots = slotsFor(2);
    const [read, hangs, waits] = ["read", "hangs", "waits"].map((message) => new Call(message));
    await settled();
    // All of them are over when it goes on, and what was said stands where it is read from.
    clock.skip(70_000);
    clock.advance(0);
    await settled();
    (await agent.call("read")).say({ type: "answer", message: "yes" });
    await settled();
    expect([read, hangs, waits].map((call) => call!.code)).toEqual(["answered", null, null]);
    // The slot that is free now is given to who waited for it.
    (await agent.call("waits")).say({ type: "answer", message: "yes" });
    await pass(999);
    expect([hangs, waits].map((call) => call!.code)).toEqual([null, "answered"]);
    await pass(1);
    expect(hangs!.code).toBe("agent_timeout");
    expect(clock.timerCount).toBe(0);
  });

  test("one that was asked at the last moment, after a long wait, is not to blame", async () => {
    const calls: Call[] = [];
    for (const round of ["first", "second"]) {
      for (let n = 0; n < 4; n += 1) calls.push(await told(`${round} ${n}`, away(timeoutMs - probeMs)));
      expect((await told(`answered ${round}`, { type: "answer", message: "yes" })).code).toBe("answered");
    }
    agent.calls.length = 0;
    await pass(timeoutMs - probeMs);
    expect(agent.calls).toHaveLength(8);
    await pass(probeMs);
    expect(calls.filter(({ code }) => code === "agent_timeout")).toHaveLength(8);
    expect((await told("next", { type: "answer", message: "yes" })).code).toBe("answered");
  });
});

describe("[A10] asking again", () => {
  test("[A-03] an agent that is away is asked again, for the same message, and answers", async () => {
    const call = await told("hello", away());
    await pass(0, 1);
    await pass(1);
    expect(agent.calls.map(({ turn }) => turn.messageId)).toEqual(["id of hello", "id of hello"]);
    agent.calls[1]!.answer();
    await settled();
    expect(call.result).toMatchObject({ message: "answer to hello" });
    expect(clock.timerCount).toBe(0);
  });

  test("[A-03] twice at most: then nobody is there to answer", async () => {
    const call = await told("hello", away());
    for (let n = 1; n <= 2; n += 1) {
      await pass(1);
      agent.calls[n]!.say(away());
      await settled();
    }
    await pass(10, 1);
    expect([call.code, agent.calls.length]).toEqual(["agent_unavailable", 3]);
  });

  const once: [string, Error | "end"][] = [
    ["cannot do it", broken()],
    ["answers rubbish", badAnswer()],
    ["throws anything", new Error("anything")],
    ["ends without an answer", "end"],
  ];

  test.each(once)("[A-03] one that %s is asked once", async (_what, said) => {
    const call = await told("hello", said);
    await pass(10, 1);
    expect([call.code, agent.calls.length]).toEqual(["agent_failed", 1]);
  });

  const shown: AgentEvent[] = [
    { type: "delta", text: "The" },
    { type: "thinking", step: "tool", label: "Looking", status: "started" },
    { type: "component", kind: "card", title: "Card" },
  ];

  test.each(shown)("[A-03] one that has shown something is asked once: $type", async (event) => {
    const call = await told("hello", event, away());
    await pass(10, 1);
    expect([call.code, call.shown.length, agent.calls.length]).toEqual(["agent_unavailable", 1, 1]);
  });

  const waits: [number, number[]][] = [
    [0, [0, 0]],
    [0.5, [250, 500]],
    [0.999, [499.5, 999]],
  ];

  test.each(waits)(
    "[A-03] the waits are drawn between nothing and twice as long each time: %d",
    async (drawn, expected) => {
      random = drawn;
      await told("hello", away());
      for (const [n, waitMs] of expected.entries()) {
        if (waitMs > 1) await pass(waitMs - 1);
        expect(agent.calls).toHaveLength(n + 1);
        await pass(1);
        expect(agent.calls).toHaveLength(n + 2);
        agent.calls[n + 1]!.say(away());
        await settled();
      }
    },
  );

  test("[A-03] not before the agent said", async () => {
    await told("hello", away(2000));
    await pass(1999);
    expect(agent.calls).toHaveLength(1);
    await pass(1);
    expect(agent.calls).toHaveLength(2);
  });

  test("[A-03] not at all when that is after the deadline: nobody is kept waiting for nothing", async () => {
    const call = await told("hello", away(timeoutMs));
    expect([call.code, clock.timerCount]).toEqual(["agent_unavailable", 0]);
  });

  test("[A-03] all calls of a turn together end at the deadline", async () => {
    const call = await told("hello", away(20_000));
    await pass(20_000);
    await agent.call("hello");
    await pass(9999);
    expect(call.code).toBeNull();
    await pass(1);
    expect(call.code).toBe("agent_timeout");
  });

  test("[A-03] retries are a tenth of the calls, and ten that were saved up", async () => {
    let failed = 0;
    for (let n = 0; n < 60; n += 1) {
      // Every other turn is answered, so that the agent never counts as gone.
      await told(`answered ${n}`, { type: "answer", message: "yes" });
      const call = await told(`away ${n}`, away());
      clock.advance(1);
      await settled();
      if (call.code === null) agent.calls.at(-1)!.answer();
      else failed += 1;
      await settled();
    }
    const retries = agent.calls.length - 120;
    expect(retries).toBeLessThanOrEqual(10 + 120 / 10);
    // The first call adds nothing to what is full already.
    expect([retries, failed]).toEqual([21, 39]);
  });

  test("without what is known of agents a call stands for itself", async () => {
    const call = new Call("hello", { healths: undefined, slot: undefined } as unknown as Partial<CallOptions>);
    (await agent.call("hello")).say(away());
    await settled();
    expect([call.code, agent.calls.length]).toEqual(["agent_unavailable", 1]);
  });
});

describe("[A11] an agent that is gone", () => {
  test("[A-04] is asked no more after five failures in a row; a turn waits for it, and is answered when it is back", async () => {
    await opened();
    const call = new Call("waits");
    await pass(probeMs - 1);
    expect(agent.calls).toHaveLength(0);
    await pass(1);
    agent.calls[0]!.answer();
    await settled();
    expect(call.code).toBe("answered");
    expect((await told("next", { type: "answer", message: "yes" })).code).toBe("answered");
    expect(clock.timerCount).toBe(0);
  });

  test("[A-04] four failures and a success are no five in a row", async () => {
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 4; n += 1) await told(`fails ${round} ${n}`, broken());
      expect((await told(`answered ${round}`, { type: "answer", message: "yes" })).code).toBe("answered");
    }
  });

  test("[A-04] a turn that has waited as long as it may ends as agent_unavailable, without a call", async () => {
    await opened();
    // Behind enough others that it never becomes a probe.
    const others = Array.from({ length: 8 }, (_, n) => new Call(`other ${n}`));
    const call = new Call("last");
    await pass(timeoutMs - probeMs, probeMs);
    await pass(probeMs - 1);
    expect(call.code).toBeNull();
    await pass(1);
    expect(call.code).toBe("agent_unavailable");
    expect(agent.asked).not.toContain("last");
    // [M19] Those that were asked have as long as any other since then.
    await pass(timeoutMs, probeMs);
    const isAsked = (n: number) => agent.asked.includes(`other ${n}`);
    expect(others.map(({ code }) => code)).toEqual(
      others.map((_call, n) => (isAsked(n) ? "agent_timeout" : "agent_unavailable")),
    );
    expect(agent.asked).toHaveLength(6);
    expect(clock.timerCount).toBe(0);
  });

  test("[A-04] one probe every five seconds, even while an earlier one hangs", async () => {
    await opened();
    const calls = Array.from({ length: 10 }, (_, n) => new Call(`waits ${n}`));
    const probes: number[] = [];
    for (let second = 1; second <= 29; second += 1) {
      await pass(1000);
      probes.push(agent.calls.length);
    }
    expect(probes.map((count, at) => count - (probes[at - 1] ?? 0))).toEqual(
      Array.from({ length: 29 }, (_, at) => ((at + 1) % 5 === 0 ? 1 : 0)),
    );
    expect(agent.asked).toEqual(calls.slice(0, 5).map((_call, n) => `waits ${n}`));
  });

  test("[A-04] sixty-four turns meet an agent that is down: all are answered once it is back, in their order", async () => {
    const calls = Array.from({ length: 64 }, (_, n) => new Call(`turn ${n}`));
    await settled();
    for (const asked of agent.calls.splice(0)) asked.say(away());
    await settled();
    // Down for twelve seconds more: two probes.
    for (let probe = 0; probe < 2; probe += 1) {
      await pass(probeMs);
      expect(agent.calls).toHaveLength(1);
      agent.calls.splice(0)[0]!.say(away());
      await settled();
    }
    await pass(probeMs);
    expect(agent.calls).toHaveLength(1);
    agent.calls[0]!.answer();
    await settled();
    expect(agent.calls).toHaveLength(64);
    expect(new Set(agent.asked).size).toBe(64);
    for (const asked of agent.calls) asked.answer();
    await settled();
    expect(calls.map(({ code }) => code)).toEqual(Array(64).fill("answered"));
    expect(clock.timerCount).toBe(0);
  });

  test("[A-04] what one message can cause closes the agent to nobody: it is there, only this answer was no good", async () => {
    for (let n = 0; n < 4; n += 1) await told(`fails ${n}`, broken());
    for (let n = 0; n < 10; n += 1) await told(`bad ${n}`, badAnswer());
    await told("nothing", { type: "answer", message: "" });
    await told("ends", "end");
    expect((await told("fails once more", broken())).code).toBe("agent_failed");
    expect((await told("next", { type: "answer", message: "yes" })).code).toBe("answered");
  });

  test("[A-04] one agent that is gone is no other one", async () => {
    await opened();
    const other = new ScriptedAgent();
    const call = new Call("hello", {}, other);
    (await other.call("hello")).answer();
    await settled();
    expect(call.code).toBe("answered");
  });

  test("[A-04] turns that wait for it hold no slot, and one dead agent no other one up", async () => {
    slots = slotsFor(2);
    await opened();
    const waiting = Array.from({ length: 10 }, (_, n) => new Call(`waits ${n}`));
    const other = new ScriptedAgent();
    const calls = ["one", "two"].map((message) => new Call(message, {}, other, "B2"));
    await settled();
    expect([agent.asked, other.asked]).toEqual([[], ["one", "two"]]);
    // A probe needs a slot like any other call.
    await pass(probeMs);
    expect(agent.asked).toEqual([]);
    for (const asked of other.calls) asked.answer();
    await settled();
    expect(calls.map(({ code }) => code)).toEqual(["answered", "answered"]);
    expect(agent.asked).toEqual(["waits 0"]);
    // It is back: all go on, in their order, and no more of them at once than there are slots.
    for (let n = 0; n < 10; n += 1) {
      expect(agent.asked).toEqual(
        waiting.slice(0, n === 0 ? 1 : Math.min(n + 2, 10)).map((_call, at) => `waits ${at}`),
      );
      agent.calls[n]!.answer();
      await settled();
    }
    expect(waiting.map(({ code }) => code)).toEqual(Array(10).fill("answered"));
    expect(clock.timerCount).toBe(0);
  });

  test("[A-04] a call that failed and waits to be made again holds no slot meanwhile, and keeps its age", async () => {
    slots = slotsFor(1);
    const call = await told("first", away(2000));
    clock.advance(1);
    const second = new Call("second");
    const third = new Call("third");
    await settled();
    expect(agent.asked).toEqual(["first", "second"]);
    await pass(2000);
    agent.calls[1]!.answer();
    await settled();
    expect(agent.asked).toEqual(["first", "second", "first"]);
    agent.calls[2]!.answer();
    await settled();
    agent.calls[3]!.answer();
    await settled();
    expect([call, second, third].map(({ code }) => code)).toEqual(Array(3).fill("answered"));
  });

  test("[A-04] that it is left alone, and that it is back, is told once", async () => {
    await opened();
    const call = new Call("waits");
    await pass(probeMs);
    agent.calls[0]!.say(broken());
    await settled();
    expect([call.code, circuits]).toEqual(["agent_failed", [[agent, true]]]);
    await pass(probeMs);
    await told("next", { type: "answer", message: "yes" });
    await told("and next", { type: "answer", message: "yes" });
    expect(circuits).toEqual([
      [agent, true],
      [agent, false],
    ]);
  });

  test("a call that comes when a probe is due is the probe, without a timer", async () => {
    await opened();
    expect(clock.timerCount).toBe(0);
    await pass(probeMs);
    const first = new Call("first");
    const second = new Call("second");
    await settled();
    expect(agent.asked).toEqual(["first"]);
    agent.calls[0]!.answer();
    await settled();
    agent.calls[1]!.answer();
    await settled();
    expect([first.code, second.code]).toEqual(["answered", "answered"]);
  });
});

describe("a turn that is withdrawn", () => {
  test("waits no more for its slot, nor for an agent that is gone, and has no outcome", async () => {
    slots = slotsFor(1);
    const first = new Call("first");
    const second = new Call("second");
    await settled();
    second.slot.withdraw();
    await settled();
    expect([second.code, agent.asked]).toEqual(["withdrawn", ["first"]]);
    agent.calls[0]!.answer();
    await settled();
    await opened();
    const third = new Call("third");
    await settled();
    third.slot.withdraw();
    await settled();
    expect([first.code, third.code, clock.timerCount]).toEqual(["answered", "withdrawn", 0]);
  });

  test("while its agent is asked goes on; it is not asked again", async () => {
    const answers = new Call("answers");
    const fails = new Call("fails");
    const waits = await told("waits", away(2000));
    for (const call of [answers, fails, waits]) call.slot.withdraw();
    (await agent.call("answers")).answer();
    (await agent.call("fails")).say(away());
    await settled();
    expect([answers.code, fails.code, waits.code]).toEqual(["answered", "withdrawn", "withdrawn"]);
    expect([agent.calls.length, clock.timerCount]).toEqual([3, 0]);
  });

  test("so are all of them when the slots are closed, and those that come", async () => {
    slots = slotsFor(1);
    const calls = [new Call("first"), new Call("second")];
    await settled();
    slots.close();
    calls.push(new Call("third"));
    agent.calls[0]!.answer();
    await settled();
    expect(calls.map(({ code }) => code)).toEqual(["answered", "withdrawn", "withdrawn"]);
    expect(agent.asked).toEqual(["first"]);
  });
});

describe("cancelling", () => {
  let controller: AbortController;
  const cancellable = () => new Call("hello", { controller });

  beforeEach(() => {
    controller = new AbortController();
  });

  async function cancelled(call: Call): Promise<void> {
    controller.abort(new AgentFailure("cancelled"));
    await settled();
    expect([call.code, clock.timerCount]).toEqual(["cancelled", 0]);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  }

  test("stops the agent", async () => {
    const call = cancellable();
    const asked = await agent.call("hello");
    await cancelled(call);
    expect(asked.signal.aborted).toBe(true);
    asked.say({ type: "delta", text: "late" });
    await settled();
    expect(call.shown).toEqual([]);
  });

  test("before the call: the agent is not asked", async () => {
    controller.abort(new AgentFailure("cancelled"));
    await cancelled(cancellable());
    expect(agent.calls).toEqual([]);
  });

  test("while it waits for an agent that is gone", async () => {
    await opened();
    const call = cancellable();
    await settled();
    await cancelled(call);
    await pass(probeMs);
    expect(agent.calls).toEqual([]);
  });

  test("while it waits to ask again", async () => {
    const call = cancellable();
    (await agent.call("hello")).say(away(2000));
    await settled();
    await cancelled(call);
    await pass(2000);
    expect(agent.calls).toHaveLength(1);
  });

  test("says nothing of the agent", async () => {
    for (let n = 0; n < 10; n += 1) {
      controller = new AbortController();
      const call = cancellable();
      await settled();
      await cancelled(call);
    }
    expect((await told("next", { type: "answer", message: "yes" })).code).toBe("answered");
  });

  test("after the answer it is too late, and nobody listens any more", async () => {
    const call = cancellable();
    (await agent.call("hello")).answer();
    await settled();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    controller.abort();
    await settled();
    expect(call.code).toBe("answered");
  });
});

describe("[A8] what an agent shows on the way", () => {
  test("[A-08] a hundred and fifty deltas come in their order, and make the whole text", async () => {
    const words = Array.from({ length: 150 }, (_, n) => `w${n} `);
    const call = await told("hello", ...words.map((text) => ({ type: "delta" as const, text })), {
      type: "answer",
      message: words.join(""),
    });
    expect(call.shown.map((event) => (event.type === "delta" ? event.text : ""))).toEqual(words);
  });

  test("a character that was torn apart is shown whole, and half a one as what it is", async () => {
    const texts = ["a\ud83e", "\uddb7b", "\uddb7", "c\ud83e", ""];
    const call = await told("hello", ...texts.map((text) => ({ type: "delta" as const, text })));
    expect(call.shown.map((event) => (event.type === "delta" ? event.text : ""))).toEqual(["a", "🦷b", "\ufffd", "c"]);
  });

  test("[L11] the deltas together are no longer than an answer", async () => {
    const call = await told("hello", ...Array<AgentEvent>(11).fill({ type: "delta", text: "x".repeat(100) }));
    expect([call.code, call.shown.length]).toEqual(["agent_failed", 10]);
  });

  test.each([
    { fields: [{ name: "when", label: "When", type: "choice", required: true, options: ["Monday", " \n"] }] },
    { choices: [{ value: " ", label: "Nothing" }] },
    { choices: [{ value: "nothing", label: "\t" }] },
  ])("[M63] one that offers nothing that could be read or chosen is left out: %j", async (offered) => {
    const kind = "fields" in offered ? "form" : "choices";
    const call = await answeredWith({}, { type: "component", kind, title: "When?", ...offered });
    expect(call.shown).toEqual([]);
  });

  test("a component gets an id of ours", async () => {
    const fields = [{ name: "day", label: "Day", type: "date", required: true }];
    const component = { type: "component", componentId: "theirs", kind: "form", title: "When?", fields, extra: 1 };
    const call = await answeredWith({}, component);
    const shown = { componentId: "session_1~answer_1~0", kind: "form", title: "When?", fields };
    expect(call.shown).toEqual([{ type: "component", component: shown }]);
    expect((call.result as CheckedAnswer).components).toEqual([shown]);
  });

  test.each([
    [true, "When?"],
    ["yes", "When?\n- Morning"],
  ])("[M63] inText: %j is not shown, and the text is %j", async (inText, message) => {
    const shown = { kind: "choices", title: "When?", choices: [{ value: "am", label: "Morning" }] } as const;
    const call = await answeredWith({ message: "When?" }, { type: "component", ...shown, inText });
    const component = { ...shown, componentId: "session_1~answer_1~0" };
    expect(call.shown).toEqual([{ type: "component", component }]);
    expect(call.result).toMatchObject({ message });
    expect((call.result as CheckedAnswer).components).toEqual([component]);
  });

  test("[M63] the answer asks what its components ask, within the length of an answer", async () => {
    const card: AgentEvent = { type: "component", kind: "card", title: "x".repeat(200) };
    const text = "y".repeat(maxAnswerBytes - 202);
    const most = await told("most", card, { type: "answer", message: text });
    const more = await told("more", card, { type: "answer", message: `${text}y` });
    expect((most.result as CheckedAnswer).message).toBe(`${text}\n\n${card.title}`);
    expect(more.code).toBe("agent_failed");
  });

  test("[L] components of 64 KB together, and no more", async () => {
    const options = Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(200, "x"));
    const form = (fields: number) => ({
      ...{ type: "component", kind: "form", title: "hello" },
      fields: Array.from({ length: fields }, (_, n) => ({ name: `f${n}`, label: "x", type: "choice", options })),
    });
    const call = await answeredWith({ message: "hello" }, form(3), form(1), form(1), form(1));
    expect([call.shown.length, call.dropped]).toEqual([1, ["component"]]);
  });

  const field = { name: "a", label: "A", type: "text" };
  const fieldsOf = (count: number) => Array.from({ length: count }, (_, n) => ({ ...field, name: `a${n}` }));
  const left: [string, Dropped, unknown][] = [
    ["nothing", "event", null],
    ["a text", "event", "delta"],
    ["an event that there is not", "event", { type: "phx_close" }],
    ["an event without a type", "event", {}],
    ["a delta without text", "delta", { type: "delta" }],
    ["a delta of a number", "delta", { type: "delta", text: 5 }],
    ["a step without a label", "thinking", { type: "thinking", step: "tool", status: "done" }],
    ["a status that there is not", "thinking", { type: "thinking", step: "tool", label: "x", status: "maybe" }],
    ["a label too long", "thinking", { type: "thinking", step: "tool", label: "x".repeat(201), status: "done" }],
    ["a kind that there is not", "component", { type: "component", kind: "html", title: "x" }],
    ["a form without fields", "component", { type: "component", kind: "form", title: "x" }],
    ["choices without choices", "component", { type: "component", kind: "choices", title: "x", choices: [] }],
    ["fields of one name", "component", { type: "component", kind: "form", title: "x", fields: [field, field] }],
    ["too many fields", "component", { type: "component", kind: "form", title: "x", fields: fieldsOf(33) }],
    [
      "a choice without options",
      "component",
      { type: "component", kind: "form", title: "x", fields: [{ ...field, type: "choice" }] },
    ],
    ["an action without a label", "action", { type: "action", action: { type: "call" } }],
    ["no action", "action", { type: "action" }],
  ];

  test.each(left)("%s is left out, and the answer still counts", async (_what, part, event) => {
    const call = await answeredWith({}, event, event);
    expect([call.shown, call.dropped, call.code]).toEqual([[], [part], "answered"]);
  });

  test("[L] so many components and steps, and no more", async () => {
    const call = await answeredWith(
      {},
      ...Array<unknown>(17).fill({ type: "component", kind: "card", title: "x" }),
      ...Array<unknown>(201).fill({ type: "thinking", step: "tool", label: "x", status: "done" }),
    );
    const count = (type: string) => call.shown.filter((event) => event.type === type).length;
    expect([count("component"), count("thinking")]).toEqual([16, 200]);
    expect(call.dropped).toEqual(["component", "thinking"]);
  });

  test("[L] an agent that never stops and never waits does not hold up everything else", async () => {
    const endless: Agent = {
      node: "agent",
      // eslint-disable-next-line @typescript-eslint/require-await
      async *answer() {
        for (;;) yield { type: "delta", text: "" };
      },
    };
    const call = new Call("hello", {}, endless);
    await call.ended;
    expect(call.code).toBe("agent_failed");
  });

  test("what it shows is told before it answers", async () => {
    const call = new Call("hello");
    (await agent.call("hello")).say({ type: "delta", text: "now" });
    await until("it is shown", () => call.shown.length === 1);
    expect(call.code).toBeNull();
  });
});

describe("[A9] an answer", () => {
  test("[A-09] is the first one; what follows is never read", async () => {
    const call = await told("hello", { type: "answer", message: "first" }, { type: "answer", message: "second" });
    expect(call.result).toMatchObject({ message: "first" });
    expect(agent.calls[0]!.isLeft).toBe(true);
  });

  test("is there although its agent never comes to an end", async () => {
    const agentThatStays: Agent = {
      node: "agent",
      answer: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: false, value: { type: "answer", message: "yes" } }),
          return: () => new Promise(() => undefined),
        }),
      }),
    };
    const call = new Call("hello", {}, agentThatStays);
    await settled();
    expect(call.code).toBe("answered");
  });

  test.each([
    ["a number", 123],
    ["nothing", null],
    ["empty", ""],
    ["blank", " \n"],
    ["a list", ["text"]],
    ["too long", "x".repeat(maxAnswerBytes + 1)],
  ])("[A-05] fails when its text is %s", async (_what, message) => {
    expect((await answeredWith({ message })).code).toBe("agent_failed");
  });

  const unusable: [Dropped, unknown][] = [
    ["isComplete", "yes"],
    ["tokens", -1],
    ["tokens", 1.5],
    ["tokens", "12"],
    ["toolCalls", {}],
    ["toolCalls", Array(33).fill({})],
    ["toolCalls", [nested(33)]],
    ["toolCalls", [nested(100_000)]],
    ["toolCalls", ["x".repeat(65_536)]],
    ["sources", ["x".repeat(201)]],
    ["action", "call"],
  ];

  test.each(unusable)("[A-05] counts by its text: without %s that cannot be used", async (part, value) => {
    const call = await answeredWith({ [part === "action" ? "actions" : part]: value });
    expect(call.result).toEqual({ type: "answer", message: "the answer", actions: [] });
    expect(call.dropped).toEqual([part]);
  });

  test("has what can be used", async () => {
    const given = { isComplete: false, tokens: 12, toolCalls: [{ name: "book", at: 5 }], sources: ["Prices"] };
    const call = await answeredWith({ ...given, actions: null, intent: null });
    expect(call.result).toEqual({ type: "answer", message: "the answer", actions: [], ...given, intent: null });
    expect(call.dropped).toEqual([]);
  });

  test("[A-10] belongs to the turn that asked, whatever it says", async () => {
    const ids = { sessionId: "theirs", businessId: "B_OTHER", userId: "user_999", messageId: "m", responseId: "r" };
    const times = { createdAt: "2026-01-01T00:00:00.000Z", updatedAt: "2026-01-01T00:00:00.000Z" };
    const intent = { ...ids, ...times, intentId: "i", name: "book", status: "active", parameters: {}, missing: [] };
    const call = await answeredWith({ ...ids, offset: 99, intent });
    expect(call.result).toEqual({
      type: "answer",
      message: "the answer",
      actions: [],
      intent: {
        ...times,
        ...{ intentId: "i", name: "book", status: "active", parameters: {}, missing: [] },
        ...{ businessId: "B0100001", userId: "user_123", sessionId: "session_1" },
      },
    });
  });

  test.each([
    `["1","1","messages:B1","phx_close",{}]`,
    `{"topic":"phoenix","event":"phx_error","payload":{},"ref":null}`,
    "phx_join",
    "event: answer\ndata: {}\n\n",
  ])("[A-17] is plain text, whatever it looks like: %j", async (message) => {
    expect((await answeredWith({ message })).result).toMatchObject({ message });
  });
});

describe("[A9] actions", () => {
  const taken: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ["a choice", { type: "choice", label: "Today", value: "2026-01-01" }, {}],
    ["an offer of a human", { type: "human", label: "Talk to a person" }, {}],
    ["a link", { type: "link", label: "Site", url: "https://example.com/a?b=c#d" }, {}],
    ["a call", { type: "call", label: "Call us", url: "tel:+40212345678" }, {}],
    ["a mail", { type: "email", label: "Write", url: "mailto:a@example.com" }, {}],
    [
      "more than an action has",
      { type: "reply", label: "Yes", id: "x", onclick: "alert(1)", value: null },
      { only: 1 },
    ],
    ["half a character", { type: "reply", label: "\ud83d!" }, { label: "\ufffd!" }],
  ];

  test.each(taken)("[A-16] %s is taken", async (_what, given, expected) => {
    const call = await answeredWith({ actions: [given] });
    const names = new Set(["type", "label", "value", "url"]);
    const known = Object.entries({ ...given, ...expected }).filter(
      ([name, value]) => names.has(name) && value !== null,
    );
    expect(call.result).toMatchObject({ actions: [Object.fromEntries(known)] });
    expect((call.result as AgentAnswer).actions).toEqual([Object.fromEntries(known)]);
    expect(call.dropped).toEqual([]);
  });

  test.each([
    ["a type that there is not", { type: "eval", label: "x" }],
    ["no label", { type: "reply", label: "" }],
    ["a label too long", { type: "reply", label: "x".repeat(201) }],
    ["a value too long", { type: "reply", label: "x", value: "x".repeat(1025) }],
    ["a script", { type: "link", label: "x", url: "javascript:alert(1)" }],
    ["a script in disguise", { type: "link", label: "x", url: " java\tscript\n:alert(1)" }],
    ["a page of its own", { type: "link", label: "x", url: "data:text/html,x" }],
    ["a file", { type: "link", label: "x", url: "file:///etc/passwd" }],
    ["a name before the host", { type: "link", label: "x", url: "https://bank.example@evil.example/" }],
    ["no address", { type: "link", label: "x", url: "/relative" }],
    ["an address too long", { type: "link", label: "x", url: `https://example.com/${"x".repeat(2048)}` }],
    ["a number", 5],
    ["nothing", null],
    ["a list", []],
  ])("[A-16] %s is left out", async (_what, given) => {
    const good = { type: "reply", label: "good" };
    const call = await answeredWith({ actions: [given, good] });
    expect(call.result).toMatchObject({ actions: [good] });
    expect(call.dropped).toEqual(["action"]);
  });

  test("[A-16] sixteen of them, those that were said before the answer first", async () => {
    const action = (n: number) => ({ type: "reply", label: `${n}` });
    const before = Array.from({ length: 10 }, (_, n) => ({ type: "action", action: action(n) }));
    const call = await answeredWith({ actions: Array.from({ length: 10 }, (_, n) => action(10 + n)) }, ...before);
    expect((call.result as AgentAnswer).actions).toEqual(Array.from({ length: 16 }, (_, n) => action(n)));
    expect(call.dropped).toEqual(["action"]);
  });

  test("[A-16] 8 KB of them", async () => {
    const actions = Array.from({ length: 16 }, (_, n) => ({ type: "reply", label: `${n}`, value: "ă".repeat(400) }));
    const call = await answeredWith({ actions });
    const kept = (call.result as AgentAnswer).actions!;
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(8192);
    expect(kept).toHaveLength(9);
  });
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}
