import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createDelivery, type Delivery, type Marks, raiseMarks } from "../../server/messaging/delivery.js";
import type { Head } from "../../server/messaging/head.js";
import { Hearing } from "../../server/messaging/hearing.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import { currentSessionKey } from "../../server/messaging/records.js";
import { type Store, StoreError } from "../../server/messaging/store.js";
import { findUndelivered, type Mark } from "../../server/messaging/undelivered.js";
import { FakeClock } from "../support/fake-clock.js";
import { headOf, headTime, questionOf } from "../support/heads.js";
import { interceptedStore, soon } from "../support/intercepted-store.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const owner = { businessId: "B1", userId: "ana" };

let under: TemporaryStore;

beforeEach(async () => {
  under = await openTemporaryStore();
});

afterEach(() => under.dispose());

describe("[M26] [M28] marks", () => {
  const rows: [string, Marks, Marks, Marks][] = [
    ["rise", { delivered: 0, read: 0 }, { delivered: 2, read: 0 }, { delivered: 2, read: 0 }],
    ["never fall", { delivered: 3, read: 2 }, { delivered: 1, read: 0 }, { delivered: 3, read: 2 }],
    ["what is read is delivered", { delivered: 1, read: 0 }, { delivered: 0, read: 4 }, { delivered: 4, read: 4 }],
    ["end with the session", { delivered: 1, read: 1 }, { delivered: 9, read: 7 }, { delivered: 5, read: 5 }],
  ];

  test.each(rows)("%s", (_what, before, to, after) => {
    const head = headOf({ session: { offset: 5 }, ...before });
    const change = raiseMarks(head, to);
    expect(change.result).toEqual(after);
    // Nothing is written for nothing, and nothing else moves.
    const isSame = after.delivered === before.delivered && after.read === before.read;
    expect(change.head).toEqual(isSame ? undefined : { ...head, ...after });
  });

  test("a session that is being deleted keeps its own", () => {
    const head = headOf({ session: { offset: 5 }, deletingSince: headTime });
    expect(raiseMarks(head, { delivered: 5, read: 5 })).toEqual({ result: { delivered: 0, read: 0 } });
  });
});

describe("[M26] what is written of it", () => {
  let clock: FakeClock;
  let written: string[];
  let isFailing: boolean;
  let failures: unknown[];
  let receipts: unknown[];
  let delivery: Delivery;

  beforeEach(async () => {
    clock = new FakeClock();
    [written, isFailing, failures, receipts] = [[], false, [], []];
    const store = interceptedStore(under.store, async (name, [sessionId], call) => {
      if (name !== "changeSession") return call();
      if (isFailing) throw new StoreError("change", { retryable: true });
      const result = await call();
      written.push(String(sessionId));
      return result;
    });
    delivery = createDelivery({
      store,
      clock,
      broadcast: (topic, event, payload) => void receipts.push([topic, event, payload]),
      onError: (_operation, error) => void failures.push(error),
    });
    for (const sessionId of ["s1", "s2"]) await storeSession(sessionId, 6);
  });

  test("comes every 5 s for all that moved, each once; in between it is known all the same", async () => {
    for (const offset of [2, 4]) delivery.taken(owner, { sessionId: "s1", offset });
    delivery.taken(owner, { sessionId: "s2", offset: 2 });
    clock.advance(4999);
    await soon();
    expect([written, delivery.deliveredIn(await headIn("s1"))]).toEqual([[], 4]);
    clock.advance(1);
    await until("both are written", () => written.length === 2);
    expect(written.toSorted()).toEqual(["s1", "s2"]);
    expect([(await headIn("s1")).delivered, (await headIn("s2")).delivered]).toEqual([4, 2]);
    // Nothing moves, nothing is written, and no timer is left of it.
    clock.advance(60_000);
    await soon();
    expect([written.length, clock.timerCount]).toEqual([2, 0]);
  });

  test("waits while the store fails, and is written when it can again", async () => {
    isFailing = true;
    for (const sessionId of ["s1", "s2"]) delivery.taken(owner, { sessionId, offset: 2 });
    clock.advance(5000);
    await until("it is told", () => failures.length > 0);
    await soon();
    isFailing = false;
    clock.advance(5000);
    await until("both are written", () => written.length === 2);
    expect((await headIn("s2")).delivered).toBe(2);
  });

  test("is written before the store is let go of; where that fails, it ends all the same", async () => {
    delivery.taken(owner, { sessionId: "s1", offset: 2 });
    await delivery.stop();
    expect([(await headIn("s1")).delivered, clock.timerCount]).toEqual([2, 0]);
    delivery.taken(owner, { sessionId: "s1", offset: 4 });
    isFailing = true;
    await delivery.stop();
    expect([(await headIn("s1")).delivered, failures.length, clock.timerCount]).toEqual([2, 1, 0]);
  });

  test("is bounded: of sessions beyond 10 000 the marks that moved longest ago are forgotten", () => {
    for (let index = 0; index <= 10_000; index += 1) delivery.taken(owner, { sessionId: `many${index}`, offset: 1 });
    const known = ["many0", "many1", "many10000"].map((sessionId) =>
      delivery.deliveredIn(headOf({ session: { sessionId } })),
    );
    expect(known).toEqual([0, 0, 1]);
  });

  test("[M29] coordinators are told at once, then once a second with what holds by then, and of nothing else", () => {
    const told = () => receipts.splice(0).map((each) => (each as unknown[])[2]);
    const receipt = (delivered: number) => ({ sessionId: "s1", userId: "ana", delivered, read: 0 });
    const take = (offset: number) => delivery.taken(owner, { sessionId: "s1", offset });
    take(1);
    expect(receipts[0]).toEqual(["console:B1", "receipt", receipt(1)]);
    expect(told()).toEqual([receipt(1)]);
    for (const offset of [2, 3, 2]) take(offset);
    clock.advance(999);
    expect(told()).toEqual([]);
    clock.advance(1);
    expect(told()).toEqual([receipt(3)]);
    clock.advance(1000);
    take(3);
    expect(told()).toEqual([]);
    take(4);
    expect(told()).toEqual([receipt(4)]);
  });
});

