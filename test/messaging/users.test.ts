import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { User } from "../../server/messaging/model.js";
import { userKey } from "../../server/messaging/records.js";
import { StoreError } from "../../server/messaging/store.js";
import { onboard } from "../../server/messaging/steps/onboarding.js";
import { createUser, findUser, updateUser } from "../../server/messaging/users.js";
import { interceptedStore, shuffledStore } from "../support/intercepted-store.js";
import { createRandom, seedOfRun } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

const ana: User = {
  businessId: "B1",
  userId: "ana",
  blocked: false,
  platforms: ["channel"],
  threadId: "t1",
  greeted: false,
  createdAt: "2026-03-02T10:00:00.000Z",
  lastSeenAt: "2026-03-02T10:00:00.000Z",
};

let under: TemporaryStore;

beforeEach(async () => {
  under = await openTemporaryStore();
});

afterEach(async () => {
  await under.dispose();
});

describe("[M18] users", () => {
  test("one that is not known is not there; one that was created is, for this business alone", async () => {
    expect(await findUser(under.store, ana)).toBeNull();
    expect(await createUser(under.store, ana)).toEqual(ana);
    expect(await findUser(under.store, ana)).toEqual(ana);
    expect(await findUser(under.store, { businessId: "B2", userId: "ana" })).toBeNull();
  });

  test("of many that are created at once there is one, and everybody gets that one", async () => {
    const created = await Promise.all(
      ["t1", "t2", "t3", "t4"].map((threadId) => createUser(under.store, { ...ana, threadId })),
    );
    const stored = await findUser(under.store, ana);
    for (const user of created) expect(user).toEqual(stored);
  });

  test("changes at the same time are all there", async () => {
    for (let run = 0; run < 20; run += 1) {
      const user = await createUser(under.store, { ...ana, userId: `user${run}` });
      const store = shuffledStore(under.store, createRandom(seedOfRun + run));
      const add = (platform: string) =>
        updateUser(store, user, (known) => ({ ...known, platforms: [...known.platforms, platform] }));
      await Promise.all(["a", "b", "c", "d", "e"].map(add));
      const { platforms } = (await findUser(under.store, user))!;
      expect(platforms.toSorted()).toEqual(["a", "b", "c", "channel", "d", "e"]);
    }
  });

  test("when one was seen last is known to the hour", async () => {
    await createUser(under.store, ana);
    const seen = async (timestamp: string) => {
      const user = await onboard(under.store, { ...ana, timestamp });
      expect(await findUser(under.store, ana)).toEqual(user);
      return user.lastSeenAt;
    };
    expect(await seen("2026-03-02T10:59:59.999Z")).toBe("2026-03-02T10:00:00.000Z");
    expect(await seen("2026-03-02T11:00:00.000Z")).toBe("2026-03-02T11:00:00.000Z");
  });

  test("one that is not there is not changed, and not made", async () => {
    await updateUser(under.store, ana, (user) => ({ ...user, greeted: true }));
    expect(await findUser(under.store, ana)).toBeNull();
  });

  test("a change that changes nothing writes nothing", async () => {
    await createUser(under.store, ana);
    await updateUser(under.store, ana, (user) => user);
    expect((await under.store.readRecord(userKey("B1", "ana")))?.rev).toBe(1);
  });

  test("when others keep changing it, it is given up after a while: trying later can help", async () => {
    await createUser(under.store, ana);
    let tries = 0;
    const store = interceptedStore(under.store, async (name, _given, call) => {
      if (name === "writeRecord") {
        tries += 1;
        await updateUser(under.store, ana, (user) => ({ ...user, name: `name ${tries}` }));
      }
      return call();
    });
    const given = await updateUser(store, ana, (user) => ({ ...user, greeted: true })).catch((error: unknown) => error);
    expect(given).toBeInstanceOf(StoreError);
    expect([(given as StoreError).retryable, tries]).toEqual([true, 10]);
  });
});
