import { randomBytes } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Config, ConfigError } from "./config.js";
import type { TokenKeys } from "./auth/token.js";
import { makeDirectory } from "./stores/embedded/directory.js";

const fileName = "token-secret";
const secretBytes = 32;
const secretForm = /^[\w-]{43}$/;

/**
 * What tokens are signed with. An open server has a secret of its own, which stays with its data, so that the tokens it
 * gives out to agents and visitors are good after a restart. (SPEC X4)
 * @throws ConfigError for a secret in DATA_DIR that is none
 */
export async function keysOf(config: Config): Promise<TokenKeys> {
  const { AUTH_SECRET, AUTH_SECRET_PREVIOUS, AUTH_JWKS_URL, isOpen, DATA_DIR } = config;
  if (isOpen) return { secret: await ownSecret(DATA_DIR), previousSecret: null, jwksUrl: null };
  return {
    secret: AUTH_SECRET ?? null,
    previousSecret: AUTH_SECRET_PREVIOUS ?? null,
    jwksUrl: AUTH_JWKS_URL ?? null,
  };
}

async function ownSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, fileName);
  const known = await readSecret(path);
  if (known !== null) return known;
  makeDirectory(dataDir);
  await makeSecret(dataDir, path);
  return (await readSecret(path))!;
}

async function readSecret(path: string): Promise<string | null> {
  let secret: string;
  try {
    secret = (await readFile(path, "utf8")).trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw new ConfigError(`${path}, the secret of this server, cannot be read: ${code}`, { cause });
  }
  // Part of one would be good enough to sign with, but not for the tokens that the whole one signed.
  if (!secretForm.test(secret)) throw new ConfigError(`${path} holds no secret; remove it, and a new one is made`);
  return secret;
}

// Written elsewhere and then linked: whoever reads it reads all of it, and of two who make one the first has made it.
async function makeSecret(dataDir: string, path: string): Promise<void> {
  const draft = join(dataDir, `${fileName}.${randomBytes(6).toString("hex")}`);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${randomBytes(secretBytes).toString("base64url")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  } finally {
    await rm(draft, { force: true });
  }
}
