import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { CoordinatorEvents } from "../../server/messaging/coordinator-events.js";
import type { EventResult } from "../../server/messaging/events.js";
import { holdingMs } from "../../server/messaging/holding.js";
import { cursorAt } from "../../server/messaging/ids.js";
import type { Store } from "../../server/messaging/store.js";
import type { DeskOptions } from "../support/answering-desk.js";
import { CoordinatedDesk } from "../support/coordinated-desk.js";
import { FakeClock } from "../support/fake-clock.js";
import { forgetfulStore, interceptedStore, shuffledStore, soon } from "../support/intercepted-store.js";
import { withSeed } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";
import { until } from "../support/until.js";

let under: TemporaryStore;
let clock: FakeClock;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
});

afterEach(() => under.dispose());

class Node extends CoordinatedDesk {
  constructor(node: string, store: Store = under.store, around: DeskOptions["around"] = (responder) => responder) {
    super({ under, clock }, { node, store, around });
  }
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    clock.advance(Math.min(left, 1000));
    for (let turn = 0; turn < 3; turn += 1) {
      await touch(under.store);
      await soon();
    }
  }
}

const codeOf = (result: EventResult) => (result.ok ? "ok" : result.reason.code);

/** Every message of a user's session has one outcome, and each outcome was told to the user once. */
async function checkOutcomes(nodes: readonly Node[], userId: string): Promise<void> {
  const rows = await nodes[0]!.desk.rowsOf(userId);
  expect(rows.map(({ offset }) => offset)).toEqual(rows.map((_, index) => index + 1));
  const events = (await under.store.readEvents("B1", { after: cursorAt(0), limit: 1000 })).items;
  const ours = events.filter((event) => event.userId === userId && event.message !== "");
  const questions = rows.filter(({ type }) => type === "user").map(({ messageId }) => messageId);
  expect(ours.map(({ messageId }) => messageId).toSorted()).toEqual(questions.toSorted());
  const outcomes = rows.filter(({ type }) => type !== "user").map(({ metadata }) => metadata.responseId);
  const told = nodes.flatMap(({ desk }) => desk.told.filter(({ topic }) => topic === `user:B1:${userId}`));
  const pushed = told.filter(({ event }) => event === "new_message").map(({ payload }) => payload.responseId);
  expect(pushed.toSorted()).toEqual(outcomes.toSorted());
}

describe("[M32] a coordinator who falls silent", () => {
  test("holds up what waits for 5 s more than the holding lasts, and no longer, on whatever node", async () => {
    const nodes = [new Node("first"), new Node("second")] as const;
    for (const { desk } of nodes) desk.turns.watch();
    const users = ["ana", "bob", "cid"];
    // Their ends are 10 s apart, so that nobody meets them by looking seldom.
    for (const userId of users) {
      const { message } = await nodes[0].desk.say(userId, `of ${userId}`);
      const call = await nodes[0].desk.agent.call(`of ${userId}`);
      expect(codeOf(await nodes[1].ask("carla", "take_over", message.sessionId))).toBe("ok");
      call.answer("too late");
      await pass(10_000);
    }
    for (const { desk } of nodes) desk.agentAnswersAtOnce();
    const asked = () => nodes.flatMap(({ desk }) => desk.agent.asked).length;
    await pass(holdingMs - 31_000);
    for (const [index, userId] of users.entries()) {
      expect([userId, asked()]).toEqual([userId, users.length + index]);
      await pass(6000);
      expect([userId, asked()]).toEqual([userId, users.length + index + 1]);
      await pass(4000);
    }
    for (const userId of users) {
      await nodes[0].desk.untilAnswered(userId, 1);
      await until("it is told", () => pushedTo(nodes, userId).length > 0);
      await checkOutcomes(nodes, userId);
    }
    const updates = nodes.flatMap(({ desk }) => desk.heard("session_updated"));
    const freed = updates.filter(({ topic, payload }) => topic === "console:B1" && payload.holder === null);
    expect(freed).toHaveLength(users.length);
  });
});

