#!/usr/bin/env node
import { inspect, parseArgs, type ParseArgsConfig } from "node:util";
import { tooFewFiles } from "./commands/too-few-files.js";
import { conform, describeFinding, Unreachable } from "./conform/conform.js";

const usage = `Usage: bennu <command>

  serve               runs the server; its settings are environment variables
  check               prints all settings and where they come from, then reads the whole embedded store.
                      Exit code 0: nothing is wrong, 1: something is
  backup <directory>  copies the embedded store into a new directory, which can be used as DATA_DIR
  export [file]       writes all conversations of the embedded store as JSON lines; without a file, to stdout
  import <file>       writes what an export holds into the store that STORE names. It can be run again
  token --role <role> --sub <id> [--business <id>] [--expires <time>]
                      prints a token that the server takes. Roles: user, coordinator, agent, service.
                      A time is one such as 30m, 8h or 7d; an hour unless it is given
  chat <business> [--user <id>] [--url <url>] [--token <token>]
                      a conversation in the terminal: a line is a message, and answers come as they are written.
                      Exit code 1: something was not sent, 2: not let in, or no desk there
  tail <business> [--url <url>] [--token <token>]
                      every message of a business with its answer, as it comes, until it is stopped.
                      The token is a coordinator's; BENNU_TOKEN is taken as well
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
  readonly options?: Options;
  /** @returns false for exit code 1 */
  run(operand: string, values: Values): Promise<boolean | void>;
}

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values = Readonly<Record<string, string | undefined>>;

const text = { type: "string" } as const;

// Each loads its own, so that none needs what only another one uses.
const commands: Readonly<Record<string, Command>> = {
  serve: { operand: null, run: async () => void (await import("./main.js")) },
  check: { operand: null, run: async () => (await import("./commands/check.js")).check() },
  backup: { operand: "directory", run: async (to) => (await import("./commands/backup.js")).backup(to) },
  export: { operand: "[file]", run: async (file) => (await import("./commands/export.js")).exportTo(file) },
  import: { operand: "file", run: async (file) => (await import("./commands/import.js")).importFrom(file) },
  token: {
    operand: null,
    options: { role: text, sub: text, business: text, expires: text },
    run: (_operand, values) => token(values),
  },
  chat: {
    operand: "business",
    options: { user: text, url: text, token: text },
    run: (business, values) => online(async () => (await import("./commands/chat.js")).chatWith(business, values)),
  },
  tail: {
    operand: "business",
    options: { url: text, token: text },
    run: (business, values) => online(async () => (await import("./commands/tail.js")).tailOf(business, values)),
  },
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
  try {
    const { explain } = await import("./commands/explain.js");
    return { code: 1, text: tooFewFiles(cause) ?? (isMistake(cause) ? inspect(cause) : explain(cause)) };
  } catch (unloaded) {
    // Where no more files may be open, modules cannot be loaded, this one neither, and some are said not to exist.
    return { code: 1, text: tooFewFiles(cause) ?? tooFewFiles(unloaded) ?? inspect(cause) };
  }
}

// Of ours: where in the code it came up says more than its message.
function isMistake(cause: unknown): boolean {
  return [TypeError, RangeError, ReferenceError].some((kind) => cause instanceof kind);
}

function parse(args: string[]): { readonly positionals: readonly string[]; readonly values: Values } {
  const name = args.find((arg) => !arg.startsWith("-")) ?? "";
  const { options } = commandOf(name) ?? {};
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { help: { type: "boolean", short: "h" }, ...options },
      allowPositionals: true,
    });
    const { help, ...rest } = values as Values & { readonly help?: boolean };
    return { positionals: help === true ? ["help"] : positionals, values: rest };
  } catch (cause) {
    throw new UsageError((cause as Error).message.split(". ", 1)[0], { cause });
  }
}

function commandOf(name: string): Command | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}

async function run({ positionals, values }: ReturnType<typeof parse>): Promise<boolean | void> {
  const [name, ...operands] = positionals;
  if (name === undefined) throw new UsageError("which command?");
  const command = commandOf(name);
  if (command === undefined) throw new UsageError(`there is no command ${name}`);
  const { operand } = command;
  const isOptional = operand?.startsWith("[") ?? false;
  const [least, most] = [operand === null || isOptional ? 0 : 1, operand === null ? 0 : 1];
  if (operands.length < least || operands.length > most) {
    throw new UsageError(`${name} takes ${operand === null ? "nothing" : `one ${operand}`}`);
  }
  // As when a variable of a script was not set. For a file or a directory it would be the working directory.
  if (operands.includes("")) throw new UsageError(`${name} takes one ${operand}, and what was given is empty`);
  return command.run(operands[0]!, values);
}

async function token(values: Values): Promise<void> {
  const { printToken, TokenRequestError } = await import("./commands/token.js");
  try {
    await printToken(values);
  } catch (cause) {
    throw cause instanceof TokenRequestError ? new UsageError(cause.message, { cause }) : cause;
  }
}

async function online<Outcome>(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (cause) {
    const { LineRefused, LineRequestError } = await import("./commands/desk-line.js");
    if (cause instanceof LineRequestError) throw new UsageError(cause.message, { cause });
    throw cause instanceof LineRefused ? new Unreachable(cause.message, { cause }) : cause;
  }
}

async function ask(url: string): Promise<boolean> {
  const findings = await conform(url);
  const different = findings.filter(({ difference }) => difference !== null);
  const verdict =
    different.length === 0 ? "All of it holds." : `${different.length} of ${findings.length} checks differ.`;
  process.stdout.write(`${findings.map(describeFinding).join("\n")}\n\n${verdict}\n`);
  return different.length === 0;
}
