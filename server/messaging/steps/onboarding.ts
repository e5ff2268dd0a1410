import { v5 } from "uuid";
import type { ChatMessage, User } from "../model.js";
import type { Store } from "../store.js";
import { createUser, findUser } from "../users.js";

const threadNamespace = "6f3c1b52-9d0e-4a7b-8f55-2f4f6f0b7a10";

/** The id of everything that a user and a business say to each other on one platform. The same on every node and day. */
export function threadIdOf(businessId: string, userId: string, platform: string): string {
  return v5(`${businessId}\n${userId}\n${platform}`, threadNamespace);
}

/** Finds the user who wrote a message; an unknown one is created. (SPEC M18) */
export async function onboard(store: Store, { businessId, userId, timestamp }: ChatMessage): Promise<User> {
  const known = await findUser(store, { businessId, userId });
  if (known !== null) return known;
  const threadId = threadIdOf(businessId, userId, "channel");
  return createUser(store, {
    businessId,
    userId,
    blocked: false,
    platforms: ["channel"],
    threadId,
    greeted: false,
    createdAt: timestamp,
    lastSeenAt: timestamp,
  });
}
