import { v5 } from "uuid";
import type { ChatMessage, User } from "../model.js";
import { type Platform, threadPlatformOf } from "../outbound.js";
import type { Store } from "../store.js";
import { createUser, findUser, updateUser } from "../users.js";

const threadNamespace = "6f3c1b52-9d0e-4a7b-8f55-2f4f6f0b7a10";

/** The id of everything that a user and a business say to each other on one platform. The same on every node and day. */
export function threadIdOf(businessId: string, userId: string, platform: string): string {
  return v5(`${businessId}\n${userId}\n${platform}`, threadNamespace);
}

/** A user who goes on talking is not written anew for every message. */
const seenEveryMs = 60 * 60 * 1000;

/** Where a user was seen, and what their platform says of them. */
export interface Introduction extends Pick<User, "name" | "locale"> {
  readonly platform?: Platform | "channel" | undefined;
}

/**
 * Finds the user who wrote a message; an unknown one is created, with what their platform says of them. Their name is as
 * it said last; their language is theirs to choose, once they are known. (SPEC M18, H37)
 */
export async function onboard(
  store: Store,
  { businessId, userId, timestamp }: Pick<ChatMessage, "businessId" | "userId" | "timestamp">,
  { platform, name, locale }: Introduction = {},
): Promise<User> {
  const known = await findUser(store, { businessId, userId });
  if (known === null) {
    return createUser(store, {
      businessId,
      userId,
      ...(name === undefined ? {} : { name }),
      ...(locale === undefined ? {} : { locale }),
      blocked: false,
      platforms: [platform ?? threadPlatformOf(userId)],
      threadId: threadIdOf(businessId, userId, threadPlatformOf(userId)),
      greeted: false,
      createdAt: timestamp,
      lastSeenAt: timestamp,
    });
  }
  const isSeen = Date.parse(timestamp) - Date.parse(known.lastSeenAt) < seenEveryMs;
  const isSeenThere = platform === undefined || known.platforms.includes(platform);
  const isSame = isSeenThere && (name === undefined || name === known.name);
  if (isSeen && isSame) return known;
  const changed = (user: User): User => ({
    ...user,
    ...(name === undefined ? {} : { name }),
    platforms: platform === undefined ? user.platforms : [...new Set([...user.platforms, platform])],
    lastSeenAt: isSeen ? user.lastSeenAt : timestamp,
  });
  await updateUser(store, known, changed);
  return changed(known);
}
