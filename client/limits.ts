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
  /** A refusal that passes, and says to wait no longer than this, is heeded by itself; any other one is told. */
  retryAfterMaxMs: 15_000,
  /** For so long a message that is refused again and again like that waits, and what was written after it; then it is told. */
  refusedMaxMs: 60_000,
  /** Questions to the server without an answer; one more is refused with `busy`. */
  callsMax: 100,
  /** Tries to get a new token before the present one ends. */
  renewalTriesMax: 5,
  /** Answers in the making; the oldest is forgotten. */
  runningMax: 20,
  /** UTF-16 units of one of them; what is longer is shown when it is whole. */
  runningTextMax: 256 * 1024,
  /** Steps of one of them; the oldest is forgotten. */
  stepsMax: 50,
  /** Forms and the like of one of them; the oldest is forgotten. */
  componentsMax: 16,
  /** That one types is told once in so long. */
  typingEveryMs: 2000,
  /** Nobody types who has not said so for so long. */
  typingEndsMs: 6000,
  /** People who type at a time; of others nothing is shown. */
  typistsMax: 100,
  /** How far was read is told once in so long. */
  markEveryMs: 1000,
  /** Sessions whose marks are remembered; of one that is forgotten the same may be told again. */
  marksMax: 100,
  /** Messages whose outcome a console remembers, to drop repeats; of one that is forgotten the same may be told again. */
  outcomesMax: 5000,
  /** Sessions that a console watches; the server hears no more of them either. */
  watchedMax: 100,
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
