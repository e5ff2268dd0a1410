import type { Clock } from "../clock.js";
import type { Business } from "./business.js";
import { quotaKey } from "./records.js";
import { dayBounds } from "./session-policy.js";
import { type Store, StoreError, type StoredRecord } from "./store.js";

/** How many messages of a user were taken on a business day. */
interface Spent {
  readonly day: string;
  readonly count: number;
}

/** One message of the day's. */
export type Taken =
  /** What was not stored after all has not been taken: to be given back. It never rejects. */
  | { readonly kind: "taken"; readonly giveBack: () => Promise<void> }
  /** There is none left. */
  | { readonly kind: "spent"; readonly retryAfterMs: number };

/** What a business lets each of its users say in a day, whatever node and door it comes by. (SPEC B8) */
export interface Quota {
  /** @returns null where there is no such limit @throws StoreError */
  take(business: Business, userId: string): Promise<Taken> | null;
}

/** Others of the same user count at the same time; each time we read again. */
const attemptsMax = 20;

export function createQuota(deps: {
  readonly store: Pick<Store, "readRecord" | "writeRecord">;
  readonly clock: Clock;
  /** Told of what could not be given back. */
  readonly onError: (operation: string, error: unknown) => void;
}): Quota {
  const { store, clock } = deps;

  return {
    take: (business, userId) => {
      const max = business.limits?.messagesPerDayPerUser;
      return max === undefined ? null : take(business, userId, max);
    },
  };

  async function take({ businessId, timeZone }: Business, userId: string, max: number): Promise<Taken> {
    const { day, to } = dayBounds(clock.now(), timeZone);
    const key = quotaKey(businessId, userId);
    const isTaken = await change(key, (spent) => {
      const count = spent?.day === day ? spent.count : 0;
      return count < max ? { day, count: count + 1 } : null;
    });
    if (!isTaken) return { kind: "spent", retryAfterMs: Math.max(1, to - clock.now()) };
    const giveBack = () =>
      change(key, (spent) => (spent?.day === day && spent.count > 0 ? { day, count: spent.count - 1 } : null)).then(
        () => undefined,
        (error: unknown) => deps.onError("give back what was not said", error),
      );
    return { kind: "taken", giveBack };
  }

  /** @param decide null: nothing is written @returns whether something was */
  async function change(
    key: ReturnType<typeof quotaKey>,
    decide: (spent: Spent | null) => Spent | null,
  ): Promise<boolean> {
    let known: StoredRecord<Spent> | null = await store.readRecord<Spent>(key);
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const next = decide(known?.value ?? null);
      if (next === null) return false;
      const { isWritten, record } = await store.writeRecord<Spent>(key, known?.rev ?? null, next);
      if (isWritten) return true;
      known = record;
    }
    throw new StoreError("counting a message", { retryable: true, cause: new Error("others kept counting") });
  }
}
