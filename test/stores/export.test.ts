import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { onOneMax } from "../../server/messaging/asides.js";
import { createBusinessRecords } from "../../server/messaging/business-records.js";
import { createBusinesses } from "../../server/messaging/businesses.js";
import { admit, beginDeletion } from "../../server/messaging/head.js";
import type { Head } from "../../server/messaging/head.js";
import { createIds } from "../../server/messaging/ids.js";
import type { Aside } from "../../server/messaging/model.js";
import { type Store, StoreError } from "../../server/messaging/store.js";
import { checkStore } from "../../server/stores/embedded/check.js";
import { exportStore } from "../../server/stores/embedded/export.js";
import { DamagedExport, ExportWriter, readExport } from "../../server/stores/export-format.js";
import type { ExportEntry } from "../../server/stores/export-schema.js";
import { importInto as importWith, ImportGaveUp, type ImportCounts } from "../../server/stores/import.js";
import { FakeClock } from "../support/fake-clock.js";
import { fill } from "../support/filled-store.js";
import { headOf, saidBy } from "../support/heads.js";
import { withSeed } from "../support/random.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

/** With pauses that take no time. */
const importInto = (store: Store, path: string): Promise<ImportCounts> =>
  importWith(store, path, () => Promise.resolve());

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
      end: { records: 6, sessions: 6, messages: 45, asides: 27, crc32: expect.any(Number) as unknown },
    });
    let current = "";
    for (const line of lines.slice(1, -1)) {
      const entry = JSON.parse(line) as ExportEntry;
      if ("head" in entry) current = entry.head.session.sessionId;
      if ("message" in entry) expect(entry.message.sessionId).toBe(current);
      if ("aside" in entry) expect(entry.aside.sessionId).toBe(current);
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
    expect(await importInto(to.store, file)).toEqual({
      written: { records: 6, sessions: 6, messages: 45, asides: 27 },
      there: { records: 0, sessions: 0, messages: 0, asides: 0 },
      otherSessions: 0,
      leftOut: 0,
    });
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

/** The first line of a kind says something else. */
function changed(kind: "record" | "head" | "message", name: string, value: string) {
  return (lines: string[]) => {
    const at = lines.findIndex((line) => line.startsWith(`{"${kind}"`));
    return lines.with(at, lines[at]!.replace(new RegExp(`"${name}":"[^"]*"`), `"${name}":"${value}"`));
  };
}

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
    ["a line of something else", (lines) => lines.toSpliced(3, 0, "{}"), "line 4 is no record, head, message or aside"],
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
      "is an aside on message 1 of session s5, which has 8, after 7",
    ],
    ["a # in the id of a session", changed("head", "sessionId", "s#0"), "line 8 has a sessionId that is none"],
    ["a # in the id of a business", changed("head", "businessId", "B#1"), "line 8 has a businessId that is none"],
    ["a # in the id of a user", changed("head", "userId", "u#0"), "line 8 has a userId that is none"],
    ["white space in the id of a session", changed("head", "sessionId", "s 0"), "line 8 has a sessionId that is none"],
    ["a session of nobody", changed("head", "userId", ""), "line 8 has a userId that is none"],
    ["a message of another kind of user", changed("message", "userId", "u#0"), "line 9 has a userId that is none"],
    ["a record of one # too many", changed("record", "partition", "user#B1#u#0"), "line 2 has a userId that is none"],
    ["a record of no business", changed("record", "partition", "user##u0"), "line 2 has a businessId that is none"],
    ["a missing record", (lines) => lines.toSpliced(1, 1), "says that there were 6 records; there were 5"],
  ])("with %s is refused with the line, and nothing is written", async (_what, damage, expected) => {
    const lines = (await exported(from)).trimEnd().split("\n");
    expect(await refusalOf(`${damage(lines).join("\n")}\n`)).toContain(expected);
    expect(await to.store.listRecords("user#B1#u0", { limit: 10 })).toEqual({ items: [], next: null });
    expect((await to.store.readActiveSessions("B1", { limit: 10 })).items).toEqual([]);
  });
});