describe("[M30] a turn that waits for its agent", () => {
  let node: Node;

  beforeEach(async () => {
    node = new Node("first");
    // Five failures: after them the agent is left alone.
    for (let n = 0; n < 5; n += 1) {
      await node.desk.say(`user${n}`, `fails ${n}`);
      (await node.desk.agent.call(`fails ${n}`)).say(new Error("broken"));
      await node.desk.untilAnswered(`user${n}`, 1);
    }
    node.desk.agent.calls.length = 0;
  });

  async function waits(userId: string, text: string): Promise<string> {
    const { message } = await node.desk.say(userId, text);
    await until("it waits", () => node.desk.runs.ofUser("B1", userId).length > 0);
    return message.sessionId;
  }

  test("is taken over: the agent is not asked, and the human's reply is its outcome", async () => {
    const sessionId = await waits("ana", "hello");
    expect(codeOf(await node.ask("carla", "take_over", sessionId))).toBe("ok");
    await pass(20_000);
    expect(codeOf(await node.ask("carla", "reply", sessionId))).toBe("ok");
    await checkOutcomes([node], "ana");
    expect((await node.desk.rowsOf("ana")).map(({ content }) => content)).toEqual(["hello", "from a human"]);
    expect(node.desk.agent.calls).toEqual([]);
    expect(node.desk.heard("draft")).toEqual([]);
  });

  test("is handed back: it waits anew, and its agent is asked once", async () => {
    const sessionId = await waits("ana", "hello");
    await node.ask("carla", "take_over", sessionId);
    expect(node.desk.runs.ofUser("B1", "ana")).toEqual([]);
    await node.ask("carla", "hand_back", sessionId);
    await until("it waits", () => node.desk.runs.ofUser("B1", "ana").length > 0);
    clock.advance(5000);
    (await node.desk.agent.call("hello")).answer();
    await node.desk.untilAnswered("ana", 1);
    await checkOutcomes([node], "ana");
    expect(node.desk.agent.asked).toEqual(["hello"]);
  });
});

describe("[M30] [M33] what an agent makes that can be of no use any more", () => {
  test("is not begun, nor shown, when the session is taken between two of its turns", async () => {
    const node: Node = new Node("first", under.store, (responder) => ({
      respond: async (run) => {
        if (run.question.content === "two") await node.ask("carla", "take_over", run.question.sessionId);
        return responder.respond(run);
      },
    }));
    await node.desk.say("ana", "one");
    const call = await node.desk.agent.call("one");
    const { message } = await node.desk.say("ana", "two");
    call.answer();
    await until("it is taken over", () => node.desk.heard("session_updated").length > 0);
    await pass(5000);
    expect(node.desk.agent.asked).toEqual(["one"]);
    expect(node.desk.runs.ofUser("B1", "ana")).toEqual([]);
    expect(node.desk.shown).toEqual([]);
    expect(codeOf(await node.ask("carla", "reply", message.sessionId))).toBe("ok");
    await checkOutcomes([node], "ana");
  });

  test("is stopped when the session is handed back, and the newest is asked at once", async () => {
    const node = new Node("first");
    const { message } = await node.desk.say("ana", "hangs");
    const hanging = await node.desk.agent.call("hangs");
    await node.ask("carla", "take_over", message.sessionId);
    expect(hanging.signal.aborted).toBe(false);
    await node.ask("carla", "reply", message.sessionId);
    await node.desk.say("ana", "next");
    await node.ask("carla", "hand_back", message.sessionId);
    expect(hanging.signal.aborted).toBe(true);
    (await node.desk.agent.call("next")).answer();
    await node.desk.untilAnswered("ana", 2);
    await checkOutcomes([node], "ana");
  });
});

describe("[M31] a reply whose write was not acknowledged, and that is asked for again", () => {
  test.each(["reply", "resolve"] as const)("%s: was written once, and is told as it was", async (event) => {
    const { store, forgetOnce } = lookedUpTwice(under.store);
    const node = new Node("first", store);
    const { message } = await node.desk.say("ana", "hello");
    await node.desk.agent.call("hello");
    forgetOnce();
    expect(codeOf(await node.ask("carla", event, message.sessionId))).toBe("ok");
    await checkOutcomes([node], "ana");
    expect(await node.desk.rowsOf("ana")).toHaveLength(2);
  });

  test("[M33] an answer to what was handed back, too", async () => {
    const { store, forgetOnce } = forgetfulStore(under.store);
    const node = new Node("first", store);
    const { message } = await node.desk.say("ana", "one");
    (await node.desk.agent.call("one")).answer("never heard");
    await node.ask("carla", "take_over", message.sessionId);
    await node.desk.say("ana", "two");
    await node.ask("carla", "hand_back", message.sessionId);
    const call = await node.desk.agent.call("two");
    forgetOnce();
    call.answer();
    await until("it is told", () => node.desk.heard("message_processed").length === 2);
    await checkOutcomes([node], "ana");
  });
});

describe("[M31] what is said while a reply is on its way", () => {
  test("ends with it as well, when it was stored before it", async () => {
    let sayMore: () => Promise<unknown> = () => Promise.resolve();
    const store = interceptedStore(under.store, async (name, _given, call) => {
      const result = await call();
      if (name === "findMessage") await sayMore();
      return result;
    });
    const node = new Node("first", store);
    const { message } = await node.desk.store("ana", "one");
    let more = 3;
    sayMore = () => (more-- > 0 ? node.desk.store("ana", `more ${more}`) : Promise.resolve());
    expect(codeOf(await node.ask("carla", "reply", message.sessionId))).toBe("ok");
    expect((await node.desk.rowsOf("ana")).map(({ type }) => type)).toEqual([
      "user",
      "user",
      "user",
      "user",
      "coordinator",
    ]);
    await checkOutcomes([node], "ana");
  });
});

