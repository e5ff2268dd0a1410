import { resolve } from "node:path";
import { systemClock } from "../clock.js";
import { readConfig } from "../config.js";
import { openStore, placeOf } from "../open-store.js";
import { importInto } from "../stores/import.js";
import type { DeskEvents } from "../desk-telemetry.js";
import { Telemetry } from "../telemetry.js";

/** `bennu import <file>`: into the store that STORE names. */
export async function importFrom(file: string): Promise<void> {
  const config = readConfig(process.env);
  const store = await openStore(config, { clock: systemClock, telemetry: new Telemetry<DeskEvents>() });
  try {
    const { records, sessions, messages } = await importInto(store, resolve(file));
    process.stdout.write(
      `Imported ${resolve(file)} into ${placeOf(config)}: ${sessions} sessions, ${messages} messages, ` +
        `${records} records. What was there already is as it was.\n`,
    );
  } finally {
    await store.close();
  }
}
