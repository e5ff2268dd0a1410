import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../clock.js";

/** The keys of the JWKS cannot be had, or cannot be used: whether a token is good cannot be said now. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

/** How long a key that was taken out of the JWKS is still good, at most. */
const ageMaxMs = 60_000;
/** Tokens may name keys that are not there as often as they like: the JWKS is asked for them this often. */
const cooldownMs = 5000;
/** A JWKS that could not be had is not asked again before. */
const retryMs = 1000;
const timeoutMs = 2000;
const bytesMax = 262_144;

type Keys = ReturnType<typeof createLocalJWKSet>;

/** Where keys are. */
export interface KeyPlace {
  /** The variable that says so, for whoever reads of its failure. */
  readonly name: string;
  /** Asked each time they are fetched. */
  readonly find: () => Promise<string>;
}

/**
 * The keys behind a URL, fetched when a token needs them. Which of them is meant is said by the token's `kid` and
 * algorithm; where none of them is, or several are, the token is no good. Nothing in a token becomes part of a request.
 * @returns what throws KeysUnavailable, or an error of jose for a token without a key
 */
export function createKeySet({ name, find }: KeyPlace, clock: Clock): JWTVerifyGetKey {
  let known: { readonly keys: Keys; readonly askedAt: number } | null = null;
  let failed: { readonly error: KeysUnavailable; readonly at: number } | null = null;
  let fetching: Promise<Keys> | null = null;

  return async (header, token) => {
    const keys = known !== null && clock.monotonic() - known.askedAt < ageMaxMs ? known.keys : await refreshed();
    try {
      return await keys(header, token);
    } catch (cause) {
      if (!(cause instanceof errors.JWKSNoMatchingKey) || isCoolingDown()) throw cause;
      const newer = await refreshed();
      return newer(header, token);
    }
  };

  function isCoolingDown(): boolean {
    return known !== null && clock.monotonic() - known.askedAt < cooldownMs;
  }

  // All who wait share one request.
  function refreshed(): Promise<Keys> {
    if (failed !== null && clock.monotonic() - failed.at < retryMs) return Promise.reject(failed.error);
    fetching ??= load().finally(() => (fetching = null));
    return fetching;
  }

  async function load(): Promise<Keys> {
    const askedAt = clock.monotonic();
    try {
      const keys = createLocalJWKSet((await fetchJson(await find(), clock)) as JSONWebKeySet);
      known = { keys, askedAt };
      return keys;
    } catch (cause) {
      const error = new KeysUnavailable(`the keys of ${name} cannot be had`, { cause });
      failed = { error, at: clock.monotonic() };
      throw error;
    }
  }
}

interface Source {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

// A name and a password cannot stand in what `fetch` is given.
function sourceOf(address: string): Source {
  const url = new URL(address);
  const headers = { accept: "application/jwk-set+json, application/json" };
  const { username, password } = url;
  if (username === "" && password === "") return { url, headers };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  url.username = url.password = "";
  return { url, headers: { ...headers, authorization: `Basic ${Buffer.from(credentials).toString("base64")}` } };
}

/** What is behind a URL, at most 256 KiB of JSON within 2 s. @throws Error for anything else */
export async function fetchJson(address: string, clock: Clock): Promise<unknown> {
  const { url, headers } = sourceOf(address);
  const abort = new AbortController();
  const cancel = clock.after(timeoutMs, () => abort.abort(new Error(`no keys within ${timeoutMs} ms`)));
  try {
    // A redirect is not followed: it would let whoever answers name another place for the keys.
    const response = await fetch(url, { headers, redirect: "manual", signal: abort.signal });
    if (response.status !== 200) throw new Error(`the answer is ${response.status}`);
    return JSON.parse(await textOf(response)) as unknown;
  } finally {
    cancel();
    // What has not been read of the answer is not wanted.
    abort.abort();
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
