import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  abandon,
  admit,
  type AdmissionTerms,
  answer,
  beginDeletion,
  claim,
  close,
  type Head,
  type Lease,
  type Outcome,
  phaseOf,
  phaseSince,
  takeOver,
} from "../../server/messaging/head.js";
import type { ChatMessage, Intent, SessionStatus } from "../../server/messaging/model.js";
import type { SessionChange } from "../../server/messaging/store.js";
import { headOf, headTime, questionOf, saidBy, turnOf } from "../support/heads.js";

const t0 = Date.parse(headTime);
const terms: AdmissionTerms = { now: t0 + 1000, node: "here", isOver: false, isFinal: false };
const outcome: Outcome = {
  messageId: "a1",
  responseId: "r1",
  type: "agent",
  content: "the answer",
  tokens: 7,
  metadata: { source: "websocket", responseId: "r1", inReplyTo: "q1" },
};
const nothing = { head: undefined, messages: undefined, events: undefined };

describe("admit", () => {
  const statuses: [SessionStatus, Partial<AdmissionTerms>, "over" | SessionStatus][] = [
    ["active", {}, "active"],
    ["abandoned", {}, "active"],
    ["resolved", {}, "over"],
    ["closed", {}, "over"],
    ["active", { isOver: true }, "over"],
    ["abandoned", { isOver: true }, "over"],
    ["resolved", { isOver: true }, "over"],
    ["closed", { isOver: true }, "over"],
    ["active", { isFinal: true }, "active"],
    ["abandoned", { isFinal: true }, "active"],
    ["resolved", { isFinal: true }, "resolved"],
    ["closed", { isFinal: true }, "closed"],
    ["active", { isOver: true, isFinal: true }, "active"],
    ["closed", { isOver: true, isFinal: true }, "closed"],
  ];

  test.each(statuses)("[M3] a session that is %s, on the terms %j: %s", (status, more, expected) => {
    const change = admit(headOf({ session: { status } }), null, saidBy("ana", "q1"), { ...terms, ...more });
    if (expected === "over") expect(change).toEqual({ result: { kind: "over" } });
    else expect(change.head?.session.status).toBe(expected);
  });

  test.each<SessionStatus>(["active", "abandoned", "resolved", "closed"])(
    "[M6] what is stored already is a duplicate, and writes nothing, in a session that is %s",
    (status) => {
      const found = questionOf("q1", 1);
      const change = admit(headOf({ session: { status } }), found, saidBy("ana", "q1"), { ...terms, isOver: true });
      expect(change).toEqual({ result: { kind: "duplicate", message: found } });
    },
  );

  test("[M4] [S2] message, offset and open turn are one change", () => {
    const before = headOf({ session: { offset: 4 }, turns: [turnOf("q0", 3)], fence: 2, lease: lease("here", 2) });
    const { result, head, messages } = admit(before, null, saidBy("ana", "q1", { locationId: "L2" }), terms);
    const timestamp = new Date(t0 + 1000).toISOString();
    const message = { ...questionOf("q1", 5), timestamp };
    expect(messages).toEqual([message]);
    expect(result).toEqual({ kind: "admitted", message, head });
    expect(head).toEqual({
      ...before,
      turns: [turnOf("q0", 3), { ...turnOf("q1", 5), admittedAt: timestamp, locationId: "L2" }],
      session: {
        ...before.session,
        offset: 5,
        totals: { messages: 1, tokens: 0, cost: 0 },
        updatedAt: timestamp,
        lastMessageAt: timestamp,
      },
    });
  });

  test.each<[string, Partial<Head>, Lease]>([
    ["nobody's", { fence: 3, lease: null }, lease("here", 4)],
    ["ours", { fence: 3, lease: lease("here", 3) }, lease("here", 3)],
    ["another's", { fence: 3, lease: lease("there", 3) }, lease("there", 3)],
  ])("[M8] a lease that is %s", (_whose, before, after) => {
    const { head } = admit(headOf(before), null, saidBy("ana", "q1"), terms);
    expect([head?.lease, head?.fence]).toEqual([after, after.fence]);
  });

  test("[M13] the context of a message is the session's from then on; none leaves it as it was", () => {
    const first = admit(headOf(), null, saidBy("ana", "q1", { context: { page: "prices" } }), terms).head!;
    const second = admit(first, null, saidBy("ana", "q2"), terms).head!;
    expect(second.session.metadata).toEqual({ businessType: "general", context: { page: "prices" } });
    expect(second.turns.map(({ context }) => context)).toEqual([{ page: "prices" }, {}]);
  });

  test.each([
    ["later", 1],
    ["the same", 0],
    ["a millisecond ago", -1],
    ["an hour ago", -3_600_000],
  ])("[M5] the clock says %s: the timestamp does not go back", (_when, ms) => {
    const { head, messages } = admit(headOf(), null, saidBy("ana", "q1"), { ...terms, now: t0 + ms });
    const expected = new Date(t0 + Math.max(0, ms)).toISOString();
    expect(messages?.[0]?.timestamp).toBe(expected);
    expect([head?.session.lastMessageAt, head?.session.updatedAt]).toEqual([expected, expected]);
  });
});

