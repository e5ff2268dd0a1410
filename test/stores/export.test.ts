import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { beginDeletion } from "../../server/messaging/head.js";
import type { Head } from "../../server/messaging/head.js";
import { type Store, StoreError } from "../../server/messaging/store.js";
import { exportStore } from "../../server/stores/embedded/export.js";
import { DamagedExport, type ExportEntry, readExport } from "../../server/stores/export-format.js";
import { importInto } from "../../server/stores/import.js";
import { fill } from "../support/filled-store.js";
import { withSeed } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

const exportedAt = "2026-03-03T00:00:00.000Z";

let from: TemporaryStore;
let to: TemporaryStore;
let directory: string;
let file: string;

beforeEach(async () => {
  from = await openTemporaryStore();
  to = await openTemporaryStore();
  directory = await mkdtemp(join(tmpdir(), "bennu-export-"));
  file = join(directory, "export.jsonl");
  await fill(from.store);
});

afterEach(async () => {
  await Promise.all([from.dispose(), to.dispose()]);
  await rm(directory, { recursive: true, force: true });
});

async function exported(under: TemporaryStore): Promise<string> {
  const lines: string[] = [];
  await exportStore(under.directory, exportedAt, (some) => Promise.resolve(void lines.push(some)));
  return lines.join("");
}

async function entriesOf(text: string): Promise<ExportEntry[]> {
  writeFileSync(file, text);
  const entries: ExportEntry[] = [];
  await readExport(file, (entry) => void entries.push(entry));
  return entries;
}

const withoutLeases = (entries: readonly ExportEntry[]) =>
  entries.map((entry) => ("head" in entry ? { head: { ...entry.head, lease: null } } : entry));

