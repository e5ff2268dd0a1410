import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { bennu, type CliEnd } from "../support/cli.js";
import { connectPhoenix, disconnected, settled } from "../support/phoenix.js";
import { ask } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { TestServer } from "../support/server-process.js";

const secret = "a secret of more than thirty-two bytes";
const older = "the secret that was good before this one";
const businessId = "B0100001";
const forAna = ["token", "--role", "user", "--sub", "ana", "--business", businessId];
const forRobot = ["token", "--role", "service", "--sub", "robot"];
const active = `/api/sessions/business/${businessId}/active`;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bennu-cli-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const at = (name: string) => join(directory, name);

/** What was printed, when it is a token and nothing else. */
function tokenIn({ code, stdout, stderr }: CliEnd): string {
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  return stdout.trim();
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()) as Record<string, unknown>;
}

async function statusWith(server: { readonly port: number }, token: string): Promise<number> {
  return (await ask(server, active, { headers: { authorization: `Bearer ${token}` } })).status;
}

const portOf = ({ url }: TestServer) => ({ port: Number(new URL(url).port) });

describe("[X11] bennu token", () => {
  test.each<[string[], string]>([
    [[], "--role is one of user, coordinator, agent, service"],
    [["--role", "user", "--sub", "a b"], "--sub is missing, or is not 1 to 128 of [A-Za-z0-9._@|+:-]"],
    [["--role", "service", "--sub", "a", "--business", ""], "--business is not 1 to 64 of [A-Za-z0-9._-]"],
    [[...forAna.slice(1), "--expires=-1h"], "--expires is a time such as 30m, 8h or 7d"],
    [["--role"], "Option '--role <value>' argument missing"],
    [["--admin"], "Unknown option '--admin'"],
    [["ana"], "token takes nothing"],
  ])("%j is refused in one line, and told what there is", async (args, reason) => {
    const [before, after] = args[0] === "ana" ? [[], args] : [args, []];
    const environment = { AUTH_SECRET: secret, DATA_DIR: at("data") };
    const { code, stdout, stderr } = await bennu(["token", ...before, ...after], environment);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n").slice(0, 3)).toEqual([`bennu: ${reason}`, "", "Usage: bennu <command>"]);
    expect(await readdir(directory)).toEqual([]);
  });

  test.each<[string | null, number]>([
    [null, 3600],
    ["45s", 45],
    ["30m", 1800],
    ["8h", 28_800],
    ["7d", 604_800],
  ])("--expires %s is %p seconds", async (time, seconds) => {
    const expires = time === null ? [] : ["--expires", time];
    const claims = claimsOf(tokenIn(await bennu([...forAna, ...expires], { AUTH_SECRET: secret })));
    expect(claims).toMatchObject({ sub: "ana", role: "user", businessId });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(seconds);
  });

  describe("with the settings of a server", () => {
    let app: TestApp;
    const environment = { AUTH_SECRET: secret, AUTH_SECRET_PREVIOUS: older, AUTH_AUDIENCE: "desk" };

    beforeEach(async () => {
      app = await startTestApp(environment);
    });

    afterEach(() => app.dispose());

    test("prints what is good there, over HTTP and on a socket", async () => {
      const [robot, ana] = await Promise.all([bennu(forRobot, environment), bennu(forAna, environment)]);
      expect(await statusWith(app, tokenIn(robot))).toBe(200);
      const socket = await connectPhoenix("1.8.16", app.url, { token: tokenIn(ana) });
      const joined = await settled(socket.channel(`messages:${businessId}`, {}).join());
      expect(joined).toMatchObject({ role: "user", userId: "ana" });
      await disconnected(socket);
    });

    test("with others it is not good there", async () => {
      const other = await bennu(forRobot, { ...environment, AUTH_SECRET: "another secret of thirty-two bytes!!" });
      const without = { AUTH_SECRET: secret };
      expect(await statusWith(app, tokenIn(other))).toBe(401);
      expect(await statusWith(app, tokenIn(await bennu(forRobot, without)))).toBe(401);
    });

    test("[X-15] the secret that signs is the new one", async () => {
      const token = tokenIn(await bennu(forRobot, environment));
      const after = await startTestApp({ AUTH_SECRET: secret, AUTH_AUDIENCE: "desk" });
      expect(await statusWith(after, token)).toBe(200);
      await after.dispose();
    });
  });

  test.each([{}, { AUTH_SECRET_PREVIOUS: older }])(
    "where others sign, with %j beside their keys, it says so",
    async (more) => {
      const environment = { AUTH_JWKS_URL: "http://127.0.0.1:1/keys", DATA_DIR: at("data"), ...more };
      const { code, stdout, stderr } = await bennu(forAna, environment);
      expect({ code, stdout, stderr }).toEqual({
        code: 1,
        stdout: "",
        stderr: "bennu: AUTH_SECRET is not set: tokens of AUTH_JWKS_URL are signed elsewhere\n",
      });
      expect(await readdir(directory)).toEqual([]);
    },
  );

  test("a setting that cannot be used is named, and no secret is shown", async () => {
    const { code, stdout, stderr } = await bennu(forAna, { AUTH_SECRET: "too short to sign" });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: "bennu: AUTH_SECRET is (secret); expected at least 32 bytes\n",
    });
  });
});

