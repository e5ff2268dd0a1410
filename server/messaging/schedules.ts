import type { Cancel, Clock } from "../clock.js";
import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import type { Admission } from "./admission.js";
import { beginTurn } from "./begin-turn.js";
import type { Broadcast } from "./broadcast.js";
import type { Business } from "./business.js";
import { nextOf } from "./cron.js";
import type { Ids } from "./ids.js";
import type { Job } from "./job.js";
import { createPauses } from "./pauses.js";
import { type DueEntry, dueKey, dueParts, duePartition, type Schedule } from "./schedule-records.js";
import { keyedScheduleId, scheduleKey, schedulesPartition, wishOf } from "./schedule-records.js";
import { type IndexPage, type IndexRange, type Store, type StoredRecord, StoreError } from "./store.js";

export type NewSchedule = Pick<Schedule, "businessId" | "userId" | "locationId" | "message" | "cron" | "nextAt">;

export type ScheduleRefusal = "over" | "too_many_schedules" | "idempotency_mismatch";

/** What users are to have said later. One node sees to it; if two did, each message would be stored once. (SPEC M80) */
export interface Schedules {
  /**
   * Stores one, once for a key: as long as there is that one it is answered again, whatever it has said by then.
   * @returns `over` when its time has come already, `too_many_schedules` when its user has as many as there may be,
   * `idempotency_mismatch` when the key stands for another one
   * @throws StoreError
   */
  create(schedule: NewSchedule, key: string | null): Promise<Result<Schedule, ScheduleRefusal>>;
  /** Those of a user. @throws StoreError */
  list(owner: Pick<Schedule, "businessId" | "userId">, range: IndexRange): Promise<IndexPage<Schedule>>;
  /** @returns false when there is none @throws StoreError */
  remove(schedule: Pick<Schedule, "businessId" | "userId" | "scheduleId">): Promise<boolean>;
  /** Sees to what is due every few seconds, from now until `stop`. */
  start(): void;
  /** One round of it, if it is ours to do and none is under way. It never rejects. */
  run(): Promise<void>;
  /** Waits for the step under way, and leaves the rest to others. */
  stop(): Promise<void>;
}

const tickMs = 5000;
const duePage = 100;
const attemptsMax = 5;
/** A message that is not taken now may be taken in a moment; after so long that one is left out. */
const patienceMs = 60 * 60 * 1000;
const passing: ReadonlySet<Code> = new Set<Code>(["busy", "rate_limited", "storage_unavailable"]);