describe("[M22] a session that is being deleted", () => {
  const deleting = headOf({ session: { status: "closed" }, deletingSince: headTime });

  test.each<SessionStatus>(["active", "abandoned", "resolved", "closed"])(
    "takes no message, whatever was decided, and although its status is %s",
    (status) => {
      for (const isFinal of [true, false]) {
        const head = { ...deleting, session: { ...deleting.session, status } };
        expect(admit(head, null, saidBy("ana", "q1"), { ...terms, isFinal })).toEqual({ result: { kind: "over" } });
      }
    },
  );

  test("knows what is still stored in it", () => {
    const found = questionOf("q1", 1);
    expect(admit(deleting, found, saidBy("ana", "q1"), terms).result).toEqual({ kind: "duplicate", message: found });
  });
});

describe("[L14] open turns of a session", () => {
  const openOf = (count: number) => Array.from({ length: count }, (_, index) => turnOf(`q${index}`, index + 1));

  test.each([
    [99, "admitted"],
    [100, "full"],
    [101, "full"],
  ])("with %d of them, one more is %s", (count, expected) => {
    const change = admit(headOf({ turns: openOf(count) }), null, saidBy("ana", "next"), terms);
    expect(change.result.kind).toBe(expected);
    if (expected === "full") expect(change).toEqual({ result: { kind: "full" } });
  });

  test("one that is stored already is a duplicate all the same", () => {
    const found = questionOf("q1", 1);
    const { result } = admit(headOf({ turns: openOf(100) }), found, saidBy("ana", "q1"), terms);
    expect(result.kind).toBe("duplicate");
  });

  test.each([
    ["what others sent along counts", 100 * 1024, 40 * 1024, "full"],
    ["up to the limit it is taken", 80 * 1024, 40 * 1024, "admitted"],
    ["one that sends nothing along is taken", 140 * 1024, 0, "admitted"],
    ["one alone is taken whatever it sends along", 0, 140 * 1024, "admitted"],
  ])("%s", (_what, before, own, expected) => {
    const context = (bytes: number) => (bytes === 0 ? {} : { text: "x".repeat(bytes) });
    const turns = [{ ...turnOf("q1", 1), context: context(before) }];
    const change = admit(headOf({ turns }), null, saidBy("ana", "q2", { context: context(own) }), terms);
    expect(change.result.kind).toBe(expected);
  });
});

