import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Agent, AgentError } from "../../server/messaging/agent.js";
import { takeOver } from "../../server/messaging/head.js";
import { createNodes, type Nodes } from "../../server/messaging/nodes.js";
import { dueTurn } from "../../server/messaging/open-turns.js";
import { type Store, StoreError } from "../../server/messaging/store.js";
import { AnsweringDesk, type DeskOptions } from "../support/answering-desk.js";
import { FakeClock } from "../support/fake-clock.js";
import { interceptedStore, shuffledStore, soon } from "../support/intercepted-store.js";
import { withSeed } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";
import { until } from "../support/until.js";

let under: TemporaryStore;
let processes: Process[];

beforeEach(async () => {
  under = await openTemporaryStore();
  processes = [];
});

afterEach(async () => {
  await under.dispose();
});

describe("[M25] [N-06] a process that dies", () => {
  test("what it left is answered by another, once, within 15 s; what it says afterwards is not stored, and nobody hears it", async () => {
    const [first, second] = [await processOf("first"), await processOf("second")];
    second.desk.agentAnswersAtOnce();
    const users = Array.from({ length: 50 }, (_, index) => `user${index}`);
    for (const userId of users) await first.desk.say(userId, `from ${userId}`);
    await until("its agent was asked for all", () => first.desk.agent.calls.length === users.length);
    await pass(6000);
    first.freeze();
    await pass(10_000);
    expect(second.desk.agent.calls).toEqual([]);
    await pass(5000);
    await until("all are answered", () => second.desk.heard("new_message").length === users.length);
    for (const call of first.desk.agent.calls) call.answer("from the dead");
    await until("it heard of them all", () => first.desk.agent.calls.every(({ isLeft }) => isLeft));
    first.thaw();
    await pass(60_000);
    for (const userId of users) expect(await textsOf(userId)).toEqual([`from ${userId}`, `answer to from ${userId}`]);
    expect([first.desk.told, first.desk.failures]).toEqual([[], []]);
    expect(second.desk.agent.calls).toHaveLength(users.length);
  });

  test("one that ends properly is not waited for", async () => {
    const [first, second] = [await processOf("first"), await processOf("second")];
    second.desk.agentAnswersAtOnce();
    await first.desk.say("ana", "hello");
    await first.desk.agent.call("hello");
    await pass(6000);
    void first.desk.turns.drain(0);
    await first.nodes.stop();
    first.freeze();
    await pass(2000);
    await until("the other answers", () => second.desk.heard("new_message").length === 1);
  });

  test("while it lives nobody touches its sessions, however long its agent takes", async () => {
    const [first, second] = [await processOf("first"), await processOf("second")];
    await first.desk.say("ana", "hello");
    const call = await first.desk.agent.call("hello");
    await pass(29_000);
    call.answer();
    await first.desk.untilAnswered("ana", 1);
    await pass(5000);
    expect(second.desk.agent.calls).toEqual([]);
  });

  test("whatever is said, and whoever dies or stands still: each message gets one outcome, and each outcome is told once", async () => {
    for (let run = 0; run < 15; run += 1) {
      await withSeed(async (random) => {
        for (let skipped = 0; skipped < run * 1000; skipped += 1) random();
        await livesAndDeaths(random, run);
      });
    }
  });

  async function livesAndDeaths(random: () => number, run: number): Promise<void> {
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const users = [0, 1, 2, 3].map((index) => `run${run}user${index}`);
    const said = new Map<string, string[]>(users.map((userId) => [userId, []]));
    const started = processes.length;
    for (let count = 0; count < 3; count += 1) await processOf(`run${run}node${count}`);
    const ours = () => processes.slice(started);
    for (let step = 0; step < 30; step += 1) {
      const what = random();
      const one = pick(ours());
      if (what < 0.4 && !one.isFrozen) {
        const userId = pick(users);
        said.get(userId)!.push(`message ${step}`);
        await one.desk.say(userId, `message ${step}`);
      } else if (what < 0.6) pick(ours()).desk.agent.calls.at(-1)?.answer();
      else if (what < 0.7) one.freeze();
      else if (what < 0.8) one.thaw();
      else await pass(1000 * Math.ceil(random() * 8));
    }
    for (const one of ours()) {
      one.desk.agentAnswersAtOnce();
      for (const call of one.desk.agent.calls) call.answer();
    }
    for (const one of ours().slice(1)) one.freeze();
    ours()[0]!.thaw();
    // Those who died hold leases until they were watched for long enough, and each turn may wait for its agent once.
    await pass(60_000);
    const told = ours().flatMap(({ desk }) => desk.heard("new_message").map(({ payload }) => payload.responseId));
    expect(new Set(told).size).toBe(told.length);
    for (const [userId, texts] of said) {
      const rows = await ours()[0]!.desk.rowsOf(userId);
      expect(rows.map(({ offset }) => offset)).toEqual(rows.map((_, index) => index + 1));
      const questions = rows.filter(({ type }) => type === "user");
      expect(questions.map(({ content }) => content)).toEqual(texts);
      const answered = rows.filter(({ type }) => type !== "user").map(({ metadata }) => metadata.inReplyTo);
      expect(answered.toSorted()).toEqual(questions.map(({ messageId }) => messageId).toSorted());
      for (const row of rows.filter(({ type }) => type !== "user")) expect(told).toContain(row.metadata.responseId);
    }
    for (const one of ours()) one.freeze();
  }
});

