import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createNodes, type Nodes, onlyNode } from "../../server/messaging/nodes.js";
import { type Beat, beatKey } from "../../server/messaging/records.js";
import type { Store } from "../../server/messaging/store.js";
import { crashingStore } from "../support/crashing-store.js";
import { FakeClock } from "../support/fake-clock.js";
import { openTemporaryStore, type TemporaryStore, touch } from "../support/temporary-store.js";

let under: TemporaryStore;
let clock: FakeClock;
let failures: string[];

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
  failures = [];
});

afterEach(async () => {
  await under.dispose();
});

describe("[M24] whether another process lives", () => {
  test("one that beats is there, however long it is watched", async () => {
    const [here, there] = [nodesOf("here"), nodesOf("there")];
    await Promise.all([here.start(), there.start()]);
    for (let second = 0; second < 60; second += 1) {
      expect(here.isGone("there")).toBe(false);
      await pass(1000);
    }
    expect(failures).toEqual([]);
  });

  test("[N-06] one that stands still is gone after it was watched for 12 s, not before, and within 15 s of its death", async () => {
    const [here, there] = [nodesOf("here"), nodesOf("there", under.store, new FakeClock())];
    await Promise.all([here.start(), there.start()]);
    expect(here.isGone("there")).toBe(false);
    await pass(11_000);
    expect(here.isGone("there")).toBe(false);
    await pass(4000);
    expect(here.isGone("there")).toBe(true);
  });

  test("one that was never watched is not gone, however long it is dead", async () => {
    const [here, there] = [nodesOf("here"), nodesOf("there", under.store, new FakeClock())];
    await Promise.all([here.start(), there.start()]);
    await pass(60_000);
    expect(here.isGone("there")).toBe(false);
    await pass(5000);
    expect(here.isGone("there")).toBe(false);
    await pass(8000);
    expect(here.isGone("there")).toBe(true);
  });

  test("one that ended properly, or of which nothing is known, is gone as soon as it is looked for", async () => {
    const [here, there] = [nodesOf("here"), nodesOf("there")];
    await Promise.all([here.start(), there.start()]);
    await there.stop();
    expect([here.isGone("there"), here.isGone("nobody")]).toEqual([false, false]);
    await pass(0);
    expect([here.isGone("there"), here.isGone("nobody")]).toEqual([true, true]);
    expect(await under.store.readRecord(beatKey("there"))).toBeNull();
  });

  test("[T-05] one that was taken for dead and beats again is there again", async () => {
    const thereClock = new FakeClock();
    const [here, there] = [nodesOf("here"), nodesOf("there", under.store, thereClock)];
    await Promise.all([here.start(), there.start()]);
    here.isGone("there");
    await pass(15_000);
    expect(here.isGone("there")).toBe(true);
    thereClock.advance(60_000);
    await pass(2000);
    expect(here.isGone("there")).toBe(false);
  });

  test("[T-05] the time in which we stood still ourselves says nothing of the others", async () => {
    const thereClock = new FakeClock();
    const [here, there] = [nodesOf("here"), nodesOf("there", under.store, thereClock)];
    await Promise.all([here.start(), there.start()]);
    here.isGone("there");
    await pass(2000);
    // Both were stopped for a minute: ours comes back first.
    clock.skip(60_000);
    await pass(1000);
    expect(here.isGone("there")).toBe(false);
    thereClock.advance(3000);
    await pass(11_000);
    expect(here.isGone("there")).toBe(false);
  });

  test("[T-06] the wall clock says nothing of it", async () => {
    const [here, there] = [nodesOf("here"), nodesOf("there")];
    await Promise.all([here.start(), there.start()]);
    here.isGone("there");
    for (const hours of [8, -16, 8]) {
      clock.jumpTo(clock.now() + hours * 3_600_000);
      await pass(2000);
      expect(here.isGone("there")).toBe(false);
    }
  });

  test("whoever wants to is told once that one is gone", async () => {
    const [here, there] = [nodesOf("here"), nodesOf("there", under.store, new FakeClock())];
    const gone: string[] = [];
    here.onGone((node) => void gone.push(node));
    await Promise.all([here.start(), there.start()]);
    here.isGone("there");
    await pass(30_000);
    expect(gone).toEqual(["there"]);
  });

  test("what a dead one left is cleared up when nobody asks for it any more; one that lives is left alone", async () => {
    const [here, dead, alive] = [nodesOf("here"), nodesOf("dead", under.store, new FakeClock()), nodesOf("alive")];
    await Promise.all([here.start(), dead.start(), alive.start()]);
    // Off the beat, so that the last look has seen the last one.
    await pass(1000);
    for (const name of ["dead", "alive"]) here.isGone(name);
    await pass(320_000);
    expect(await under.store.readRecord(beatKey("dead"))).toBeNull();
    const record = await under.store.readRecord<Beat>(beatKey("alive"));
    expect(record?.rev).toBe(record?.value.count);
  });

  test("a record that others cleared up is made again, and counts on", async () => {
    const there = nodesOf("there");
    await there.start();
    await pass(6000);
    const before = await under.store.readRecord<Beat>(beatKey("there"));
    await under.store.writeRecord(beatKey("there"), before!.rev, null);
    await pass(3000);
    expect((await under.store.readRecord<Beat>(beatKey("there")))?.value.count).toBe(before!.value.count + 1);
    await there.stop();
    expect([await under.store.readRecord(beatKey("there")), clock.timerCount]).toEqual([null, 0]);
  });

  test("[S-01] a beat whose answer was lost counts, and the next one follows", async () => {
    const lossy = losing(under.store);
    const there = nodesOf("there", lossy.store);
    await there.start();
    lossy.loses = true;
    await pass(3000);
    lossy.loses = false;
    await pass(3000);
    expect((await under.store.readRecord<Beat>(beatKey("there")))?.value.count).toBe(3);
    expect(failures).toEqual(["say that this process lives"]);
    lossy.loses = true;
    await pass(3000);
    lossy.loses = false;
    await there.stop();
    expect(await under.store.readRecord(beatKey("there"))).toBeNull();
  });

  test("[S4] what cannot be read is not known to stand still, and what cannot be said stops nobody", async () => {
    const broken = crashingStore(under.store, 1, "before");
    const [here, there] = [nodesOf("here", broken.store), nodesOf("there", under.store, new FakeClock())];
    await Promise.all([here.start(), there.start()]);
    here.isGone("there");
    await pass(30_000);
    expect(broken.hasCrashed()).toBe(true);
    expect(here.isGone("there")).toBe(false);
    await here.stop();
    expect(new Set(failures)).toEqual(
      new Set(["say that this process lives", "see whether another process lives", "say that this process has ended"]),
    );
  });

  test("[S4] a process that cannot say that it lives does not begin", async () => {
    const here = nodesOf("here", crashingStore(under.store, 0, "before").store);
    await expect(here.start()).rejects.toThrow("a write failed");
    expect(clock.timerCount).toBe(0);
  });
});

test("[S9] where there is one process at a time, every other one is gone", async () => {
  const nodes = onlyNode("here");
  await nodes.start();
  expect([nodes.isGone("here"), nodes.isGone("there")]).toEqual([false, true]);
  await nodes.stop();
});

function nodesOf(node: string, store: Store = under.store, ownClock: FakeClock = clock): Nodes {
  return createNodes({ store, clock: ownClock, node, onError: (operation) => void failures.push(operation) });
}

/** Lets time pass, second by second, and what falls due come to its end. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left >= 0; left -= 1000) {
    if (left > 0) clock.advance(Math.min(1000, left));
    await touch(under.store);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** A store whose writes are done, and their answers lost. */
function losing(inner: Store): { readonly store: Store; loses: boolean } {
  const state = { store: inner, loses: false };
  state.store = new Proxy(inner, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]) => {
        const result: unknown = await method.apply(target, given);
        if (state.loses && name === "writeRecord") throw new Error("lost");
        return result;
      };
    },
  });
  return state;
}