test("[M7] [M30] [M31] [M33] [M34] two nodes, two coordinators, an agent and a user, all at once: one outcome each", async () => {
  for (let run = 0; run < 4; run += 1) {
    await withSeed(async (random) => {
      for (let skipped = 0; skipped < run * 500; skipped += 1) random();
      await lifeOf(random, `user${run}`);
    });
  }
});

async function lifeOf(random: () => number, userId: string): Promise<void> {
  const nodes = ["first", "second"].map((name) => new Node(name, shuffledStore(under.store, random)));
  for (const { desk } of nodes) desk.turns.watch();
  const anyone = () => nodes[random() < 0.5 ? 0 : 1]!;
  const first = await anyone().desk.say(userId, "first");
  const { sessionId } = first.message;
  const doing: Promise<unknown>[] = [];
  const codes = new Set<string>();
  for (let step = 0; step < 40; step += 1) {
    const what = random();
    const by = random() < 0.6 ? "carla" : "cora";
    const ask = (event: keyof CoordinatorEvents) =>
      anyone()
        .ask(by, event, sessionId)
        .then((result) => codes.add(codeOf(result)));
    if (what < 0.25) doing.push(anyone().desk.say(userId, `message ${step}`));
    else if (what < 0.45) for (const { desk } of nodes) desk.agent.calls.at(-1)?.answer();
    else if (what < 0.6) doing.push(ask("take_over"));
    else if (what < 0.75) doing.push(ask("reply"));
    else if (what < 0.85) doing.push(ask("hand_back"));
    else if (what < 0.88) doing.push(ask("resolve"), ask("reopen"));
    else await pass(1000 * Math.ceil(random() * 100));
    if (random() < 0.5) await soon();
  }
  await Promise.all(doing);
  for (const { desk } of nodes) desk.agentAnswersAtOnce();
  for (const { desk } of nodes) for (const call of desk.agent.calls) call.answer();
  await pass(holdingMs + 40_000);
  const current = (await under.store.readSessionsOf({ businessId: "B1", userId }, { limit: 50 })).items;
  const waits = async () =>
    (await Promise.all(current.map(({ sessionId: id }) => under.store.readHead(id)))).some(
      (head) => head!.turns.length > 0,
    );
  for (let seconds = 0; seconds < 100 && (await waits()); seconds += 1) await pass(1000);
  expect(await waits()).toBe(false);
  for (const each of codes) expect(["ok", "held_by_other", "session_not_found"]).toContain(each);
  await checkAll(
    nodes,
    userId,
    current.map((session) => session.sessionId),
  );
  for (const { desk } of nodes) await desk.turns.drain(0);
}

async function checkAll(nodes: readonly Node[], userId: string, sessionIds: readonly string[]): Promise<void> {
  const rows = (await Promise.all(sessionIds.map((id) => under.store.readMessages(id, { limit: 200 })))).flatMap(
    ({ items }) => items,
  );
  const events = (await under.store.readEvents("B1", { after: cursorAt(0), limit: 5000 })).items;
  const ours = events.filter((event) => event.userId === userId && event.message !== "");
  const questions = rows.filter(({ type }) => type === "user").map(({ messageId }) => messageId);
  expect(ours.map(({ messageId }) => messageId).toSorted()).toEqual(questions.toSorted());
  const outcomes = rows.filter(({ type }) => type !== "user").map(({ metadata }) => metadata.responseId);
  await until("all are told", () => pushedTo(nodes, userId).length >= outcomes.length);
  expect(pushedTo(nodes, userId).toSorted()).toEqual(outcomes.toSorted());
}

function pushedTo(nodes: readonly Node[], userId: string): unknown[] {
  const told = nodes.flatMap(({ desk }) => desk.told.filter(({ topic }) => topic === `user:B1:${userId}`));
  return told.filter(({ event }) => event === "new_message").map(({ payload }) => payload.responseId);
}

/** A store that asks a change again after it was written, with what it looks up: its answer was lost. */
function lookedUpTwice(inner: Store): { readonly store: Store; readonly forgetOnce: () => void } {
  let isForgetful = false;
  const store = interceptedStore(inner, async (name, given, call) => {
    const [, , lookUp] = given as Parameters<Store["changeSession"]>;
    if (name !== "changeSession" || !isForgetful || lookUp === undefined) return call();
    isForgetful = false;
    await call();
    return call();
  });
  return { store, forgetOnce: () => void (isForgetful = true) };
}