describe("[M25] what a failing store cut off", () => {
  test("is taken up again by the same process, without anybody saying anything", async () => {
    const failing = failingStore(under.store);
    const { desk } = await processOf("first", { store: failing.store });
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    failing.fails = () => true;
    call.answer();
    await until("it failed", () => failing.failures === 1);
    failing.fails = () => false;
    desk.agentAnswersAtOnce();
    await pass(3000);
    await desk.untilAnswered("ana", 1);
  });

  test("is tried less and less often while it fails, and holds up no other session", async () => {
    const failing = failingStore(under.store);
    const { desk } = await processOf("first", { store: failing.store });
    desk.agentAnswersAtOnce();
    const { message } = await desk.store("ana", "cannot be answered");
    for (const userId of ["bob", "cid"]) await desk.store(userId, `from ${userId}`);
    failing.fails = (sessionId) => sessionId === message.sessionId;
    await pass(600_000);
    for (const userId of ["bob", "cid"]) await desk.untilAnswered(userId, 1);
    // At 6, 9, 15 … 195, and then every 300 s.
    expect(failing.failures).toBeGreaterThanOrEqual(7);
    expect(failing.failures).toBeLessThanOrEqual(9);
    failing.fails = () => false;
    await pass(300_000);
    await desk.untilAnswered("ana", 1);
  });

  test("a store that cannot be asked is asked again, and only once at a time", async () => {
    let readings = 0;
    let most = 0;
    let answer: () => void = () => undefined;
    const store = intercept(under.store, "readSessionsWithWork", async (read) => {
      readings += 1;
      most = Math.max(most, readings);
      await new Promise<void>((resolve) => (answer = resolve));
      readings -= 1;
      if (most === 1 && clockOf("first").monotonic() < 20_000) throw new StoreError("reading", { retryable: true });
      return read();
    });
    const failures: string[] = [];
    await (await processOf("before")).desk.store("ana", "hello");
    processes.length = 0;
    const { desk } = await processOf("first", { store, isAbandoned: () => true });
    desk.telemetry.attach("store.failed", ({ operation }) => void failures.push(operation));
    desk.agentAnswersAtOnce();
    await pass(12_000);
    expect([readings, most]).toEqual([1, 1]);
    answer();
    await until("it failed", () => failures.length === 1);
    await pass(12_000);
    answer();
    await desk.untilAnswered("ana", 1);
    expect([most, failures]).toEqual([1, ["look for open turns"]]);
  });
});

