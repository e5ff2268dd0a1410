import { describe, expect, test } from "@jest/globals";
import { admit, answer, claim, type Head, type Outcome, type Questions } from "../../server/messaging/head.js";
import {
  end,
  handBack,
  hold,
  type Holder,
  holdingMs,
  reopen,
  reply,
  type Saying,
} from "../../server/messaging/holding.js";
import type { SessionStatus } from "../../server/messaging/model.js";
import { dueTurn, type OpenTurn, turnsOf } from "../../server/messaging/open-turns.js";
import type { SessionChange } from "../../server/messaging/store.js";
import { headOf, headTime, questionOf, saidBy, turnOf } from "../support/heads.js";
import { createRandom, seedOfRun } from "../support/random.js";

const t0 = Date.parse(headTime);
const now = t0 + 60_000;
const carla = { coordinatorId: "carla", now };
const until = (ms: number, coordinatorId: string): Holder => ({
  coordinatorId,
  expiresAt: new Date(now + ms).toISOString(),
});
const whole = until(holdingMs, "carla");

const holdings: Readonly<Record<string, Holder | undefined>> = {
  free: undefined,
  own: until(1000, "carla"),
  "own, over": until(0, "carla"),
  "another's": until(1000, "cora"),
  "another's, over": until(0, "cora"),
};
const statuses: readonly SessionStatus[] = ["active", "abandoned", "resolved", "closed"];
type Condition = SessionStatus | "deleting";

const saying: Saying = {
  messageId: "c1",
  respondsTo: null,
  responseId: "r1",
  content: "a human's answer",
  cursor: "cursor",
  inReplyTo: null,
  source: "websocket",
  chatId: "window",
};

function stateOf(condition: Condition, holder: Holder | undefined, turns: readonly OpenTurn[]): Head {
  const isDeleting = condition === "deleting";
  const offset = turns.at(-1)?.offset ?? 0;
  const status = isDeleting ? "closed" : condition;
  return headOf({
    turns,
    fence: 3,
    lease: holder === undefined && turns.length > 0 ? { owner: "node", fence: 3 } : null,
    deletingSince: isDeleting ? headTime : null,
    session: { status, offset, ...(holder === undefined ? {} : { holder }) },
  });
}

const open = [turnOf("q1", 1), turnOf("q2", 2), turnOf("q3", 3)];

function questionsOf(turns: readonly OpenTurn[]): Questions {
  return new Map(
    turns.map(({ messageId, offset }) => [
      messageId,
      { message: questionOf(messageId, offset), cursor: `of ${messageId}` },
    ]),
  );
}

const questions = questionsOf(open);

const deeds: Readonly<Record<string, (head: Head) => SessionChange<{ readonly kind: string }>>> = {
  "take over": (head) => hold(head, carla),
  "hand back": (head) => handBack(head, carla),
  reply: (head) => reply(head, saying, { ...carla, questions }),
  resolve: (head) => end(head, saying, { ...carla, status: "resolved", questions }),
  close: (head) => end(head, saying, { ...carla, status: "closed", questions }),
  "close by the user": (head) => end(head, saying, { coordinatorId: null, now, status: "closed", questions }),
  "end what is open": (head) => end(head, saying, { coordinatorId: null, now, status: null, questions }),
  reopen: (head) => reopen(head, { ...carla, isDayOver: false }),
  "reopen on another day": (head) => reopen(head, { ...carla, isDayOver: true }),
};

/** What a deed comes to, in a word: what is refused and why, or what the session is afterwards. */
function outcomeOf(deed: string, before: Head): string {
  const { result, head, messages = [], events = [] } = deeds[deed]!(before);
  if (result.kind !== "done") {
    expect([head, messages, events]).toEqual([undefined, [], []]);
    return result.kind;
  }
  if (head === undefined) return "unchanged";
  const { status, holder } = head.session;
  const held = holder === undefined ? "free" : holder.expiresAt === whole.expiresAt ? "held" : "as held as before";
  return [
    status,
    held,
    ...head.turns.map(({ messageId, earlier = [] }) => [...earlier.map((each) => each.messageId), messageId].join("+")),
  ]
    .concat(messages.map(({ type }) => `${type} of ${events.map(({ messageId }) => messageId).join()}`))
    .join(", ");
}

