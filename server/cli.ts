#!/usr/bin/env node
import { parseArgs } from "node:util";
import { conform, describeFinding, Unreachable } from "./conform/conform.js";

const usage = `Usage: bennu <command>

  serve           runs the server; its settings are environment variables
  conform <url>   asks the Phoenix server at ws://… whether it does what Phoenix does.
                  It must offer the channel room:* of the transcript server.
                  Exit code 0: all holds, 1: something differs, 2: there is no connection
  help            says this
`;

/** What was asked for is not what there is. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  try {
    await run(parse(args));
  } catch (cause) {
    if (cause instanceof UsageError) process.stderr.write(`bennu: ${cause.message}\n\n${usage}`);
    else if (cause instanceof Unreachable) process.stderr.write(`bennu: ${cause.message}\n`);
    else throw cause;
    process.exitCode = 2;
  }
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

async function run([command, ...operands]: readonly string[]): Promise<void> {
  if (command === undefined) throw new UsageError("which command?");
  const operandCount = command === "conform" ? 1 : 0;
  if (!["serve", "conform", "help"].includes(command)) throw new UsageError(`there is no command ${command}`);
  if (operands.length !== operandCount) {
    throw new UsageError(`${command} takes ${operandCount === 0 ? "nothing" : "one URL"}`);
  }
  if (command === "serve") await import("./main.js");
  else if (command === "conform") await ask(operands[0]!);
  else process.stdout.write(usage);
}

async function ask(url: string): Promise<void> {
  const findings = await conform(url);
  const different = findings.filter(({ difference }) => difference !== null);
  const verdict =
    different.length === 0 ? "All of it holds." : `${different.length} of ${findings.length} checks differ.`;
  process.stdout.write(`${findings.map(describeFinding).join("\n")}\n\n${verdict}\n`);
  if (different.length > 0) process.exitCode = 1;
}
