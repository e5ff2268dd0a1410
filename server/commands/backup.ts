import { resolve } from "node:path";
import { backUp } from "../stores/embedded/backup.js";
import { embeddedDataDir } from "./embedded-only.js";

/** `bennu backup <directory>` */
export async function backup(directory: string): Promise<void> {
  const from = embeddedDataDir("backup", process.env);
  const bytes = await backUp(from, resolve(directory));
  process.stdout.write(`Backed up ${from} to ${resolve(directory)}: ${bytes} bytes, read through and on disk.\n`);
}