describe("[M22] abandon", () => {
  const [before, at, after] = [-1, 0, 1].map((ms) => new Date(t0 + ms).toISOString());
  const cases: [string, Partial<Head>, string, boolean][] = [
    ["active and silent since then", {}, after!, true],
    ["active, and something was said at that very moment", {}, at!, false],
    ["active, and something was said later", {}, before!, false],
    ["abandoned already", headOf({ session: { status: "abandoned" } }), after!, false],
    ["resolved", headOf({ session: { status: "resolved" } }), after!, false],
    ["not answered yet", { turns: [turnOf("q1", 1)] }, after!, false],
    ["being deleted", { deletingSince: headTime }, after!, false],
  ];

  test.each(cases)("one that is %s", (_what, more, since, isAbandoned) => {
    const head = { ...headOf(), ...more };
    const change = abandon(head, since, t0 + 5000);
    const session = { ...head.session, status: "abandoned", updatedAt: new Date(t0 + 5000).toISOString() };
    expect(change).toEqual(isAbandoned ? { result: true, head: { ...head, session } } : { result: false });
  });

  test("[M3] a message brings it back", () => {
    const { head } = abandon(headOf(), after!, t0 + 5000);
    expect(admit(head!, null, saidBy("ana", "q1"), terms).head?.session.status).toBe("active");
  });
});

describe("[M22] beginDeletion", () => {
  const [before, at, after] = [-1, 0, 1].map((ms) => new Date(t0 + ms).toISOString());
  const closed = { status: "closed" } as const;
  const cases: [string, Head, string, boolean][] = [
    ["closed and unchanged since then", headOf({ session: closed }), after!, true],
    ["resolved and unchanged since then", headOf({ session: { status: "resolved" } }), after!, true],
    ["abandoned and unchanged since then", headOf({ session: { status: "abandoned" } }), after!, true],
    ["closed at that very moment", headOf({ session: closed }), at!, false],
    ["closed later", headOf({ session: closed }), before!, false],
    ["active", headOf(), after!, false],
    [
      "closed, with a message that is not answered",
      headOf({ session: closed, turns: [turnOf("q1", 1)] }),
      after!,
      false,
    ],
  ];

  test.each(cases)("one that is %s", (_what, head, since, isBegun) => {
    const change = beginDeletion(head, since, t0 + 5000);
    const deleting = { ...head, deletingSince: new Date(t0 + 5000).toISOString() };
    expect(change).toEqual(isBegun ? { result: true, head: deleting } : { result: false });
  });

  test("one that is being deleted stays as it is", () => {
    const head = headOf({ deletingSince: headTime });
    expect(beginDeletion(head, before!, t0 + 5000)).toEqual({ result: true });
  });

  test("what the cleanup looks for", () => {
    const [said, changed] = ["2026-03-01T00:00:00.000Z", "2026-03-01T12:00:00.000Z"];
    const times = { lastMessageAt: said, updatedAt: changed };
    const heads = [
      headOf({ session: times }),
      ...(["abandoned", "resolved", "closed"] as const).map((status) => headOf({ session: { ...times, status } })),
      headOf({ session: { ...times, status: "closed" }, deletingSince: headTime }),
    ];
    expect(heads.map((head) => [phaseOf(head), phaseSince(head)])).toEqual([
      ["active", said],
      ["over", changed],
      ["over", changed],
      ["over", changed],
      ["deleting", headTime],
    ]);
  });
});

