import type { Aside, ChatMessage } from "./model.js";
import type { Page, Store } from "./store.js";

/** A place in a history. With `after` a page goes on towards newer messages, else it ends below `before`. */
export interface HistoryRange {
  readonly after?: number;
  readonly before?: number;
  /** Messages. */
  readonly limit: number;
}

export interface HistoryPage {
  /** Each aside behind the message that it hangs on. */
  readonly items: readonly (ChatMessage | Aside)[];
  /** The offset of the message beside which the next page begins, in the same direction; null after the last one. */
  readonly next: number | null;
}

/**
 * Asides of one page; a page that would have more ends earlier. More than hang on one message, so that every page has
 * something, and few enough of the longest drafts to be held in memory.
 */
const asidesMax = 300;

/** UTF-8 bytes of JSON of the messages of one page: what one that is not read may cost, as with a socket. */
const pageBytesMax = 1024 * 1024;

/**
 * What was said as all but its colleagues are shown it: that a coordinator wrote it, but not which one. On an open server
 * the id of the socket is as good as that of the coordinator.
 * @see SPEC M39
 */
export function withoutWriter<Row extends ChatMessage | Aside>(row: Row): Row {
  if (row.type !== "coordinator" && row.type !== "note") return row;
  const shown = Object.entries(row.metadata).filter(([name]) => name !== "coordinatorId" && name !== "connectionId");
  return { ...row, metadata: Object.fromEntries(shown) as Row["metadata"] };
}

/**
 * A page of a session's history, with what hangs on its messages. A page towards newer messages begins with what hangs on
 * the message that it begins after, which may have come since, and leaves what hangs on its own last message to the page
 * that goes on from there, if there is one: so following pages loses and repeats nothing. (SPEC H4, H8)
 * @param types of the asides that whoever asks is to see
 */
export async function readHistory(
  store: Pick<Store, "readMessages" | "readAsides">,
  sessionId: string,
  range: HistoryRange,
  types: ReadonlySet<Aside["type"]>,
): Promise<HistoryPage> {
  const { after } = range;
  const page = withinBytes(await store.readMessages(sessionId, range), after !== undefined);
  if (types.size === 0) return { items: page.items, next: nextOf(page, after !== undefined) };
  const asidesIn = (from: number, to: number) => {
    const isReverse = after === undefined;
    return store.readAsides(sessionId, { from, to, types, limit: asidesMax, isReverse });
  };
  if (after !== undefined) {
    const last = page.items.at(-1)?.offset ?? after;
    return newerPage(page, await asidesIn(after, page.hasMore ? last - 1 : last), after);
  }
  // What hangs on offset 0 comes before the first message.
  const first = page.hasMore ? page.items[0]!.offset : 0;
  return olderPage(page, await asidesIn(first, page.items.at(-1)?.offset ?? 0));
}

/** Pure: as many messages of a page, from where it begins, as have room in an answer; one at least. (SPEC L28) */
export function withinBytes({ items, hasMore }: Page<ChatMessage>, isNewer: boolean): Page<ChatMessage> {
  const inTurn = isNewer ? items : items.toReversed();
  let bytes = 0;
  const isOver = (message: ChatMessage) => (bytes += Buffer.byteLength(JSON.stringify(message))) > pageBytesMax;
  const end = inTurn.findIndex((message, index) => isOver(message) && index > 0);
  if (end < 0) return { items, hasMore };
  return { items: isNewer ? items.slice(0, end) : items.slice(-end), hasMore: true };
}

/** Pure: the newest messages of a page whose asides are all there. */
export function olderPage(page: Page<ChatMessage>, asides: Page<Aside>): HistoryPage {
  const [oldest] = asides.items;
  if (!asides.hasMore || oldest === undefined) return { items: merged(page, asides), next: nextOf(page, false) };
  // Not all that hangs on this one may be there; of the last message what there is has to do.
  const cut = Math.min(oldest.afterOffset, (page.items.at(-1)?.offset ?? 0) - 1);
  const kept = { ...page, items: page.items.filter(({ offset }) => offset > cut), hasMore: true };
  const hanging = asides.items.filter(({ afterOffset }) => afterOffset > cut);
  return { items: merged(kept, { items: hanging }), next: nextOf(kept, false) };
}

/** Pure: the oldest messages of a page, as far as all asides between them are there. */
export function newerPage(page: Page<ChatMessage>, asides: Page<Aside>, after: number): HistoryPage {
  const newest = asides.items.at(-1);
  if (!asides.hasMore || newest === undefined) return { items: merged(page, asides), next: nextOf(page, true) };
  const cut = Math.max(newest.afterOffset, after + 1);
  const kept = { ...page, items: page.items.filter(({ offset }) => offset <= cut), hasMore: true };
  const hanging = asides.items.filter(({ afterOffset }) => afterOffset < cut);
  return { items: merged(kept, { items: hanging }), next: nextOf(kept, true) };
}

function merged(
  { items }: Pick<Page<ChatMessage>, "items">,
  asides: Pick<Page<Aside>, "items">,
): readonly (ChatMessage | Aside)[] {
  // Of what has the same place, the message was first.
  return [...items, ...asides.items].toSorted((a, b) => placeOf(a) - placeOf(b));
}

function placeOf(row: ChatMessage | Aside): number {
  return "offset" in row ? row.offset : row.afterOffset;
}

function nextOf({ items, hasMore }: Page<ChatMessage>, isNewer: boolean): number | null {
  const edge = isNewer ? items.at(-1) : items[0];
  return hasMore && edge !== undefined ? edge.offset : null;
}