describe("[M14] [M25] what was stored this moment", () => {
  test("is not answered before its sender was told, though a look finds it; and is, when its sender never is", async () => {
    const { desk } = await processOf("first");
    await pass(2000);
    const place = desk.turns.reserve({ businessId: "B1", userId: "ana" })!;
    const accepted = await desk.store("ana", "hello");
    await pass(2000);
    expect(desk.agent.calls).toEqual([]);
    desk.turns.admitted(accepted, place);
    (await desk.agent.call("hello")).answer();
    await desk.untilAnswered("ana", 1);
    await desk.store("bob", "nobody was told");
    await pass(6000);
    (await desk.agent.call("nobody was told")).answer();
    await desk.untilAnswered("bob", 1);
    expect(desk.agent.calls).toHaveLength(2);
  });

  test("[M7] is answered next when what was left over in its session has its answer, though nobody looks again", async () => {
    const before = await processOf("before");
    await before.desk.store("ana", "one");
    before.freeze();
    const { desk } = await processOf("after", { isAbandoned: () => true });
    await desk.turns.recover();
    const call = await desk.agent.call("one");
    await desk.say("ana", "two");
    call.answer();
    (await desk.agent.call("two")).answer();
    await desk.untilAnswered("ana", 2);
  });

  test("[M7] however looks for what was left lying fall between: none keeps it from being answered once its sender was told", () =>
    withSeed(async (random) => {
      for (let run = 0; run < 100; run += 1) await lookedForMeanwhile(random, `user${run}`, 1 + (run % 3));
    }));

  /** So many messages are said while somebody looks; then nobody looks any more. */
  async function lookedForMeanwhile(random: () => number, userId: string, count: number): Promise<void> {
    const pause = async (most: number) => {
      for (let turns = Math.floor(random() * most); turns > 0; turns -= 1) await soon();
    };
    const clock = new FakeClock();
    const store = shuffledStore(under.store, random);
    const desk = new AnsweringDesk({ under, clock }, { node: userId, store, isAbandoned: () => false });
    desk.agentAnswersAtOnce();
    let toldCount = 0;
    const say = async (text: string) => {
      await pause(100);
      const place = desk.turns.reserve({ businessId: "B1", userId: "ana" })!;
      const accepted = await desk.store(userId, text);
      await pause(10);
      desk.turns.admitted(accepted, place);
      toldCount += 1;
    };
    const look = async () => {
      while (toldCount < count) {
        await pause(10);
        clock.advance(random() < 0.2 ? 3000 : 0);
        await desk.turns.recover();
      }
    };
    const texts = Array.from({ length: count }, (_, index) => `message ${index}`);
    await Promise.all([...texts.map(say), look()]);
    await desk.untilAnswered(userId, count);
  }
});

describe("[M25] what is not ours to answer", () => {
  test("a session that a coordinator holds is left alone", async () => {
    const { desk } = await processOf("first");
    const { message } = await desk.store("ana", "hello");
    const holder = { coordinatorId: "carla", expiresAt: "2026-03-02T10:05:00.000Z" };
    await under.store.changeSession(message.sessionId, (head) => takeOver(head, holder, clockOf("first").now()));
    const before = await under.store.readHead(message.sessionId);
    await pass(60_000);
    expect(desk.agent.calls).toEqual([]);
    expect(await under.store.readHead(message.sessionId)).toEqual(before);
  });

  test("what another left unwritten is written: not at the first sight, then once, and not again for a while", async () => {
    const settled: string[] = [];
    const { desk } = await processOf("other");
    desk.agentAnswersAtOnce();
    const { message } = await desk.say("ana", "hello");
    await desk.untilAnswered("ana", 1);
    const listed = intercept(under.store, "readSessionsWithWork", () =>
      Promise.resolve({ items: [message.sessionId], next: null }),
    );
    const store = intercept(listed, "settle", () => Promise.resolve(void settled.push(message.sessionId)));
    const first = await processOf("first", { store });
    await first.desk.turns.recover();
    expect(settled).toEqual([]);
    await pass(3000);
    expect(settled).toEqual([message.sessionId]);
    await pass(24_000);
    expect(settled).toHaveLength(1);
    await pass(12_000);
    expect(settled).toHaveLength(2);
    expect(first.desk.agent.calls).toEqual([]);
  });
});