describe("[X4] the secret of an open server", () => {
  test("two processes at once make one", async () => {
    const environment = { DATA_DIR: at("data") };
    const printed = await Promise.all([1, 2, 3].map(() => bennu(forRobot, environment)));
    expect(await readdir(at("data"))).toEqual(["token-secret"]);
    const app = await startTestApp({ ...environment, STORE: "embedded" });
    const agent = claimsOf(tokenIn(printed[0]!));
    expect(agent).toMatchObject({ sub: "robot", role: "service" });
    // A user's token is shown less than nobody in particular is.
    const ana = tokenIn(await bennu(forAna, environment));
    expect([await statusWith(app, ana), await statusWith(app, "none")]).toEqual([404, 200]);
    const issue = { method: "POST", headers: {}, body: JSON.stringify({ sub: "x", role: "agent", businessId }) };
    for (const end of printed) {
      const headers = { authorization: `Bearer ${tokenIn(end)}`, "content-type": "application/json" };
      expect((await ask(app, "/api/tokens", { ...issue, headers })).status).toBe(201);
    }
    await app.dispose();
  });

  test("is in no log and in no backup; with another one the tokens are nobody's", async () => {
    const server = await TestServer.create({ LOG_LEVEL: "trace" });
    try {
      await server.start();
      const own = { DATA_DIR: server.dataDir };
      const ana = tokenIn(await bennu(forAna, own));
      expect(await statusWith(portOf(server), ana)).toBe(404);
      const kept = (await readFile(join(server.dataDir, "token-secret"), "utf8")).trim();
      expect((await bennu(["backup", at("copy")], own)).code).toBe(0);
      const names = await readdir(at("copy"), { recursive: true });
      expect(names.filter((name) => name.includes("secret"))).toEqual([]);
      expect((await bennu(["check"], own)).stdout).not.toContain(kept);
      await server.terminate();
      await server.start();
      expect(await statusWith(portOf(server), ana)).toBe(404);
      await server.terminate();
      await rm(join(server.dataDir, "token-secret"));
      await server.start();
      expect(await statusWith(portOf(server), ana)).toBe(200);
      for (const text of [kept, ana]) expect(JSON.stringify(server.log) + server.stderr).not.toContain(text);
    } finally {
      await server.dispose();
    }
  });

  test("that is damaged stops the start and the signing, with a line that names the file", async () => {
    const server = await TestServer.create();
    const path = join(server.dataDir, "token-secret");
    await mkdir(server.dataDir, { recursive: true });
    await writeFile(path, "half-a-secret-half-a-secret-half-a-secret\n");
    const reason = `${path} holds no secret; remove it, and a new one is made`;
    const { code, stderr } = await server.startInVain();
    expect({ code, stderr }).toEqual({ code: 1, stderr: `bennu cannot start: ${reason}` });
    const printed = await bennu(forAna, { DATA_DIR: server.dataDir });
    expect(printed).toMatchObject({ code: 1, stdout: "", stderr: `bennu: ${reason}\n` });
    await server.dispose();
  });
});
