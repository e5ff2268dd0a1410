import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Agent } from "../../server/messaging/agent.js";
import { cursorAt } from "../../server/messaging/ids.js";
import { FakeClock } from "../support/fake-clock.js";
import { soon } from "../support/intercepted-store.js";
import { createRandom, seedOfRun } from "../support/random.js";
import { Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { patienceMs } from "../support/store-of-run.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const users = 120;
const actionsEach = 2;

let app: TestApp;
/** Where sessions are held and ended. */
let console: Seat;

/** Some events of the loop later, another number for each message. */
function slowly(random: () => number): Agent {
  return {
    node: "echo",
    historyMax: 0,
    async *answer({ message }) {
      await pause(random);
      yield { type: "answer", message: `answer to ${message}` };
    },
  };
}

async function pause(random: () => number): Promise<void> {
  for (let turns = Math.floor(random() ** 3 * 12); turns > 0; turns -= 1) await soon();
}

beforeEach(async () => {
  // Its time stands still: nothing is ever found by a look for what was left lying. (M25)
  const agents = { echo: slowly(createRandom(seedOfRun)) };
  app = await startTestApp({ IDLE_TIMEOUT_MS: "0" }, { clock: new FakeClock(), agents });
  console = await Seat.take(app, {}, { on: topic });
});

afterEach(async () => {
  console.client.close();
  await app.dispose();
});

/** Somebody whose line is cut, who leaves and comes back, gives up and is taken over, while they are answered. */
class Visitor {
  readonly #userId: string;
  readonly #random: () => number;
  #seat: Seat | null = null;
  #saidCount = 0;

  constructor(userId: string, random: () => number) {
    this.#userId = userId;
    this.#random = random;
  }

  async visit(): Promise<void> {
    for (let action = 0; action < actionsEach; action += 1) {
      this.#seat ??= await Seat.take(app, { userId: this.#userId }, { on: topic });
      this.#say(this.#seat);
      await pause(this.#random);
      await this.#act(this.#seat);
      await pause(this.#random);
    }
    this.#seat?.client.close();
  }

  #say(seat: Seat): void {
    const message = `message ${(this.#saidCount += 1)} of ${this.#userId}`;
    const payload = { businessId, userId: this.#userId, locationId: "default", message };
    seat.client.send(null, `m${this.#saidCount}`, topic, "new_message", payload);
  }

  async #act(seat: Seat): Promise<void> {
    const what = this.#random();
    if (what < 0.25) this.#cut(seat);
    else if (what < 0.35) seat.client.send(null, "leave", topic, "phx_leave", {});
    else if (what < 0.5) seat.client.send("again", "again", topic, "phx_join", { userId: this.#userId });
    else if (what < 0.9) await this.#actOnSession(seat, what);
    // One that has left its channel says nothing any more.
    if (what >= 0.25 && what < 0.35) this.#cut(seat);
  }

  #cut(seat: Seat): void {
    seat.client.ws.terminate();
    this.#seat = null;
  }

  async #actOnSession(seat: Seat, what: number): Promise<void> {
    const { sessionId, messageId } = seat.heard("message_accepted").at(-1) ?? {};
    if (sessionId === undefined) return;
    if (what < 0.6) seat.client.send(null, "cancel", topic, "cancel", { messageId });
    else if (what < 0.65) seat.client.send(null, "close", topic, "close", { sessionId });
    else if (what < 0.7) await console.ask("resolve", { sessionId });
    else if (what < 0.75) await console.ask("reply", { sessionId, message: "a human is here" });
    else {
      await console.ask("take_over", { sessionId });
      await pause(this.#random);
      if (what < 0.85) await console.ask("hand_back", { sessionId });
    }
  }
}

/** What is held still is given back. */
async function everythingAnswered(): Promise<void> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const { items: open } = await app.store.readSessionsWithWork({ limit: users * actionsEach });
    if (open.length === 0) return;
    if (Date.now() > end) throw new Error(`in vain: ${open.length} sessions wait for an answer`);
    for (const sessionId of open) {
      const holder = (await app.store.readHead(sessionId))?.session.holder;
      if (holder !== undefined) await console.ask("hand_back", { sessionId });
    }
    await soon();
  }
}

/** By id, all user messages and all outcomes that coordinators were told of. */
async function saidAndAnswered(): Promise<[string[], string[]]> {
  const said: string[] = [];
  for (let index = 0; index < users; index += 1) {
    const sessions = await app.store.readSessionsOf({ businessId, userId: `user_${index}` }, { limit: 200 });
    for (const { sessionId } of sessions.items) {
      const { items } = await app.store.readMessages(sessionId, { limit: 200 });
      said.push(...items.filter(({ type }) => type === "user").map(({ messageId }) => messageId));
    }
  }
  const events = await app.store.readEvents(businessId, { after: cursorAt(0), limit: 10 * users * actionsEach });
  // What a human says unasked is an event of its own.
  const ids = new Set(said);
  return [
    said.toSorted(),
    events.items
      .map(({ messageId }) => messageId)
      .filter((id) => ids.has(id))
      .toSorted(),
  ];
}

test(`[M7] [M14] [A-13] ${users * actionsEach} messages, and whatever happens to their sockets and sessions between storing and telling: each is answered, though nobody looks for what was left lying`, async () => {
  const visitors = Array.from({ length: users }, (_, index) => {
    return new Visitor(`user_${index}`, createRandom(seedOfRun + index));
  });
  try {
    await Promise.all(visitors.map((visitor) => visitor.visit()));
    await everythingAnswered();
    const [said, answered] = await saidAndAnswered();
    expect(said.length).toBeGreaterThan(users * actionsEach * 0.5);
    expect(answered).toEqual(said);
  } catch (cause) {
    throw new Error(`BENNU_SEED=${seedOfRun} repeats this: ${(cause as Error).message}`, { cause });
  }
});
