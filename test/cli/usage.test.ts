import { expect, test } from "@jest/globals";
import { bennu } from "../support/cli.js";

const commands = ["serve", "check", "backup", "export", "import", "conform", "help"];

test.each([[["help"]], [["--help"]], [["-h"]], [["check", "--help"]]])("[W1] %j says what there is", async (args) => {
  const { code, stdout, stderr } = await bennu(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "m"));
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
  [["backup", "--fast"], "Unknown option '--fast'"],
])("[W1] %j is refused, and told what there is", async (args, reason) => {
  const { code, stdout, stderr } = await bennu(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(`bennu: ${reason}\n\nUsage: bennu <command>`);
});