type Edit = (entry: EditedEntry) => void;
interface EditedEntry {
  record: Record<string, unknown>;
  head: Record<string, unknown> & { session: Record<string, unknown>; turns: Record<string, unknown>[] };
  message: Record<string, unknown> & { metadata: Record<string, unknown> };
  aside: Record<string, unknown>;
}

describe("[S13] an export that somebody edited, and made whole again", () => {
  let entries: ExportEntry[];

  beforeEach(async () => {
    entries = await entriesOf(await exported(from));
  });

  /** With the checksum that it must have. */
  async function importOf(edited: readonly unknown[]): Promise<string | ImportCounts> {
    const header = new ExportWriter();
    const lines = [header.header("e", exportedAt), ...edited.map((entry) => header.entry(entry as ExportEntry))];
    writeFileSync(file, [...lines, header.end()].join(""));
    return importInto(to.store, file).catch((error: unknown) => {
      if (error instanceof DamagedExport) return error.message;
      throw error;
    });
  }

  const edited = (kind: "record" | "head" | "message" | "aside", edit: Edit, index = 0): ExportEntry[] => {
    const copies = structuredClone(entries);
    edit(copies.filter((entry) => kind in entry)[index] as unknown as EditedEntry);
    return copies;
  };

  test("is taken when it is as before, also with fields that are not known here", async () => {
    expect(await importOf(entries)).toMatchObject({ written: { sessions: 6, messages: 45, asides: 27, records: 6 } });
    const more = edited("message", ({ message }) => (message.mood = "fine"));
    expect(await importOf(more)).toMatchObject({ there: { sessions: 6, messages: 45, asides: 27, records: 6 } });
  });

  test("with a field that is none is refused by its line, and nothing is written", async () => {
    const totals = edited("head", ({ head }) => delete head.session.totals, 1);
    expect(await importOf(totals)).toBe("line 20 is a head whose session.totals is not as it must be");
    const half = edited("message", ({ message }) => (message.messageId = "q\ud800"));
    expect(await importOf(half)).toBe("line 9 is a message whose messageId is not as it must be");
    const job = { record: { partition: "job#cleanup", id: "holder", value: {} } };
    expect(await importOf([job, ...entries])).toBe("line 2 is a record of a running process, job#cleanup");
    expect(await to.store.readHead("s0")).toBeNull();
  });

  const misfits: [string, Edit, string][] = [
    ["of another business", ({ message }) => (message.businessId = "B2"), "of business B1, and says B2"],
    [
      "with the id of an earlier one",
      ({ message }) => (message.messageId = "q0-0"),
      "with the id of an earlier one, q0-0",
    ],
    [
      "said before the one before it",
      ({ message }) => (message.timestamp = "2026-03-02T09:59:59.999Z"),
      "whose timestamp is before that of the one before it",
    ],
    [
      "said after the session's last one",
      ({ message }) => (message.timestamp = "2026-03-03T00:00:00.000Z"),
      "whose timestamp is after its session's lastMessageAt",
    ],
  ];

  const wrongAsides: [string, Edit, string][] = [
    [
      "of another business",
      ({ aside }) => (aside.businessId = "B2"),
      "line 16 is an aside of business B2 in a session of B1",
    ],
    [
      "on a message that is not there",
      ({ aside }) => (aside.afterOffset = 8),
      "line 16 is an aside on message 8 of session s0, which has 7, after 7",
    ],
    [
      "behind a later one",
      ({ aside }) => (aside.afterOffset = 7),
      "line 17 is an aside, t-q0-1, that belongs before the one before it",
    ],
    [
      "of another session",
      ({ aside }) => (aside.sessionId = "s1"),
      "line 16 is an aside of session s1, whose head is not before it",
    ],
  ];

  test.each(wrongAsides)("[M50] an aside %s is refused by its line", async (_what, edit, why) => {
    expect(await importOf(edited("aside", edit))).toBe(why);
  });

  test("[L25] more asides than can hang on one message are refused by their line", async () => {
    const at = entries.findIndex((entry) => "aside" in entry);
    const { aside } = entries[at] as { readonly aside: Aside };
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ aside: { ...aside, messageId: `t-${1000 + index}` } }));
    expect(await importOf(entries.toSpliced(at, 0, ...many(onOneMax)))).toBe(
      `line ${at + 2 + onOneMax} is one more aside on message 1 than the ${onOneMax} that there can be`,
    );
    expect(await to.store.readHead("s0")).toBeNull();
    expect(await importOf(entries.toSpliced(at, 0, ...many(onOneMax - 1)))).toMatchObject({ leftOut: 0 });
  });

  test("[M50] a message behind an aside is refused by its line", async () => {
    const at = entries.findIndex((entry) => "aside" in entry);
    const swapped = entries.with(at - 1, entries[at]!).with(at, entries[at - 1]!);
    expect(await importOf(swapped)).toBe("line 15 is an aside on message 1 of session s0, which has 7, after 6");
  });

  test.each(misfits)("a message %s is refused by its line", async (_what, edit, why) => {
    expect(await importOf(edited("message", edit, 2))).toBe(`line 11 is message 3 of session s0 ${why}`);
  });

  test("an open turn that is not a user's message of that session is refused by its line", async () => {
    const why = "which is not the user's that an open turn names";
    const another = edited("head", ({ head }) => (head.turns[0]!.messageId = "q1-0"));
    expect(await importOf(another)).toBe(`line 15 is message 7 of session s0 ${why}`);
    const answer = edited("head", ({ head }) => Object.assign(head.turns[0]!, { messageId: "a-q0-0", offset: 2 }));
    expect(await importOf(answer)).toBe(`line 10 is message 2 of session s0 ${why}`);
    for (const offset of [0, 8]) {
      const beyond = edited("head", ({ head }) => (head.turns[0]!.offset = offset));
      expect(await importOf(beyond)).toMatch(/^line 8 is a head whose (open )?turns/);
    }
    const twice = edited("head", ({ head }) => head.turns.push({ ...head.turns[0]! }));
    expect(await importOf(twice)).toBe("line 8 is a head whose open turns are not in the order of its messages");
  });

  test("anywhere is refused, or becomes a store with which nothing is wrong", () =>
    withSeed(async (random) => {
      let taken = 0;
      for (let left = 60; left > 0; left -= 1) {
        const copies = structuredClone(entries);
        disturb(copies, random);
        if (typeof (await importOf(copies)) === "string") continue;
        taken += 1;
        const findings: string[] = [];
        await checkStore(to.directory, (finding) => void findings.push(finding));
        expect(findings).toEqual([]);
        await exported(to);
        await to.dispose();
        to = await openTemporaryStore();
      }
      expect(taken).toBeLessThan(60);
    }));

  test("a session that comes twice, one of nobody, and an end without a checksum are refused by their line", async () => {
    const session = entries.filter((entry) => JSON.stringify(entry).includes('"sessionId":"s0"')).slice(-12);
    expect(await importOf([...entries, ...session])).toBe(
      `line ${entries.length + 2} is the head of session s0, which was there before`,
    );
    const ofNobody = edited("head", ({ head }) => delete head.session.userId);
    expect(await importOf(ofNobody)).toBe("line 8 has a userId that is none");
    const text = (await exported(from)).replace(/,"crc32":\d+/, "");
    writeFileSync(file, text);
    await expect(importInto(to.store, file)).rejects.toThrow("is an end that does not say all it must");
  });
});

