import { cpSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../server/clock.js";
import { beginDeletion, close } from "../../../server/messaging/head.js";
import { cursorAt } from "../../../server/messaging/ids.js";
import type { ProcessedEvent } from "../../../server/messaging/model.js";
import { type Store, StoreClosed } from "../../../server/messaging/store.js";
import { checkStore } from "../../../server/stores/embedded/check.js";
import { DataDirInUse } from "../../../server/stores/embedded/data-dir.js";
import { EmbeddedStore } from "../../../server/stores/embedded/store.js";
import { openSnapshot } from "../../../server/stores/embedded/store-files.js";
import { fill } from "../../support/filled-store.js";
import { headOf } from "../../support/heads.js";

const open = (directory: string) => EmbeddedStore.open(directory, systemClock, () => undefined);

let directory: string;
let store: EmbeddedStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-store-"));
  store = await open(join(directory, "a"));
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function findingsIn(dataDir: string): Promise<string[]> {
  const findings: string[] = [];
  await checkStore(dataDir, (finding) => findings.push(finding));
  return findings;
}

test("[S9] [S-11] a second server of the same directory is refused, and told who has it", async () => {
  await expect(open(join(directory, "a"))).rejects.toThrow(DataDirInUse);
  await expect(open(join(directory, "a"))).rejects.toThrow(`process ${process.pid} on`);
  await store.close();
  store = await open(join(directory, "a"));
});

test("[S18] what is asked while it closes, and after, is refused; what was being written is there", async () => {
  await store.createHead(headOf());
  const written = store.createHead(headOf({ session: { sessionId: "s2" } }));
  const closed = store.close();
  const ask = (id: string) =>
    Promise.allSettled([store.readHead("s1"), store.createHead(headOf({ session: { sessionId: id } }))]);
  const meanwhile = ask("s3");
  await closed;
  const refusal = { status: "rejected", reason: expect.any(StoreClosed) as unknown };
  expect([...(await meanwhile), ...(await ask("s4"))]).toEqual([refusal, refusal, refusal, refusal]);
  await expect(written).resolves.toMatchObject({ session: { sessionId: "s2" } });
  store = await open(join(directory, "a"));
  const ids = ["s1", "s2", "s3", "s4"];
  const found = await Promise.all(ids.map((id) => store.readHead(id)));
  expect(found.map((head) => head?.session.sessionId)).toEqual(["s1", "s2", undefined, undefined]);
});

describe("[S7] an index", () => {
  const entriesOf = async (name: "active" | "phases" | "owners" | "work") => {
    const snapshot = await openSnapshot(join(directory, "a"));
    const keys = [...snapshot.tables.indexes[name].everything()].map(({ key }) => key);
    await snapshot.close();
    return keys;
  };
  const moveTo = (lastMessageAt: string) =>
    store.changeSession("s1", (head) => ({
      result: null,
      head: { ...head, session: { ...head.session, lastMessageAt, updatedAt: lastMessageAt } },
    }));

  test("moves by the minute where it is shown to people, and by the hour where only the cleanup looks", async () => {
    await store.createHead(headOf());
    const seen: unknown[] = [];
    for (const time of ["10:00:59.999", "10:01:00.000", "10:59:59.999", "11:00:00.000"]) {
      await moveTo(`2026-03-02T${time}Z`);
      seen.push([...(await entriesOf("active")), ...(await entriesOf("phases"))]);
    }
    expect(seen).toEqual([
      [
        ["B1", "2026-03-02T10:00#s1"],
        ["active", "2026-03-02T10#s1"],
      ],
      [
        ["B1", "2026-03-02T10:01#s1"],
        ["active", "2026-03-02T10#s1"],
      ],
      [
        ["B1", "2026-03-02T10:59#s1"],
        ["active", "2026-03-02T10#s1"],
      ],
      [
        ["B1", "2026-03-02T11:00#s1"],
        ["active", "2026-03-02T11#s1"],
      ],
    ]);
  });

  test("takes any text as the position that the next page begins with", async () => {
    await fill(store);
    const odd = [
      "",
      " ",
      "#",
      "\u0000",
      "\ud800",
      "\uffff",
      "2026",
      "zzz",
      "x".repeat(100_000),
      "🚗".repeat(5000),
      "[]",
    ];
    for (const from of odd) {
      const range = { limit: 3, from };
      const pages = await Promise.all([
        store.readActiveSessions("B1", range),
        store.readSessionsOf({ businessId: "B1", userId: "u1" }, range),
        store.readSessionsOf({ businessId: "B1", userId: "u1" }, { ...range, createdFrom: from, createdTo: from }),
        store.readSessionsWithWork(range),
        store.readSessionsUnchanged("active", { ...range, before: "2027-01-01T00:00:00.000Z" }),
        store.readSessionsUnchanged("active", { ...range, before: from }),
        store.listRecords("user#B1#u1", range),
      ]);
      for (const { items } of pages) expect(items.length).toBeLessThanOrEqual(3);
    }
    // Above all that there is, so the first page.
    const above = { limit: 3, from: "\uffee".repeat(10_000) };
    const first = await store.readActiveSessions("B1", { limit: 3 });
    expect(await store.readActiveSessions("B1", above)).toEqual(first);
    expect(first.items).toHaveLength(3);
  });
});

test("[S7] what nobody can have stored is not there, however long its name is", async () => {
  const long = "x".repeat(100_000);
  expect(await store.readHead(long)).toBeNull();
  expect(await store.findMessage(long, long)).toBeNull();
  expect(await store.changeSession(long, (head) => ({ result: head }))).toBeNull();
  expect((await store.readMessages(long, { limit: 5 })).items).toEqual([]);
  expect(await store.offsetAt(long, long)).toBe(1);
  expect(await store.readRecord({ partition: long, id: long })).toBeNull();
  expect((await store.listRecords(long, { limit: 5 })).items).toEqual([]);
  expect((await store.readActiveSessions(long, { limit: 5 })).items).toEqual([]);
  expect(await store.countActiveSessions(long)).toBe(0);
  expect((await store.readEvents(long, { after: long, limit: 5 })).items).toEqual([]);
  await expect(store.writeRecord({ partition: long, id: "1" }, null, {})).rejects.toThrow("write a record");
  expect(store.failure).toBeNull();
});

test("[S-12] what is deleted leaves nothing behind, and everything else as it was", async () => {
  const [first, ...others] = await fill(store);
  await store.changeSession(first!, (head) => close({ ...head, turns: [] }, "closed", Date.now()));
  const later = "2100-01-01T00:00:00.000Z";
  expect(await store.changeSession(first!, (head) => beginDeletion({ ...head, turns: [] }, later, Date.now()))).toBe(
    true,
  );
  expect(await findingsIn(join(directory, "a"))).toEqual([]);
  const { items } = await store.readMessages(first!, { limit: 100 });
  await store.deleteMessages(first!, items.slice(0, 3));
  expect(await findingsIn(join(directory, "a"))).toEqual([]);
  await store.deleteMessages(first!, items);
  await store.deleteAsides(first!, (await store.readAsides(first!, { from: 0, to: 100, limit: 100 })).items);
  await store.deleteHead(first!);
  expect(await findingsIn(join(directory, "a"))).toEqual([]);
  const snapshot = await openSnapshot(join(directory, "a"));
  const { heads, messages, asides, places, windows, events, indexes } = snapshot.tables;
  const everything = [heads, messages, asides, places, windows, events, ...Object.values(indexes)];
  const text = JSON.stringify(everything.map((table) => [...table.everything()]));
  await snapshot.close();
  expect(text).not.toContain(`"${first}"`);
  expect(text).not.toContain(`#${first}"`);
  for (const other of others) expect(text).toContain(`"${other}"`);
});

test("[S7] events that have outlived their day go as others come, and never those of today", async () => {
  await store.createHead(headOf());
  const [now, day] = [Date.now(), 24 * 60 * 60 * 1000];
  let number = 0;
  const put = async (count: number, time: number) => {
    const cursors = Array.from({ length: count }, () => cursorAt(time + (number += 1)));
    const events = cursors.map((cursor) => ({ cursor, businessId: "B1" }) as ProcessedEvent);
    await store.changeSession("s1", (head) => ({ result: null, head, events }));
    return cursors;
  };
  const cursorsOf = async () => {
    const { items } = await store.readEvents("B1", { after: cursorAt(0), limit: 1000 });
    return items.map(({ cursor }) => cursor);
  };
  await put(100, now - 2 * day);
  const recent = await put(100, now - day + 60_000);
  expect((await cursorsOf()).length).toBeLessThan(200);
  recent.push(...(await put(100, now)));
  expect(await cursorsOf()).toEqual(recent);
});

describe("[S11] the epoch", () => {
  const reopen = async (name: string): Promise<Store> => {
    await store.close();
    store = await open(join(directory, name));
    return store;
  };

  test("stays when the same store is opened again, also under another name", async () => {
    const { epoch } = store;
    expect((await reopen("a")).epoch).toBe(epoch);
    expect((await reopen("a")).epoch).toBe(epoch);
  });

  test("is another one in a copy, from its first opening on; the original keeps its own", async () => {
    const { epoch } = store;
    await fill(store);
    await store.close();
    cpSync(join(directory, "a"), join(directory, "copy"), {
      recursive: true,
      filter: (path) => !path.endsWith(".sock"),
    });
    const copied = (await reopen("copy")).epoch;
    expect(copied).not.toBe(epoch);
    expect((await reopen("copy")).epoch).toBe(copied);
    expect((await reopen("a")).epoch).toBe(epoch);
    expect((await store.readHead("s0"))?.session.offset).toBeGreaterThan(0);
  });

  test("is another one again when the copy is put where the original was", async () => {
    const { epoch } = store;
    await store.close();
    const filter = (path: string) => !path.endsWith(".sock");
    cpSync(join(directory, "a"), join(directory, "copy"), { recursive: true, filter });
    await rm(join(directory, "a"), { recursive: true });
    cpSync(join(directory, "copy"), join(directory, "a"), { recursive: true, filter });
    expect((await reopen("a")).epoch).not.toBe(epoch);
  });
});
