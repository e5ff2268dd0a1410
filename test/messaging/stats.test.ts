import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { createStats, type Stats } from "../../server/messaging/stats.js";
import { StoreError } from "../../server/messaging/store.js";
import { Telemetry } from "../../server/telemetry.js";
import { FakeClock } from "../support/fake-clock.js";
import { interceptedStore } from "../support/intercepted-store.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

let under: TemporaryStore;
let clock: FakeClock;
let failures: string[];
let limits: string[];
/** What the store is to do in place of a write; null: write. */
let refusal: (() => void) | null;
let writes: number;

beforeEach(async () => {
  under = await openTemporaryStore();
  clock = new FakeClock();
  [failures, limits, refusal, writes] = [[], [], null, 0];
});

afterEach(async () => {
  await under.dispose();
});

interface Node {
  readonly stats: Stats;
  readonly says: (businessId: string, times?: number) => void;
}

function nodeOf(more: { readonly pendingMax?: number } = {}): Node {
  const telemetry = new Telemetry<DeskEvents>();
  telemetry.attach("store.failed", ({ operation }) => void failures.push(operation));
  telemetry.attach("limit.reached", ({ limit }) => void limits.push(limit));
  const store = interceptedStore(under.store, (name, _given, call) => {
    if (name === "writeRecord") {
      writes += 1;
      refusal?.();
    }
    return call();
  });
  const stats = createStats({ store, clock, telemetry, ...more });
  stats.start();
  const event = { sessionId: "s", duplicate: false, durationMs: 1 };
  const says = (businessId: string, times = 1) => {
    for (let time = 0; time < times; time += 1) telemetry.emit("message.accepted", { businessId, ...event });
  };
  return { stats, says };
}

async function messagesOf(businessId: string, { stats } = nodeOf()): Promise<number> {
  const period = { from: Date.parse("2026-03-02T10:00Z"), to: Date.parse("2026-03-02T11:00Z") };
  return (await stats.read(businessId, [period]))[0]!.messages;
}

describe("[H11] what a node counted", () => {
  test("is stored every ten seconds, and not before", async () => {
    const node = nodeOf();
    node.says("B1", 3);
    clock.advance(9999);
    expect(writes).toBe(0);
    clock.advance(1);
    await until("a write", () => writes > 0);
    await node.stats.flush();
    expect(await messagesOf("B1")).toBe(3);
  });

  test("is stored at its end, and nothing is counted or due then", async () => {
    const node = nodeOf();
    node.says("B1");
    await node.stats.stop();
    node.says("B1");
    await node.stats.flush();
    expect([await messagesOf("B1", node), clock.timerCount]).toEqual([1, 0]);
  });

  test("costs nothing while nothing happens", async () => {
    await nodeOf().stats.flush();
    expect(writes).toBe(0);
  });

  test("is of its own business, whatever that is called", async () => {
    const node = nodeOf();
    for (const businessId of ["B1", "B10", "__proto__"]) node.says(businessId);
    await node.stats.flush();
    for (const businessId of ["B1", "B10", "__proto__"]) expect(await messagesOf(businessId)).toBe(1);
    expect(await messagesOf("B2")).toBe(0);
  });

  test("[S2] is added to what others store in the same moment, whoever is first", async () => {
    const nodes = Array.from({ length: 5 }, () => nodeOf());
    for (let round = 0; round < 3; round += 1) {
      for (const [index, node] of nodes.entries()) node.says("B1", index + 1);
      await Promise.all(nodes.map(({ stats }) => stats.flush()));
    }
    expect(await messagesOf("B1")).toBe(45);
    expect(failures).toEqual([]);
  });

  test("[S4] is kept while the store fails, which is told once and asked a few times, and is stored when it does not", async () => {
    const node = nodeOf();
    refusal = () => {
      throw new StoreError("writing", { retryable: true });
    };
    for (let business = 0; business < 100; business += 1) node.says(`B${business}`);
    await node.stats.flush();
    expect([writes, new Set(failures)]).toEqual([8, new Set(["store figures"])]);
    node.says("B1");
    refusal = null;
    await node.stats.flush();
    expect([await messagesOf("B0"), await messagesOf("B1"), await messagesOf("B99")]).toEqual([1, 2, 1]);
  });

  test("[L] has a limit: what is beyond it is not counted, and said so", async () => {
    const node = nodeOf({ pendingMax: 2 });
    for (const businessId of ["B1", "B2", "B3", "B1"]) node.says(businessId);
    await node.stats.flush();
    node.says("B3");
    await node.stats.flush();
    expect(await Promise.all(["B1", "B2", "B3"].map((businessId) => messagesOf(businessId)))).toEqual([2, 1, 1]);
    expect(limits).toEqual(["stats"]);
  });
});