describe("[M8] take over", () => {
  const holder = { coordinatorId: "carla", expiresAt: "2026-03-02T10:05:00.000Z" };
  const asked = headOf({ turns: [turnOf("q1", 1)], fence: 3, lease: lease("here", 3), session: { offset: 1 } });

  test("the session is the coordinator's, and what an agent is working on cannot be stored any more", () => {
    const { head, result } = takeOver(asked, holder, t0 + 1000);
    expect(result).toEqual({ ...asked.session, holder, updatedAt: new Date(t0 + 1000).toISOString() });
    expect(head).toEqual({ ...asked, session: result, lease: null, fence: 4 });
    const given = { now: t0 + 5000, fence: 3, cursor: "c1" };
    expect(answer(head!, questionOf("q1", 1), outcome, given)).toEqual({ result: null });
  });

  test("nobody claims it, not even whoever has its lease, and no answer goes into it", () => {
    const held = { ...asked, session: { ...asked.session, holder } };
    expect(claim(held, "here", () => true)).toEqual({ result: null });
    expect(claim({ ...held, lease: null }, "there", () => true)).toEqual({ result: null });
    const given = { now: t0 + 5000, fence: 3, cursor: "c1" };
    expect(answer(held, questionOf("q1", 1), outcome, given)).toEqual({ result: null });
  });

  test("[M4] messages are taken all the same, and wait", () => {
    const { head } = takeOver(asked, holder, t0 + 1000);
    expect(admit(head!, null, saidBy("ana", "q2"), terms).head?.turns).toHaveLength(2);
  });
});

describe("claim", () => {
  const open = [turnOf("q1", 1)];
  const cases: [string, Partial<Head>, boolean, Lease | null][] = [
    ["nothing to do", { turns: [] }, true, null],
    ["nobody's", { turns: open, fence: 5 }, false, lease("here", 6)],
    ["another's who is there", { turns: open, fence: 5, lease: lease("there", 5) }, false, null],
    ["another's who is gone", { turns: open, fence: 5, lease: lease("there", 5) }, true, lease("here", 6)],
  ];

  test.each(cases)("[M8] %s", (_what, before, isAbandoned, expected) => {
    const change = claim(headOf(before), "here", () => isAbandoned);
    if (expected === null) expect(change).toEqual({ result: null });
    else expect(change.head).toEqual(headOf({ ...before, lease: expected, fence: expected.fence }));
    expect(change.result).toEqual(change.head ?? null);
  });

  test("[M8] ours already: nothing is written", () => {
    const head = headOf({ turns: open, fence: 5, lease: lease("here", 5) });
    expect(claim(head, "here", () => false)).toEqual({ result: head });
  });
});

