import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../server/clock.js";
import { EmbeddedStore } from "../../server/stores/embedded/store.js";
import { bennu } from "../support/cli.js";
import { fill } from "../support/filled-store.js";
import { withSeed } from "../support/random.js";
import { TestServer } from "../support/server-process.js";

const pageBytes = 4096;

let directory: string;
let bytes: Buffer;
let exported: string;
let server: TestServer;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-damaged-"));
  server = await TestServer.create();
  const store = await EmbeddedStore.open(join(directory, "whole"), systemClock, () => undefined);
  await fill(store, { sessions: 12, rounds: 8 });
  await store.close();
  bytes = readFileSync(join(directory, "whole", "store", "data.mdb"));
  exported = contentOf((await bennu(["export"], { DATA_DIR: join(directory, "whole") })).stdout);
});

afterEach(async () => {
  await server.dispose();
  await rm(directory, { recursive: true, force: true });
});

/** Without the first line, which says when it was made, and the last one, which has the checksum of that. */
function contentOf(text: string): string {
  return text.split("\n").slice(1, -2).join("\n");
}

const fine = { code: 0, signal: null, stderr: "" };

interface Outcome {
  readonly isFound: boolean;
  readonly isStarted: boolean;
  readonly stderr: string;
}

/** Whatever was done to the file: nothing crashes, and nothing that is not whole is taken for whole. */
async function survive(what: string, damage: (path: string) => void): Promise<Outcome> {
  const path = join(server.dataDir, "store", "data.mdb");
  const filter = (from: string) => !from.endsWith(".sock");
  await rm(server.dataDir, { recursive: true, force: true });
  cpSync(join(directory, "whole"), server.dataDir, { recursive: true, filter });
  damage(path);
  const environment = { DATA_DIR: server.dataDir };
  const [check, exportAgain] = await Promise.all([bennu(["check"], environment), bennu(["export"], environment)]);
  const isFound = check.code === 1;
  const said = { what, check: check.stdout.split("\n\n")[1], code: check.code, signal: check.signal };
  expect(said).toMatchObject({
    signal: null,
    check: expect.stringContaining(isFound ? "damaged" : "Nothing is wrong") as unknown,
  });
  if (!isFound)
    expect({ what, ...exportAgain, stdout: contentOf(exportAgain.stdout) }).toEqual({
      what,
      ...fine,
      stdout: exported,
    });
  const { stderr, ...end } = await server.startInVain();
  // A server that came up is killed.
  const isStarted = end.signal === "SIGKILL";
  if (!isStarted) {
    expect({ what, ...end }).toMatchObject({ code: 1, signal: null });
    expect(stderr).toContain(`bennu cannot start: opening the store in ${server.dataDir} failed: `);
    expect(stderr).toContain(path);
  }
  return { isFound, isStarted, stderr };
}

describe("[D-08] a store whose file was damaged while nobody was looking", () => {
  test("cut off at any of its last pages, or within them: the start is refused, with path and sizes", async () => {
    for (let back = 1; back <= 12; back += 1) {
      const length = bytes.length - back * pageBytes + (back % 2) * 17;
      const outcome = await survive(`cut to ${length}`, (path) => truncateSync(path, length));
      expect(outcome).toMatchObject({ isFound: true, isStarted: false });
      expect(outcome.stderr).toContain(`${length} bytes`);
    }
    const emptied = await survive("emptied", (path) => truncateSync(path, 0));
    expect(emptied).toMatchObject({ isFound: true, isStarted: false });
  }, 300_000);

  test("with a page of zeros: refused by its place, or nothing was there", async () => {
    const pages = bytes.length / pageBytes;
    let refused = 0;
    for (let page = 0; page < pages; page += page < 16 ? 1 : 13) {
      const { isFound, isStarted, stderr } = await survive(`page ${page} zeroed`, (path) => {
        writeFileSync(path, Buffer.from(bytes).fill(0, page * pageBytes, (page + 1) * pageBytes));
      });
      if (isStarted) continue;
      expect(isFound).toBe(true);
      expect(stderr).toContain(`page ${page} `);
      refused += 1;
    }
    expect(refused).toBeGreaterThan(3);
  }, 600_000);

  test(
    "with a bit flipped anywhere: refused, or named by its key, or of no consequence",
    () =>
      withSeed(async (random) => {
        let found = 0;
        for (let left = 30; left > 0; left -= 1) {
          const [at, bit] = [Math.floor(random() * bytes.length), Math.floor(random() * 8)];
          const outcome = await survive(`bit ${bit} of byte ${at}`, (path) => {
            const damaged = Buffer.from(bytes);
            damaged[at]! ^= 1 << bit;
            writeFileSync(path, damaged);
          });
          if (outcome.isFound) found += 1;
        }
        expect(found).toBeGreaterThan(2);
      }),
    600_000,
  );
});

test("[S10] a data directory that cannot be made ends the start at once, and is named", async () => {
  const begun = performance.now();
  const end = await bennu(["serve"], { DATA_DIR: "/proc/nope", PORT: "0" });
  expect(end).toMatchObject({ code: 1, signal: null });
  expect(end.stderr).toContain("bennu cannot start: ENOENT: no such file or directory, mkdir '/proc/nope'");
  expect(performance.now() - begun).toBeLessThan(10_000);
});
