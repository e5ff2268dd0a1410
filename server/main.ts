import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { type App, startApp } from "./app.js";
import { explain } from "./commands/explain.js";
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
  try {
    await run(readConfig(process.env));
  } catch (cause) {
    const isExpected =
      expected.some((kind) => cause instanceof kind) || (cause as NodeJS.ErrnoException).syscall !== undefined;
    const text = cause instanceof StoreError ? explain(cause) : isExpected ? (cause as Error).message : inspect(cause);
    process.stderr.write(`bennu cannot start: ${text}\n`);
    process.exitCode = 1;
  }
}

async function run(config: Config): Promise<void> {
  const logger = createLogger(config.LOG_LEVEL);
  const telemetry = new Telemetry<DeskEvents>(reportTo(logger));
  logTelemetry(telemetry, logger);
  // What nobody caught is a mistake of ours. The process ends, and what was promised is in the store.
  const fail = (error: unknown) => {
    logger.fatal({ error: describe(error) }, "uncaught");
    process.exit(1);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  const app = await startApp({ config, publicDir, telemetry, processMetrics: true });
  stopOnSignals(app);
  process.stdout.write(`${greeting(config, app).join("\n")}\n`);
}

function greeting(config: Config, app: App): string[] {
  return [
    `Bennu listens on ${app.url}`,
    `  chat page  ${app.url}/`,
    `  data       ${placeOf(config)}`,
    ...(app.metricsUrl === null ? [] : [`  metrics    ${app.metricsUrl}`]),
    config.isOpen
      ? "  access     open, to this machine only: nobody is asked who they are. Set AUTH_SECRET to change that."
      : "  access     by token",
  ];
}

// The first signal lets everything finish; the second does not wait.
function stopOnSignals(app: App): void {
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      void app.stop().then(() => process.exit(0));
    });
  }
}
