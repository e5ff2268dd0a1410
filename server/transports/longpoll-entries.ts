/** One message of a POST: text, or the bytes of a binary frame. */
export interface Entry {
  readonly isText: boolean;
  readonly bytes: Uint8Array;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const openingBracket = 0x5b;

/**
 * The messages in the body of a POST. With the content type `application/x-ndjson`, to the letter, each line is one: a
 * line that begins with `[` is text, any other the base64 of a binary frame, so a trailing newline is an empty frame.
 * With any other type the body is one text. As in Phoenix, entries after the first `maxEntries` are not read.
 * @returns each entry when it is asked for, null for a line that is neither
 */
export function* entriesOf(
  body: Buffer,
  contentType: string | undefined,
  maxEntries: number,
): Generator<Entry | null, void> {
  if (contentType !== "application/x-ndjson") {
    yield { isText: true, bytes: body };
    return;
  }
  let start = 0;
  for (let count = 0; count < maxEntries && start <= body.length; count += 1) {
    const found = body.indexOf(newline, start);
    const end = found < 0 ? body.length : found;
    const isCrLf = found > start && body[found - 1] === carriageReturn;
    yield entryOf(body.subarray(start, isCrLf ? end - 1 : end));
    start = end + 1;
  }
}

function entryOf(line: Buffer): Entry | null {
  if (line[0] === openingBracket) return { isText: true, bytes: line };
  const text = line.toString("latin1");
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  return { isText: false, bytes: Buffer.from(text, "base64") };
}
