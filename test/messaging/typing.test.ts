import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Identity } from "../../server/auth/identity.js";
import { type Business, defaultBusiness } from "../../server/messaging/business.js";
import type { EventHandler, EventResult, Speaker } from "../../server/messaging/events.js";
import type { Session } from "../../server/messaging/model.js";
import { typingEvent } from "../../server/messaging/typing.js";
import { FakeClock } from "../support/fake-clock.js";
import { freeRate } from "../support/free-rate.js";
import { headOf } from "../support/heads.js";
import { interceptedStore } from "../support/intercepted-store.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

let under: TemporaryStore;
let clock: FakeClock;
let reads: number;
let told: [topic: string, from: unknown, typing: unknown, ...coordinatorId: unknown[]][];
let typing: EventHandler;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
  [reads, told] = [0, []];
  const store = interceptedStore(under.store, (name, _given, call) => {
    if (name === "readHead") reads += 1;
    return call();
  });
  typing = typingEvent({
    isGone: () => false,
    ...{ store, clock },
    blocklist: { has: ({ userId }) => Promise.resolve(userId === "blocked") },
    broadcast: (topic, event, { sessionId, from, typing: isTyping, ...more }) => {
      expect([event, Object.keys(more)]).toEqual(["typing", "coordinatorId" in more ? ["coordinatorId"] : []]);
      if (sessionId === "s1") told.push([topic, from, isTyping, ...Object.values(more)]);
    },
  });
  await stored({ sessionId: "s1" });
});

afterEach(() => under.dispose());

async function stored(session: Partial<Session>): Promise<void> {
  await under.store.createHead(headOf({ session: { ...session } }));
}

class Channel implements Speaker {
  readonly business: Business;
  readonly connectionId = "socket";
  readonly rate = freeRate;
  readonly watching = new Map<string, () => void>();
  readonly atEnd = new Map<string, () => void>();

  constructor(readonly identity: Identity) {
    this.business = defaultBusiness(identity.businessId!, "UTC");
  }

  push(): void {}

  hear(): () => void {
    return () => undefined;
  }

  async says(isTyping: unknown = true, sessionId = "s1"): Promise<EventResult> {
    return typing(this, { sessionId, typing: isTyping });
  }

  ends(): void {
    for (const end of this.atEnd.values()) end();
  }
}

const user = (userId = "ana", businessId = "B1") => new Channel({ role: "user", userId, businessId });
const coordinator = (userId = "carla") => new Channel({ role: "coordinator", userId, businessId: "B1" });
const codeOf = (result: EventResult) => (result.ok ? "ok" : result.reason.code);
/** What the watchers were told of the user since it was last asked. */
const ofUser = () => told.splice(0).map(([, , isTyping]) => isTyping);

