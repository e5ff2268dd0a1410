import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { type App, startApp } from "./app.js";
import { explain, whyDataDirFails } from "./commands/explain.js";
import { tooFewFiles } from "./commands/too-few-files.js";
import { type Config, ConfigError, readConfig } from "./config.js";
import type { DeskEvents } from "./desk-telemetry.js";
import { StoreError } from "./messaging/store.js";
import { createLogger, describe, logTelemetry, reportTo } from "./observe/logger.js";
import { placeOf } from "./open-store.js";
import { BusinessFilesError } from "./stores/business-files.js";
import { DataDirInUse } from "./stores/embedded/data-dir.js";
import { Telemetry } from "./telemetry.js";

const publicDir = join(dirname(fileURLToPath(import.meta.url)), "..", "client", "public");

/** What an operator can mend: its message says all, and where in the code it came up says nothing. */
const expected = [ConfigError, DataDirInUse, BusinessFilesError];

await main();

async function main(): Promise<void> {
  let config: Config | null = null;
  try {
    config = readConfig(process.env);
    await run(config);
  } catch (cause) {
    process.stderr.write(`bennu cannot start: ${whyNot(cause, config)}\n`);
    process.exitCode = 1;
  }
}

/** @param config null: that is what cannot be used */
function whyNot(cause: unknown, config: Config | null): string {
  const why = tooFewFiles(cause) ?? (config === null ? null : whyDataDirFails(cause, config));
  if (why !== null) return why;
  if (cause instanceof StoreError) return explain(cause);
  const isExpected =
    expected.some((kind) => cause instanceof kind) || (cause as NodeJS.ErrnoException).syscall !== undefined;
  return isExpected ? (cause as Error).message : inspect(cause);
}

async function run(config: Config): Promise<void> {
  const logger = createLogger(config.LOG_LEVEL);
  const telemetry = new Telemetry<DeskEvents>(reportTo(logger));
  logTelemetry(telemetry, logger);
  // What nobody caught is a mistake of ours. The process ends, and what was promised is in the store.
  const fail = (error: unknown) => {
    logger.fatal({ error: describe(error) }, "uncaught");
    endNow();
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  const starting = startApp({ config, publicDir, telemetry, processMetrics: true });
  stopOnSignals(starting);
  const app = await starting;
  process.stdout.write(`${greeting(config, app).join("\n")}\n`);
}

function greeting(config: Config, app: App): string[] {
  return [
    `Bennu listens on ${app.url}`,
    `  chat page  ${app.url}/`,
    `  console    ${app.url}/console`,
    `  data       ${placeOf(config)}`,
    ...(app.metricsUrl === null ? [] : [`  metrics    ${app.metricsUrl}`]),
    config.isOpen
      ? "  access     open, to this machine only: nobody is asked who they are. Set AUTH_SECRET to change that."
      : "  access     by token",
  ];
}

// The first signal lets everything finish, the start too; the second does not wait.
function stopOnSignals(starting: Promise<App>): void {
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isStopping) endNow();
      isStopping = true;
      // One that cannot start ends by itself, and says why.
      void starting.then(
        (app) => app.stop().then(() => process.exit(0)),
        () => undefined,
      );
    });
  }
}

/**
 * Ends the process whatever it is doing. `process.exit` would wait for a write of the store that itself waits for this
 * thread, and would never come back. What was acknowledged is on the disk. (D-13)
 */
function endNow(): never {
  process.kill(process.pid, "SIGKILL");
  // The first process of a container is one that nobody in there can kill.
  process.abort();
}