/** Changes something anywhere in an export: a value, a field, or whole lines. */
function disturb(entries: unknown[], random: () => number): void {
  const below = (max: number) => Math.floor(random() * max);
  const at = below(entries.length);
  const kind = random();
  if (kind < 0.1) entries.splice(at, 1);
  else if (kind < 0.2) entries.splice(at, 0, structuredClone(entries[below(entries.length)]));
  else disturbWithin(entries[at] as Record<string, unknown>, random);
}

const oddValues = [
  null,
  undefined,
  0,
  1,
  2,
  -1,
  "",
  "x",
  "s1",
  "q0-0",
  "2026-03-02T10:00:00.000Z",
  [],
  {},
  "\ud800",
  true,
];

function disturbWithin(parent: Record<string, unknown>, random: () => number): void {
  const keys = Object.keys(parent);
  const key = keys[Math.floor(random() * keys.length)];
  if (key === undefined) return;
  const value = parent[key];
  const isDeeper = typeof value === "object" && value !== null && random() < 0.9;
  if (isDeeper) disturbWithin(value as Record<string, unknown>, random);
  else parent[key] = oddValues[Math.floor(random() * oddValues.length)];
}

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

  test("says what it wrote, what was there, and which sessions are there in another state", async () => {
    const none = { records: 0, sessions: 0, messages: 0, asides: 0 };
    const all = { records: 6, sessions: 6, messages: 45, asides: 27 };
    await importInto(to.store, file);
    expect(await importInto(to.store, file)).toEqual({ written: none, there: all, otherSessions: 0, leftOut: 0 });
    // Of a later moment: one more message in s1, whose head in the store is older now, and one more session.
    const question = { ...saidBy("u1", "later"), metadata: { source: "websocket" as const } };
    const terms = { now: Date.parse(exportedAt), node: "n1", isOver: false, isFinal: true };
    await from.store.changeSession("s1", (head, found) => admit(head, found, question, terms), "later");
    await from.store.createHead(headOf({ session: { sessionId: "s9", userId: "u1" } }));
    writeFileSync(file, await exported(from));
    expect(await importInto(to.store, file)).toEqual({
      written: { ...none, sessions: 1 },
      there: all,
      otherSessions: 1,
      leftOut: 1,
    });
    expect((await to.store.readHead("s1"))?.session.offset).toBe(8);
  });

  test("that was interrupted within a session counts what it still had to write", async () => {
    await fill(from.store, { sessions: 1, rounds: 150 });
    const entries = await entriesOf(await exported(from));
    const head = entries.find((entry) => "head" in entry)!.head;
    const messages = entries.flatMap((entry) => ("message" in entry ? [entry.message] : []));
    await to.store.importSession(head, messages.slice(0, 3));
    writeFileSync(file, await exported(from));
    const { written, there } = await importInto(to.store, file);
    expect([there.messages, there.sessions]).toEqual([3, 1]);
    expect(written.messages).toBe(messages.length - 3);
  });

  test("repeats a write that failed and may succeed, with longer and longer pauses", async () => {
    const pauses: number[] = [];
    const pause = (ms: number) => Promise.resolve(void pauses.push(ms));
    const store = failingTimes(to.store, { name: "writeRecord", times: 4, retryable: true });
    expect(await importWith(store, file, pause)).toMatchObject({
      written: { records: 6, sessions: 6, messages: 45, asides: 27 },
    });
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(4000);
    expect(await entriesOf(await exported(to))).toEqual(withoutLeases(await entriesOf(await exported(from))));
  });

  test("counts a write that was done although it failed as its own", async () => {
    const failing = { times: 1, retryable: true, isDone: true };
    const records = failingTimes(to.store, { ...failing, name: "writeRecord" });
    const store = failingTimes(records, { ...failing, name: "importSession" });
    expect(await importInto(store, file)).toMatchObject({
      written: { records: 6, sessions: 6, messages: 45, asides: 27 },
      there: { records: 0, sessions: 0, messages: 0, asides: 0 },
    });
  });

  test("gives up after some attempts, and says so; what no repetition mends is not repeated", async () => {
    const pauses: number[] = [];
    const pause = (ms: number) => Promise.resolve(void pauses.push(ms));
    const down = failingTimes(to.store, { name: "importSession", times: Infinity, retryable: true });
    const failure = await importWith(down, file, pause).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ImportGaveUp);
    expect((failure as Error).message).toMatch(/^gave up after 5 attempts within 15 s; what was written stays/);
    expect((failure as Error).cause).toBeInstanceOf(StoreError);
    expect(Math.max(...pauses)).toBe(8000);
    pauses.length = 0;
    const broken = failingTimes(to.store, { name: "importSession", times: Infinity, retryable: false });
    await expect(importWith(broken, file, pause)).rejects.toThrow(StoreError);
    expect(pauses).toEqual([]);
  });

  test.each([0, 1, 7, 10])("that failed after %d writes is completed by the next one", async (writes) => {
    await expect(importInto(failingAfter(to.store, writes), file)).rejects.toThrow(ImportGaveUp);
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
  });
});