describe("[M61] who hears of it", () => {
  test("of a user those who watch the session, and nobody else", async () => {
    expect(await user().says()).toEqual({ ok: true, value: { sessionId: "s1", typing: true } });
    expect(told).toEqual([["session:s1", "user", true]]);
  });

  test("of a coordinator the user, too, who does not learn which it is", async () => {
    await coordinator().says();
    expect(told).toEqual([
      ["user:B1:ana", "coordinator", true],
      ["session:s1", "coordinator", true, "carla"],
    ]);
  });

  test("of two coordinators each for itself, and of a session that another holds nobody", async () => {
    const [carla, cora] = [coordinator(), coordinator("cora")];
    await carla.says();
    await cora.says();
    expect(told.filter(([topic]) => topic === "session:s1").map(([, , , who]) => who)).toEqual(["carla", "cora"]);
    const holder = { coordinatorId: "carla", expiresAt: new Date(clock.now() + 10_000).toISOString() };
    await stored({ sessionId: "s2", holder });
    expect(codeOf(await cora.says(true, "s2"))).toBe("held_by_other");
    clock.advance(10_000);
    // The time of its holder is over.
    expect(codeOf(await cora.says(false, "s2"))).toBe("ok");
  });

  test("[X7] somebody else's session is as one that there is not", async () => {
    const none = await user().says(true, "s9");
    expect(codeOf(none)).toBe("session_not_found");
    for (const each of [user("bob"), user("ana", "B2")]) expect(await each.says()).toEqual(none);
    expect(codeOf(await new Channel({ role: "service", userId: "robot", businessId: "B1" }).says())).toBe("forbidden");
    expect(told).toEqual([]);
  });

  test("of whoever is blocked nobody", async () => {
    await stored({ sessionId: "s3", userId: "blocked" });
    expect(codeOf(await user("blocked").says(true, "s3"))).toBe("blocked");
    expect(told).toEqual([]);
  });

  test("of a coordinator nobody in a session that is over", async () => {
    await stored({ sessionId: "s4", status: "resolved" });
    expect(codeOf(await coordinator().says(true, "s4"))).toBe("session_not_found");
    expect(codeOf(await user().says(true, "s4"))).toBe("ok");
  });

  test("a coordinator who goes on typing is asked again, and may stop, once another one has the session", async () => {
    const carla = coordinator();
    for (const ms of [0, 500, 500, 500, 500]) {
      clock.advance(ms);
      expect(codeOf(await carla.says())).toBe("ok");
    }
    const holder = { coordinatorId: "cora", expiresAt: new Date(clock.now() + 60_000).toISOString() };
    await under.store.changeSession("s1", (head) => ({
      result: null,
      head: { ...head, session: { ...head.session, holder } },
    }));
    clock.advance(2000);
    expect(codeOf(await carla.says())).toBe("held_by_other");
    expect(codeOf(await carla.says(false))).toBe("ok");
    clock.advance(2000);
    expect(told.at(-1)).toEqual(["session:s1", "coordinator", false, "carla"]);
  });

  test.each([
    [{ typing: true }, "missing_parameters"],
    [{ sessionId: "s1" }, "missing_parameters"],
    [{ sessionId: "s1", typing: "yes" }, "invalid_payload"],
    [{ sessionId: 5, typing: true }, "invalid_payload"],
    [null, "missing_parameters"],
  ])("%j is %s", async (payload, code) => {
    expect(codeOf(await typing(user(), payload))).toBe(code);
    expect(told).toEqual([]);
  });
});

describe("[M61] how often", () => {
  test("[O-08] letter by letter: one in 2 s, and as many reads; the others are ok", async () => {
    const ana = user();
    for (let letter = 0; letter < 100; letter += 1) {
      expect(codeOf(await ana.says())).toBe("ok");
      clock.advance(100);
    }
    expect(ofUser()).toEqual([true, true, true, true, true, true]);
    expect(reads).toBeLessThanOrEqual(6);
  });

  test("what changes meanwhile is told at the end of the 2 s, as it is then", async () => {
    const ana = user();
    await ana.says();
    await ana.says(false);
    clock.advance(1999);
    expect(ofUser()).toEqual([true]);
    clock.advance(1);
    expect(ofUser()).toEqual([false]);
    await ana.says(true);
    await ana.says(false);
    clock.advance(10_000);
    expect(ofUser()).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  test("who does not type does not stop", async () => {
    await user().says(false);
    expect([ofUser(), clock.timerCount]).toEqual([[], 0]);
  });
});

describe("[M61] it ends by itself", () => {
  test("6 s after the last word, and not before", async () => {
    const ana = user();
    await ana.says();
    clock.advance(5000);
    await ana.says();
    clock.advance(5999);
    expect(ofUser()).toEqual([true, true]);
    clock.advance(1);
    expect(ofUser()).toEqual([false]);
    clock.advance(10_000);
    expect([ofUser(), clock.timerCount, ana.atEnd.size]).toEqual([[], 0, 0]);
  });

  test("with the channel of whoever said it last", async () => {
    const [one, other] = [user(), user()];
    await one.says();
    clock.advance(2000);
    await other.says();
    clock.advance(2000);
    ofUser();
    one.ends();
    expect(ofUser()).toEqual([]);
    other.ends();
    expect(ofUser()).toEqual([false]);
    clock.advance(10_000);
    expect(clock.timerCount).toBe(0);
  });

  test("a channel that had not been asked for this session is asked, however lately another one was", async () => {
    await user().says();
    expect(codeOf(await user("bob").says())).toBe("session_not_found");
    expect(reads).toBe(2);
  });
});

test("[M61] [L] of more than 10,000 who type the first is taken for done", async () => {
  const carla = coordinator();
  const first = user();
  await first.says();
  told = [];
  for (let n = 0; n < 10_000; n += 1)
    await typing(new Channel({ role: "coordinator", userId: `c${n}`, businessId: "B1" }), {
      sessionId: "s1",
      typing: true,
    });
  expect(told.filter(([, from]) => from === "user")).toEqual([["session:s1", "user", false]]);
  expect([first.atEnd.size, carla.atEnd.size]).toEqual([0, 0]);
});
