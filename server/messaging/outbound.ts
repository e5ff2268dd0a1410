import type { ChatMessage } from "./model.js";
import type { SessionChange } from "./store.js";
import type { Head } from "./head.js";

/** Where users are who are on no channel of ours. */
export type Platform = "telegram" | "webhook";

/**
 * What of a session leaves for the platform from which its user speaks: all that they must read, in its order. It is part
 * of the head, so what is to leave is known by the very write that made it. (SPEC M110)
 */
export interface Outbound {
  readonly platform: Platform;
  /** False when the user went on by another way: what is answered from then on does not leave. */
  readonly isOn: boolean;
  /** Everything up to this offset has left, or was given up. */
  readonly sent: number;
  /** Of what comes next, so many pieces have left. */
  readonly pieces: number;
  /** The offset of the last that is to leave. */
  readonly due: number;
  /** The process that sends; null: whoever comes first. */
  readonly sender: string | null;
}

const telegramPrefix = "telegram:";

export function telegramUserId(id: number): string {
  return `${telegramPrefix}${id}`;
}

/** Null for somebody who is no user of Telegram's. */
export function telegramIdOf(userId: string): number | null {
  return /^telegram:\d{1,15}$/.test(userId) ? Number(userId.slice(telegramPrefix.length)) : null;
}

/** By which a user's thread goes: the ids of those who write elsewhere are no others'. (SPEC M18) */
export function threadPlatformOf(userId: string): "telegram" | "channel" {
  return telegramIdOf(userId) === null ? "channel" : "telegram";
}

/** From which platform something was said; null: by a way of our own. */
export function platformOf({ userId, metadata }: Pick<ChatMessage, "userId" | "metadata">): Platform | null {
  if (metadata.source !== "webhook") return null;
  return telegramIdOf(userId) === null ? "webhook" : "telegram";
}

/** Where its user is seen by it; undefined: nowhere, what is said at a time is said for them. */
export function seenOn(said: Pick<ChatMessage, "userId" | "metadata">): Platform | "channel" | undefined {
  return said.metadata.source === "cron" ? undefined : (platformOf(said) ?? "channel");
}

/** What is to leave once this was said. */
export function outboundAfter(before: Outbound | undefined, said: ChatMessage): Outbound | undefined {
  if (said.type !== "user") return before?.isOn === true ? { ...before, due: said.offset } : before;
  const platform = platformOf(said);
  if (platform !== null) return begun(before, platform, said.offset);
  // What is said at a time is said for whoever listens.
  const isElsewhere = said.metadata.source !== "cron" && before?.isOn === true;
  return isElsewhere ? { ...before, isOn: false } : before;
}

// What was answered while the user was elsewhere does not follow them.
function begun(before: Outbound | undefined, platform: Platform, offset: number): Outbound {
  if (before !== undefined && (before.isOn || before.sent < before.due)) return { ...before, platform, isOn: true };
  return { platform, isOn: true, sent: offset, pieces: 0, due: offset, sender: null };
}

/** A user's next session goes on where the one before it did, whoever speaks first. */
export function carriedOutbound(previous: Head | null): { readonly outbound?: Outbound } {
  const { outbound } = previous ?? {};
  return outbound?.isOn === true ? { outbound: { ...outbound, sent: 0, pieces: 0, due: 0, sender: null } } : {};
}

/** Something of it is still to leave. */
export function isUnsent({ deletingSince, outbound }: Head): boolean {
  return deletingSince === null && outbound !== undefined && outbound.sent < outbound.due;
}

/**
 * Always a write: whoever could not note what has left sends nothing.
 * @returns what is to leave, which is ours to send; null: nothing, or it is another's
 */
export function claimOutbound(
  head: Head,
  node: string,
  isGone: (node: string) => boolean,
): SessionChange<Outbound | null> {
  const { outbound } = head;
  if (outbound === undefined || !isUnsent(head)) return { result: null };
  const isAnothers = outbound.sender !== null && outbound.sender !== node;
  if (isAnothers && !isGone(outbound.sender)) return { result: null };
  const ours = { ...outbound, sender: node };
  return { result: ours, head: { ...head, outbound: ours } };
}

/** How far it has got. */
export interface Progress {
  /** Everything up to this offset has left, or was given up. */
  readonly sent: number;
  readonly pieces: number;
  /** It has left: its user has it. */
  readonly isTaken: boolean;
}

/** Notes what has left. @returns what is left to send, which is still ours; null: nothing, or it is another's by now */
export function noteSent(
  head: Head,
  node: string,
  { sent, pieces, isTaken }: Progress,
): SessionChange<Outbound | null> {
  const { outbound } = head;
  if (outbound?.sender !== node || head.deletingSince !== null) return { result: null };
  const isDone = sent >= outbound.due;
  const next = { ...outbound, sent, pieces, sender: isDone ? null : node };
  const delivered = isTaken ? Math.max(head.delivered, sent) : head.delivered;
  return { result: isDone ? null : next, head: { ...head, delivered, outbound: next } };
}