// By deed, then by who holds it; one word where all that are open or over come to the same.
const waiting = "q1, q2, q3";
const said = "coordinator of q1,q2,q3";
const ended = "system of q1,q2,q3";
type Expected = Readonly<Record<keyof typeof holdings, Readonly<Record<SessionStatus, string>>>>;
const each = (word: (status: SessionStatus) => string) =>
  Object.fromEntries(statuses.map((status) => [status, word(status)])) as Record<SessionStatus, string>;
const isOver = (status: SessionStatus) => status === "resolved" || status === "closed";
const others = each(() => "held_by_other");
const revived = (status: SessionStatus) => (status === "abandoned" ? "active" : status);

const expected: Readonly<Record<string, Expected>> = {
  "take over": {
    free: each((status) => (isOver(status) ? "over" : `${status}, held, ${waiting}`)),
    own: each((status) => `${status}, held, ${waiting}`),
    "own, over": each((status) => (isOver(status) ? "over" : `${status}, held, ${waiting}`)),
    "another's": others,
    "another's, over": each((status) => (isOver(status) ? "over" : `${status}, held, ${waiting}`)),
  },
  "hand back": {
    free: each(() => "unchanged"),
    own: each((status) => `${status}, free, q1+q2+q3`),
    "own, over": each((status) => `${status}, free, q1+q2+q3`),
    "another's": others,
    "another's, over": each((status) => `${status}, free, q1+q2+q3`),
  },
  reply: {
    free: each((status) => (isOver(status) ? "over" : `active, held, ${said}`)),
    own: each((status) => `${revived(status)}, held, ${said}`),
    "own, over": each((status) => (isOver(status) ? "over" : `active, held, ${said}`)),
    "another's": others,
    "another's, over": each((status) => (isOver(status) ? "over" : `active, held, ${said}`)),
  },
  ...(Object.fromEntries(
    [
      ["resolve", "resolved", others],
      ["close", "closed", others],
      ["close by the user", "closed", each((status) => (isOver(status) ? "unchanged" : `closed, free, ${ended}`))],
    ].map(([deed, status, ofOthers]) => {
      const all = each((before) => (isOver(before) ? "unchanged" : `${status as string}, free, ${ended}`));
      return [deed, { free: all, own: all, "own, over": all, "another's": ofOthers, "another's, over": all }];
    }),
  ) as Readonly<Record<string, Expected>>),
  "end what is open": {
    free: each((status) => `${status}, free, ${ended}`),
    own: each((status) => `${status}, as held as before, ${ended}`),
    "own, over": each((status) => `${status}, as held as before, ${ended}`),
    "another's": each((status) => `${status}, as held as before, ${ended}`),
    "another's, over": each((status) => `${status}, as held as before, ${ended}`),
  },
  reopen: Object.fromEntries(
    Object.keys(holdings).map((holding) => {
      const held = holding === "free" ? "free" : "as held as before";
      const word = (status: SessionStatus) =>
        status === "active" ? "unchanged" : `active, ${held}, ${holding === "free" ? waiting : waiting}`;
      return [holding, holding === "another's" ? others : each(word)];
    }),
  ),
  "reopen on another day": Object.fromEntries(
    Object.keys(holdings).map((holding) => [holding, holding === "another's" ? others : each(() => "over")]),
  ),
};

describe("what a coordinator may do to a session, and what becomes of it", () => {
  const cells = Object.keys(deeds).flatMap((deed) =>
    Object.keys(holdings).flatMap((holding) => statuses.map((status) => [deed, holding, status] as const)),
  );

  test.each(cells)("[M30] [M31] [M33] [M34] [M35] %s: %s, %s", (deed, holding, status) => {
    expect(outcomeOf(deed, stateOf(status, holdings[holding], open))).toBe(expected[deed]![holding]![status]);
  });

  test.each(Object.keys(deeds))("[M22] [M30] %s: never in a session that is being deleted", (deed) => {
    for (const holder of Object.values(holdings)) {
      expect(outcomeOf(deed, stateOf("deleting", holder, []))).toBe("gone");
      expect(outcomeOf(deed, stateOf("deleting", holder, open))).toBe("gone");
    }
  });

  test.each([
    ["resolve", "resolved, free"],
    ["close", "closed, free"],
    ["close by the user", "closed, free"],
    ["end what is open", "unchanged"],
    ["reply", "active, held, coordinator of c1"],
  ])("[M31] [M34] %s, with nothing open: %s", (deed, word) => {
    expect(outcomeOf(deed, stateOf("active", holdings.own, []))).toBe(word);
  });
});

