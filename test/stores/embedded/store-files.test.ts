import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { systemClock } from "../../../server/clock.js";
import { explain } from "../../../server/commands/explain.js";
import { openEnvironment } from "../../../server/stores/embedded/lmdb.js";
import { EmbeddedStore } from "../../../server/stores/embedded/store.js";
import { openSnapshot } from "../../../server/stores/embedded/store-files.js";

const open = (dataDir: string) => EmbeddedStore.open(dataDir, systemClock, () => undefined);
const refusal = (dataDir: string) => open(dataDir).then(() => "it opened", explain);

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-store-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test("[S10] a data directory that cannot be made is an error at once", async () => {
  await expect(open("/proc/nope")).rejects.toThrow("mkdir '/proc/nope'");
  writeFileSync(join(directory, "file"), "");
  await expect(open(join(directory, "file", "data"))).rejects.toThrow("ENOTDIR");
});

test("[D-08] a store that was being made when its process was killed is made anew", async () => {
  mkdirSync(join(directory, "store-new"));
  writeFileSync(join(directory, "store-new", "data.mdb"), "half of a meta page".repeat(500));
  const store = await open(directory);
  await store.close();
  expect(existsSync(join(directory, "store-new"))).toBe(false);
  expect(existsSync(join(directory, "store", "data.mdb"))).toBe(true);
});

test("[D-08] a store without its file, or with an empty one, is never taken for a new one", async () => {
  mkdirSync(join(directory, "store"));
  expect(await refusal(directory)).toContain(`no such file or directory, open '${directory}/store/data.mdb'`);
  writeFileSync(join(directory, "store", "data.mdb"), "");
  expect(await refusal(directory)).toContain(`meta page 0 of ${directory}/store/data.mdb (0 bytes) is missing`);
});

test("[S12] a backup that was not finished is never taken for a store", async () => {
  mkdirSync(join(directory, "store-partial"));
  expect(await refusal(directory)).toContain(`${directory}/store-partial is a backup that was not finished`);
  expect(existsSync(join(directory, "store"))).toBe(false);
});

test("[S10] another program's LMDB environment is refused", async () => {
  const root = openEnvironment(join(directory, "store"), { mapBytes: 2 ** 26 });
  await root.put("a", Buffer.from("b"));
  await root.close();
  expect(await refusal(directory)).toContain("it does not say which format it has");
});

test("[S12] a snapshot stands still while the store goes on, and cannot be written", async () => {
  const store = await open(directory);
  const key = { partition: "p", id: "1" };
  await store.writeRecord(key, null, { n: 1 });
  const snapshot = await openSnapshot(directory);
  await store.writeRecord(key, 1, { n: 2 });
  expect(snapshot.tables.records.get(["p", "1"])).toEqual({ rev: 1, value: { n: 1 } });
  await snapshot.close();
  const later = await openSnapshot(directory);
  expect(later.tables.records.get(["p", "1"])).toEqual({ rev: 2, value: { n: 2 } });
  await later.close();
  await store.close();
  await expect(openSnapshot(join(directory, "nowhere"))).rejects.toThrow("there is no store in");
});
