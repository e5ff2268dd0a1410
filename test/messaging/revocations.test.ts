import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Credential } from "../../server/auth/credential.js";
import { Credentials } from "../../server/auth/credentials.js";
import type { TokenIdentity } from "../../server/auth/token.js";
import { systemClock } from "../../server/clock.js";
import { createRevocations, type Revocations } from "../../server/messaging/revocations.js";
import { type Store, StoreError } from "../../server/messaging/store.js";
import { FakeClock } from "../support/fake-clock.js";
import { interceptedStore, shuffledStore } from "../support/intercepted-store.js";
import { createRandom, seedOfRun } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const businessId = "B1";

let under: TemporaryStore;
let failures: unknown[];
let nodes: Revocations[];

beforeEach(async () => {
  under = await openTemporaryStore();
  failures = [];
  nodes = [];
});

afterEach(async () => {
  for (const node of nodes) node.stop();
  await under.dispose();
});

/** A node with a channel open for each user. */
function nodeOver(store: Store, users: readonly string[], clock = systemClock) {
  const credentials = new Credentials(clock);
  const open = new Set(users);
  for (const userId of users) {
    const identity: TokenIdentity = {
      role: "coordinator",
      userId,
      businessId,
      issuedAt: Math.floor(clock.now() / 1000) - 10,
      expiresAt: clock.now() + 3_600_000,
    };
    const ended = () => void open.delete(userId);
    const ignore = () => undefined;
    credentials.watch(new Credential(identity, clock), {
      ended,
      expired: ignore,
      expiring: ignore,
      renewed: ignore,
      changed: ignore,
    });
  }
  const onError = (_operation: string, error: unknown) => void failures.push(error);
  const revocations = createRevocations({ store, clock, credentials, onError });
  nodes.push(revocations);
  return { revocations, open };
}

const users = Array.from({ length: 60 }, (_, index) => `user${index}`);

describe("[X10] [X-13] many at once", () => {
  test("all of them are revoked, here and on another node that does the same", async () => {
    const random = createRandom(seedOfRun);
    const [first, second] = [nodeOver(shuffledStore(under.store, random), users), nodeOver(under.store, users)];
    await Promise.all([first.revocations.start(), second.revocations.start()]);
    const done = users.map((userId, index) =>
      (index % 2 === 0 ? first : second).revocations.revoke({ businessId, userId }),
    );
    expect(await Promise.all(done)).toHaveLength(users.length);
    await until("nobody is left", () => first.open.size === 0 && second.open.size === 0);
    expect(failures).toEqual([]);
  });
});

describe("[X10] a revocation that is cut off once its record is written", () => {
  function failing(store: Store) {
    const state = { isFailing: true };
    const cut = interceptedStore(store, (name, given, call) => {
      const isList = (given[0] as { readonly partition?: string } | undefined)?.partition === "revocations";
      if (state.isFailing && name === "writeRecord" && isList) {
        return Promise.reject(new StoreError("of a test", { retryable: true }));
      }
      return call();
    });
    return { cut, state };
  }

  test("has ended what is open on its own node, and is told to the others with the next one", async () => {
    const { cut, state } = failing(under.store);
    const [here, there] = [nodeOver(cut, ["ana", "ion"]), nodeOver(under.store, ["ana", "ion"])];
    await there.revocations.start();
    await expect(here.revocations.revoke({ businessId, userId: "ana" })).rejects.toThrow(StoreError);
    expect([[...here.open], [...there.open]]).toEqual([["ion"], ["ana", "ion"]]);
    state.isFailing = false;
    await here.revocations.revoke({ businessId, userId: "ion" });
    await until("the other has heard of both", () => there.open.size === 0);
  });

  test("ends on the others within a minute, though nobody ever tells them", async () => {
    const { cut } = failing(under.store);
    const clock = new FakeClock();
    const [here, there] = [nodeOver(cut, [], clock), nodeOver(under.store, ["ana", "ion"], clock)];
    await there.revocations.start();
    await expect(here.revocations.revoke({ businessId, userId: "ana" })).rejects.toThrow(StoreError);
    clock.advance(61_000);
    await until("she is ended, and he is not", () => there.open.size === 1);
    expect([...there.open]).toEqual(["ion"]);
  });
});
