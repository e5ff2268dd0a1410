import { describe, expect, test } from "@jest/globals";
import type { RecordKey, Store } from "../../server/messaging/store.js";
import { garbagePositions, pagesOf } from "./store-acts.js";
import { canonical, contractOver, type OpenStore, range, type Scale } from "./store-harness.js";
import { oddValues } from "./store-values.js";

const key: RecordKey = { partition: "user#B1#ana", id: "profile" };

/** Small records, each changed by compare-and-set. */
export function recordContract(open: OpenStore, scale: Scale): void {
  describe("records", () => {
    const contract = contractOver(open, scale);

    test("[S1] a record is written only on condition that it is what was read", async () => {
      const { store, under } = contract;
      const other = await under.another();
      // Before, what is expected and written, whether it is, after. Here a rev is 1 when the record is made.
      let madeAt = 1;
      const steps: [string, number | null, string | null, boolean, { rev: number; value: string } | null][] = [
        ["change what is not there", 1, "a", false, null],
        ["make", null, "a", true, { rev: 1, value: "a" }],
        ["make again", null, "b", false, { rev: 1, value: "a" }],
        ["make the same again", null, "a", false, { rev: 1, value: "a" }],
        ["change another rev", 2, "b", false, { rev: 1, value: "a" }],
        ["change rev 0", 0, "b", false, { rev: 1, value: "a" }],
        ["change", 1, "b", true, { rev: 2, value: "b" }],
        ["change as before", 1, "c", false, { rev: 2, value: "b" }],
        ["change to the same", 2, "b", true, { rev: 3, value: "b" }],
        ["delete another rev", 2, null, false, { rev: 3, value: "b" }],
        ["delete what should not be there", null, null, false, { rev: 3, value: "b" }],
        ["delete", 3, null, true, null],
        ["change what was deleted", 3, "c", false, null],
        ["make anew", null, "d", true, { rev: 1, value: "d" }],
      ];
      for (const [step, expected, value, isWritten, record] of steps) {
        const written = await store.writeRecord(key, expected === null ? null : madeAt + expected - 1, value);
        if (isWritten && expected === null) madeAt = written.record!.rev;
        const there = record === null ? null : { ...record, rev: madeAt + record.rev - 1 };
        expect([step, written]).toEqual([step, { isWritten, record: there }]);
        expect([step, await other.readRecord(key)]).toEqual([step, there]);
      }
    });

    test("[S16] who read a record before it was deleted never takes the one that was made anew for it", async () => {
      const { under } = contract;
      const seen = new Set<number>();
      for (const life of range(8)) {
        const { record } = await (life === 4 ? await under.reopen() : under.store).writeRecord(key, null, { life });
        let rev = record!.rev;
        for (const old of seen) {
          const written = await under.store.writeRecord(key, old, "of another life");
          expect(written).toEqual({ isWritten: false, record: { rev, value: { life } } });
        }
        seen.add(rev);
        // Lives of different lengths, so that one counts on to where another one began.
        for (const change of range(life % 3)) {
          rev = (await under.store.writeRecord<unknown>(key, rev, { life, change })).record!.rev;
          expect(seen).not.toContain(rev);
          seen.add(rev);
        }
        await under.store.writeRecord(key, rev, null);
      }
    });

    test("[S1] deleting what is not there leaves nothing there", async () => {
      const { store } = contract;
      for (const expected of [null, 1]) {
        expect((await store.writeRecord(key, expected, null)).record).toBeNull();
        expect(await store.readRecord(key)).toBeNull();
      }
    });

    test("[S-04] a record holds any value that JSON has, read at once on every node", async () => {
      const { store, under } = contract;
      const other = await under.another();
      for (const { name, value } of oddValues) {
        const partition = `values#${name}`;
        for (const [index, each] of [value, { in: value }, [value]].entries()) {
          const ownKey = { partition, id: `value-${index}` };
          const written = await store.writeRecord(ownKey, null, each);
          const record = { rev: written.record?.rev, value: each };
          expect([name, canonical(written)]).toEqual([name, canonical({ isWritten: true, record })]);
          expect(canonical(await other.readRecord(ownKey))).toBe(canonical(record));
        }
        const listed = await other.listRecords(partition, { limit: 1, from: null });
        expect(canonical(listed.items.map(({ id, value }) => ({ id, value })))).toBe(
          canonical([{ id: "value-0", value }]),
        );
      }
    });

    test("[S1] eight who make the same record at once, on two nodes: one does, and all get its value", async () => {
      const { store, under } = contract;
      const stores = [store, await under.another()];
      const writes = await Promise.all(range(8).map((index) => stores[index % 2]!.writeRecord(key, null, { index })));
      expect(writes.filter(({ isWritten }) => isWritten)).toHaveLength(1);
      const winner = writes.find(({ isWritten }) => isWritten)!.record;
      for (const { record } of writes) expect(record).toEqual(winner);
      expect(await store.readRecord(key)).toEqual(winner);
    });

    test("[S1] records are named by partition and id, and by nothing else", async () => {
      const { store } = contract;
      const keys: RecordKey[] = [
        ...["p", "p#", "p#x", "P", "user#B1#a@b|c+d:e-f.g_h", "__proto__", "x".repeat(250)].map((partition) => ({
          ...{ partition, id: "i" },
        })),
        ...["", "#", "j", "client#abc-_", "I", "__proto__", "constructor", "i#j", "x".repeat(250)].map((id) => ({
          ...{ partition: "p", id: `i${id}` },
        })),
      ];
      const named = new Map(keys.map((each) => [JSON.stringify(each), each]));
      await Promise.all([...named].map(([name, each]) => store.writeRecord(each, null, name)));
      for (const [name, each] of named) expect((await store.readRecord<string>(each))?.value).toBe(name);
      expect(await store.readRecord({ partition: "p#x#", id: "i" })).toBeNull();
      expect(await listed(store, "p#", 5)).toHaveLength(1);
    });

    test("[S6] a partition is listed in the order of the ids, in pages of any size, without what was deleted", async () => {
      const { store } = contract;
      const ids = [
        "client#B",
        "client#a",
        "client#_",
        "client#-",
        "a",
        "B",
        "profile",
        "current",
        "0",
        "10",
        "9",
        "z~",
      ];
      const partition = "user#B1#ana";
      const made = await Promise.all(ids.map((id) => store.writeRecord({ partition, id }, null, { of: id })));
      const revOf = (id: string) => made[ids.indexOf(id)]!.record!.rev;
      await Promise.all(["a", "zz"].map((id) => store.writeRecord({ partition: `${partition}x`, id }, null, 1)));
      await store.writeRecord({ partition, id: "current" }, revOf("current"), { of: "changed" });
      await store.writeRecord({ partition, id: "profile" }, revOf("profile"), null);
      const inOrder = ids.filter((id) => id !== "profile").toSorted((a, b) => (a < b ? -1 : 1));
      for (const limit of [1, 2, 5, 10, 11, 12]) {
        expect((await listed(store, partition, limit)).map(({ id }) => id)).toEqual(inOrder);
      }
      const all = await listed(store, partition, 50);
      const changed = { id: "current", rev: revOf("current") + 1, value: { of: "changed" } };
      expect(all.find(({ id }) => id === "current")).toEqual(changed);
      expect(all.find(({ id }) => id === "a")).toEqual({ id: "a", rev: revOf("a"), value: { of: "a" } });
      expect((await store.listRecords(partition, { limit: 11 })).next).toBeNull();
      expect(await store.listRecords("unknown", { limit: 5 })).toEqual({ items: [], next: null });
    });

    test("[S-06] a listing has what was acknowledged before, on every node", async () => {
      const { store, under } = contract;
      const other = await under.another();
      for (const index of range(10)) {
        await store.writeRecord({ ...key, id: `r${index}` }, null, index);
        expect(await listed(other, key.partition, 4)).toHaveLength(index + 1);
      }
    });

    test("[S6] a position that nobody gave out is one like any other: a page, and no failure", async () => {
      const { store } = contract;
      await Promise.all(["a", "b", "c"].map((id) => store.writeRecord({ ...key, id }, null, id)));
      for (const from of garbagePositions) {
        const page = await store.listRecords(key.partition, { limit: 2, from });
        expect(page.items.length).toBeLessThanOrEqual(2);
        for (const { id, value } of page.items) expect(value).toBe(id);
      }
      const without = await store.listRecords(key.partition, { limit: 2 });
      expect(await store.listRecords(key.partition, { limit: 2, from: null })).toEqual(without);
    });
  });
}

async function listed(store: Store, partition: string, limit: number) {
  return (await pagesOf((page) => store.listRecords(partition, page), limit)).flat();
}
