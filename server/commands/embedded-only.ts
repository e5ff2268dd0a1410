import { resolve } from "node:path";
import { ConfigError, listConfig } from "../config.js";

/**
 * The data directory, for what reads the embedded store only. Nothing else of the configuration has to be there.
 * @throws ConfigError when the store is another one
 */
export function embeddedDataDir(command: string, environment: NodeJS.ProcessEnv): string {
  const setting = (name: string) => listConfig(environment).find((line) => line.name === name)?.value;
  const store = setting("STORE");
  if (store !== "embedded") {
    throw new ConfigError(
      `${command} reads the embedded store, and STORE is ${store}; DynamoDB has backups of its own`,
    );
  }
  return resolve(setting("DATA_DIR")!);
}