describe("answer", () => {
  const asked = headOf({
    session: { offset: 2 },
    turns: [turnOf("q1", 1), turnOf("q2", 2)],
    fence: 3,
    lease: lease("here", 3),
  });
  const given = { now: t0 + 5000, fence: 3, cursor: "c1" };

  test("[M7] [S2] the outcome, the closed turn and the event are one change", () => {
    const { result, head, messages, events } = answer(asked, questionOf("q1", 1), outcome, given);
    const timestamp = new Date(t0 + 5000).toISOString();
    const message = {
      messageId: "a1",
      sessionId: "s1",
      offset: 3,
      businessId: "B1",
      userId: "agent",
      content: "the answer",
      type: "agent",
      timestamp,
      metadata: outcome.metadata,
    };
    const event = {
      cursor: "c1",
      businessId: "B1",
      locationId: "L1",
      userId: "ana",
      sessionId: "s1",
      messageId: "q1",
      message: "text of q1",
      responseId: "r1",
      answer: "the answer",
      status: "answered",
      timestamp,
      durationMs: 5000,
      source: "websocket",
    };
    expect({ result, messages, events }).toEqual({
      result: { message, event, earlier: [], intents: [], head },
      messages: [message],
      events: [event],
    });
    expect(head).toEqual({
      ...asked,
      turns: [turnOf("q2", 2)],
      session: {
        ...asked.session,
        offset: 3,
        totals: { messages: 1, tokens: 7, cost: 0 },
        updatedAt: timestamp,
        lastMessageAt: timestamp,
      },
    });
  });

  test("[M8] the lease goes with the last open turn; the fence stays", () => {
    const one = answer(asked, questionOf("q1", 1), outcome, given).head!;
    const both = answer(one, questionOf("q2", 2), outcome, given).head!;
    expect([one.lease, both.lease, both.fence]).toEqual([lease("here", 3), null, 3]);
  });

  test.each<[string, Partial<Head>, string, number]>([
    ["under an older fence", { fence: 4, lease: lease("there", 4) }, "q1", 3],
    ["under a fence that is to come", {}, "q1", 4],
    ["after the lease was given up", { lease: null }, "q1", 3],
    ["without a lease", { lease: null }, "q1", -1],
    ["to a turn that has its outcome", { turns: [turnOf("q2", 2)] }, "q1", 3],
    ["to a turn that never was", {}, "q9", 3],
    ["when no turn is open", { turns: [], lease: null }, "q1", 3],
  ])("[M7] [M8] an outcome %s is dropped", (_when, more, question, fence) => {
    const change = answer({ ...asked, ...more }, questionOf(question, 1), outcome, { ...given, fence });
    expect({ ...nothing, ...change }).toEqual({ ...nothing, result: null });
  });

  test.each<SessionStatus>(["active", "resolved", "closed", "abandoned"])(
    "[M7] a session that is %s still gets the outcome of an open turn, and stays so",
    (status) => {
      const head = { ...asked, session: { ...asked.session, status } };
      expect(answer(head, questionOf("q1", 1), outcome, given).head?.session.status).toBe(status);
    },
  );

  test.each([
    ["agent", "answered"],
    ["system", "failed"],
  ] as const)("[M9] [M17] an outcome of the %s is told as %s", (type, status) => {
    const { result } = answer(asked, questionOf("q1", 1), { ...outcome, type }, given);
    expect([result?.event.status, result?.message.type, result?.message.userId]).toEqual([status, type, type]);
  });

  test("[A3] the intent: left out it stays, null ends it, another replaces it", () => {
    const [old, next] = [intentOf("old"), intentOf("next")];
    const after = (intent?: Intent | null) => {
      const said = intent === undefined ? outcome : { ...outcome, intent };
      const { result, head } = answer({ ...asked, intent: old }, questionOf("q1", 1), said, given);
      return [head?.intent, result?.intents.map(({ name, status }) => [name, status])];
    };
    expect(after()).toEqual([old, []]);
    expect(after(null)).toEqual([null, [["old", "abandoned"]]]);
    expect(after(next)).toEqual([
      next,
      [
        ["old", "abandoned"],
        ["next", "active"],
      ],
    ]);
  });

  test("[M5] a clock that went back: the answer is not before its question, and took no less than no time", () => {
    const { result } = answer(asked, questionOf("q1", 1), outcome, { ...given, now: t0 - 3_600_000 });
    expect([result?.message.timestamp, result?.event.durationMs]).toEqual([headTime, 0]);
  });
});

describe("close", () => {
  const cases: [SessionStatus, "resolved" | "closed", SessionStatus][] = [
    ["active", "resolved", "resolved"],
    ["active", "closed", "closed"],
    ["abandoned", "resolved", "resolved"],
    ["abandoned", "closed", "closed"],
    ["resolved", "closed", "resolved"],
    ["closed", "resolved", "closed"],
  ];

  test.each(cases)("[M3] one that is %s, as %s: %s", (before, as, after) => {
    const head = headOf({ session: { status: before }, turns: [turnOf("q1", 1)] });
    const change = close(head, as, t0 + 1000);
    expect(change.result.status).toBe(after);
    const isChanged = before !== after;
    const session = { ...head.session, status: after, updatedAt: new Date(t0 + 1000).toISOString() };
    expect(change).toEqual(isChanged ? { result: session, head: { ...head, session } } : { result: head.session });
  });

  test.each([
    ["nobody, with nothing open", []],
    ["whoever held it, while something is", [turnOf("q1", 1)]],
  ])("[M34] is held by %s", (_whom, turns) => {
    const holder = { coordinatorId: "carla", expiresAt: new Date(t0 + 60_000).toISOString() };
    const { result, head } = close(headOf({ session: { holder }, turns }), "closed", t0 + 1000);
    expect(result.holder).toEqual(turns.length === 0 ? undefined : holder);
    expect(head?.session).toEqual(result);
  });

  test("[M22] one that is being deleted stays as it is", () => {
    const head = headOf({ session: { status: "abandoned" }, deletingSince: headTime });
    expect(close(head, "closed", t0 + 1000)).toEqual({ result: head.session });
  });

  test("[M5] a clock that went back does not take updatedAt along", () => {
    expect(close(headOf(), "closed", t0 - 1000).result.updatedAt).toBe(headTime);
  });
});

