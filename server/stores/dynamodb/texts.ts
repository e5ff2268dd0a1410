import { StoreError } from "../../messaging/store.js";
import { bodyOf, placesOfBody, type Text } from "./pending.js";
import type { Item, Requests } from "./requests.js";

/** What was said, as its row or its entry in a head has it. */
export interface Texted {
  readonly messageId: string;
  readonly text: Text;
}

/**
 * What rows of one session hold, in their order; what is too long for a row is read from where it lies.
 * @param table that of the messages
 * @throws StoreError when a part is not there
 */
export async function readTexts<T>(
  requests: Requests,
  table: string,
  sessionId: string,
  rows: readonly Texted[],
): Promise<readonly T[]> {
  const placesIn = ({ messageId, text }: Texted) => {
    const body = bodyOf(text);
    return body === null ? [] : placesOfBody(sessionId, messageId, body);
  };
  const keys = rows.flatMap(placesIn).map((place) => ({ ...place }));
  const parts = await requests.getAll(table, keys);
  const byPlace = new Map(parts.map((part) => [part.place as string, part]));
  return rows.map((row) => {
    const { messageId, text } = row;
    if ("json" in text) return JSON.parse(text.json) as T;
    const found = placesIn(row)
      .map(({ place }) => byPlace.get(place))
      .filter((part) => part !== undefined);
    if (found.length === text.parts) return joinParts<T>(found);
    const cause = new Error(`${found.length} of the ${text.parts} parts of ${messageId} are there`);
    throw new StoreError("reading a message", { retryable: false, cause });
  });
}

/** JSON that was cut into parts, which are all there and in order. */
export function joinParts<T>(parts: readonly Item[]): T {
  return JSON.parse(Buffer.concat(parts.map(({ part }) => part as Uint8Array)).toString()) as T;
}
