import { existsSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { systemClock } from "../clock.js";
import { exportStore } from "../stores/embedded/export.js";
import { rename } from "../stores/embedded/store-files.js";
import { embeddedDataDir } from "./embedded-only.js";

/** `bennu export [file]`: to stdout without a file. */
export async function exportTo(file?: string): Promise<void> {
  const path = file === undefined ? null : resolve(file);
  const directory = embeddedDataDir("export", process.env);
  const exportedAt = new Date(systemClock.now()).toISOString();
  if (path === null) {
    // Whoever reads may go away: then the write is refused, and that says it.
    process.stdout.on("error", () => undefined);
    await exportStore(directory, exportedAt, writeToStdout);
    return;
  }
  if (existsSync(path)) throw new Error(`${path} exists already`);
  // It has its name once it is whole. Only its owner may read it: it is what people said.
  const unfinished = `${path}.partial`;
  const handle = await open(unfinished, "w", 0o600);
  try {
    const { records, sessions, messages, asides } = await exportStore(directory, exportedAt, async (lines) => {
      await handle.appendFile(lines);
    });
    await handle.sync();
    await handle.close();
    rename(unfinished, path);
    process.stdout.write(
      `Exported ${directory} to ${path}: ${sessions} sessions, ${messages} messages, ${asides} asides, ` +
        `${records} records.\n`,
    );
  } catch (cause) {
    await handle.close();
    await rm(unfinished, { force: true });
    throw cause;
  }
}

function writeToStdout(lines: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(lines, (error) => (error == null ? resolve() : reject(error)));
  });
}
