import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Business, defaultBusiness } from "../../server/messaging/business.js";
import { createQuota, type Quota, type Taken } from "../../server/messaging/quota.js";
import { FakeClock } from "../support/fake-clock.js";
import { shuffledStore } from "../support/intercepted-store.js";
import { createRandom, seedOfRun } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

const business: Business = { ...defaultBusiness("B1", "Europe/Bucharest"), limits: { messagesPerDayPerUser: 3 } };

let under: TemporaryStore;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  clock.jumpTo(Date.parse("2026-03-02T12:00:00.000Z"));
  under = await openTemporaryStore();
});

afterEach(() => under.dispose());

const quotaOn = (store = under.store): Quota => createQuota({ store, clock, onError: () => undefined });
const kinds = (taken: readonly (Taken | null)[]) => taken.map((each) => each?.kind ?? null).toSorted();

describe("[B8] messagesPerDayPerUser", () => {
  test("lets each user say so much on a business day, in the business's zone, and as much on the next", async () => {
    const quota = quotaOn();
    const take = (userId: string) => quota.take(business, userId)!;
    for (let count = 0; count < 3; count += 1) expect((await take("ana")).kind).toBe("taken");
    // Ten hours until midnight in Bucharest.
    expect(await take("ana")).toEqual({ kind: "spent", retryAfterMs: 10 * 60 * 60 * 1000 });
    expect((await take("bob")).kind).toBe("taken");
    clock.jumpTo(Date.parse("2026-03-02T21:59:59.999Z"));
    expect(await take("ana")).toEqual({ kind: "spent", retryAfterMs: 1 });
    clock.jumpTo(Date.parse("2026-03-02T22:00:00.000Z"));
    expect((await take("ana")).kind).toBe("taken");
  });

  test("what is given back can be taken again, and nothing of yesterday is", async () => {
    const quota = quotaOn();
    const taken = [1, 2, 3].map(() => quota.take(business, "ana")!);
    const first = (await Promise.all(taken))[0]!;
    if (first.kind === "taken") await first.giveBack();
    expect(kinds([await quota.take(business, "ana"), await quota.take(business, "ana")])).toEqual(["spent", "taken"]);
    clock.jumpTo(Date.parse("2026-03-03T12:00:00.000Z"));
    const today = [await quota.take(business, "ana"), await quota.take(business, "ana")];
    if (first.kind === "taken") await first.giveBack();
    expect(kinds([...today, await quota.take(business, "ana"), await quota.take(business, "ana")])).toEqual([
      ...["spent", "taken", "taken", "taken"],
    ]);
  });

  test("is one on all nodes, whatever the order of their reads and writes", async () => {
    for (let run = 0; run < 20; run += 1) {
      const store = shuffledStore(under.store, createRandom(seedOfRun + run));
      const nodes = [quotaOn(store), quotaOn(store)];
      const asked = [0, 1, 0, 1, 0].map((node) => nodes[node]!.take(business, `user${run}`)!);
      expect(kinds(await Promise.all(asked))).toEqual(["spent", "spent", "taken", "taken", "taken"]);
    }
  });

  test("a business that says nothing of it has no such limit", () => {
    expect(quotaOn().take(defaultBusiness("B1", "UTC"), "ana")).toBeNull();
  });
});
