/**
 * Who hears what. All customers of a business join the same wire topic, but nothing is ever broadcast on it: each
 * audience has an internal topic, and a channel subscribes to those that its identity entitles it to. (SPEC X3)
 */
export const audience = {
  /** Every socket of one user. A businessId has no colon, so no two users share a topic. */
  user: (businessId: string, userId: string) => `user:${businessId}:${userId}`,
  /** The coordinators of a business. */
  console: (businessId: string) => `console:${businessId}`,
} as const;