test("[M4] [M5] [M7] [M8] [M22] whatever is done to a session in whatever order, it stays in order", () => {
  const step = fc.record({
    what: fc.constantFrom("say", "say", "say", "claim", "answer", "answer", "close", "abandon", "delete" as const),
    node: fc.constantFrom("here", "there"),
    ms: fc.integer({ min: -5000, max: 5000 }),
    which: fc.nat({ max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const room = new Room();
      steps.forEach(({ what, node, ms, which }, index) =>
        room.do(what, { id: `m${index}`, node, now: t0 + ms, which }),
      );
      expect(room.problems()).toEqual([]);
    }),
  );
});

interface Doing {
  readonly id: string;
  readonly node: string;
  readonly now: number;
  readonly which: number;
}

/** One session, the rows that were written to it, and the fences that each node believes in. */
class Room {
  #head = headOf();
  readonly #rows: ChatMessage[] = [];
  readonly #fences = new Map<string, number>();
  readonly #problems: string[] = [];

  do(what: string, { id, node, now, which }: Doing): void {
    switch (what) {
      case "say":
        this.#write(admit(this.#head, null, saidBy("ana", id), { ...terms, now, node }), node);
        break;
      case "claim":
        this.#write(
          claim(this.#head, node, () => true),
          node,
        );
        break;
      case "answer": {
        const asked = this.#rows.filter(({ type }) => type === "user");
        const question = asked[which % Math.max(1, asked.length)];
        const fence = this.#fences.get(node) ?? -1;
        if (question === undefined) return;
        const metadata = { source: "websocket", inReplyTo: question.messageId } as const;
        this.#write(
          answer(this.#head, question, { ...outcome, messageId: id, metadata }, { now, fence, cursor: id }),
          "",
        );
        break;
      }
      case "close":
        this.#write(close(this.#head, "closed", now), "");
        break;
      case "delete":
        this.#write(beginDeletion(this.#head, "9999", now), "");
        break;
      default:
        this.#write(abandon(this.#head, "9999", now), "");
    }
  }

  problems(): string[] {
    const asked = this.#rows.filter(({ type }) => type === "user");
    const answered = this.#rows.flatMap(({ metadata: { inReplyTo } }) => inReplyTo ?? []);
    if (new Set(answered).size !== answered.length) this.#problems.push("a turn has two outcomes");
    if (asked.length !== answered.length + this.#head.turns.length) this.#problems.push("a turn has no outcome");
    this.#rows.forEach(({ offset, timestamp }, index) => {
      if (offset !== index + 1) this.#problems.push(`offset ${offset} in place ${index}`);
      if (timestamp < (this.#rows[index - 1]?.timestamp ?? "")) this.#problems.push(`time went back at ${offset}`);
    });
    return this.#problems;
  }

  #write(change: SessionChange<unknown>, node: string): void {
    const { head, messages = [] } = change;
    if (head === undefined) return;
    if (head.fence < this.#head.fence) this.#problems.push("the fence fell");
    if (this.#head.deletingSince !== null) this.#problems.push("a session that is being deleted was changed");
    this.#head = head;
    this.#rows.push(...messages);
    if (head.lease?.owner === node) this.#fences.set(node, head.lease.fence);
  }
}

function lease(owner: string, fence: number): Lease {
  return { owner, fence };
}

function intentOf(name: string): Intent {
  return { intentId: name, name, status: "active" } as Intent;
}
