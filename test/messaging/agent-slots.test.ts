import { setMaxListeners } from "node:events";
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Agent } from "../../server/messaging/agent.js";
import { createAgentHealths } from "../../server/messaging/steps/agent-health.js";
import { type AgentSlot, AgentSlots } from "../../server/messaging/steps/agent-slots.js";
import { FakeClock } from "../support/fake-clock.js";
import { withSeed } from "../support/random.js";

const waitMs = 30_000;
const max = 16;
const never = new AbortController().signal;
// Here all wait on one; a turn has its own.
setMaxListeners(0, never);

let clock: FakeClock;
let slots: AgentSlots;
/** Who has a slot, in the order in which they got it. */
let running: Turn[];

beforeEach(() => {
  clock = new FakeClock();
  running = [];
  slots = new AgentSlots({ clock, healths: createAgentHealths(clock), max, waitMs });
});

interface Turn {
  readonly businessId: string;
  readonly name: string;
  readonly slot: AgentSlot;
  failure: unknown;
}

const agent: Agent = { node: "agent", answer: () => assertNever() };

function assertNever(): never {
  throw new Error("nobody is asked here");
}

function wait(businessId: string, name: string, since = clock.now(), asked: Agent = agent): Turn {
  const slot = slots.slotFor(asked, { businessId, since });
  const turn: Turn = { businessId, name, slot, failure: null };
  slot.enter(never).then(
    () => running.push(turn),
    (failure: unknown) => (turn.failure = failure),
  );
  return turn;
}

function waitMany(businessId: string, count: number): Turn[] {
  return Array.from({ length: count }, (_, n) => wait(businessId, `${businessId} ${n}`));
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** The one that has been running for longest ends. */
async function endOne(turn = running[0]!): Promise<void> {
  running.splice(running.indexOf(turn), 1);
  turn.slot.end();
  await settled();
}

const names = () => running.map(({ name }) => name);

describe("[A14] [A-15] slots", () => {
  test("so many have one at once, whatever comes and goes; who is not withdrawn gets one, once", () =>
    withSeed(async (random) => {
      const turns: Turn[] = [];
      const ended: Turn[] = [];
      const end = async (turn = running[0]!) => {
        ended.push(turn);
        await endOne(turn);
      };
      for (let n = 0; n < 1000; n += 1) {
        turns.push(wait(`B${Math.floor(random() * 20)}`, `${n}`));
        if (random() < 0.1) turns[Math.floor(random() * turns.length)]!.slot.withdraw();
        await settled();
        if (random() < 0.3) await end(running[Math.floor(random() * running.length)]);
        expect(running).toHaveLength(
          Math.min(max, turns.filter(({ failure }) => failure === null).length - ended.length),
        );
      }
      while (running.length > 0) await end();
      expect(new Set(ended)).toEqual(new Set(turns.filter(({ failure }) => failure === null)));
      expect(ended).toHaveLength(new Set(ended).size);
      expect(clock.timerCount).toBe(0);
    }));

  test("the first turn of one who has none comes before all that others have waiting", async () => {
    waitMany("heavy", 900);
    await settled();
    expect(names()).toEqual(Array.from({ length: max }, (_, n) => `heavy ${n}`));
    clock.advance(1);
    wait("light", "hello");
    await endOne();
    expect(names().at(-1)).toBe("hello");
  });

  test("of many who wait each has its share, also when the answers to one of them take long", async () => {
    for (let n = 1; n < 4; n += 1) waitMany(`quick ${n}`, 100);
    waitMany("slow", 900);
    await settled();
    // Those of the slow one never end; all the others come and go.
    for (let n = 0; n < 200; n += 1) {
      await endOne(running.find(({ businessId }) => businessId !== "slow"));
      const slow = running.filter(({ businessId }) => businessId === "slow").length;
      expect(running).toHaveLength(max);
      expect(slow).toBeLessThanOrEqual(max / 4);
    }
    const shares = ["quick 1", "quick 2", "quick 3", "slow"].map((id) => running.filter((t) => t.businessId === id));
    expect(shares.map(({ length }) => length)).toEqual(Array(4).fill(max / 4));
  });

  test("the oldest turn of a business comes first; one that waits again is as old as it was", async () => {
    const [first] = waitMany("B1", max);
    wait("B1", "young", clock.now() + 2);
    wait("B1", "old", clock.now() - 1);
    const middle = wait("B1", "middle", clock.now() + 1);
    await settled();
    await endOne(first);
    await endOne();
    expect(names().slice(-2)).toEqual(["old", "middle"]);
    middle.slot.leave();
    running.splice(running.indexOf(middle), 1);
    await settled();
    expect(names().at(-1)).toBe("young");
    wait("B1", "youngest", clock.now() + 3);
    void middle.slot.enter(never).then(() => running.push(middle));
    await endOne();
    expect(names().at(-1)).toBe("middle");
  });

  test("whoever waits for too long is told so, at that moment and not before; the others keep their places", async () => {
    waitMany("B1", max);
    const early = wait("B1", "early");
    clock.advance(1);
    const late = wait("B1", "late");
    clock.advance(waitMs - 2);
    await settled();
    expect(early.failure).toBeNull();
    clock.advance(1);
    await settled();
    expect(early.failure).toMatchObject({ name: "AgentFailure", code: "busy" });
    await endOne();
    expect([names().at(-1), late.failure]).toEqual(["late", null]);
  });

  test("[A11] who waits for an agent that is left alone is told so, whether it was before or is while they wait", () => {
    const healths = createAgentHealths(clock);
    slots = new AgentSlots({ clock, healths, max: 1, waitMs });
    const away: string[] = [];
    const enter = (asked: Agent, businessId: string) => {
      const onAway = () => void away.push(businessId);
      const slot = slots.slotFor(asked, { businessId, since: clock.now(), onAway });
      void slot.enter(never);
      return slot;
    };
    const asked = enter(agent, "B1");
    enter(agent, "B2");
    enter({ ...agent }, "B3");
    for (let failures = 0; failures < 5; failures += 1) healths.of(agent).circuit.failed();
    expect(away).toEqual([]);
    asked.leave();
    expect(away).toEqual(["B2"]);
    enter(agent, "B4");
    expect(away).toEqual(["B2", "B4"]);
  });

  test("one that is left twice, or after its end, is free once", async () => {
    const [turn] = waitMany("B1", max);
    waitMany("B2", 3);
    await settled();
    turn!.slot.leave();
    turn!.slot.leave();
    turn!.slot.end();
    turn!.slot.leave();
    await settled();
    expect(running).toHaveLength(max + 1);
  });
});
