#!/usr/bin/env node
import { inspect, parseArgs } from "node:util";
import { conform, describeFinding, Unreachable } from "./conform/conform.js";

const usage = `Usage: bennu <command>

  serve               runs the server; its settings are environment variables
  check               prints all settings and where they come from, then reads the whole embedded store.
                      Exit code 0: nothing is wrong, 1: something is
  backup <directory>  copies the embedded store into a new directory, which can be used as DATA_DIR
  export [file]       writes all conversations of the embedded store as JSON lines; without a file, to stdout
  import <file>       writes what an export holds into the store that STORE names. It can be run again
  conform <url>       asks the Phoenix server at ws://… whether it does what Phoenix does.
                      It must offer the channel room:* of the transcript server.
                      Exit code 0: all holds, 1: something differs, 2: there is no connection
  help                says this

check, backup and export read the store of DATA_DIR as it is at that moment, also while the server runs.
import into the embedded store needs DATA_DIR for itself.
`;

/** What was asked for is not what there is. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Command {
  /** In brackets: it may be left out. */
  readonly operand: string | null;
  /** @returns false for exit code 1 */
  run(operand: string): Promise<boolean | void>;
}

// Each loads its own, so that none needs what only another one uses.
const commands: Readonly<Record<string, Command>> = {
  serve: { operand: null, run: async () => void (await import("./main.js")) },
  check: { operand: null, run: async () => (await import("./commands/check.js")).check() },
  backup: { operand: "directory", run: async (to) => (await import("./commands/backup.js")).backup(to) },
  export: { operand: "[file]", run: async (file) => (await import("./commands/export.js")).exportTo(file) },
  import: { operand: "file", run: async (file) => (await import("./commands/import.js")).importFrom(file) },
  conform: { operand: "URL", run: ask },
  help: { operand: null, run: () => Promise.resolve(void process.stdout.write(usage)) },
};

await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  try {
    const isFine = await run(parse(args));
    if (isFine === false) process.exitCode = 1;
  } catch (cause) {
    const { code, text } = await describe(cause);
    process.stderr.write(`bennu: ${text}\n`);
    process.exitCode = code;
  }
}

async function describe(cause: unknown): Promise<{ readonly code: number; readonly text: string }> {
  if (cause instanceof UsageError) return { code: 2, text: `${cause.message}\n\n${usage}` };
  if (cause instanceof Unreachable) return { code: 2, text: cause.message };
  const { explain } = await import("./commands/explain.js");
  return { code: 1, text: isMistake(cause) ? inspect(cause) : explain(cause) };
}

// Of ours: where in the code it came up says more than its message.
function isMistake(cause: unknown): boolean {
  return [TypeError, RangeError, ReferenceError].some((kind) => cause instanceof kind);
}

function parse(args: string[]): readonly string[] {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
    return values.help === true ? ["help"] : positionals;
  } catch (cause) {
    throw new UsageError((cause as Error).message.split(". ", 1)[0], { cause });
  }
}

async function run([name, ...operands]: readonly string[]): Promise<boolean | void> {
  if (name === undefined) throw new UsageError("which command?");
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError(`there is no command ${name}`);
  const { operand } = command;
  const isOptional = operand?.startsWith("[") ?? false;
  const [least, most] = [operand === null || isOptional ? 0 : 1, operand === null ? 0 : 1];
  if (operands.length < least || operands.length > most) {
    throw new UsageError(`${name} takes ${operand === null ? "nothing" : `one ${operand}`}`);
  }
  return command.run(operands[0]!);
}

async function ask(url: string): Promise<boolean> {
  const findings = await conform(url);
  const different = findings.filter(({ difference }) => difference !== null);
  const verdict =
    different.length === 0 ? "All of it holds." : `${different.length} of ${findings.length} checks differ.`;
  process.stdout.write(`${findings.map(describeFinding).join("\n")}\n\n${verdict}\n`);
  return different.length === 0;
}
