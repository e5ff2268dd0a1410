import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keysOf } from "../server/token-keys.js";
import { ConfigError, readConfig } from "../server/config.js";
import { makeDataDir } from "./support/start-app.js";

const secret = "a secret of more than thirty-two bytes";
const older = "the secret that was good before this one";
const jwks = "https://id.example/keys";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await makeDataDir();
  path = join(directory, "token-secret");
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const keysWith = (environment: Readonly<Record<string, string>> = {}) =>
  keysOf(readConfig({ DATA_DIR: directory, ...environment }));

describe("[X4] what is configured", () => {
  test.each<[Record<string, string>, unknown]>([
    [{ AUTH_SECRET: secret }, { secret, previousSecret: null, jwksUrl: null }],
    [
      { AUTH_SECRET: secret, AUTH_SECRET_PREVIOUS: older },
      { secret, previousSecret: older, jwksUrl: null },
    ],
    [{ AUTH_JWKS_URL: jwks }, { secret: null, previousSecret: null, jwksUrl: jwks }],
    [
      { AUTH_JWKS_URL: jwks, AUTH_SECRET_PREVIOUS: older },
      { secret: null, previousSecret: older, jwksUrl: jwks },
    ],
    [
      { AUTH_JWKS_URL: jwks, AUTH_SECRET: secret },
      { secret, previousSecret: null, jwksUrl: jwks },
    ],
  ])("%j is all there is", async (environment, keys) => {
    expect(await keysWith(environment)).toEqual(keys);
    expect(await readdir(directory)).toEqual([]);
  });
});

describe("[X4] the secret of an open server", () => {
  test("is made once, for its owner's eyes, and stays", async () => {
    const first = await keysWith();
    expect(first).toEqual({ secret: expect.stringMatching(/^[\w-]{43}$/), previousSecret: null, jwksUrl: null });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toBe(`${first.secret}\n`);
    expect(await keysWith()).toEqual(first);
    expect(await readdir(directory)).toEqual(["token-secret"]);
  });

  test("is another one in every directory, which is made if need be", async () => {
    const secrets = [];
    for (const name of ["a", "b", "c/d"]) secrets.push((await keysWith({ DATA_DIR: join(directory, name) })).secret);
    expect(new Set(secrets).size).toBe(3);
  });

  test("is one, however many make it at once", async () => {
    const making = [];
    // Some are about to make it while others have read it.
    for (let count = 0; count < 100; count += 1) {
      making.push(keysWith());
      await new Promise(setImmediate);
    }
    const all = await Promise.all(making);
    expect(new Set(all.map((keys) => keys.secret)).size).toBe(1);
    expect(await readdir(directory)).toEqual(["token-secret"]);
  });

  test.each([
    ["empty", () => ""],
    ["a line end", () => "\n"],
    ["short", () => "short"],
    ["cut off by one", (whole: string) => whole.slice(0, -2)],
    ["cut off by some", (whole: string) => whole.slice(0, 33)],
    ["twice there", (whole: string) => `${whole}${whole}`],
    ["zeroes", () => "\0".repeat(44)],
    ["other characters", () => `${"!".repeat(43)}\n`],
  ])("is refused when its file is damaged: %s", async (_what, damage) => {
    const { secret: whole } = await keysWith();
    const damaged = damage(`${whole}\n`);
    await writeFile(path, damaged);
    const error = await keysWith().catch((cause: unknown) => cause as Error);
    expect(error).toBeInstanceOf(ConfigError);
    const { message } = error as Error;
    expect(message).toBe(`${path} holds no secret; remove it, and a new one is made`);
    expect(await readFile(path, "utf8")).toBe(damaged);
  });

  test("is refused when it cannot be read", async () => {
    await mkdir(path);
    const error = await keysWith().catch((cause: unknown) => cause as Error);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toBe(`${path}, the secret of this server, cannot be read: EISDIR`);
  });

  test("may end as its owner's editor likes", async () => {
    const { secret: whole } = await keysWith();
    for (const end of ["", "\n", "\r\n", "\n\n"]) {
      await writeFile(path, `${whole}${end}`);
      expect((await keysWith()).secret).toBe(whole);
    }
  });
});
