import { expect, test } from "@jest/globals";
import { whyDataDirFails } from "../../server/commands/explain.js";
import { tooFewFiles } from "../../server/commands/too-few-files.js";
import { StoreError } from "../../server/messaging/store.js";

/** As Node throws it. */
const failed = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: it failed, ${syscall}`), {
    code,
    syscall,
    ...(path === undefined ? {} : { path }),
  });

/** As LMDB throws it: with the system's own number. */
const failedInLmdb = (code: number) => Object.assign(new Error("Attempting to setup locks"), { code });

const within = (cause: Error) => new StoreError("opening the store in /srv/data", { retryable: false, cause });

test.each<[string, Error, string]>([
  [
    "read-only, as Node says it",
    failed("EROFS", "mkdir", "/srv/data/owner"),
    "cannot be written: read-only file system",
  ],
  ["read-only, as LMDB says it", failedInLmdb(30), "cannot be written: read-only file system"],
  ["read-only where it is to be made", failed("EROFS", "mkdir", "/srv"), "cannot be written: read-only file system"],
  ["somebody else's", failed("EACCES", "mkdir", "/srv/data/owner"), "cannot be written: permission denied"],
  [
    "somebody else's, deep in the store",
    within(failed("EACCES", "open", "/srv/data/store/data.mdb")),
    "permission denied",
  ],
  ["full", within(failedInLmdb(28)), "cannot be written: no space left on device"],
  ["a file", failed("ENOTDIR", "stat", "/srv/data/owner"), "is not a directory: it is a file"],
])("[S10] a data directory that is %s is named by its setting", (_what, cause, why) => {
  const text = whyDataDirFails(cause, { STORE: "embedded", DATA_DIR: "/srv/data" });
  expect(text).toMatch(/^DATA_DIR \/srv\/data (cannot be written|is not a directory): /);
  expect(text).toContain(why);
});

test.each<[string, unknown]>([
  ["of another directory", failed("EACCES", "open", "/srv/data-of-others/a.yaml")],
  ["of a port", failed("EACCES", "listen")],
  ["of LMDB's own", failedInLmdb(-30793)],
  ["of ours", new TypeError("x is not a function")],
  ["that is no error", "text"],
])("[S10] a failure %s is not the data directory's", (_what, cause) => {
  expect(whyDataDirFails(cause, { STORE: "embedded", DATA_DIR: "/srv/data" })).toBeNull();
});

test("[S10] a failure over the data directory is not told of where the store is another one", () => {
  const cause = failed("EROFS", "mkdir", "/srv/data/owner");
  expect(whyDataDirFails(cause, { STORE: "dynamodb", DATA_DIR: "/srv/data" })).toBeNull();
});

test("[S10] too few files that may be open are told of with what to raise, wherever it came up", () => {
  for (const cause of [failed("EMFILE", "open", "/x"), within(failedInLmdb(24)), failed("ENFILE", "open", "/x")]) {
    expect(tooFewFiles(cause)).toMatch(/^too few files may be open at once: raise the limit, .*ulimit -n/);
  }
  for (const cause of [failed("ENOENT", "open"), failedInLmdb(2), new Error("24"), null]) {
    expect(tooFewFiles(cause)).toBeNull();
  }
});
