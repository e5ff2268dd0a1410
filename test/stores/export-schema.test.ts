import { describe, expect, test } from "@jest/globals";
import { parseEntry } from "../../server/stores/export-schema.js";
import { headOf, headTime, questionOf, turnOf } from "../support/heads.js";

interface Head extends Record<string, unknown> {
  session: Record<string, unknown>;
  turns: Record<string, unknown>[];
}

interface Message extends Record<string, unknown> {
  metadata: Record<string, unknown>;
}

const wholeHead = () =>
  structuredClone(headOf({ session: { offset: 1 }, turns: [turnOf("q1", 1)] })) as unknown as Head;
const wholeMessage = () => structuredClone(questionOf("q1", 1)) as unknown as Message;

const wholeAside = () => {
  const { offset: afterOffset, ...message } = questionOf("q1", 1);
  return structuredClone({ ...message, afterOffset, type: "note", userId: "coordinator" }) as unknown as Message;
};

const reasonOf = (content: unknown): string | null => {
  const parsed = parseEntry(content);
  return parsed.ok ? null : parsed.reason;
};

const outbound = { platform: "telegram", isOn: true, sent: 0, pieces: 0, due: 0, sender: null };

describe("[S13] what a line of an export may hold", () => {
  test("is a record, a head, a message or an aside, as it stands", () => {
    const entries = [
      { head: wholeHead() },
      { message: wholeMessage() },
      { aside: wholeAside() },
      { record: { partition: "p", id: "i", value: { a: [1] } } },
    ];
    for (const entry of entries) expect(parseEntry(entry)).toEqual({ ok: true, value: entry });
  });

  test("can be more than is known here", () => {
    const head = wholeHead();
    Object.assign(head.session, { mood: "fine" });
    Object.assign(head.turns[0]!, { earlier: [turnOf("q0", 1)] });
    Object.assign(head, { outbound });
    expect(reasonOf({ head: { ...head, more: 1 } })).toBeNull();
    expect(reasonOf({ message: { ...wholeMessage(), more: [] } })).toBeNull();
  });

  test.each([[null], ["text"], [5], [[]], [{}], [{ heads: {} }], [{ head: wholeHead(), message: wholeMessage() }]])(
    "is not %j",
    (content) => {
      expect(reasonOf(content)).toBe("is no record, head, message or aside");
    },
  );

  const heads: [string, (head: Head) => unknown, string][] = [
    ["no totals", (head) => delete head.session.totals, "session.totals"],
    [
      "totals of text",
      (head) => (head.session.totals = { messages: "1", tokens: 0, cost: 0 }),
      "session.totals.messages",
    ],
    ["no locationId", (head) => delete head.session.locationId, "session.locationId"],
    ["an unknown kind", (head) => (head.session.kind = "weekly"), "session.kind"],
    ["no threadId", (head) => delete head.session.threadId, "session.threadId"],
    ["no participants", (head) => delete head.session.participants, "session.participants"],
    ["no context", (head) => (head.session.metadata = { businessType: "general" }), "session.metadata.context"],
    ["a holder without an end", (head) => (head.session.holder = { coordinatorId: "c" }), "session.holder.expiresAt"],
    ["no createdBy", (head) => delete head.session.createdBy, "session.createdBy"],
    ["a time without ms", (head) => (head.session.updatedAt = "2026-03-02T10:00:00Z"), "session.updatedAt"],
    ["a time in a zone", (head) => (head.session.createdAt = "2026-03-02T10:00:00.000+02:00"), "session.createdAt"],
    ["no day", (head) => delete head.day, "day"],
    ["a day of no month", (head) => (head.day = "2026-13-01"), "day"],
    ["no lease", (head) => delete head.lease, "lease"],
    ["an intent of text", (head) => (head.intent = "book"), "intent"],
    ["a suspended intent of text", (head) => (head.suspended = "book"), "suspended"],
    [
      "something to send to nowhere",
      (head) => (head.outbound = { ...outbound, platform: "pigeon" }),
      "outbound.platform",
    ],
    ["something to send of no end", (head) => (head.outbound = { ...outbound, due: -1 }), "outbound.due"],
    ["a turn of no time", (head) => delete head.turns[0]!.admittedAt, "turns.0.admittedAt"],
    ["a turn of no place", (head) => delete head.turns[0]!.locationId, "turns.0.locationId"],
    ["a turn from nowhere", (head) => (head.turns[0]!.source = "pigeon"), "turns.0.source"],
    ["a turn without context", (head) => delete head.turns[0]!.context, "turns.0.context"],
    [
      "an earlier turn of no time",
      (head) => (head.turns[0]!.earlier = [{ ...turnOf("q0", 1), admittedAt: 1 }]),
      "turns.0.earlier.0.admittedAt",
    ],
  ];

  test.each(heads)("is not a head with %s", (_what, edit, path) => {
    const head = wholeHead();
    edit(head);
    expect(reasonOf({ head })).toBe(`is a head whose ${path} is not as it must be`);
  });

  const messages: [string, (message: Message) => unknown, string][] = [
    ["no type", (message) => delete message.type, "type"],
    ["an unknown type", (message) => (message.type = "rumour"), "type"],
    ["no source", (message) => delete message.metadata.source, "metadata.source"],
    ["a chatId that is a number", (message) => (message.metadata.chatId = 5), "metadata.chatId"],
    ["a time of no day", (message) => (message.timestamp = "2026-02-30T10:00:00.000Z"), "timestamp"],
    ["half a character in its id", (message) => (message.messageId = "q\ud800"), "messageId"],
  ];

  test.each(messages)("is not a message with %s", (_what, edit, path) => {
    const message = wholeMessage();
    edit(message);
    expect(reasonOf({ message })).toBe(`is a message whose ${path} is not as it must be`);
  });

  const asides: [string, (aside: Message) => unknown, string][] = [
    ["the type of a message", (aside) => (aside.type = "user"), "type"],
    ["no place", (aside) => delete aside.afterOffset, "afterOffset"],
    ["a place before all", (aside) => (aside.afterOffset = -1), "afterOffset"],
    ["an author that is a number", (aside) => (aside.metadata.coordinatorId = 5), "metadata.coordinatorId"],
  ];

  test.each(asides)("is not an aside with %s", (_what, edit, path) => {
    const aside = wholeAside();
    edit(aside);
    expect(reasonOf({ aside })).toBe(`is an aside whose ${path} is not as it must be`);
  });

  test("is not a session that belongs to nobody, and one of an agent's is", () => {
    const head = wholeHead();
    delete head.session.userId;
    expect(reasonOf({ head })).toBe("has a userId that is none");
    head.session.agentId = "helper";
    expect(reasonOf({ head })).toBeNull();
  });
});

