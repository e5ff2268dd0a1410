import { hashOf, partitionOf } from "./records.js";
import type { RecordKey } from "./store.js";

/** What a user is to have said, at a time or again and again. */
export interface Schedule {
  readonly scheduleId: string;
  readonly businessId: string;
  readonly userId: string;
  readonly locationId: string;
  readonly message: string;
  /** A cron line in the business's time zone; null: once. */
  readonly cron: string | null;
  /** When it is due next: ISO 8601, UTC. */
  readonly nextAt: string;
  readonly createdAt: string;
  /** What was wished under a client's own key, hashed; without one there is none. */
  readonly wish?: string;
}

type ScheduleOwner = Pick<Schedule, "businessId" | "userId">;

/** Says that a schedule is due at a time. Those of one part, all of a user's among them, are in the order of their times. */
export interface DueEntry extends ScheduleOwner {
  readonly scheduleId: string;
  readonly at: string;
}

/** One list of all that is due would be one place that everybody writes to. */
export const dueParts = 4;

export function schedulesPartition(owner: ScheduleOwner): string {
  return `schedules#${partitionOf({ businessId: owner.businessId, userId: owner.userId })}`;
}

export function scheduleKey(schedule: ScheduleOwner & Pick<Schedule, "scheduleId">): RecordKey {
  return { partition: schedulesPartition(schedule), id: schedule.scheduleId };
}

/** The one that a client's own key stands for, as long as there is one. */
export function keyedScheduleId({ businessId, userId }: ScheduleOwner, key: string): string {
  return hashOf(JSON.stringify([businessId, userId, key]));
}

/** The next time of a cron line is another one with every retry. */
export function wishOf({ locationId, message, cron, nextAt }: Omit<Schedule, "scheduleId" | "createdAt">): string {
  return hashOf(JSON.stringify([locationId, message, cron ?? nextAt]));
}

export function duePartition(part: number): string {
  return `due#${part}`;
}

export function dueKey({ scheduleId, at, ...owner }: DueEntry): RecordKey {
  const part = Buffer.from(hashOf(schedulesPartition(owner)), "base64url")[0]! % dueParts;
  return { partition: duePartition(part), id: `${at}#${scheduleId}` };
}