describe("[M26] [D-18] what a socket is told, and what it has taken", () => {
  let pushed: unknown[];
  let fences: (readonly Mark[])[];
  let overflows: number;
  let hearing: Hearing;

  beforeEach(() => {
    [pushed, fences, overflows] = [[], [], 0];
    hearing = new Hearing({
      push: (event, payload) => void pushed.push([event, (payload as { readonly offset: number }).offset]),
      fence: (marks) => void fences.push(marks),
      overflow: () => (overflows += 1),
    });
  });

  const heard = (event: string, offset: number) =>
    hearing.hears({ topic: "user:B1:ana", event, payload: { sessionId: "s1", messageId: `m${offset}`, offset } });
  const upTo = (offset: number, isDue = false) => [{ sessionId: "s1", offset, isDue }];

  test("what comes before the welcome follows it, in order, without what was given", async () => {
    for (const offset of [3, 4, 5, 6])
      expect(heard(offset % 2 === 0 ? "new_message" : "message_accepted", offset)).toBe(false);
    hearing.welcome({ messages: [questionOf("m3", 3)], undelivered: [answerOf("m4", 4)], sessions: upTo(4, true) });
    expect(pushed).toEqual([
      ["new_message", 4],
      ["message_accepted", 5],
      ["new_message", 6],
    ]);
    await soon();
    expect(fences).toEqual([[{ sessionId: "s1", offset: 6 }]]);
  });

  test("what was given is not told again when it is broadcast late; anything else is", () => {
    hearing.welcome({ messages: [questionOf("m3", 3)], undelivered: [answerOf("m4", 4)], sessions: upTo(4) });
    expect([heard("message_accepted", 3), heard("new_message", 4), heard("new_message", 5)]).toEqual([
      false,
      false,
      true,
    ]);
    // It is about a message, but is none.
    expect(heard("message_delta", 4)).toBe(true);
  });

  test("[M40] what answers in the making showed before they were looked up is not told after the welcome; what they show since is", () => {
    const shown = { messageId: "m2", responseId: "r2" };
    const tells = (event: string, offset: number) =>
      hearing.hears({ topic: "user:B1:ana", event, payload: { ...shown, offset } });
    for (const event of ["thinking", "message_delta", "component"]) expect(tells(event, 1)).toBe(false);
    heard("message_accepted", 3);
    hearing.lookedUp();
    for (const event of ["thinking", "message_delta", "component"]) expect(tells(event, 2)).toBe(false);
    hearing.welcome({ messages: [], undelivered: [], sessions: upTo(2) });
    expect(pushed).toEqual([
      ["component", 1],
      ["message_accepted", 3],
      ["thinking", 2],
      ["message_delta", 2],
      ["component", 2],
    ]);
  });

  test("one fence a turn of the loop, one at a time; what comes meanwhile has its own", async () => {
    hearing.welcome({ messages: [], undelivered: [], sessions: upTo(0) });
    heard("message_accepted", 1);
    await soon();
    expect(fences).toEqual([]);
    for (const offset of [2, 3]) heard("new_message", offset);
    await soon();
    heard("new_message", 4);
    await soon();
    expect(fences).toEqual([[{ sessionId: "s1", offset: 3 }]]);
    hearing.passed();
    await soon();
    expect(fences).toEqual([[{ sessionId: "s1", offset: 3 }], [{ sessionId: "s1", offset: 4 }]]);
    hearing.passed();
    await soon();
    expect(fences).toHaveLength(2);
  });

  test("where a message is missing, no later one counts, until it has come", async () => {
    hearing.welcome({ messages: [], undelivered: [], sessions: upTo(2) });
    heard("new_message", 4);
    await soon();
    hearing.passed();
    heard("new_message", 3);
    await soon();
    expect(fences.flat()).toEqual(
      upTo(2)
        .concat(upTo(4))
        .map(({ sessionId, offset }) => ({ sessionId, offset })),
    );
  });

  test("a join during which too much comes ends with its socket", () => {
    for (let offset = 1; offset <= 1000; offset += 1) heard("message_accepted", offset);
    expect(overflows).toBe(0);
    heard("message_accepted", 1001);
    expect(overflows).toBe(1);
  });
});

