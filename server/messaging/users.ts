import type { User } from "./model.js";
import { userKey } from "./records.js";
import { type Store, type StoredRecord, StoreError } from "./store.js";

type UserId = Pick<User, "businessId" | "userId">;

/** Others may change the same user between our reading and our writing; each time we read again. */
const attemptsMax = 10;

export async function findUser(store: Store, { businessId, userId }: UserId): Promise<User | null> {
  return (await store.readRecord<User>(userKey(businessId, userId)))?.value ?? null;
}

/** Writes a user unless there is one. @returns the one that is there now */
export function createUser(store: Store, user: User): Promise<User> {
  return changeUser(store, user, null, (known) => known ?? user);
}

/** @param change is pure, and may be called several times. A user who is not there stays so. */
export async function updateUser(store: Store, user: UserId, change: (user: User) => User): Promise<void> {
  const known = await store.readRecord<User>(userKey(user.businessId, user.userId));
  if (known !== null) await changeUser(store, user, known, (now) => (now === null ? null : change(now)));
}

async function changeUser<T extends User | null>(
  store: Store,
  { businessId, userId }: UserId,
  read: StoredRecord<User> | null,
  change: (known: User | null) => T,
): Promise<T> {
  let known = read;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const next = change(known?.value ?? null);
    if (next === null || next === known?.value) return next;
    const { isWritten, record } = await store.writeRecord<User>(userKey(businessId, userId), known?.rev ?? null, next);
    if (isWritten) return next;
    known = record;
  }
  throw new StoreError("changing a user", { retryable: true, cause: new Error("others kept changing it") });
}
