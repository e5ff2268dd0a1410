import { expect, test } from "@jest/globals";
import type { ChatMessage } from "../../server/messaging/model.js";
import { type Evidence, findViolations } from "./checker.js";

type Changeable<T> = { -readonly [K in keyof T]: T[K] extends object ? Changeable<T[K]> : T[K] };
interface Case {
  evidence: Changeable<Omit<Evidence, "history">>;
  /** The session of each user: question, question, answer, answer. */
  ana: Changeable<ChatMessage>[];
  dan: Changeable<ChatMessage>[];
}

const violations: readonly (readonly [name: string, spoil: (to: Case) => void, expected: readonly string[]])[] = [
  ["nothing", () => undefined, []],
  [
    "an acknowledged message that is gone",
    ({ ana }) => ana.splice(1, 1),
    [
      "[S3] ana/c2, acknowledged as ana-m2, is not stored",
      "[S3] the outcome ana-m4, pushed to ana, is not stored",
      "[M4] s-ana has offset 3 where 2 belongs",
      "[M4] s-ana has offset 4 where 3 belongs",
      "[M7] s-ana/4, ana-m4, answers nothing that is there",
    ],
  ],
  [
    "an acknowledged message in another place",
    ({ evidence }) => (evidence.acknowledged[0]!.offset = 3),
    ["[S3] ana/c1, acknowledged as ana-m1 at s-ana/3, is stored otherwise, at s-ana/1"],
  ],
  [
    "an acknowledged message with another time",
    ({ evidence }) => (evidence.acknowledged[0]!.timestamp = timeOf(2)),
    ["[S3] ana/c1, acknowledged as ana-m1 at s-ana/1, is stored otherwise, at s-ana/1"],
  ],
  [
    "two acknowledgements of one message that differ",
    ({ evidence }) => evidence.acknowledged.push({ ...evidence.acknowledged[0]!, messageId: "ana-m2", offset: 2 }),
    [
      "[S3] ana/c1, acknowledged as ana-m2 at s-ana/2, is stored otherwise, at s-ana/2",
      "[M6] ana/c1 was acknowledged at s-ana/1, then at s-ana/2",
    ],
  ],
  [
    "a message that is stored twice",
    ({ ana }) => ana.push(question("ana", 5, "c2"), outcome("ana", 6, 5)),
    [
      "[M6] ana/c2 is stored again at s-ana/5",
      // The same message again is also not the next one.
      "[R9] s-ana/5 was sent before s-ana/2",
    ],
  ],
  [
    "a message that nobody sent",
    ({ evidence }) => evidence.sent.splice(3, 1),
    ["[M6] dan/c2 is stored at s-dan/2, and was never sent", "[R9] s-dan/2 was sent before s-dan/1"],
  ],
  ["another text", ({ ana }) => (ana[0]!.content = "?"), ["[S2] ana/c1 is stored with another text"]],
  [
    "an outcome that was pushed and is not stored",
    ({ ana }) => ana.pop(),
    ["[S3] the outcome ana-m4, pushed to ana, is not stored", "[M20] s-ana/2 has no outcome"],
  ],
  [
    "an outcome that was pushed with another text",
    ({ evidence }) => (evidence.told[0]!.message = "?"),
    ["[M4] the outcome ana-m3, pushed to ana at s-ana/3, is stored otherwise, at s-ana/3"],
  ],
  [
    "an outcome that was pushed to somebody else",
    ({ evidence }) => (evidence.told[0]!.userId = "dan"),
    ["[X3] the outcome ana-m3, pushed to dan, answers ana"],
  ],
  [
    "one id for two messages",
    ({ dan }) => dan.push({ ...question("dan", 5, "c3"), messageId: "dan-m4" }),
    [
      "[M6] dan/c3 is stored at s-dan/5, and was never sent",
      "[M4] the outcome dan-m4, pushed to dan at s-dan/4, is stored otherwise, at s-dan/5",
      "[S7] dan-m4 stands for two messages",
      "[R9] s-dan/5 was sent before s-dan/2",
      "[M20] s-dan/5 has no outcome",
    ],
  ],
  [
    "a message of another session",
    ({ ana }) => (ana[3]!.sessionId = "s-dan"),
    [
      "[M4] the outcome ana-m4, pushed to ana at s-ana/4, is stored otherwise, at s-dan/4",
      "[M1] s-ana shows a message of s-dan",
    ],
  ],
  [
    "a message of somebody else",
    ({ ana, dan, evidence }) => {
      dan[1] = { ...ana[1]!, sessionId: "s-dan" };
      ana.splice(1, 3, { ...outcome("ana", 2, 1), messageId: "ana-m5" });
      evidence.acknowledged.length = 0;
      evidence.told.length = 0;
    },
    [
      "[X3] s-dan of dan holds a message of ana",
      "[R9] s-dan/2 was sent before s-dan/1",
      "[M7] s-dan/4, dan-m4, answers nothing that is there",
      "[M20] s-dan/2 has no outcome",
    ],
  ],
  [
    "offsets with a gap",
    ({ evidence, ana }) => {
      for (const place of [ana[3]!, evidence.told[1]!]) place.offset = 5;
    },
    ["[M4] s-ana has offset 5 where 4 belongs"],
  ],
  [
    "time that goes back",
    ({ ana }) => (ana[3]!.timestamp = timeOf(0)),
    ["[M5] s-ana/4 is earlier than what precedes it"],
  ],
  [
    "messages that overtook each other",
    ({ evidence }) => evidence.sent.splice(0, 2, evidence.sent[1]!, evidence.sent[0]!),
    ["[R9] s-ana/2 was sent before s-ana/1"],
  ],
  [
    "a second outcome",
    ({ ana }) => ana.push({ ...outcome("ana", 5, 2), type: "system" }),
    ["[M7] s-ana/2 has 2 outcomes"],
  ],
  [
    "an outcome before its question",
    ({ ana, evidence }) => {
      for (const place of [ana[1]!, evidence.acknowledged[1]!]) place.offset = 4;
      for (const place of [ana[3]!, evidence.told[1]!]) place.offset = 2;
      ana.splice(0, 4, ana[0]!, ana[3]!, ana[2]!, ana[1]!);
      for (const [index, message] of ana.entries()) message.timestamp = timeOf(index + 1);
      evidence.acknowledged[1]!.timestamp = timeOf(4);
    },
    ["[M7] s-ana/2 answers 4, which comes after it", "[M7] s-ana/1 was answered after s-ana/4"],
  ],
  [
    "answers that overtook each other",
    ({ ana, evidence }) => {
      for (const [index, asked] of [2, 1].entries()) {
        ana[index + 2]!.metadata.inReplyTo = `ana-m${asked}`;
        evidence.told[index]!.inReplyTo = `ana-m${asked}`;
      }
    },
    ["[M7] s-ana/1 was answered after s-ana/2"],
  ],
];

