import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type ConfigLine, listConfig, readConfig } from "../config.js";
import { checkDynamo } from "./check-dynamodb.js";
import { checkExit } from "./check-exit.js";
import { embeddedDataDir } from "./embedded-only.js";
import { explain } from "./explain.js";

/**
 * `bennu check`: prints the configuration, then reads all of the embedded store, or looks at the tables in DynamoDB.
 * @returns whether nothing is wrong
 */
export async function check(): Promise<boolean> {
  const lines = listConfig(process.env);
  process.stdout.write(`${describeConfig(lines)}\n\n`);
  const isUsable = checkConfig(lines);
  const store = lines.find(({ name }) => name === "STORE")?.value;
  if (store === "embedded") return (await checkStore(embeddedDataDir("check", process.env))) && isUsable;
  // With a wrong setting it is not known which tables they are.
  return isUsable && (await checkDynamo(process.env));
}

function describeConfig(lines: readonly ConfigLine[]): string {
  const width = Math.max(...lines.map(({ name }) => name.length));
  return lines
    .map(({ name, value, source, expected }) => {
      const wrong = expected === null ? "" : `; expected ${expected}`;
      return `${name.padEnd(width)}  ${value ?? "-"}  (${source}${wrong})`;
    })
    .join("\n");
}

function checkConfig(lines: readonly ConfigLine[]): boolean {
  const wrong = lines.filter(({ expected }) => expected !== null).map(({ name }) => name);
  try {
    if (wrong.length === 0) readConfig(process.env);
    else process.stdout.write(`The server cannot start with this ${wrong.join(", ")}.\n`);
    return wrong.length === 0;
  } catch (cause) {
    process.stdout.write(`The server cannot start with this: ${explain(cause)}\n`);
    return false;
  }
}

// In a process of its own, because LMDB may crash over a damaged file; then that is the finding.
async function checkStore(directory: string): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "check-process.js"), directory], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  if (code === checkExit.fine || code === checkExit.damaged) return code === checkExit.fine;
  process.stdout.write(
    `The process that read the store in ${directory} ended with ${signal ?? `code ${code}`}: it could not go on.\n` +
      "The store is damaged.\n",
  );
  return false;
}
