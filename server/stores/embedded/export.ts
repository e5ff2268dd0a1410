import { type ExportCounts, ExportWriter } from "../export-format.js";
import { DamagedRecord } from "./record.js";
import { openSnapshot } from "./store-files.js";
import { last } from "./tables.js";

/** Of processes that run, not of anybody's conversations. */
const passing = ["node#", "job#"];

/**
 * Reads the store of a data directory, as of now, also beside a running server.
 * @param write takes some lines, and is waited for
 * @throws DamagedRecord and what else is wrong with the store; what `write` throws
 */
export async function exportStore(
  directory: string,
  exportedAt: string,
  write: (lines: string) => Promise<void>,
): Promise<ExportCounts> {
  const snapshot = await openSnapshot(directory);
  const { tables } = snapshot;
  const writer = new ExportWriter();
  const lines = new Batch(write);
  try {
    await lines.add(writer.header(String(tables.meta.get("epoch")), exportedAt));
    for (const entry of tables.records.everything()) {
      if ("damage" in entry) throw entry.damage;
      const [partition, id] = entry.key as [string, string];
      if (passing.some((prefix) => partition.startsWith(prefix))) continue;
      await lines.add(writer.entry({ record: { partition, id, value: entry.value.value } }));
    }
    for (const entry of tables.heads.everything()) {
      if ("damage" in entry) throw entry.damage;
      const { value: head } = entry;
      // Nobody is shown it any more, and some of its messages may be gone.
      if (head.deletingSince !== null) continue;
      await lines.add(writer.entry({ head }));
      const { sessionId, offset } = head.session;
      let read = 0;
      for (const { value } of tables.messages.entries({ start: [sessionId], end: [sessionId, last] })) {
        await lines.add(writer.entry({ message: value }));
        read += 1;
      }
      if (read !== offset) throw new DamagedRecord(`session ${sessionId} has ${read} of its ${offset} messages`);
      for (const { value } of tables.asides.entries({ start: [sessionId], end: [sessionId, last] })) {
        await lines.add(writer.entry({ aside: value }));
      }
    }
    await lines.add(writer.end());
    await lines.flush();
    return writer.counts;
  } finally {
    await snapshot.close();
  }
}

const batchCharsMax = 2 ** 18;

/** Gathers lines, so that one write takes many. */
class Batch {
  readonly #write: (lines: string) => Promise<void>;
  #lines: string[] = [];
  #chars = 0;

  constructor(write: (lines: string) => Promise<void>) {
    this.#write = write;
  }

  add(line: string): Promise<void> | void {
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars >= batchCharsMax) return this.flush();
  }

  flush(): Promise<void> {
    const lines = this.#lines.join("");
    this.#lines = [];
    this.#chars = 0;
    return this.#write(lines);
  }
}