test.each(violations)("finds %s", (_name, spoil, expected) => {
  expect(findViolations(evidenceOf(spoil), { answersDue: true })).toEqual(expected);
});

test("an open turn is no violation while turns may be open", () => {
  const evidence = evidenceOf(({ ana, evidence }) => {
    ana.pop();
    evidence.told.splice(1, 1);
  });
  expect(findViolations(evidence, { answersDue: false })).toEqual([]);
  expect(findViolations(evidence, { answersDue: true })).toEqual(["[M20] s-ana/2 has no outcome"]);
});

test("a message that was sent and not acknowledged may be stored or not", () => {
  const acknowledgedNothing = evidenceOf(({ evidence }) => (evidence.acknowledged.length = 0));
  expect(findViolations(acknowledgedNothing, { answersDue: true })).toEqual([]);
  const storedNothing = { ...acknowledgedNothing, told: [], history: new Map() };
  expect(findViolations(storedNothing, { answersDue: true })).toEqual([]);
});

function evidenceOf(spoil: (to: Case) => void): Evidence {
  const [ana, dan] = ["ana", "dan"].map((userId) => [
    question(userId, 1, "c1"),
    question(userId, 2, "c2"),
    outcome(userId, 3, 1),
    outcome(userId, 4, 2),
  ]) as [Case["ana"], Case["dan"]];
  const all = [...ana, ...dan];
  const evidence = {
    sent: all
      .filter(({ type }) => type === "user")
      .map(({ userId, content, metadata }) => ({
        userId,
        text: content,
        clientMessageId: metadata.clientMessageId!,
      })),
    acknowledged: all
      .filter(({ type }) => type === "user")
      .map(({ userId, messageId, sessionId, offset, timestamp, metadata }) => ({
        userId,
        clientMessageId: metadata.clientMessageId!,
        messageId,
        sessionId,
        offset,
        timestamp,
      })),
    told: all
      .filter(({ type }) => type === "agent")
      .map(({ messageId, sessionId, offset, content, metadata }) => ({
        userId: sessionId.slice(2),
        messageId,
        sessionId,
        offset,
        message: content,
        inReplyTo: metadata.inReplyTo!,
      })),
  };
  spoil({ evidence, ana, dan });
  return {
    ...evidence,
    history: new Map([
      ["s-ana", ana],
      ["s-dan", dan],
    ]),
  };
}

function question(userId: string, offset: number, clientMessageId: string): Changeable<ChatMessage> {
  return message(userId, offset, {
    userId,
    type: "user",
    content: `question ${clientMessageId} of ${userId}`,
    metadata: { source: "websocket", clientMessageId },
  });
}

function outcome(userId: string, offset: number, asked: number): Changeable<ChatMessage> {
  return message(userId, offset, {
    userId: "agent",
    type: "agent",
    content: `answer to ${asked} of ${userId}`,
    metadata: { source: "websocket", inReplyTo: `${userId}-m${asked}` },
  });
}

function message(
  owner: string,
  offset: number,
  said: Pick<ChatMessage, "userId" | "type" | "content" | "metadata">,
): Changeable<ChatMessage> {
  return {
    ...said,
    messageId: `${owner}-m${offset}`,
    sessionId: `s-${owner}`,
    offset,
    businessId: "B1",
    timestamp: timeOf(offset),
  };
}

function timeOf(offset: number): string {
  return new Date(Date.UTC(2026, 2, 2) + offset).toISOString();
}
