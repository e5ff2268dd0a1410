import { createReadStream } from "node:fs";
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { Head } from "../messaging/head.js";
import type { ChatMessage } from "../messaging/model.js";
import type { RecordKey } from "../messaging/store.js";

// An export is JSON lines in UTF-8: a header, the records, each session's head before its messages in the order of their
// offsets, and an end, which says how much there was. Without its end it is not whole.

export const exportVersion = 1;

export interface ExportHeader {
  readonly bennu: "export";
  readonly version: typeof exportVersion;
  readonly epoch: string;
  readonly exportedAt: string;
}

export interface ExportedRecord extends RecordKey {
  readonly value: unknown;
}

export interface ExportCounts {
  readonly records: number;
  readonly sessions: number;
  readonly messages: number;
}

export type ExportEntry =
  { readonly record: ExportedRecord } | { readonly head: Head } | { readonly message: ChatMessage };

/** An export that cannot be trusted. The message names the line. */
export class DamagedExport extends Error {
  override readonly name = "DamagedExport";
}

/** Makes the lines of an export, each with its line feed. */
export class ExportWriter {
  readonly #counts = { records: 0, sessions: 0, messages: 0 };
  #checksum = 0;

  header(epoch: string, exportedAt: string): string {
    return this.#line({ bennu: "export", version: exportVersion, epoch, exportedAt } satisfies ExportHeader);
  }

  entry(entry: ExportEntry): string {
    this.#counts["record" in entry ? "records" : "head" in entry ? "sessions" : "messages"] += 1;
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

const id = z.string().min(1).max(256);
const count = z.int().min(0);
const record = z.strictObject({ partition: id, id, value: z.unknown() });
const head = z.looseObject({
  rev: count,
  session: z.looseObject({
    sessionId: id,
    businessId: id,
    status: z.enum(["active", "resolved", "closed", "abandoned"]),
    offset: count,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    lastMessageAt: z.iso.datetime(),
  }),
  turns: z.array(z.looseObject({ messageId: id, offset: count })),
  fence: count,
  deletingSince: z.null(),
});
const message = z.looseObject({
  messageId: id,
  sessionId: id,
  offset: count,
  businessId: id,
  userId: z.string(),
  content: z.string(),
  timestamp: z.iso.datetime(),
  metadata: z.looseObject({}),
});
const entry = z.union([
  z.strictObject({ record }),
  z.strictObject({ head }),
  z.strictObject({ message }),
]) as unknown as z.ZodType<ExportEntry>;
const header = z.looseObject({ bennu: z.literal("export"), version: z.int() });
const end = z.strictObject({
  end: z.looseObject({ records: count, sessions: count, messages: count, crc32: count.optional() }),
});

/**
 * Reads an export from its beginning to its end, a piece at a time.
 * @param onEntry called for each record, head and message in turn, and waited for
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

class ExportReader {
  readonly #counts = { records: 0, sessions: 0, messages: 0 };
  #number = 0;
  #checksum = 0;
  #isEnded = false;
  /** The session whose messages are being read, and how many of them there were. */
  #session: { readonly head: Head; read: number } | null = null;

  read(line: Buffer): ExportEntry | null {
    this.#number += 1;
    if (this.#isEnded) throw this.#damaged("stands after the end");
    const before = this.#checksum;
    this.#checksum = crc32(line, before);
    const content = this.#parse(line);
    if (this.#number === 1) return this.#header(content);
    const ended = end.safeParse(content);
    if (ended.success) return this.#end(ended.data.end, before);
    const parsed = entry.safeParse(content);
    if (!parsed.success) throw this.#damaged("is no record, head or message");
    this.#count(content as ExportEntry);
    return content as ExportEntry;
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
    this.#endSession();
    if ("record" in content) {
      this.#counts.records += 1;
      return;
    }
    this.#counts.sessions += 1;
    this.#session = { head: content.head, read: 0 };
  }

  #message({ sessionId, offset }: ChatMessage): void {
    const session = this.#session;
    if (session === null || session.head.session.sessionId !== sessionId) {
      throw this.#damaged(`is a message of session ${sessionId}, whose head is not before it`);
    }
    if (offset !== session.read + 1 || offset > session.head.session.offset) {
      throw this.#damaged(
        `is message ${offset} of session ${sessionId}, which has ${session.head.session.offset}, after ${session.read}`,
      );
    }
    session.read = offset;
    this.#counts.messages += 1;
  }

  #endSession(): void {
    const session = this.#session;
    this.#session = null;
    if (session === null || session.read === session.head.session.offset) return;
    const { sessionId, offset } = session.head.session;
    throw this.#damaged(`comes after ${session.read} messages of session ${sessionId}, which has ${offset}`);
  }

  #end(said: ExportCounts & { readonly crc32?: number | undefined }, checksum: number): null {
    this.#endSession();
    for (const name of ["records", "sessions", "messages"] as const) {
      if (said[name] === this.#counts[name]) continue;
      throw this.#damaged(`says that there were ${said[name]} ${name}; there were ${this.#counts[name]}`);
    }
    if (said.crc32 !== undefined && said.crc32 !== checksum) {
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
