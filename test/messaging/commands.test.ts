import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { holdingMs } from "../../server/messaging/holding.js";
import { cursorAt } from "../../server/messaging/ids.js";
import { dueTurn, questionsIn } from "../../server/messaging/open-turns.js";
import { CoordinatedDesk } from "../support/coordinated-desk.js";
import { FakeClock } from "../support/fake-clock.js";
import { soon } from "../support/intercepted-store.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";
import { until } from "../support/until.js";

let under: TemporaryStore;
let clock: FakeClock;
let node: CoordinatedDesk;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
  node = new CoordinatedDesk({ under, clock });
});

afterEach(() => under.dispose());

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    clock.advance(Math.min(left, 1000));
    for (let turn = 0; turn < 3; turn += 1) {
      await touch(under.store);
      await soon();
    }
  }
}

const deeds = ["take_over", "reply", "hand_back", "resolve"] as const;
type Deed = (typeof deeds)[number];
const isDeed = (step: string): step is Deed => deeds.some((deed) => deed === step);

/**
 * What happens one after another in one session, each once all that can be answered before it is. `lost: …` is what
 * was stored by a process that died before it answered; `agent: …` is the agent's answer to that; anything else is said.
 */
async function through(steps: readonly string[]): Promise<string> {
  let sessionId = "";
  for (const step of steps) {
    const [, kind, text] = /^(lost|agent): (.*)$/.exec(step) ?? [];
    if (isDeed(step)) expect(await node.ask("carla", step, sessionId)).toMatchObject({ ok: true });
    else if (step === "the holding ends") await pass(holdingMs + 5000);
    else if (step === "a round of recovery") await pass(8000);
    else if (kind === "agent") await answers(text!);
    else {
      const accepted = kind === "lost" ? await node.desk.store("ana", text!) : await node.desk.say("ana", step);
      sessionId = accepted.message.sessionId;
    }
    // These leave what was lost to the next round.
    if (kind !== "lost" && step !== "reply" && step !== "resolve") await rests(sessionId);
  }
  return sessionId;
}

async function answers(text: string): Promise<void> {
  const call = await node.desk.agent.call(text);
  call.answer();
  await until("it is read", () => call.isLeft);
}

/** Nothing is left to be done now, but by the agent. */
async function rests(sessionId: string): Promise<void> {
  let isAtRest = false;
  const look = async () => {
    const head = await under.store.readHead(sessionId);
    const due = head === null ? null : dueTurn(head);
    const call = node.desk.agent.calls.at(-1);
    const isAsked = call?.turn.messageId === due?.messageId && call?.isLeft === false && !call.signal.aborted;
    isAtRest = due === null || isAsked;
  };
  await until("it rests", () => {
    void look();
    return isAtRest;
  });
}

/** The outcomes in their order, each with what it is the outcome of; then what waits, and how the session is. */
async function cameTo(sessionId: string): Promise<string[]> {
  const { items } = await under.store.readMessages(sessionId, { limit: 100 });
  const events = (await under.store.readEvents("B1", { after: cursorAt(0), limit: 100 })).items;
  const outcomes = items.flatMap(({ type, metadata }) => {
    if (type === "user") return [];
    const ofIt = events.filter(({ responseId }) => responseId === metadata.responseId).toSorted(byCursor);
    const texts = ofIt.map(({ message }) => message).toSorted();
    return [`${metadata.node ?? type} to ${texts.join(" + ")}`];
  });
  const { session, turns } = (await under.store.readHead(sessionId))!;
  const waiting = questionsIn({ turns }).map(({ offset }) => `${items[offset - 1]!.content} waits`);
  const held = session.holder === undefined ? [] : ["held"];
  expect(node.desk.heard("draft")).toEqual([]);
  return [...outcomes, ...waiting, session.status, ...held];
}

const byCursor = (one: { readonly cursor: string }, other: { readonly cursor: string }) =>
  one.cursor < other.cursor ? -1 : 1;

describe("[M7] [M33] [M43] what is said, and what a coordinator does, one after another", () => {
  const held = ["one", "take_over"];

  test.each<[readonly string[], readonly string[]]>([
    [["/help"], ["command to /help", "active"]],
    [
      ["one", "/help", "agent: one"],
      ["echo to one", "command to /help", "active"],
    ],
    // While a human holds it: at once, in their order, and ahead of what waits.
    [
      [...held, "/help"],
      ["command to /help", "one waits", "active", "held"],
    ],
    [
      [...held, "/lang ro", "two", "/human", "reply"],
      ["command to /lang ro", "command to /human", "coordinator to one + two", "active", "held"],
    ],
    // Said before it was taken, behind an agent that still thinks.
    [
      ["one", "/help", "take_over"],
      ["command to /help", "one waits", "active", "held"],
    ],
    [
      ["one", "/help", "take_over", "hand_back", "agent: one"],
      ["command to /help", "echo to one", "active"],
    ],
    // The newest question is the agent's, whatever command was said after it.
    [
      [...held, "two", "/help", "hand_back", "agent: two"],
      ["command to /help", "echo to one + two", "active"],
    ],
    [
      [...held, "two", "lost: /help", "hand_back", "agent: two"],
      ["echo to one + two", "command to /help", "active"],
    ],
    [
      [...held, "lost: /close", "lost: two", "hand_back", "agent: two"],
      ["command to /close", "echo to one + two", "closed"],
    ],
    [
      [...held, "two", "lost: /help", "the holding ends", "agent: two"],
      ["command to /help", "echo to one + two", "active"],
    ],
    // No reply and no end is the outcome of a command.
    [
      [...held, "lost: /help", "reply", "a round of recovery"],
      ["coordinator to one", "command to /help", "active", "held"],
    ],
    [
      [...held, "lost: /new", "resolve", "a round of recovery"],
      ["system to one", "command to /new", "resolved"],
    ],
    [
      [...held, "lost: /help", "a round of recovery"],
      ["command to /help", "one waits", "active", "held"],
    ],
    // What waits when its user closes the session is still the coordinator's.
    [
      [...held, "/close"],
      ["command to /close", "one waits", "closed", "held"],
    ],
    [
      [...held, "/close", "reply"],
      ["command to /close", "coordinator to one", "closed", "held"],
    ],
    [
      [...held, "/close", "hand_back", "agent: one"],
      ["command to /close", "echo to one", "closed"],
    ],
    [
      [...held, "reply", "/new"],
      ["coordinator to one", "command to /new", "closed"],
    ],
  ])("%j: %j", async (steps, expected) => {
    node.desk.turns.watch();
    expect(await cameTo(await through(steps))).toEqual(expected);
  });
});

describe("[M43] what is said behind /new", () => {
  test("is of the old session when it was stored before the outcome of /new, and else of the new one", async () => {
    const first = await node.desk.store("ana", "/new");
    const second = await node.desk.store("ana", "in the same breath");
    const old = first.message.sessionId;
    expect(second.message.sessionId).toBe(old);
    node.desk.turns.handedBack(old);
    await answers("in the same breath");
    await rests(old);
    expect(await cameTo(old)).toEqual(["command to /new", "echo to in the same breath", "closed"]);
    const later = await node.desk.say("ana", "later");
    expect(later.message.sessionId).not.toBe(old);
    expect(later.head?.session.previousSessionId).toBe(old);
  });
});