export function createSchedules(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly telemetry: DeskTelemetry;
  readonly job: Job;
  readonly admission: Pick<Admission, "take">;
  readonly broadcast: Broadcast;
  readonly businessOf: (businessId: string) => Business | null;
  readonly maxPerUser: number;
}): Schedules {
  const { store, clock, ids, telemetry, job } = deps;
  const pauses = createPauses(clock);
  let running: Promise<void> | null = null;
  let cancel: Cancel = () => undefined;

  return { create, list, remove, start, run, stop };

  async function create(given: NewSchedule, key: string | null): Promise<Result<Schedule, ScheduleRefusal>> {
    const createdAt = new Date(clock.now()).toISOString();
    const schedule: Schedule =
      key === null
        ? { ...given, scheduleId: ids.sortable(), createdAt }
        : { ...given, scheduleId: keyedScheduleId(given, key), createdAt, wish: wishOf(given) };
    const known = key === null ? null : await store.readRecord<Schedule>(scheduleKey(schedule));
    if (known !== null) return sameWish(known.value, schedule);
    if (given.nextAt <= createdAt) return failure("over");
    if (!(await hasRoom(given))) return failure("too_many_schedules");
    // First that it is due: a schedule that is never due would be one that nobody finds. It may be over before there is the
    // schedule, and is then taken for nothing: so it is said again.
    await noteDue(schedule);
    const { record } = await store.writeRecord<Schedule>(scheduleKey(schedule), null, schedule);
    await noteDue(schedule);
    // Of two at once under one key the first stands.
    return sameWish(record?.value ?? schedule, schedule);
  }

  async function hasRoom(owner: Pick<Schedule, "businessId" | "userId">): Promise<boolean> {
    const { maxPerUser } = deps;
    if (maxPerUser === 0) return true;
    const { items } = await store.listRecords<Schedule>(schedulesPartition(owner), { limit: maxPerUser });
    return items.length < maxPerUser;
  }

  async function list(owner: Pick<Schedule, "businessId" | "userId">, range: IndexRange): Promise<IndexPage<Schedule>> {
    const { items, next } = await store.listRecords<Schedule>(schedulesPartition(owner), range);
    return { items: items.map(({ value }) => value), next };
  }

  async function remove(named: Pick<Schedule, "businessId" | "userId" | "scheduleId">): Promise<boolean> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const known = await store.readRecord<Schedule>(scheduleKey(named));
      if (known === null) return false;
      // When it is due next is forgotten by whoever finds that there is no such schedule.
      if ((await store.writeRecord(scheduleKey(named), known.rev, null)).isWritten) return true;
    }
    throw new StoreError("deleting a schedule", { retryable: true, cause: new Error("it went on meanwhile") });
  }

  function start(): void {
    cancel = clock.every(tickMs, () => void run());
  }

  function run(): Promise<void> {
    if (pauses.isStopped) return Promise.resolve();
    running ??= tick()
      .catch((error: unknown) => telemetry.emit("store.failed", { operation: "run schedules", error }))
      .finally(() => (running = null));
    return running;
  }

  async function stop(): Promise<void> {
    pauses.stop();
    cancel();
    await running;
    await job
      .giveUp()
      .catch((error: unknown) => telemetry.emit("store.failed", { operation: "give the schedules up", error }));
  }

  async function tick(): Promise<void> {
    if (!(await job.holds())) return;
    for (let part = 0; part < dueParts; part += 1) await runPart(duePartition(part));
  }

  async function runPart(partition: string): Promise<void> {
    const now = new Date(clock.now()).toISOString();
    const { items } = await store.listRecords<DueEntry>(partition, { limit: duePage });
    // What a user is to have said later does not overtake what could not be said yet.
    const held = new Set<string>();
    for (const entry of items) {
      if (entry.value.at > now || pauses.isStopped) return;
      const owner = schedulesPartition(entry.value);
      if (!held.has(owner) && !(await runDue(entry))) held.add(owner);
    }
  }

  /**
   * Said under a key of its own, so that whoever comes back to it after a crash says nothing twice.
   * @returns false when it is to be tried again
   */
  async function runDue({ value: entry, rev }: StoredRecord<DueEntry>): Promise<boolean> {
    const known = await store.readRecord<Schedule>(scheduleKey(entry));
    // One that was taken away, or that has gone on before us.
    if (known !== null && known.value.nextAt === entry.at) {
      if (!(await say(known.value))) return false;
      await goOn(known);
    }
    await store.writeRecord(dueKey(entry), rev, null);
    return true;
  }

  /** @returns false when it is to be tried again */
  async function say(schedule: Schedule): Promise<boolean> {
    const { businessId, userId, locationId, message, scheduleId, nextAt } = schedule;
    const business = deps.businessOf(businessId);
    if (business === null) return true;
    const identity = { role: "user", userId, businessId } as const;
    const sender = { business, identity, source: "cron", connectionId: null, rate: null } as const;
    const admitted = await deps.admission.take(sender, {
      ...{ businessId, userId, locationId, message },
      ...{ sessionId: null, clientTimestamp: null, chatId: null, context: {} },
      clientMessageId: `schedule:${scheduleId}:${nextAt}`,
    });
    if (admitted.ok) {
      beginTurn(deps.broadcast, admitted.value);
      return true;
    }
    const { code } = admitted.reason;
    telemetry.emit("message.refused", { businessId, code });
    return !passing.has(code) || clock.now() - Date.parse(nextAt) > patienceMs;
  }

  /** What was missed while nobody was there is said once. */
  async function goOn({ value: schedule, rev }: StoredRecord<Schedule>): Promise<void> {
    const { cron, businessId } = schedule;
    const timeZone = deps.businessOf(businessId)?.timeZone ?? "UTC";
    const next = cron === null ? null : nextOf(cron, timeZone, clock.now());
    if (next === null) {
      await store.writeRecord(scheduleKey(schedule), rev, null);
      return;
    }
    const after: Schedule = { ...schedule, nextAt: new Date(next).toISOString() };
    await noteDue(after);
    await store.writeRecord<Schedule>(scheduleKey(schedule), rev, after);
  }

  async function noteDue({ scheduleId, businessId, userId, nextAt: at }: Schedule): Promise<void> {
    const entry: DueEntry = { scheduleId, businessId, userId, at };
    await store.writeRecord<DueEntry>(dueKey(entry), null, entry);
  }
}

function sameWish(known: Schedule, wanted: Schedule): Result<Schedule, ScheduleRefusal> {
  return known.wish === wanted.wish ? success(known) : failure("idempotency_mismatch");
}
