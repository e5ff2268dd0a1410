import type { Clock } from "../clock.js";
import type { User } from "./model.js";
import { onboard } from "./steps/onboarding.js";
import type { Store } from "./store.js";
import { findUser, updateUser } from "./users.js";

type UserId = Pick<User, "businessId" | "userId">;

/** Users whose messages a business does not take any more. (SPEC M38) */
export interface Blocklist {
  /** As of a few seconds ago: whoever writes much does not cost a read each time. @throws StoreError */
  has(user: UserId): Promise<boolean>;
  /** From now on here, and within those seconds on every node. @throws StoreError */
  add(user: UserId): Promise<void>;
  /** Takes messages again, from now on here, and within those seconds on every node. @throws StoreError */
  remove(user: UserId): Promise<void>;
}

const knownForMs = 5000;
const knownMax = 10_000;

export function createBlocklist({ store, clock }: { readonly store: Store; readonly clock: Clock }): Blocklist {
  const known = new Map<string, { readonly isBlocked: boolean; readonly until: number }>();

  return { has, add, remove };

  async function has(user: UserId): Promise<boolean> {
    const found = known.get(keyOf(user));
    if (found !== undefined && clock.monotonic() < found.until) return found.isBlocked;
    const readAt = clock.monotonic();
    const isBlocked = (await findUser(store, user))?.blocked ?? false;
    // What was decided while this was read stays decided.
    const isNewer = (known.get(keyOf(user))?.until ?? 0) > readAt;
    if (!isNewer) keep(user, isBlocked);
    return known.get(keyOf(user))?.isBlocked ?? isBlocked;
  }

  async function add({ businessId, userId }: UserId): Promise<void> {
    const user = { businessId, userId };
    // Who was never answered is not known yet, and can be blocked all the same.
    await onboard(store, { ...user, timestamp: new Date(clock.now()).toISOString() });
    await updateUser(store, user, (now) => (now.blocked ? now : { ...now, blocked: true }));
    keep(user, true);
  }

  async function remove(user: UserId): Promise<void> {
    await updateUser(store, user, (now) => (now.blocked ? { ...now, blocked: false } : now));
    keep(user, false);
  }

  function keep(user: UserId, isBlocked: boolean): void {
    const key = keyOf(user);
    known.delete(key);
    if (known.size >= knownMax) known.delete(known.keys().next().value!);
    known.set(key, { isBlocked, until: clock.monotonic() + knownForMs });
  }
}

// Neither id has this sign.
function keyOf({ businessId, userId }: UserId): string {
  return `${businessId}#${userId}`;
}
