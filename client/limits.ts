/** What the SDK holds at most, and how long it waits. Each says what happens there. */
export const limits = {
  /** Messages waiting to be sent; one more is refused with `outbox_full`. */
  outboxMax: 50,
  /** An older unsent message is given up with `expired`: an hour later nobody expects it to be said any more. */
  unsentAgeMaxMs: 60 * 60 * 1000,
  /** How long one try to send may go unanswered before the next. */
  sendTimeoutMs: 10_000,
  /** Tries on a joined channel before a message is given up with `undelivered`: it may be what breaks the channel. */
  sendTriesMax: 10,
  /** Messages kept in memory; the oldest is dropped. */
  timelineMax: 2000,
  /** Subscriptions of one kind; one more throws, because it is a leak. */
  subscribersMax: 100,
  /** Rows of one history page. */
  historyPageSize: 50,
  /** Pages one call reads to close a gap; what is older stays reachable by paging. */
  gapPagesMax: 6,
  /** How long one history request may take. */
  historyTimeoutMs: 15_000,
} as const;

const delaysMs = [1000, 2000, 5000, 10_000, 20_000];
const delayMaxMs = 30_000;

/** How long to wait before try number `tries` (from 1). The jitter keeps a thousand clients from coming back as one. */
export function retryDelayMs(tries: number): number {
  return Math.round((delaysMs[tries - 1] ?? delayMaxMs) * (1 + Math.random() / 4));
}
