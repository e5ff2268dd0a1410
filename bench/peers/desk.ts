import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApp } from "../../server/app.js";
import { readConfig } from "../../server/config.js";

// The desk as it stands, on a fresh embedded store, without the limits of one customer.
const config = readConfig({
  PORT: process.argv[2]!,
  DATA_DIR: mkdtempSync(join(tmpdir(), "bennu-bench-")),
  AGENT: "echo",
  LOG_LEVEL: "silent",
  MESSAGES_PER_SECOND_PER_SOCKET: "0",
  EVENTS_PER_SECOND_PER_SOCKET: "0",
  MESSAGES_PER_MINUTE_PER_USER: "0",
  MESSAGES_PER_SECOND_PER_BUSINESS: "0",
  MAX_BACKLOG_PER_BUSINESS: "1000",
});
await startApp({ config, publicDir: config.DATA_DIR });