/** The first calls of a method fail; with `isDone` they do what they are for before that. */
function failingTimes(
  store: Store,
  {
    name: failing,
    times,
    retryable,
    isDone = false,
  }: {
    readonly name: "importSession" | "writeRecord";
    readonly times: number;
    readonly retryable: boolean;
    readonly isDone?: boolean;
  },
): Store {
  let left = times;
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...given: unknown[]) => {
        const isFailing = name === failing && left > 0;
        if (isFailing) left -= 1;
        if (!isFailing || isDone) {
          const result: unknown = await member.apply(target, given);
          if (!isFailing) return result;
        }
        throw new StoreError("a write", { retryable });
      };
    },
  });
}

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

test.each<[string, number | null, number, number]>([
  ["later than here", 100, 200, 200],
  ["earlier than here", 200, 100, 200],
  ["and never here", null, 100, 100],
])("[X10] [S13] tokens that were revoked there %s stay revoked", async (_what, here, there, after) => {
  const key = { partition: "revoked#B1#ana", id: "tokens" };
  await from.store.writeRecord(key, null, { before: there });
  if (here !== null) await to.store.writeRecord(key, null, { before: here });
  writeFileSync(file, await exported(from));
  await importInto(to.store, file);
  expect((await to.store.readRecord(key))?.value).toEqual({ before: after });
});