describe("[M27] what was never delivered", () => {
  test("of today, and of the sessions before as long as one is not wholly delivered", async () => {
    await storeSession("s1", 4);
    await storeSession("s2", 4, { delivered: 4, previous: "s1" });
    await storeSession("s3", 4, { delivered: 2, previous: "s2" });
    await storeSession("s4", 2, { previous: "s3" });
    expect(await undelivered("s4")).toEqual(["s3#4", "s4#2"]);
  });

  test("of at most three sessions before, without one of somebody else", async () => {
    for (const index of [1, 2, 3, 4, 5]) await storeSession(`s${index}`, 2, { previous: `s${index - 1}` });
    expect(await undelivered("s5")).toEqual(["s2#2", "s3#2", "s4#2", "s5#2"]);
    await storeSession("other", 2, { userId: "bob" });
    await storeSession("s6", 2, { previous: "other" });
    expect(await undelivered("s6")).toEqual(["s6#2"]);
  });

  test("the latest session counts when its day is over, and the one before it when nothing was said in it", async () => {
    await storeSession("s1", 2);
    const seed = headOf({ session: { sessionId: "s2", previousSessionId: "s1" } });
    const current = { sessionId: "s2", day: "2026-03-02", seed };
    await under.store.writeRecord(currentSessionKey(owner), null, current);
    expect(await undelivered(null)).toEqual(["s1#2"]);
  });

  test("at most 300, the newest, oldest first", async () => {
    await storeSession("s1", 500);
    await storeSession("s2", 200, { previous: "s1" });
    const found = await undelivered("s2");
    expect([found.length, found[0], found[199], found[200], found.at(-1)]).toEqual([
      ...[300, "s1#102", "s1#500", "s2#2", "s2#200"],
    ]);
  });

  test("not what the client says that it has; that it is given the rest is a mark as well", async () => {
    await storeSession("s1", 6, { delivered: 2 });
    expect(await undelivered("s1", { sessionId: "s1", offset: 4 })).toEqual(["s1#6"]);
    const { sessions } = await find("s1", { sessionId: "s1", offset: 6 });
    expect(sessions).toEqual([{ sessionId: "s1", offset: 6, isDue: true }]);
  });
});

async function find(today: string | null, resumed: Mark | null = null) {
  const deps = { store: under.store, deliveredIn: ({ delivered }: Head) => delivered };
  return findUndelivered(deps, owner, { today: today === null ? null : await headIn(today), resumed });
}

async function undelivered(today: string | null, resumed: Mark | null = null): Promise<string[]> {
  const found = await find(today, resumed);
  return found.undelivered.map(({ sessionId, offset }) => `${sessionId}#${offset}`);
}

async function headIn(sessionId: string, store: Store = under.store): Promise<Head> {
  return (await store.readHead(sessionId))!;
}

interface SessionOptions {
  readonly delivered?: number;
  readonly previous?: string;
  readonly userId?: string;
}

/** Questions with odd offsets, answers with even ones. */
async function storeSession(sessionId: string, count: number, options: SessionOptions = {}): Promise<void> {
  const { delivered = 0, previous, userId = "ana" } = options;
  const more = previous === undefined ? {} : { previousSessionId: previous };
  const head = headOf({ delivered, session: { sessionId, userId, offset: count, ...more } });
  const messages = Array.from({ length: count }, (_, index) => {
    const [messageId, offset] = [`${sessionId}-${index}`, index + 1];
    const message = offset % 2 === 0 ? answerOf(messageId, offset) : questionOf(messageId, offset);
    return { ...message, sessionId };
  });
  await under.store.importSession(head, messages);
}

function answerOf(messageId: string, offset: number): ChatMessage {
  return {
    ...questionOf(messageId, offset),
    userId: "agent",
    type: "agent",
    metadata: { source: "websocket", responseId: `r${offset}`, inReplyTo: "q" },
  };
}