describe("[M8] [M30] a session that is taken over", () => {
  test("has a new fence and no lease; one that is held on to keeps its fence", () => {
    const first = hold(stateOf("active", undefined, open), carla).head!;
    expect([first.fence, first.lease, first.session.holder]).toEqual([4, null, whole]);
    const again = hold(first, { ...carla, now: now + 1000 }).head!;
    expect(again).toEqual({ ...first, session: { ...first.session, holder: until(holdingMs + 1000, "carla") } });
  });

  test("[M43] has come to whom had asked for a human, and the rest of what is known stays", () => {
    const asked = stateOf("active", undefined, open);
    const context = { page: "prices", wantsHuman: true };
    const metadata = { ...asked.session.metadata, context };
    const { head } = hold({ ...asked, session: { ...asked.session, metadata } }, carla);
    expect(head?.session.metadata.context).toEqual({ page: "prices" });
  });

  test("says who holds it", () => {
    const holder = holdings["another's"]!;
    const { result } = hold(stateOf("active", holder, open), carla);
    expect(result).toEqual({ kind: "held_by_other", holder });
  });

  test("what is said in it waits, and nobody gets a lease by it; once its time is over somebody does", () => {
    const held = stateOf("active", holdings.own, open);
    const terms = { node: "here", isOver: false, isFinal: false };
    const during = admit(held, null, saidBy("ana", "q4"), { ...terms, now }).head!;
    expect([during.lease, during.fence, during.turns]).toEqual([null, 3, [...open, during.turns[3]!]]);
    const after = admit(held, null, saidBy("ana", "q4"), { ...terms, now: now + 1000 }).head!;
    expect([after.lease, after.fence, after.session.holder]).toEqual([{ owner: "here", fence: 4 }, 4, undefined]);
    expect(after.turns.map(({ messageId, earlier }) => [messageId, earlier?.length])).toEqual([
      ["q3", 2],
      ["q4", undefined],
    ]);
  });

  test("[M32] nobody claims it before its time is over, and then whoever comes first: the newest, with the earlier", () => {
    const held = stateOf("active", holdings.own, open);
    expect(claim(held, "here", () => true, now + 999)).toEqual({ result: null });
    const { head } = claim(held, "here", () => true, now + 1000);
    expect([head?.lease, head?.session.holder]).toEqual([{ owner: "here", fence: 4 }, undefined]);
    expect(head?.turns).toEqual([{ ...open[2], earlier: [open[0], open[1]] }]);
  });

  test("[L14] waits for so many outcomes, those that end with another among them, and for no more", () => {
    const many = Array.from({ length: 100 }, (_, index) => turnOf(`q${index + 1}`, index + 1));
    const { head } = handBack(stateOf("active", holdings.own, many), carla);
    expect(head?.turns).toHaveLength(1);
    const terms = { node: "here", isOver: false, isFinal: false, now };
    expect(admit(head!, null, saidBy("ana", "more"), terms).result).toEqual({ kind: "full" });
  });
});

