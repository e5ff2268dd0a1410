import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../clock.js";
import { ConfigError, readConfig } from "../config.js";
import { openStore, placeOf } from "../open-store.js";
import type { ExportCounts } from "../stores/export-format.js";
import { type ImportCounts, importInto } from "../stores/import.js";
import type { DeskEvents } from "../desk-telemetry.js";
import { Telemetry } from "../telemetry.js";
import { whyDataDirFails } from "./explain.js";

/** `bennu import <file>`: into the store that STORE names. */
export async function importFrom(file: string): Promise<void> {
  const path = resolve(file);
  const config = readConfig(process.env);
  const options = { clock: systemClock, telemetry: new Telemetry<DeskEvents>() };
  const store = await openStore(config, options).catch((cause: unknown) => {
    const why = whyDataDirFails(cause, config);
    throw why === null ? cause : new ConfigError(why);
  });
  try {
    const counts = await importInto(store, path, pause);
    process.stdout.write(`Imported ${path} into ${placeOf(config)}. ${describe(counts)}\n`);
  } finally {
    await store.close();
  }
}

function describe({ written, there, otherSessions, leftOut }: ImportCounts): string {
  const lines = [`Written: ${listOf(written)}. There already, and as it was: ${listOf(there)}.`];
  if (otherSessions > 0) lines.push(`${otherSessions} sessions are there in another state and were left alone.`);
  if (leftOut > 0) lines.push(`${leftOut} messages and asides of theirs are not in the store.`);
  return lines.join("\n");
}

function listOf({ sessions, messages, asides, records }: ExportCounts): string {
  return `${sessions} sessions, ${messages} messages, ${asides} asides, ${records} records`;
}
