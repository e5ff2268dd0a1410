import { resolve } from "node:path";
import { backUp } from "../stores/embedded/backup.js";
import { embeddedDataDir } from "./embedded-only.js";

/** `bennu backup <directory>` */
export async function backup(directory: string): Promise<void> {
  const to = resolve(directory);
  const from = embeddedDataDir("backup", process.env);
  const bytes = await backUp(from, to);
  process.stdout.write(`Backed up ${from} to ${to}: ${bytes} bytes, read through and on disk.\n`);
}