describe("[M31] a reply", () => {
  const { head, messages, events, result } = reply(stateOf("active", holdings.own, open), saying, {
    ...carla,
    questions,
  });

  test("is one message, and an event of each turn with the same responseId", () => {
    const timestamp = new Date(now).toISOString();
    expect(messages).toEqual([
      {
        ...{ messageId: "c1", sessionId: "s1", offset: 4, businessId: "B1", userId: "coordinator" },
        ...{ content: "a human's answer", type: "coordinator", timestamp },
        metadata: {
          ...{ source: "websocket", node: "coordinator", coordinatorId: "carla" },
          ...{ responseId: "r1", inReplyTo: "q3", isComplete: true },
        },
      },
    ]);
    expect(events?.map(({ cursor, messageId, message, ...rest }) => [cursor, messageId, message, rest])).toEqual(
      open.map(({ messageId }) => [
        `of ${messageId}`,
        messageId,
        `text of ${messageId}`,
        {
          ...{ businessId: "B1", locationId: "L1", userId: "ana", sessionId: "s1", responseId: "r1" },
          ...{ answer: "a human's answer", status: "human", timestamp, durationMs: 60_000, source: "websocket" },
        },
      ]),
    );
    expect(result).toEqual({ kind: "done", session: head!.session, said: { message: messages![0], events } });
  });

  test("names the message that it says it replies to, and closes all the same", () => {
    const given = reply(stateOf("active", undefined, open), { ...saying, inReplyTo: "q1" }, { ...carla, questions });
    expect(given.messages?.[0]?.metadata.inReplyTo).toBe("q1");
    expect(given.events).toHaveLength(3);
  });

  test("to nobody's question is told as an outcome of no message, in the window where it was talked last", () => {
    const unasked = reply(stateOf("active", undefined, []), saying, { ...carla, questions: new Map() });
    expect(unasked.messages?.[0]?.metadata).toEqual({
      ...{ source: "websocket", node: "coordinator", coordinatorId: "carla" },
      ...{ responseId: "r1", chatId: "window", isComplete: true },
    });
    expect(unasked.events).toMatchObject([
      { cursor: "cursor", messageId: "c1", message: "", responseId: "r1", userId: "ana", status: "human" },
    ]);
  });

  test("asks for what was said meanwhile, and writes nothing before it has it", () => {
    const known = questionsOf(open.slice(0, 1));
    const asked = reply(stateOf("active", holdings.own, open), saying, { ...carla, questions: known });
    expect(asked).toEqual({ result: { kind: "unread", messageIds: ["q2", "q3"], respondsTo: null } });
  });

  test("[H32] in a chat it is the response to the newest that is open, and nothing is written under another's id", () => {
    const ids = ["00a", "00b", "00c"];
    const inChat = (turns: readonly OpenTurn[]) => {
      const head = stateOf("active", holdings.own, turns);
      return { ...head, session: { ...head.session, kind: "chat" as const } };
    };
    const turns = ids.map((id, index) => turnOf(id, index + 1));
    const said = (head: Head, respondsTo: string | null) =>
      reply(head, { ...saying, respondsTo }, { ...carla, questions: questionsOf(turns) });
    for (const stale of [null, "00a", "00d"]) {
      expect(said(inChat(turns), stale)).toEqual({ result: { kind: "unread", messageIds: [], respondsTo: "00c" } });
    }
    // The agent has answered it meanwhile.
    expect(said(inChat([]), "00c")).toEqual({ result: { kind: "unread", messageIds: [], respondsTo: null } });
    expect(said(inChat(turns), "00c").messages).toMatchObject([{ messageId: "00d" }]);
    expect(said(inChat([]), null).messages).toMatchObject([{ messageId: "c1" }]);
  });

  test("leaves nothing that an agent could still answer", () => {
    for (const fence of [3, 4, head!.fence]) {
      for (const { messageId, offset } of open) {
        const late = answer(head!, questionOf(messageId, offset), outcomeTo(messageId), { now, fence, cursor: "x" });
        expect(late).toEqual({ result: null });
      }
    }
  });
});

describe("[M33] an answer to what was handed back", () => {
  const given = handBack(stateOf("active", holdings.own, open), carla).head!;
  const ours = claim(given, "here", () => true, now).head!;

  test.each(["agent", "system"] as const)("of the %s is the outcome of all, each with its own event", (type) => {
    const outcome = { ...outcomeTo("q3"), type };
    const { head, messages, events } = answer(ours, questionOf("q3", 3), outcome, {
      now,
      fence: ours.fence,
      cursor: "x",
      questions,
    });
    expect([head?.turns, head?.lease, messages?.length]).toEqual([[], null, 1]);
    const status = type === "system" ? "failed" : "answered";
    expect(events?.map(({ messageId, responseId, status: told }) => [messageId, responseId, told])).toEqual(
      ["q3", "q1", "q2"].map((messageId) => [messageId, "r2", status]),
    );
  });

  test("is taken over once more: the reply ends all of them", () => {
    const again = hold(ours, carla).head!;
    expect(turnsOf(again).map(({ messageId }) => messageId)).toEqual(["q1", "q2", "q3"]);
    const { events, head } = reply(again, saying, { ...carla, questions });
    expect([events?.map(({ messageId }) => messageId), head?.turns]).toEqual([["q1", "q2", "q3"], []]);
  });

  test("keeps nothing of what an agent is not asked about", () => {
    const asked = open.map((turn) => ({ ...turn, context: { page: turn.messageId } }));
    const { head } = handBack(stateOf("active", holdings.own, asked), carla);
    expect(head?.turns).toEqual([{ ...asked[2], earlier: [open[0], open[1]] }]);
  });
});

