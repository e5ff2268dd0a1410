import { createReadStream } from "node:fs";
import { crc32 } from "node:zlib";
import { z } from "zod";
import { onOneMax } from "../messaging/asides.js";
import type { Head } from "../messaging/head.js";
import type { Aside, ChatMessage } from "../messaging/model.js";
import { type ExportEntry, parseEntry } from "./export-schema.js";

// An export is JSON lines in UTF-8: a header, the records, each session's head before its messages in the order of their
// offsets and what hangs on them in the order of theirs, and an end, which says how much there was, and the CRC-32 of all that is before it. Without its end it is not
// whole.

export const exportVersion = 1;

export interface ExportHeader {
  readonly bennu: "export";
  readonly version: typeof exportVersion;
  readonly epoch: string;
  readonly exportedAt: string;
}

export interface ExportCounts {
  readonly records: number;
  readonly sessions: number;
  readonly messages: number;
  readonly asides: number;
}

/** An export that cannot be trusted. The message names the line. */
export class DamagedExport extends Error {
  override readonly name = "DamagedExport";
}

/** Makes the lines of an export, each with its line feed. */
export class ExportWriter {
  readonly #counts = { records: 0, sessions: 0, messages: 0, asides: 0 };
  #checksum = 0;

  header(epoch: string, exportedAt: string): string {
    return this.#line({ bennu: "export", version: exportVersion, epoch, exportedAt } satisfies ExportHeader);
  }

  entry(entry: ExportEntry): string {
    this.#counts[countOf(entry)] += 1;
    return this.#line(entry);
  }

  /** Says how much there was, and the CRC-32 of all lines before. */
  end(): string {
    return this.#line({ end: { ...this.#counts, crc32: this.#checksum } });
  }

  get counts(): ExportCounts {
    return this.#counts;
  }

  #line(content: object): string {
    const line = `${JSON.stringify(content)}\n`;
    this.#checksum = crc32(line, this.#checksum);
    return line;
  }
}

function countOf(entry: ExportEntry): keyof ExportCounts {
  if ("record" in entry) return "records";
  if ("head" in entry) return "sessions";
  return "message" in entry ? "messages" : "asides";
}

const count = z.int().min(0);
const header = z.looseObject({ bennu: z.literal("export"), version: z.int() });
const end = z.strictObject({
  end: z.looseObject({ records: count, sessions: count, messages: count, asides: count, crc32: count }),
});

/**
 * Reads an export from its beginning to its end, a piece at a time.
 * @param onEntry called for each record, head, message and aside in turn, and waited for
 * @throws DamagedExport at the first line that is not as it was written; what `onEntry` throws
 */
export async function readExport(
  path: string,
  onEntry: (entry: ExportEntry, bytes: number) => void | Promise<void>,
): Promise<ExportCounts> {
  const reader = new ExportReader();
  for await (const line of linesOf(path)) {
    const found = reader.read(line);
    if (found !== null) {
      const waited = onEntry(found, line.length);
      if (waited !== undefined) await waited;
    }
  }
  return reader.finish();
}

/** What is known of the session whose messages are being read. */
interface SessionBeingRead {
  readonly head: Head;
  /** How many messages there were. */
  read: number;
  /** How many open turns have had their message. */
  turns: number;
  readonly messageIds: Set<string>;
  /** Of the message before. */
  timestamp: string;
  /** The aside before, and how many there were on the same message. */
  aside: Aside | null;
  asidesOnOne: number;
}

/** What makes a message not one of its session; null when nothing does. (SPEC M5, M7, S7) */
function misfitOf(
  { messageId, businessId, offset, timestamp, type }: ChatMessage,
  read: SessionBeingRead,
): string | null {
  const { session, turns } = read.head;
  if (businessId !== session.businessId) return `of business ${session.businessId}, and says ${businessId}`;
  if (read.messageIds.has(messageId)) return `with the id of an earlier one, ${messageId}`;
  if (timestamp < read.timestamp) return "whose timestamp is before that of the one before it";
  if (timestamp > session.lastMessageAt) return "whose timestamp is after its session's lastMessageAt";
  const turn = turns[read.turns];
  if (turn?.offset !== offset) return null;
  return turn.messageId === messageId && type === "user" ? null : `which is not the user's that an open turn names`;
}

function isBehind(aside: Aside, before: Aside): boolean {
  const isOnSame = aside.afterOffset === before.afterOffset;
  // As the store sorts them: by the bytes of their UTF-8.
  const [id, idBefore] = [aside, before].map(({ messageId }) => Buffer.from(messageId)) as [Buffer, Buffer];
  return isOnSame ? id.compare(idBefore) > 0 : aside.afterOffset > before.afterOffset;
}

class ExportReader {
  readonly #counts = { records: 0, sessions: 0, messages: 0, asides: 0 };
  #number = 0;
  #checksum = 0;
  #isEnded = false;
  readonly #sessionIds = new Set<string>();
  #session: SessionBeingRead | null = null;

