import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createBlocklist } from "../../server/messaging/blocklist.js";
import { defaultBusiness } from "../../server/messaging/business.js";
import { createCoordinatorEvents } from "../../server/messaging/coordinator-events.js";
import { beginDeletion } from "../../server/messaging/head.js";
import { createIds } from "../../server/messaging/ids.js";
import { blockedText, closingText } from "../../server/messaging/texts.js";
import { AnsweringDesk } from "../support/answering-desk.js";
import { freeRate } from "../support/free-rate.js";
import { FakeClock } from "../support/fake-clock.js";
import { soon } from "../support/intercepted-store.js";
import type { AgentCall } from "../support/scripted-agent.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";

const far = "9999-01-01T00:00:00.000Z";

let under: TemporaryStore;
let clock: FakeClock;
let desk: AnsweringDesk;
let call: AgentCall;
let sessionId: string;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
  desk = new AnsweringDesk({ under, clock });
  sessionId = (await desk.say("ana", "hello")).message.sessionId;
  call = await desk.agent.call("hello");
  call.say({ type: "delta", text: "the ag" });
});

afterEach(() => under.dispose());

async function ask(role: "user" | "coordinator", event: "close" | "resolve" | "block"): Promise<void> {
  const { turns, runs, telemetry } = desk;
  const broadcast = (topic: string, name: string, payload: Readonly<Record<string, unknown>>) =>
    void desk.told.push({ topic, event: name, payload });
  const { events } = createCoordinatorEvents({
    onSaid: () => undefined,
    ...{ store: under.store, clock, turns, runs, telemetry, broadcast, ids: createIds(clock), maxMessageBytes: 100 },
    blocklist: createBlocklist({ store: under.store, clock }),
    isGone: () => false,
  });
  const speaker = {
    business: defaultBusiness("B1", "UTC"),
    identity: { role, userId: role === "user" ? "ana" : "carla", businessId: "B1" },
    connectionId: "socket",
    rate: freeRate,
    push: () => undefined,
    hear: () => () => undefined,
    watching: new Map(),
    atEnd: new Map(),
  };
  expect((await events[event](speaker, { sessionId })).ok).toBe(true);
}

/** The session is being deleted, as far as that has come. */
async function deleteIt(isHeadGone: boolean): Promise<void> {
  const isBegun = await under.store.changeSession(sessionId, (head) => beginDeletion(head, far, clock.now()));
  expect(isBegun).toBe(true);
  await under.store.deleteMessages(sessionId, (await under.store.readMessages(sessionId, { limit: 10 })).items);
  if (isHeadGone) await under.store.deleteHead(sessionId);
}

/** The agent, which heeds no signal, answers; everything that follows from it has been done, and looked for twice. */
async function lateAnswer(): Promise<void> {
  call.answer("too late");
  for (let look = 0; look < 3; look += 1) {
    for (let turn = 0; turn < 10; turn += 1) {
      await touch(under.store);
      await soon();
    }
    clock.advance(3000);
    await desk.turns.recover();
  }
}

async function stored() {
  return [await under.store.readHead(sessionId), (await under.store.readMessages(sessionId, { limit: 10 })).items];
}

describe("[M8] [M34] [A-14] a session that ends while its agent works", () => {
  const ends: [string, () => Promise<void>, string, string][] = [
    ["closed by its user", () => ask("user", "close"), "closed", closingText("en")],
    ["closed by a coordinator", () => ask("coordinator", "close"), "closed", closingText("en")],
    ["resolved", () => ask("coordinator", "resolve"), "resolved", closingText("en")],
    ["left active, its user blocked", () => ask("coordinator", "block"), "active", blockedText("en")],
  ];

  test.each(ends)(
    "%s: that is the turn's outcome; what the agent says later is nobody's",
    async (_how, end, status, content) => {
      await end();
      const before = await stored();
      expect(before).toMatchObject([
        { session: { status, offset: 2 }, turns: [] },
        [{ content: "hello" }, { type: "system", content }],
      ]);
      const told = [...desk.told];
      await lateAnswer();
      expect(await stored()).toEqual(before);
      expect([desk.told, desk.agent.calls.length]).toEqual([told, 1]);
      expect((await under.store.readSessionsWithWork({ limit: 1 })).items).toEqual([]);
    },
  );

  test.each([
    ["is being deleted", false],
    ["is gone", true],
  ])("and %s by then: nothing of it comes back", async (_how, isHeadGone) => {
    await ask("user", "close");
    await deleteIt(isHeadGone);
    const before = await stored();
    expect(before).toEqual([isHeadGone ? null : expect.objectContaining({ deletingSince: expect.any(String) }), []]);
    const told = [...desk.told];
    await lateAnswer();
    expect(await stored()).toEqual(before);
    expect([desk.told, desk.agent.calls.length]).toEqual([told, 1]);
    const owner = { businessId: "B1", userId: "ana" };
    const listed = [
      await under.store.readSessionsWithWork({ limit: 1 }),
      await under.store.readActiveSessions("B1", { limit: 1 }),
      await under.store.readSessionsOf(owner, { limit: 9 }),
    ];
    expect(listed.map(({ items }) => items.length)).toEqual([0, 0, 0]);
  });

  test("[M22] one that has not ended is not deleted meanwhile, and its answer is stored", async () => {
    const begun = await under.store.changeSession(sessionId, (head) => beginDeletion(head, far, clock.now()));
    expect(begun).toBe(false);
    call.answer();
    const rows = await desk.untilAnswered("ana", 1);
    expect(rows.map(({ content }) => content)).toEqual(["hello", "answer to hello"]);
  });
});