test("[M7] [M31] [M33] [M34] [M43] whatever is done, in whatever order: each user message has one outcome, a command its own", () => {
  for (let run = 0; run < 100; run += 1) livesThrough(createRandom(seedOfRun + run), run);
});

function livesThrough(random: () => number, run: number): void {
  let head = stateOf("active", undefined, []);
  let clock = t0;
  let fence = 0;
  let answering: string | null = null;
  const asked: string[] = [];
  const outcomes = new Map<string, number>();
  const commands = new Set<string>();
  const told = new Set<string>();
  const apply = <T>(change: SessionChange<T>): SessionChange<T> => {
    const { messages = [] } = change;
    for (const { messageId } of messages) {
      expect(told.has(messageId)).toBe(false);
      told.add(messageId);
    }
    for (const { messageId } of change.events ?? []) {
      if (asked.includes(messageId)) outcomes.set(messageId, (outcomes.get(messageId) ?? 0) + 1);
      if (commands.has(messageId)) expect([messageId, messages.length]).toEqual([answering, 1]);
    }
    head = change.head ?? head;
    return change;
  };
  for (let step = 0; step < 60; step += 1) {
    clock += Math.floor(random() * 200_000);
    const actor = { coordinatorId: random() < 0.7 ? "carla" : "cora", now: clock };
    const known = questionsOf(turnsOf(head));
    const next = { ...saying, messageId: `c${step}`, responseId: `r${step}` };
    const what = random();
    if (what < 0.3) {
      const text = random() < 0.3 ? "/help" : "a question";
      const question = saidBy("ana", `q${step}`, { content: text });
      const { result } = apply(admit(head, null, question, { now: clock, node: "here", isOver: false, isFinal: true }));
      if (result.kind === "admitted") asked.push(question.messageId);
      if (result.kind === "admitted" && text === "/help") commands.add(question.messageId);
    } else if (what < 0.45) fence = apply(claim(head, "here", () => true, clock)).result?.fence ?? fence;
    else if (what < 0.65) {
      const turn = dueTurn(head);
      if (turn === null) continue;
      const outcome = { ...outcomeTo(turn.messageId), messageId: `a${step}`, responseId: `r${step}` };
      const given = { now: clock, fence, cursor: "x", questions: known };
      const before = head;
      answering = turn.messageId;
      const { result } = apply(answer(head, questionOf(turn.messageId, turn.offset), outcome, given));
      answering = null;
      if (result !== null && before.session.holder !== undefined) expect(commands).toContain(turn.messageId);
    } else if (what < 0.75) apply(hold(head, actor));
    else if (what < 0.85) apply(reply(head, next, { ...actor, questions: known }));
    else if (what < 0.92) apply(handBack(head, actor));
    else if (what < 0.96) apply(end(head, next, { ...actor, status: "resolved", questions: known }));
    else apply(reopen(head, { ...actor, isDayOver: false }));
    const waits = turnsOf(head).map(({ messageId }) => messageId);
    const states = asked.map((messageId) => (outcomes.get(messageId) ?? 0) + (waits.includes(messageId) ? 1 : 0));
    expect([run, step, states]).toEqual([run, step, asked.map(() => 1)]);
    const questions = waits.filter((messageId) => !commands.has(messageId));
    expect(questions).toEqual(asked.filter((messageId) => questions.includes(messageId)));
    expect(head.turns.map(({ offset }) => offset)).toEqual(
      head.turns.map(({ offset }) => offset).toSorted((a, b) => a - b),
    );
    expect(dueTurn(head) === null ? head.lease : null).toBeNull();
  }
}

function outcomeTo(messageId: string): Outcome {
  const metadata = { source: "websocket", responseId: "r2", inReplyTo: messageId } as const;
  return { messageId: "a1", responseId: "r2", type: "agent", content: "the agent's answer", tokens: 0, metadata };
}