describe("[S13] an export", () => {
  test("begins with what it is, has each head before its messages, and ends with how much there was", async () => {
    const lines = (await exported(from)).trimEnd().split("\n");
    expect(JSON.parse(lines[0]!)).toEqual({ bennu: "export", version: 1, epoch: from.store.epoch, exportedAt });
    expect(JSON.parse(lines.at(-1)!)).toEqual({
      end: { records: 6, sessions: 6, messages: 45, crc32: expect.any(Number) as unknown },
    });
    let current = "";
    for (const line of lines.slice(1, -1)) {
      const entry = JSON.parse(line) as ExportEntry;
      if ("head" in entry) current = entry.head.session.sessionId;
      if ("message" in entry) expect(entry.message.sessionId).toBe(current);
    }
  });

  test("leaves out what is only about running processes, and what is being deleted", async () => {
    for (const partition of ["node#n1", "job#cleanup", "nodes", "jobs#"]) {
      await from.store.writeRecord({ partition, id: "1" }, null, {});
    }
    const far = "2100-01-01T00:00:00.000Z";
    await from.store.changeSession("s1", (head) =>
      beginDeletion({ ...head, session: { ...head.session, status: "closed" } }, far, Date.now()),
    );
    const text = await exported(from);
    expect(text).not.toMatch(/"partition":"(node|job)#/);
    expect(text).toContain('"partition":"nodes"');
    expect(text).toContain('"partition":"jobs#"');
    expect(text).not.toContain('"sessionId":"s1"');
    expect(text).toContain('"sessionId":"s2"');
  });

  test("is the same again out of the store that it was imported into, and all open turns come along unclaimed", async () => {
    const text = await exported(from);
    writeFileSync(file, text);
    expect(await importInto(to.store, file)).toEqual({ records: 6, sessions: 6, messages: 45 });
    const again = await exported(to);
    expect(await entriesOf(again)).toEqual(withoutLeases(await entriesOf(text)));
    const heads = (await entriesOf(again)).flatMap((entry) => ("head" in entry ? [entry.head] : []));
    expect(heads.every(({ lease }) => lease === null)).toBe(true);
    const { items } = await to.store.readSessionsWithWork({ limit: 100 });
    expect(items).toEqual(heads.filter(({ turns }) => turns.length > 0).map(({ session }) => session.sessionId));
    expect(items.length).toBeGreaterThan(0);
    const key = { businessId: "B1", userId: "u1", chatId: "w1" };
    expect(await to.store.readWindow(key, 100)).toEqual(await from.store.readWindow(key, 100));
  });
});

describe("[S13] a damaged export", () => {
  const refusalOf = async (text: string | Buffer) => {
    writeFileSync(file, text);
    return importInto(to.store, file).then(
      () => null,
      (error: unknown) => {
        if (error instanceof DamagedExport) return error.message;
        throw error;
      },
    );
  };

  test("that is cut off anywhere is refused before anything is written", () =>
    withSeed(async (random) => {
      const text = Buffer.from(await exported(from));
      const lineEnds = [...text.keys()].filter((at) => text[at] === 0x0a).map((at) => at + 1);
      const cuts = [0, 1, text.length - 1, ...lineEnds.slice(0, -1)];
      for (let left = 40; left > 0; left -= 1) cuts.push(Math.floor(random() * text.length));
      for (const cut of cuts) {
        expect(await refusalOf(text.subarray(0, cut))).toMatch(
          /^(line \d+ |the file is (empty|cut off: it ends with line \d+))/,
        );
      }
      expect((await to.store.readActiveSessions("B1", { limit: 10 })).items).toEqual([]);
    }));

  test("with any bit flipped is refused before anything is written", () =>
    withSeed(async (random) => {
      const text = Buffer.from(await exported(from));
      for (let left = 150; left > 0; left -= 1) {
        const damaged = Buffer.from(text);
        damaged[Math.floor(random() * text.length)]! ^= 1 << Math.floor(random() * 8);
        expect(await refusalOf(damaged)).toMatch(/^line \d+ /);
      }
      expect((await to.store.readActiveSessions("B1", { limit: 10 })).items).toEqual([]);
    }));

  test.each<[string, (lines: string[]) => string[], string]>([
    ["no header", (lines) => lines.slice(1), "line 1 is not how an export of Bennu's begins"],
    ["a newer version", (lines) => [lines[0]!.replace(":1,", ":2,"), ...lines.slice(1)], "line 1 says version 2"],
    ["something after its end", (lines) => [...lines, "{}"], "stands after the end"],
    ["a line that is no JSON", (lines) => lines.toSpliced(3, 0, "{"), "line 4 is not JSON"],
    ["a line of something else", (lines) => lines.toSpliced(3, 0, "{}"), "line 4 is no record, head or message"],
    [
      "a missing message",
      (lines) =>
        lines.toSpliced(
          lines.findIndex((line) => line.startsWith('{"message"')),
          1,
        ),
      "line 9 is message 2 of session s0, which has 7, after 0",
    ],
    [
      "a missing head",
      (lines) =>
        lines.toSpliced(
          lines.findIndex((line) => line.startsWith('{"head"')),
          1,
        ),
      "line 8 is a message of session s0, whose head is not before it",
    ],
    [
      "a missing session's end",
      (lines) =>
        lines.toSpliced(
          lines.findLastIndex((line) => line.startsWith('{"message"')),
          1,
        ),
      "comes after 7 messages of session s5, which has 8",
    ],
    ["a missing record", (lines) => lines.toSpliced(1, 1), "says that there were 6 records; there were 5"],
  ])("with %s is refused with the line", async (_what, damage, expected) => {
    const lines = (await exported(from)).trimEnd().split("\n");
    expect(await refusalOf(`${damage(lines).join("\n")}\n`)).toContain(expected);
  });
});

describe("[S13] an import", () => {
  beforeEach(async () => {
    writeFileSync(file, await exported(from));
  });

  test("can be run again, and leaves what is there as it is", async () => {
    await importInto(to.store, file);
    await to.store.changeSession("s1", (head) => ({ result: null, head: { ...head, day: "2030-01-01" } }));
    const key = { partition: "user#B1#u0", id: "of s0" };
    await to.store.writeRecord(key, 1, { name: "another" });
    const before = await exported(to);
    await importInto(to.store, file);
    expect(await exported(to)).toBe(before);
  });

  test.each([0, 1, 7, 10])("that failed after %d writes is completed by the next one", async (writes) => {
    await expect(importInto(failingAfter(to.store, writes), file)).rejects.toThrow(StoreError);
    await importInto(to.store, file);
    expect(await entriesOf(await exported(to))).toEqual(withoutLeases(await entriesOf(await exported(from))));
  });

  test("has a bounded number of writes under way, and of one session one at a time", async () => {
    await fill(from.store, { sessions: 40, rounds: 60 });
    writeFileSync(file, await exported(from));
    const running = new Map<string, number>();
    let most = 0;
    const watched = new Proxy(to.store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (name !== "importSession") return typeof member === "function" ? (member.bind(target) as unknown) : member;
        return async (head: Head, messages: never[]) => {
          const { sessionId } = head.session;
          expect(running.get(sessionId) ?? 0).toBe(0);
          expect(messages.length).toBeLessThanOrEqual(100);
          running.set(sessionId, 1);
          most = Math.max(most, [...running.values()].filter((count) => count > 0).length);
          await new Promise((resolve) => setImmediate(resolve));
          await target.importSession(head, messages);
          running.set(sessionId, 0);
        };
      },
    });
    await importInto(watched, file);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(64);
    expect((await to.store.readHead("s7"))?.session.offset).toBe(120);
    expect((await to.store.readMessages("s7", { limit: 200 })).items).toHaveLength(120);
  }, 60_000);
});

function failingAfter(store: Store, writes: number): Store {
  let left = writes;
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        if (name === "importSession" || name === "writeRecord") {
          left -= 1;
          if (left < 0) return Promise.reject(new StoreError("a write", { retryable: true }));
        }
        return member.apply(target, given) as unknown;
      };
    },
  });
}
