import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { type Agent, AgentError, type AgentEvent, type AgentTurn } from "../../server/messaging/agent.js";
import { AnsweringDesk } from "../support/answering-desk.js";
import { FakeClock } from "../support/fake-clock.js";
import { soon } from "../support/intercepted-store.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const minuteMs = 60_000;
const probeMs = 5000;
const slots = 16;
const messageCount = 500;
const atOnce = 50;

/** One that nobody reaches, until it is back. */
class DownAgent implements Agent {
  readonly node = "echo";
  readonly historyMax = 0;
  isDown = true;
  readonly asked: string[] = [];
  #running = 0;
  mostAtOnce = 0;

  async *answer({ message }: AgentTurn): AsyncGenerator<AgentEvent> {
    this.asked.push(message);
    this.mostAtOnce = Math.max(this.mostAtOnce, (this.#running += 1));
    try {
      await soon();
      if (this.isDown) throw new AgentError("ECONNREFUSED", { isRetryable: true });
      yield { type: "answer", message: `answer to ${message}` };
    } finally {
      this.#running -= 1;
    }
  }
}

let under: TemporaryStore;
let clock: FakeClock;
let agent: DownAgent;
let desk: AnsweringDesk;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
  agent = new DownAgent();
  // Turns that may wait for longer than the agent is down.
  desk = new AnsweringDesk(
    { under, clock },
    { agent, concurrency: slots, maxBacklogPerBusiness: messageCount, timeoutMs: 10 * minuteMs },
  );
});

afterEach(() => under.dispose());

/** All that is under way has come to where only time can move it. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    await touch(under.store);
    await soon();
  }
}

const outcomes = () => desk.heard("message_processed");

test(`[A11] [M21] [A-04] an agent that is down for 5 min, and ${messageCount} messages: all are stored, one more is not; one is asked every 5 s; then all the others are answered, the oldest first, ${slots} at once`, async () => {
  const users = Array.from({ length: messageCount }, (_, index) => `user${index}`);
  for (let from = 0; from < messageCount; from += atOnce) {
    await Promise.all(users.slice(from, from + atOnce).map((userId) => desk.say(userId, userId)));
    await settled();
    clock.advance(1);
  }
  expect(desk.turns.reserve({ businessId: "B1", userId: "ana" })).toBeNull();
  // Those who had a slot when it was found to be gone, and the four whose failures came before that.
  expect(agent.asked.length).toBeLessThanOrEqual(slots + 4);
  const before = agent.asked.length;
  for (let passed = 0; passed < 5 * minuteMs; passed += probeMs) {
    clock.advance(probeMs);
    await settled();
  }
  const probes = agent.asked.slice(before);
  expect(probes).toHaveLength((5 * minuteMs) / probeMs);
  // A turn that was asked three times in vain is over; every other one still waits.
  const counts = new Map<string, number>();
  for (const text of agent.asked) counts.set(text, (counts.get(text) ?? 0) + 1);
  const given = users.filter((text) => counts.get(text) === 3);
  expect(outcomes().map(({ payload }) => [payload.message, payload.status])).toEqual(
    expect.arrayContaining(given.map((text) => [text, "failed"])),
  );
  expect(outcomes()).toHaveLength(given.length);

  const downCalls = agent.asked.length;
  agent.isDown = false;
  agent.mostAtOnce = 0;
  clock.advance(probeMs);
  await until("every message has its outcome", () => outcomes().length === messageCount);
  const waited = users.filter((text) => !given.includes(text));
  const answered = outcomes().filter(({ payload }) => payload.status === "answered");
  expect(answered.map(({ payload }) => payload.message).toSorted()).toEqual(waited.toSorted());
  const asked = agent.asked.slice(downCalls);
  expect(asked.toSorted()).toEqual(waited.toSorted());
  const wave = (text: string) => Math.floor(Number(text.slice("user".length)) / atOnce);
  expect(asked.map(wave)).toEqual(asked.map(wave).toSorted((one, other) => one - other));
  expect(agent.mostAtOnce).toBeLessThanOrEqual(slots);
  expect((await under.store.readSessionsWithWork({ limit: 1 })).items).toEqual([]);
});