describe("[M25] how many at once", () => {
  test("of very many, no more than may be; the others follow as those are done, without waiting for the next look", async () => {
    const before = await processOf("before");
    const users = Array.from({ length: 230 }, (_, index) => `user${index}`);
    await Promise.all(users.map((userId) => before.desk.store(userId, userId)));
    before.freeze();
    const { desk } = await processOf("after", { maxTakenUp: 7, isAbandoned: () => true });
    const recovered: number[] = [];
    desk.telemetry.attach("turns.recovered", ({ sessions }) => void recovered.push(sessions));
    await desk.turns.recover();
    let most = 0;
    for (let answered = 0; answered < users.length; answered += 1) {
      const call = await until("a call", () => desk.agent.calls[answered]);
      most = Math.max(most, desk.agent.calls.length - answered);
      call.answer();
    }
    await until("all are answered", () => desk.heard("new_message").length === users.length);
    await until("it is told", () => recovered.length === 1);
    expect([most, recovered]).toEqual([7, [230]]);
    expect(desk.agent.asked.toSorted()).toEqual(users.toSorted());
  });

  test("agents that hang hold up neither the start, nor those that say something new", async () => {
    const before = await processOf("before");
    for (const userId of ["ana", "bob", "cid"]) await before.desk.store(userId, `from ${userId}`);
    before.freeze();
    const { desk } = await processOf("after", { maxTakenUp: 2, isAbandoned: () => true });
    await desk.turns.recover();
    await until("two are asked", () => desk.agent.calls.length === 2);
    await pass(6000);
    await desk.say("dan", "new");
    (await desk.agent.call("new")).answer();
    await desk.untilAnswered("dan", 1);
    expect(desk.agent.calls).toHaveLength(3);
    desk.agent.calls[0]!.answer();
    await until("the third follows", () => desk.agent.calls.length === 4);
  });

  describe("[A11] of those whose agent is gone", () => {
    const users = (of: string, count: number) => Array.from({ length: count }, (_, index) => `${of} ${index}`);

    /** @returns the sessions */
    async function leftBy(businessId: string, userIds: readonly string[]): Promise<readonly string[]> {
      const before = await processOf(businessId, { businessId });
      const accepted = await Promise.all(userIds.map((userId) => before.desk.store(userId, userId)));
      before.freeze();
      return accepted.map(({ message }) => message.sessionId);
    }

    /** Nobody reaches the agent of `dead`, and turns wait for it longer than this test takes. */
    async function recovers(options: DeskOptions): Promise<{ readonly desk: AnsweringDesk; readonly asked: string[] }> {
      const asked: string[] = [];
      const dead: Agent = {
        node: "echo",
        historyMax: 0,
        answer({ message }) {
          asked.push(message);
          throw new AgentError("status_500");
        },
      };
      const common = { agents: { dead }, isAbandoned: () => true, timeoutMs: 600_000, concurrency: 4 };
      const { desk } = await processOf("after", { ...common, ...options });
      desk.agentAnswersAtOnce();
      await desk.turns.recover();
      return { desk, asked };
    }

    /** Nothing of it reads or writes any more. */
    async function ended(desk: AnsweringDesk): Promise<void> {
      await desk.turns.drain(0);
      await desk.turns.recover();
    }

    const answeredIn = (desk: AnsweringDesk) =>
      desk.heard("message_processed").filter(({ payload }) => payload.status === "answered").length;

    test("none takes another business's place", async () => {
      await leftBy("dead", users("dead", 40));
      await leftBy("alive", users("alive", 40));
      const { desk, asked } = await recovers({ maxTakenUp: 4 });
      await until("all others are answered", () => answeredIn(desk) === 40);
      // Those that were asked when nobody knew yet; no probe was due.
      expect(asked.length).toBeLessThanOrEqual(8);
      await ended(desk);
    });

    test("so many wait beside the others, and no more", async () => {
      const sessions = await leftBy("dead", users("dead", 40));
      const { desk } = await recovers({ maxTakenUp: 4, maxAway: 10 });
      let waiting = 0;
      const look = async () => {
        const heads = await Promise.all(sessions.map((sessionId) => under.store.readHead(sessionId)));
        waiting = heads.filter((head) => head!.lease?.owner === "after" && dueTurn(head!) !== null).length;
      };
      await until("as many as may be wait", () => {
        void look();
        return waiting >= 14;
      });
      await pass(4000);
      await look();
      expect(waiting).toBe(14);
      await ended(desk);
    });
  });

  test("[M20] while it ends it takes nothing up any more", async () => {
    const before = await processOf("before");
    await before.desk.store("ana", "hello");
    before.freeze();
    const { desk, clock } = await processOf("after", { isAbandoned: () => true });
    void desk.turns.drain(1000);
    await desk.turns.recover();
    await pass(10_000);
    expect(desk.agent.calls).toEqual([]);
    expect(clock.timerCount).toBe(2);
  });
});

