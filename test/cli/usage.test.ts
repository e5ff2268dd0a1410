import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { bennu } from "../support/cli.js";

const commands = ["serve", "check", "backup", "export", "import", "conform", "help"];

test.each([[["help"]], [["--help"]], [["-h"]], [["check", "--help"]]])("[W1] %j says what there is", async (args) => {
  const { code, stdout, stderr } = await bennu(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
});

test.each([
  ["backup", "directory"],
  ["export", "[file]"],
  ["import", "file"],
])("[W1] %s of a name that is empty is refused: it would be the working directory", async (command, what) => {
  const directory = await mkdtemp(join(tmpdir(), "bennu-cli-"));
  const { code, stdout, stderr } = await bennu([command, ""], { DATA_DIR: join(directory, "data") });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(
    `bennu: ${command} takes one ${what}, and what was given is empty\n\nUsage: bennu <command>`,
  );
  expect(await readdir(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

test.each([
  [[], "which command?"],
  [["fly"], "there is no command fly"],
  [["toString"], "there is no command toString"],
  [["check", "it"], "check takes nothing"],
  [["backup"], "backup takes one directory"],
  [["backup", "a", "b"], "backup takes one directory"],
  [["export", "a", "b"], "export takes one [file]"],
  [["import"], "import takes one file"],
  [["conform", ""], "conform takes one URL, and what was given is empty"],
  [["backup", "--fast"], "Unknown option '--fast'"],
])("[W1] %j is refused, and told what there is", async (args, reason) => {
  const { code, stdout, stderr } = await bennu(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(`bennu: ${reason}\n\nUsage: bennu <command>`);
});