describe("[S13] a record of an export", () => {
  const of = { partition: "user#B1#ana" };
  const seed = headOf();
  const current = { sessionId: "s1", day: "2026-03-02", seed };
  const user = {
    ...{ businessId: "B1", userId: "ana", blocked: false, platforms: ["web"], threadId: "t1", greeted: true },
    ...{ createdAt: headTime, lastSeenAt: headTime },
  };
  const claim = { messageId: "m1", sessionId: "s1", textHash: "hash" };
  const scored = { partition: "feedback#s1", id: "000000000002" };
  const score = { messageId: "m2", score: -1, comment: "no", timestamp: headTime };

  test.each<[string, object]>([
    ["of a current session", { ...of, id: "current", value: current }],
    ["of a current session that was retired", { ...of, id: "current", value: { ...current, day: "" } }],
    ["of a user", { ...of, id: "profile", value: user }],
    ["of a client's id", { ...of, id: "client#x", value: claim }],
    ["of what a user thinks of an answer", { ...scored, value: score }],
    ["of a user that is not known here", { ...of, id: "of s1", value: { name: "Ană" } }],
    ["that is not known here", { partition: "nodes", id: "1", value: 0 }],
  ])("%s is taken", (_what, record) => {
    expect(reasonOf({ record })).toBeNull();
  });

  const records: [string, object, string][] = [
    [
      "of a process",
      { partition: "node#n1", id: "beat", value: { count: 1 } },
      "is a record of a running process, node#n1",
    ],
    [
      "of a job",
      { partition: "job#cleanup", id: "holder", value: {} },
      "is a record of a running process, job#cleanup",
    ],
    ["of nothing", { ...of, id: "x", value: null }, "is a record whose value is not as it must be"],
    ["without a value", { ...of, id: "x" }, "is a record whose value is not as it must be"],
    ["with half a character", { partition: "p", id: "\udfff", value: 1 }, "is a record whose id is not as it must be"],
    ["and more", { partition: "p", id: "i", value: 1, rev: 2 }, "is a record with something else, rev"],
    [
      "of a client's id without its text",
      { ...of, id: "client#x", value: { ...claim, textHash: undefined } },
      "is a record whose value.textHash is not as it must be",
    ],
    [
      "of a score that is none",
      { ...scored, value: { ...score, score: 0 } },
      "is a record whose value.score is not as it must be",
    ],
    [
      "of a user without a threadId",
      { ...of, id: "profile", value: { ...user, threadId: undefined } },
      "is a record whose value.threadId is not as it must be",
    ],
    [
      "of another user",
      { ...of, id: "profile", value: { ...user, userId: "bo" } },
      "is a record of somebody else than it says",
    ],
    [
      "of a current session without the head it is made of",
      { ...of, id: "current", value: { ...current, seed: null } },
      "is a record whose value.seed is not as it must be",
    ],
    [
      "of a current session in which something was said already",
      { ...of, id: "current", value: { ...current, seed: headOf({ session: { offset: 1 } }) } },
      "is a record whose value.seed.session.offset is not as it must be",
    ],
    [
      "of a current session by another id than its head's",
      { ...of, id: "current", value: { ...current, sessionId: "s2" } },
      "is a record whose value.sessionId is not as it must be",
    ],
    [
      "of another user's current session",
      { ...of, partition: "user#B1#bo", id: "current", value: current },
      "is a record of somebody else than it says",
    ],
  ];

  test.each(records)("%s is not taken", (_what, record, why) => {
    expect(reasonOf({ record })).toBe(why);
  });

  const quarter = { messages: 1, answered: 1, failed: 0, human: 0, durations: [0, 1] };
  const hour = { quarters: [quarter, quarter, quarter, quarter] };
  const at = "2026-03-02T10:00:00.000Z";
  const figures: [partition: string, id: string, value: unknown, reason: string | null][] = [
    ["stats#B1#2026-03-02", at, hour, null],
    ["stats-days", "2026-03-02#B1", {}, null],
    ["stats#B1#2026-03-02", at, { quarters: [] }, "is a record whose value.quarters is not as it must be"],
    [
      ...(["stats#B1#2026-03-02", at] as const),
      { quarters: [quarter, quarter, quarter, { ...quarter, human: "1" }] },
      "is a record whose value.quarters.3.human is not as it must be",
    ],
    [
      ...(["stats#B1#2026-03-02", at] as const),
      { quarters: [quarter, quarter, quarter, { ...quarter, durations: Array<number>(73).fill(1) }] },
      "is a record whose value.quarters.3.durations is not as it must be",
    ],
    ["stats#B1#2026-03-02", at, null, "is a record whose value is not as it must be"],
    ["stats-days", "2026-03-02#B1", { more: 1 }, "is a record with something else, more"],
    ...["2026-03-02T10:15:00.000Z", "2026-03-03T10:00:00.000Z", "10", "2026-03-02T10:00:00Z"].map(
      (id): [string, string, unknown, string] => [
        "stats#B1#2026-03-02",
        id,
        hour,
        "is a record of figures of no hour and no day",
      ],
    ),
    ["stats#B 1#2026-03-02", at, hour, "is a record of figures of no hour and no day"],
    ["stats-days", "2026-03-32#B1", {}, "is a record of figures of no hour and no day"],
    ["stats-days", "2026-03-02", {}, "is a record of figures of no hour and no day"],
  ];

  test.each(figures)("[H11] figures in %j under %j", (partition, id, value, reason) => {
    expect(reasonOf({ record: { partition, id, value } })).toBe(reason);
  });
});
