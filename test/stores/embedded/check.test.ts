import { rm } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Key } from "lmdb";
import type { Head } from "../../../server/messaging/head.js";
import { checkStore, type StoreCounts } from "../../../server/stores/embedded/check.js";
import { openEnvironment } from "../../../server/stores/embedded/lmdb.js";
import { encodeRecord } from "../../../server/stores/embedded/record.js";
import { storePaths } from "../../../server/stores/embedded/store-files.js";
import { Tables } from "../../../server/stores/embedded/tables.js";
import { fill } from "../../support/filled-store.js";
import { openTemporaryStore, type TemporaryStore } from "../../support/temporary-store.js";

let under: TemporaryStore;

beforeEach(async () => {
  under = await openTemporaryStore();
  await fill(under.store, { sessions: 4, rounds: 3 });
});

afterEach(async () => {
  await under.dispose();
  await rm(under.directory, { recursive: true, force: true });
});

async function check(): Promise<{ readonly counts: StoreCounts; readonly findings: string[] }> {
  const findings: string[] = [];
  const counts = await checkStore(under.directory, (finding) => findings.push(finding));
  return { counts, findings };
}

/** Changes the records behind the store's back. */
async function tamper(change: (tables: Tables) => void): Promise<void> {
  await under.store.close();
  const root = openEnvironment(storePaths(under.directory).folder);
  const tables = new Tables(root, {});
  await root.transaction(() => change(tables));
  await root.close();
}

test("[S12] a whole store has no findings, and is counted, also while it is open", async () => {
  expect(await check()).toEqual({
    counts: { sessions: 4, messages: 22, asides: 14, openTurns: 2, records: 4, events: 10 },
    findings: [],
  });
});

const withHead = (tables: Tables, change: (head: Head) => Head) =>
  tables.heads.put("s1", change(tables.heads.get("s1")!));

test.each<[string, (tables: Tables) => void, string[]]>([
  [
    "a message that is gone",
    ({ messages }) => messages.remove(["s1", 3]),
    [
      'the record ["s1",4] of messages follows 2: there is a gap',
      "of places names offset 3",
      "of windows names offset 3",
    ],
  ],
  [
    "the last message that is gone",
    ({ messages }) => messages.remove(["s1", 6]),
    ['the record "s1" of heads says that its last message is 6, and there is none', "of places names offset 6"],
  ],
  [
    "a message beyond the last",
    ({ messages, places }) => {
      messages.put(["s1", 7], {
        ...messages.get(["s1", 6])!,
        messageId: "late",
        offset: 7,
        metadata: { source: "http" },
      });
      places.put(["late", "s1"], { offset: 7 });
    },
    ['the record ["s1",7] of messages is beyond the session\'s last, 6'],
  ],
  [
    "an aside in another's place, beyond the last message, or of no session",
    ({ asides }) => {
      const aside = asides.get(["s1", 6, "n-s1"])!;
      asides.put(["s1", 2, "n-s1"], aside);
      asides.put(["s1", 7, "x"], { ...aside, messageId: "x", afterOffset: 7 });
      asides.put(["gone", 1, "y"], { ...aside, messageId: "y", afterOffset: 1, sessionId: "gone" });
    },
    [
      'the record ["s1",2,"n-s1"] of asides holds aside n-s1',
      'the record ["s1",7,"x"] of asides hangs beyond the session\'s last, 6',
      'the record ["gone",1,"y"] of asides is of a session that is not there',
    ],
  ],
  [
    "a message in another's place",
    ({ messages }) => messages.put(["s1", 3], messages.get(["s1", 4])!),
    ['the record ["s1",3] of messages holds offset 4 of s1', "of messages is not found by its id"],
  ],
  [
    "a message of no session",
    ({ heads }) => heads.remove("s1"),
    ['the record ["s1",1] of messages is of a session that is not there', "of active names s1", "of phases names s1"],
  ],
  [
    "a message that is not found by its id",
    ({ places }) => places.remove(["q1-0", "s1"]),
    ['the record ["s1",1] of messages is not found by its id q1-0'],
  ],
  [
    "a message that is in no window",
    ({ windows }) => {
      for (const { key } of windows.everything()) windows.remove(key);
    },
    ["of messages is not in its window"],
  ],
  [
    "an index that lags behind",
    (tables) => withHead(tables, (head) => ({ ...head, session: { ...head.session, status: "closed" } })),
    ['"s1" of heads is not in phases at ["over",', "of active names s1", "of phases names s1"],
  ],
  [
    "a session with open turns that nobody would find",
    ({ indexes }) => indexes.work.remove(["", "s0"]),
    ['the record "s0" of heads is not in work at ["","s0"]'],
  ],
  [
    "an open turn without its message",
    (tables) =>
      withHead(tables, (head) => ({
        ...head,
        turns: [{ messageId: "gone", offset: 2, admittedAt: "", locationId: "", source: "http", context: {} }],
      })),
    ['"s1" of heads has an open turn gone that is not its message 2', '"s1" of heads is not in work'],
  ],
  [
    "a head under another's name",
    ({ heads }) => heads.put("s1", heads.get("s2")!),
    ['the record "s1" of heads holds s2'],
  ],
  [
    "a record with an impossible rev",
    ({ records }) => records.put(["user#B1#u1", "x"], { rev: 0, value: null }),
    ['the record ["user#B1#u1","x"] of records has rev 0'],
  ],
  [
    "an event under another's cursor",
    ({ events }) => {
      const [first] = events.everything();
      if (first !== undefined && "value" in first) events.put(["B1", "zzz"], first.value);
    },
    ['the record ["B1","zzz"] of events holds event'],
  ],
])("[S12] finds %s", async (_what, change, expected) => {
  await tamper(change);
  const { findings } = await check();
  for (const part of expected) expect(findings.join("\n")).toContain(part);
  await under.reopen();
});

test("[D-08] names every record whose checksum fails, and reads all others", async () => {
  await under.store.close();
  const root = openEnvironment(storePaths(under.directory).folder);
  const damaged = (name: string, key: Key) => {
    const database = root.openDB<Buffer, Key>({ name, encoding: "binary" });
    const record = Buffer.from(encodeRecord({}));
    record[5]! ^= 1;
    return database.put(key, record);
  };
  await damaged("messages", ["s1", 2]);
  await damaged("heads", "s2");
  await damaged("records", ["user#B1#u1", "of s1"]);
  await root.close();
  const { findings, counts } = await check();
  for (const name of ['["s1",2] of messages', '"s2" of heads', '["user#B1#u1","of s1"] of records']) {
    expect(findings).toContain(`the record ${name} is damaged`);
  }
  expect(counts).toMatchObject({ messages: 22, sessions: 3 });
  const store = await under.reopen();
  await expect(store.readMessages("s1", { limit: 50 })).rejects.toThrow('the record ["s1",2] of messages is damaged');
  await expect(store.readHead("s2")).rejects.toThrow('the record "s2" of heads is damaged');
  expect((await store.readMessages("s3", { limit: 50 })).items).toHaveLength(6);
});
