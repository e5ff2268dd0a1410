import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { AgentError } from "../../server/messaging/agent.js";
import { failureText } from "../../server/messaging/texts.js";
import { AnsweringDesk, turnLimits } from "../support/answering-desk.js";
import { FakeClock } from "../support/fake-clock.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const { waitMs } = turnLimits;
const probeMs = 5000;

let under: TemporaryStore;
let clock: FakeClock;
let desk: AnsweringDesk;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
  desk = new AnsweringDesk({ under, clock });
  await openCircuit();
});

afterEach(() => under.dispose());

/** Five users meet an agent that fails. */
async function openCircuit(): Promise<void> {
  for (let n = 0; n < 5; n += 1) {
    await desk.say(`fails${n}`, `fails ${n}`);
    (await desk.agent.call(`fails ${n}`)).say(new Error("broken"));
    await desk.untilAnswered(`fails${n}`, 1);
  }
  desk.agent.calls.length = 0;
}

/** Says something that waits for the agent. */
async function waits(userId: string, text: string): Promise<string> {
  const { message } = await desk.say(userId, text);
  await until("it waits", () => desk.runs.ofUser("B1", userId).length > 0);
  return message.messageId;
}

const openSessions = async () => (await under.store.readSessionsWithWork({ limit: 10 })).items;

describe("[A11] [A-04] a turn whose agent is left alone", () => {
  test("holds up the later ones of its session; all are answered in order once the agent is back", async () => {
    await waits("ana", "one");
    await desk.say("ana", "two");
    await waits("bob", "three");
    expect(desk.agent.asked).toEqual([]);
    clock.advance(probeMs);
    (await desk.agent.call("one")).answer();
    (await desk.agent.call("three")).answer();
    (await desk.agent.call("two")).answer();
    const rows = await desk.untilAnswered("ana", 2);
    expect(rows.map(({ content }) => content)).toEqual(["one", "two", "answer to one", "answer to two"]);
    await desk.untilAnswered("bob", 1);
    expect(desk.agent.asked).toHaveLength(3);
  });

  test("[M19] ends as agent_unavailable when its time is over, without having been asked", async () => {
    // Older ones, of which one is asked every five seconds, and hangs.
    for (let n = 0; n <= waitMs / probeMs; n += 1) await waits(`other${n}`, `other ${n}`);
    await waits("ana", "hello");
    clock.advance(waitMs - 1);
    await touch(under.store);
    expect(await desk.answersOf("ana")).toEqual([]);
    clock.advance(1);
    const [, outcome] = await desk.untilAnswered("ana", 1);
    expect(outcome).toMatchObject({
      type: "system",
      content: failureText("en", "agent_unavailable"),
      metadata: { code: "agent_unavailable" },
    });
    expect(desk.agent.asked.slice(0, 3)).toEqual(["other 0", "other 1", "other 2"]);
    expect(desk.agent.asked).not.toContain("hello");
  });

  test("[M42] is cancelled; the next one of its session waits for the agent in its place", async () => {
    const messageId = await waits("ana", "one");
    await desk.say("ana", "two");
    expect(desk.runs.cancel({ businessId: "B1", userId: "ana", messageId })).toBe(true);
    const [, , outcome] = await desk.untilAnswered("ana", 1);
    expect(outcome).toMatchObject({ type: "system", metadata: { code: "cancelled", inReplyTo: messageId } });
    clock.advance(probeMs);
    (await desk.agent.call("two")).answer();
    await desk.untilAnswered("ana", 2);
    expect(desk.agent.asked).toEqual(["two"]);
  });

  test("[M20] does not hold up a shutdown, and is answered by whoever comes next", async () => {
    await waits("ana", "one");
    await desk.say("ana", "two");
    await desk.turns.drain(25_000);
    clock.advance(waitMs);
    expect([desk.agent.asked, await desk.answersOf("ana"), await openSessions()]).toEqual([
      [],
      [],
      [expect.any(String)],
    ]);
    const next = new AnsweringDesk({ under, clock }, { node: "second" });
    next.agentAnswersAtOnce();
    await next.turns.recover();
    const rows = await next.untilAnswered("ana", 2);
    expect(rows.map(({ content }) => content)).toEqual(["one", "two", "answer to one", "answer to two"]);
  });

  test("[A10] [M20] nor does one that is to be asked again later", async () => {
    clock.advance(probeMs);
    await desk.say("ana", "hello");
    const call = await desk.agent.call("hello");
    call.say(new AgentError("status_503", { isRetryable: true, retryAfterMs: 20_000 }));
    await until("the agent is left", () => call.isLeft);
    await desk.turns.drain(25_000);
    expect([desk.agent.calls.length, await desk.answersOf("ana"), await openSessions()]).toEqual([
      1,
      [],
      [expect.any(String)],
    ]);
  });
});