/** One process that answers and says that it lives. Its time stands still while it is frozen; its agent may still speak. */
class Process {
  readonly clock = new FakeClock();
  readonly nodes: Nodes;
  readonly desk: AnsweringDesk;
  isFrozen = false;

  constructor(
    readonly name: string,
    options: DeskOptions,
  ) {
    const { clock } = this;
    const store = under.store;
    this.nodes = createNodes({ store, clock, node: name, onError: () => undefined });
    const isAbandoned = ({ owner }: { owner: string }) => this.nodes.isGone(owner);
    this.desk = new AnsweringDesk({ under, clock }, { node: name, isAbandoned, ...options });
    this.nodes.onGone(() => void this.desk.turns.recover());
  }

  freeze(): void {
    this.isFrozen = true;
  }

  thaw(): void {
    this.isFrozen = false;
  }
}

async function processOf(name: string, options: DeskOptions = {}): Promise<Process> {
  const process = new Process(name, options);
  await process.nodes.start();
  process.desk.turns.watch();
  processes.push(process);
  return process;
}

function clockOf(name: string): FakeClock {
  return processes.find((process) => process.name === name)!.clock;
}

/** Lets time pass for all that live, second by second, and what falls due come to its end. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    for (const { clock, isFrozen } of processes) if (!isFrozen) clock.advance(1000);
    for (let turn = 0; turn < 3; turn += 1) {
      await touch(under.store);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

async function textsOf(userId: string): Promise<string[]> {
  return (await processes[0]!.desk.rowsOf(userId)).map(({ content }) => content);
}

/** A store that refuses what it is told to refuse. */
function failingStore(inner: Store): {
  readonly store: Store;
  fails: (sessionId: string) => boolean;
  failures: number;
} {
  const state = { store: inner, fails: (_sessionId: string) => false, failures: 0 };
  const store = intercept(inner, "changeSession", (change, [sessionId]) => {
    if (!state.fails(sessionId as string)) return change();
    state.failures += 1;
    return Promise.reject(new StoreError("changing a session", { retryable: true }));
  });
  return Object.assign(state, { store });
}

function intercept(
  inner: Store,
  intercepted: keyof Store,
  around: (call: () => Promise<unknown>, given: readonly unknown[]) => Promise<unknown>,
): Store {
  return interceptedStore(inner, (name, given, call) => (name === intercepted ? around(call, given) : call()));
}