test("[S13] [B5] businesses that were stored come along, and can be changed where they went", async () => {
  const clock = new FakeClock();
  const businessesIn = async ({ store }: TemporaryStore) => {
    const onError = (operation: string, error: unknown) => {
      throw new Error(operation, { cause: error });
    };
    const records = createBusinessRecords({ store, ids: createIds(clock), onError });
    const parts = { files: new Map(), undescribed: () => null, problemsOf: () => [] };
    const businesses = createBusinesses({ records, clock, ...parts, onError });
    await businesses.start();
    return businesses;
  };
  const text = "Ț".repeat(150_000);
  const documents = [{ documentId: "a", title: "A", text }];
  const bakery = { businessId: "B1", name: "Bakery", locale: "en", timeZone: "UTC", documents };
  const before = await businessesIn(from);
  // Of later revs than the other store will give.
  for (let count = 0; count < 3; count += 1) await before.put("B1", { ...bakery, name: `${count}` }, () => true);
  expect((await before.put("B1", bakery, () => true)).ok).toBe(true);
  writeFileSync(file, await exported(from));
  await importInto(to.store, file);
  const after = await businessesIn(to);
  expect(after.find("B1")).toEqual(before.find("B1"));
  expect((await after.put("B1", { ...bakery, documents: [] }, () => true)).ok).toBe(true);
  expect((await to.store.listRecords("business#B1", { limit: 10 })).items).toHaveLength(1);
  for (const businesses of [before, after]) businesses.stop();
});
