import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { bennu } from "../support/cli.js";

const cli = join(import.meta.dirname, "..", "..", "dist", "server", "cli.js");

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-start-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test("[S10] a DATA_DIR that is a file, or below one, ends the start with its name in one line", async () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  for (const DATA_DIR of [file, join(file, "data")]) {
    const why = `DATA_DIR ${DATA_DIR} is not a directory: it is a file, or what should be a directory above it is one\n`;
    const start = await bennu(["serve"], { DATA_DIR, PORT: "0" });
    expect(start).toMatchObject({ code: 1, stdout: "", stderr: `bennu cannot start: ${why}` });
    const imported = await bennu(["import", file], { DATA_DIR });
    expect(imported).toMatchObject({ code: 1, stdout: "", stderr: `bennu: ${why}` });
  }
});

/** What a start says where so few files may be open. */
function startWith(filesMax: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", `ulimit -n ${filesMax} && exec "$0" "$1" serve`, process.execPath, cli], {
      env: { PATH: process.env.PATH ?? "", DATA_DIR: join(directory, "data"), PORT: "0" },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 20_000,
      killSignal: "SIGKILL",
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", () => resolve(stderr));
  });
}

test.each([40, 100])("[S10] where only %d files may be open, a start says which limit to raise", async (filesMax) => {
  const said = await startWith(filesMax);
  expect(said).toMatch(/^bennu( cannot start)?: too few files may be open at once: raise the limit, .*ulimit -n/);
  expect(said.trimEnd().split("\n")).toHaveLength(1);
});
