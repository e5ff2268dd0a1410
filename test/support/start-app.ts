import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, type AppOptions, startApp } from "../../server/app.js";
import { readConfig } from "../../server/config.js";

export interface TestApp extends App {
  readonly dataDir: string;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

const root = join(import.meta.dirname, "..", "..");

/** The whole server, on a free port, with its data in a folder of its own. */
export async function startTestApp(
  environment: Readonly<Record<string, string>> = {},
  options: Partial<Omit<AppOptions, "config">> = {},
): Promise<TestApp> {
  const dataDir = environment.DATA_DIR ?? (await makeDataDir());
  const config = readConfig({
    PORT: "0",
    AGENT: "echo",
    LOG_LEVEL: "silent",
    DRAIN_TIMEOUT_MS: "2000",
    BUSINESSES_DIR: join(root, "businesses"),
    ...environment,
    DATA_DIR: dataDir,
  });
  const app = await startApp({ config, publicDir: join(root, "dist", "client", "public"), ...options });
  const dispose = async () => {
    await app.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { ...app, dataDir, dispose };
}

export function makeDataDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), "bennu-"));
}
