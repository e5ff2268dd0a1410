import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { codes, type Code } from "../../protocol/codes.js";
import { failure } from "../../protocol/result.js";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import type { Admission } from "../../server/messaging/admission.js";
import { defaultBusiness } from "../../server/messaging/business.js";
import { createIds } from "../../server/messaging/ids.js";
import { createSchedules, type Schedules } from "../../server/messaging/schedules.js";
import { Telemetry } from "../../server/telemetry.js";
import { FakeClock } from "../support/fake-clock.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

const businessId = "B1";

let temporary: TemporaryStore;
let clock: FakeClock;
let schedules: Schedules;
/** What was tried to be said, in its order. */
let tried: string[];
/** Why messages of a text are refused; of others it is not tried again. */
const refusals = new Map<string, Code>();

const take: Admission["take"] = (_sender, { userId, message }) => {
  tried.push(`${userId}: ${message}`);
  const code = refusals.get(message) ?? "forbidden";
  return Promise.resolve(failure({ code, words: codes[code] }));
};

beforeEach(async () => {
  temporary = await openTemporaryStore();
  clock = new FakeClock();
  tried = [];
  refusals.clear();
  schedules = createSchedules({
    store: temporary.store,
    clock,
    ids: createIds(clock),
    telemetry: new Telemetry<DeskEvents>(),
    job: { holds: () => Promise.resolve(true), giveUp: () => Promise.resolve() },
    admission: { take },
    broadcast: () => undefined,
    businessOf: (id) => defaultBusiness(id, "UTC"),
    maxPerUser: 100,
  });
});

afterEach(async () => {
  await schedules.stop();
  await temporary.dispose();
});

async function schedule(userId: string, message: string, inMs: number): Promise<void> {
  const nextAt = new Date(clock.now() + inMs).toISOString();
  const made = await schedules.create({ businessId, userId, locationId: "L1", message, cron: null, nextAt }, null);
  expect(made.ok).toBe(true);
}

const triedBy = (userId: string) => tried.filter((each) => each.startsWith(`${userId}: `));

describe("[M80] what is scheduled", () => {
  test.each<Code>(["busy", "rate_limited", "storage_unavailable"])(
    "is not overtaken by what its user was to say later while it is %s; others need not wait for it",
    async (code) => {
      refusals.set("first", code);
      await schedule("ana", "second", 2000);
      await schedule("ana", "first", 1000);
      const others = Array.from({ length: 8 }, (_, index) => `other ${index}`);
      for (const userId of others) await schedule(userId, "hello", 3000);
      clock.advance(10_000);
      await schedules.run();
      expect(triedBy("ana")).toEqual(["ana: first"]);
      for (const userId of others) expect(triedBy(userId)).toEqual([`${userId}: hello`]);
      refusals.clear();
      await schedules.run();
      expect(triedBy("ana")).toEqual(["ana: first", "ana: first", "ana: second"]);
    },
  );
});
