import { accessSync, constants, existsSync, statSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { checkStore } from "../stores/embedded/check.js";
import { storePaths } from "../stores/embedded/store-files.js";
import { checkExit } from "./check-exit.js";
import { explain } from "./explain.js";

// The process that `bennu check` has read the store. It may end at any moment, so each line leaves at once.

const findingsMax = 1000;

const say = (line: string) => void writeSync(1, `${line}\n`);

process.exitCode = await run(process.argv[2]!);

async function run(directory: string): Promise<number> {
  const { folder, unfinishedBackup } = storePaths(directory);
  if (existsSync(unfinishedBackup)) {
    say(`${unfinishedBackup} is a backup that was not finished: it is of no use.`);
    return checkExit.damaged;
  }
  if (!existsSync(folder)) {
    const fault = whyNotUsable(directory);
    say(fault === null ? `There is no store in ${directory} yet.` : `DATA_DIR ${directory} cannot be used: ${fault}`);
    return fault === null ? checkExit.fine : checkExit.damaged;
  }
  let findings = 0;
  try {
    const counts = await checkStore(directory, (finding) => {
      findings += 1;
      if (findings <= findingsMax) say(`Damaged: ${finding}`);
    });
    const { sessions, messages, asides, openTurns, records, events } = counts;
    say(
      `The store in ${directory} has ${sessions} sessions, ${messages} messages, ${asides} asides, ` +
        `${openTurns} open turns, ${records} records, ${events} events.`,
    );
  } catch (cause) {
    findings += 1;
    say(`Damaged: ${explain(cause)}`);
  }
  say(findings === 0 ? "Nothing is wrong with it." : `The store is damaged: ${findings} findings.`);
  return findings === 0 ? checkExit.fine : checkExit.damaged;
}

/** What keeps a store from being made in a directory, or null. */
function whyNotUsable(directory: string): string | null {
  let nearest = resolve(directory);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  if (!statSync(nearest).isDirectory()) return `${nearest} is not a directory`;
  try {
    accessSync(nearest, constants.W_OK);
    return null;
  } catch (cause) {
    return `${nearest} cannot be written (${(cause as NodeJS.ErrnoException).code})`;
  }
}