  read(line: Buffer): ExportEntry | null {
    this.#number += 1;
    if (this.#isEnded) throw this.#damaged("stands after the end");
    const before = this.#checksum;
    this.#checksum = crc32(line, before);
    const content = this.#parse(line);
    if (this.#number === 1) return this.#header(content);
    const ended = end.safeParse(content);
    if (ended.success) return this.#end(ended.data.end, before);
    if (Object.hasOwn(Object(content) as object, "end")) throw this.#damaged("is an end that does not say all it must");
    const parsed = parseEntry(content);
    if (!parsed.ok) throw this.#damaged(parsed.reason);
    this.#count(parsed.value);
    return parsed.value;
  }

  finish(): ExportCounts {
    if (this.#number === 0) throw new DamagedExport("the file is empty");
    if (!this.#isEnded)
      throw new DamagedExport(`the file is cut off: it ends with line ${this.#number}, and has no end`);
    return this.#counts;
  }

  #parse(line: Buffer): unknown {
    if (line.at(-1) !== lineFeed) throw this.#damaged("is cut off");
    try {
      return JSON.parse(utf8.decode(line));
    } catch {
      throw this.#damaged("is not JSON");
    }
  }

  #header(content: unknown): null {
    const parsed = header.safeParse(content);
    if (!parsed.success) throw this.#damaged("is not how an export of Bennu's begins");
    const { version } = parsed.data;
    if (version !== exportVersion) throw this.#damaged(`says version ${version}; this Bennu reads ${exportVersion}`);
    return null;
  }

  #count(content: ExportEntry): void {
    if ("message" in content) {
      this.#message(content.message);
      return;
    }
    if ("aside" in content) {
      this.#aside(content.aside);
      return;
    }
    this.#endSession();
    if ("record" in content) {
      this.#counts.records += 1;
      return;
    }
    this.#head(content.head);
  }

  #head(head: Head): void {
    const { sessionId, offset } = head.session;
    if (this.#sessionIds.has(sessionId))
      throw this.#damaged(`is the head of session ${sessionId}, which was there before`);
    const offsets = head.turns.map((turn) => turn.offset);
    const isInOrder = offsets.every((each, index) => each > (offsets[index - 1] ?? 0) && each <= offset);
    if (!isInOrder) throw this.#damaged("is a head whose open turns are not in the order of its messages");
    this.#sessionIds.add(sessionId);
    this.#counts.sessions += 1;
    this.#session = { head, read: 0, turns: 0, messageIds: new Set(), timestamp: "", aside: null, asidesOnOne: 0 };
  }

  #message(message: ChatMessage): void {
    const { sessionId, offset } = message;
    const session = this.#session;
    if (session === null || session.head.session.sessionId !== sessionId) {
      throw this.#damaged(`is a message of session ${sessionId}, whose head is not before it`);
    }
    if (session.aside !== null || offset !== session.read + 1 || offset > session.head.session.offset) {
      throw this.#damaged(
        `is message ${offset} of session ${sessionId}, which has ${session.head.session.offset}, after ${session.read}`,
      );
    }
    const wrong = misfitOf(message, session);
    if (wrong !== null) throw this.#damaged(`is message ${offset} of session ${sessionId} ${wrong}`);
    if (session.head.turns[session.turns]?.offset === offset) session.turns += 1;
    session.messageIds.add(message.messageId);
    session.timestamp = message.timestamp;
    session.read = offset;
    this.#counts.messages += 1;
  }

  #aside(aside: Aside): void {
    const { sessionId, messageId, afterOffset, businessId } = aside;
    const session = this.#session;
    if (session === null || session.head.session.sessionId !== sessionId) {
      throw this.#damaged(`is an aside of session ${sessionId}, whose head is not before it`);
    }
    if (businessId !== session.head.session.businessId) {
      throw this.#damaged(`is an aside of business ${businessId} in a session of ${session.head.session.businessId}`);
    }
    const { offset } = session.head.session;
    if (session.read !== offset || afterOffset > offset) {
      throw this.#damaged(
        `is an aside on message ${afterOffset} of session ${sessionId}, which has ${offset}, after ${session.read}`,
      );
    }
    const { aside: before } = session;
    if (before !== null && !isBehind(aside, before)) {
      throw this.#damaged(`is an aside, ${messageId}, that belongs before the one before it`);
    }
    session.asidesOnOne = before?.afterOffset === afterOffset ? session.asidesOnOne + 1 : 1;
    if (session.asidesOnOne > onOneMax) {
      throw this.#damaged(`is one more aside on message ${afterOffset} than the ${onOneMax} that there can be`);
    }
    session.aside = aside;
    this.#counts.asides += 1;
  }

  #endSession(): void {
    const session = this.#session;
    this.#session = null;
    if (session === null || session.read === session.head.session.offset) return;
    const { sessionId, offset } = session.head.session;
    throw this.#damaged(`comes after ${session.read} messages of session ${sessionId}, which has ${offset}`);
  }

  #end(said: ExportCounts & { readonly crc32: number }, checksum: number): null {
    this.#endSession();
    for (const name of ["records", "sessions", "messages", "asides"] as const) {
      if (said[name] === this.#counts[name]) continue;
      throw this.#damaged(`says that there were ${said[name]} ${name}; there were ${this.#counts[name]}`);
    }
    if (said.crc32 !== checksum) {
      throw this.#damaged("has a checksum that the lines before do not have: one of them was changed");
    }
    this.#isEnded = true;
    return null;
  }

  #damaged(what: string): DamagedExport {
    return new DamagedExport(`line ${this.#number} ${what}`);
  }
}

const lineFeed = 0x0a;
/** An answer has at most a few hundred KiB; what is longer is no export. */
const lineBytesMax = 16 * 2 ** 20;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The lines of a file, each with its line feed; the last one may have none. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, from)) {
      const piece = chunk.subarray(from, at + 1);
      yield rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
      rest = [];
      restBytes = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > lineBytesMax) throw new DamagedExport(`a line is longer than ${lineBytesMax} bytes`);
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
