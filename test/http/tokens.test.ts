import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WebSocket } from "ws";
import type { TokenClaims } from "../../server/auth/token.js";
import { Telemetry } from "../../server/telemetry.js";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { Issuer, signedText } from "../support/issuer.js";
import { connectPhoenix, disconnected, loadPhoenix, settled } from "../support/phoenix.js";
import { ask, type HttpAnswer, problemCode } from "../support/plain-http.js";
import { RawSocket } from "../support/raw-socket.js";
import { makeDataDir, startTestApp, type TestApp } from "../support/start-app.js";

const secret = "a secret of more than thirty-two bytes";
const older = "the secret that was good before this one";
const businessId = "B0100001";
const closedId = "B0200002";
const topic = `messages:${businessId}`;
const monthSeconds = 30 * 24 * 3600;

const robot = { sub: "robot", role: "service", businessId: null } as const;
const ana = { sub: "ana", role: "user", businessId } as const;

let businesses: string;
let app: TestApp;

// One business that welcomes visitors, and one that does not.
beforeAll(async () => {
  businesses = await makeDataDir();
  const described = join(import.meta.dirname, "..", "..", "businesses", `${businessId}.yaml`);
  await copyFile(described, join(businesses, `${businessId}.yaml`));
  const closed = (await readFile(described, "utf8"))
    .replace(`businessId: ${businessId}`, `businessId: ${closedId}`)
    .replace("welcomesVisitors: true", "welcomesVisitors: false");
  await writeFile(join(businesses, `${closedId}.yaml`), closed);
  app = await start({ AUTH_SECRET: secret });
});

afterAll(async () => {
  await app.dispose();
  await rm(businesses, { recursive: true, force: true });
});

function start(environment: Readonly<Record<string, string>>): Promise<TestApp> {
  return startTestApp({ BUSINESSES_DIR: businesses, ...environment });
}

interface Issued {
  readonly token: string;
  readonly sub: string;
  readonly role: string;
  readonly businessId: string | null;
  readonly expiresAt: string;
}

/** A token of somebody, by the secret of the server. */
function tokenOf(claims: TokenClaims | Record<string, unknown>, key = secret): string {
  const { businessId: ofBusiness, ...rest } = claims;
  const exp = Math.floor(Date.now() / 1000) + 600;
  const all = { exp, ...rest, ...(ofBusiness === null ? {} : { businessId: ofBusiness }) };
  return signedText(key, `{"alg":"HS256"}`, JSON.stringify(all));
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function post(path: string, body: unknown, headers: Record<string, string> = {}, server = app): Promise<HttpAnswer> {
  const sent = { "content-type": "application/json", ...headers };
  return ask(server, path, { method: "POST", headers: sent, body: JSON.stringify(body) });
}

function issue(body: unknown, by: TokenClaims = robot): Promise<HttpAnswer> {
  return post("/api/tokens", body, bearer(tokenOf(by)));
}

function visit(of: string, headers: Record<string, string> = {}, server = app): Promise<HttpAnswer> {
  return ask(server, `/api/visitors/${of}`, { method: "POST", headers });
}

const read = (answer: HttpAnswer) => JSON.parse(answer.text) as Issued;

/** What somebody may read: 200 or 404; without a token that is good 401. */
async function statusWith(token: string, server = app): Promise<number> {
  return (await ask(server, "/api/sessions/x/messages", { headers: bearer(token) })).status;
}

describe("[X11] POST /api/tokens", () => {
  test.each<[Record<string, unknown>, Partial<Issued>]>([
    [ana, ana],
    [{ ...ana, role: "coordinator" }, { role: "coordinator" }],
    [{ ...ana, role: "agent" }, { role: "agent" }],
    [
      { ...ana, role: "service" },
      { role: "service", businessId },
    ],
    [{ sub: "robot-2", role: "service" }, { businessId: null }],
    [{ ...ana, businessId: closedId }, { businessId: closedId }],
    [{ ...ana, sub: "telegram:7+x|y@z.example" }, { sub: "telegram:7+x|y@z.example" }],
  ])("%j", async (body, expected) => {
    const before = Date.now();
    const answer = await issue(body);
    expect([answer.status, answer.headers["cache-control"]]).toEqual([201, "no-store"]);
    const issued = read(answer);
    expect(Object.keys(issued)).toEqual(["token", "sub", "role", "businessId", "expiresAt"]);
    expect(issued).toMatchObject(expected);
    const lifeMs = Date.parse(issued.expiresAt) - before;
    expect(lifeMs).toBeGreaterThan(3_598_000);
    expect(lifeMs).toBeLessThan(3_610_000);
    expect(await statusWith(issued.token)).toBe(404);
  });

  test.each([1, 60, monthSeconds])("expiresIn %p is how long it is good", async (expiresIn) => {
    const before = Math.floor(Date.now() / 1000);
    const { expiresAt, token } = read(await issue({ ...ana, expiresIn }));
    const { iat, exp } = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()) as Record<
      string,
      number
    >;
    expect(exp! - iat!).toBe(expiresIn);
    expect(Date.parse(expiresAt)).toBe(exp! * 1000);
    expect(iat! - before).toBeLessThan(10);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a list", [ana]],
    ["a text", "ana"],
    ["an empty object", {}],
    ["no sub", { ...ana, sub: undefined }],
    ["an empty sub", { ...ana, sub: "" }],
    ["a sub that is impossible", { ...ana, sub: "a b" }],
    ["a sub that is too long", { ...ana, sub: "x".repeat(129) }],
    ["a sub that is a number", { ...ana, sub: 7 }],
    ["no role", { ...ana, role: undefined }],
    ["a role there is not", { ...ana, role: "admin" }],
    ["a role in other letters", { ...ana, role: "User" }],
    ["a list of roles", { ...ana, role: ["user"] }],
    ["a user of no business", { ...ana, businessId: undefined }],
    ["an agent of no business", { ...ana, role: "agent", businessId: undefined }],
    ["a business that is impossible", { ...ana, businessId: "a:b" }],
    ["a business that is null", { sub: "x", role: "service", businessId: null }],
    ["expiresIn 0", { ...ana, expiresIn: 0 }],
    ["expiresIn -1", { ...ana, expiresIn: -1 }],
    ["expiresIn 1.5", { ...ana, expiresIn: 1.5 }],
    ["expiresIn a text", { ...ana, expiresIn: "3600" }],
    ["expiresIn null", { ...ana, expiresIn: null }],
    ["expiresIn above a month", { ...ana, expiresIn: monthSeconds + 1 }],
    ["expiresIn 1e30", { ...ana, expiresIn: 1e30 }],
    ["a field there is not", { ...ana, exp: 1 }],
    ["a field there is not, of nothing", { ...ana, admin: null }],
    ["a field in other letters", { ...ana, businessID: closedId }],
  ])("%s is 400", async (_what, body) => {
    const answer = await issue(body);
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
    expect(answer.text).not.toMatch(/node_modules|ZodError|\n +at /);
  });

  test.each<[string, string, Record<string, string>, number, string]>([
    ["half of it", `{"sub":"ana"`, {}, 400, "invalid_payload"],
    [
      "an object's own names",
      `{"__proto__":{"sub":"ana","role":"user","businessId":"B0100001"}}`,
      {},
      400,
      "invalid_payload",
    ],
    ["no JSON by its type", JSON.stringify(ana), { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["of no type", JSON.stringify(ana), { "content-type": "" }, 415, "unsupported_media_type"],
    ["a form", "sub=ana", { "content-type": "application/x-www-form-urlencoded" }, 415, "unsupported_media_type"],
    ["compressed", "x", { "content-encoding": "gzip" }, 415, "unsupported_media_type"],
    ["of a charset nobody has", "{}", { "content-type": "application/json; charset=x" }, 415, "unsupported_media_type"],
    ["over the limit", JSON.stringify({ ...ana, x: "x".repeat(65_536) }), {}, 413, "payload_too_large"],
  ])("a body that is %s", async (_what, body, headers, status, code) => {
    const sent = { ...bearer(tokenOf(robot)), "content-type": "application/json", ...headers };
    const answer = await ask(app, "/api/tokens", { method: "POST", headers: sent, body });
    expect([answer.status, problemCode(answer)]).toEqual([status, code]);
    expect(answer.text).not.toMatch(/JSON at position|Unexpected|SyntaxError/);
  });

  const ofBusiness = { ...robot, businessId };
  test.each<[string, TokenClaims, unknown]>([
    ["a user", ana, ana],
    ["a coordinator", { ...ana, role: "coordinator" }, ana],
    ["an agent", { ...ana, role: "agent" }, ana],
    ["a user whose question is none", ana, { sub: 7 }],
    ["a service of another business", ofBusiness, { ...ana, businessId: closedId }],
    ["a service of a business, for every one", ofBusiness, { sub: "x", role: "service" }],
    ["a service of a business that there is not", { ...robot, businessId: "none" }, ana],
    ["a service, for a business that there is not", robot, { ...ana, businessId: "none" }],
    ["a service, for a business in other letters", robot, { ...ana, businessId: "b0100001" }],
  ])("%s learns that there is no such thing", async (_what, by, body) => {
    const answer = await issue(body, by);
    expect([answer.status, problemCode(answer)]).toEqual([404, "not_found"]);
    expect(answer.text).toBe((await ask(app, "/api/none")).text);
  });

  test("a service of a business issues tokens for that business", async () => {
    expect((await issue({ ...ana, role: "service" }, ofBusiness)).status).toBe(201);
  });

  test("without a token it is 401", async () => {
    expect(problemCode(await post("/api/tokens", ana))).toBe("unauthorized");
  });

  test("what was issued says who somebody is, on a socket as well", async () => {
    const { token } = read(await issue(ana));
    for (const params of [{ token }, { token, userId: "eva", role: "coordinator" }]) {
      const socket = await connectPhoenix("1.8.16", app.url, params);
      const joined = await settled(socket.channel(topic, { userId: "ana" }).join());
      expect(joined).toMatchObject({ role: "user", userId: "ana" });
      await disconnected(socket);
    }
    const Socket = await loadPhoenix("1.8.16");
    const url = `${app.url.replace(/^http/, "ws")}/socket`;
    const socket = new Socket(url, { transport: WebSocket, authToken: token, heartbeatIntervalMs: 800 });
    const opened = new Promise<void>((resolve) => socket.onOpen(resolve));
    socket.connect();
    await opened;
    expect(await settled(socket.channel(topic, {}).join())).toMatchObject({ role: "user", userId: "ana" });
    await disconnected(socket);
  });
});

describe("[X11] POST /api/visitors/:businessId", () => {
  test("a visitor gets a token for a day, and is a user of that business", async () => {
    const answer = await visit(businessId);
    expect([answer.status, answer.headers["cache-control"]]).toEqual([201, "no-store"]);
    const issued = read(answer);
    expect(issued).toMatchObject({ role: "user", businessId, sub: expect.stringMatching(/^visitor-[\w-]{16,}$/) });
    expect(Date.parse(issued.expiresAt) - Date.now()).toBeGreaterThan(86_390_000);
    const socket = await connectPhoenix("1.8.16", app.url, { token: issued.token });
    const joined = await settled(socket.channel(topic, {}).join());
    expect(joined).toMatchObject({ role: "user", userId: issued.sub });
    await disconnected(socket);
    expect(read(await visit(businessId)).sub).not.toBe(issued.sub);
  });

  test("who comes back with a good token stays who he is", async () => {
    const first = read(await visit(businessId));
    const second = read(await visit(businessId, bearer(first.token)));
    expect(second.sub).toBe(first.sub);
    expect(await statusWith(second.token)).toBe(404);
  });

  const visitor = { sub: "visitor-7", role: "user", businessId } as const;
  test.each<[string, string]>([
    ["a token that is over", tokenOf({ ...visitor, exp: 1 })],
    ["a token of another secret", tokenOf(visitor, older)],
    ["no token", "x"],
    ["a visitor's token of another business", tokenOf({ ...visitor, businessId: closedId })],
    ["a user's token", tokenOf(ana)],
    ["a coordinator's token", tokenOf({ ...visitor, role: "coordinator" })],
    ["an agent's token", tokenOf({ ...visitor, role: "agent" })],
    ["a service's token", tokenOf({ ...visitor, role: "service" })],
  ])("who comes with %s is somebody new", async (_what, token) => {
    const answer = await visit(businessId, bearer(token));
    expect(answer.status).toBe(201);
    const { sub, role } = read(answer);
    expect(role).toBe("user");
    expect(sub).toMatch(/^visitor-[\w-]{16,}$/);
  });

  test.each([
    closedId,
    "none",
    "b0100001",
    "%EF%BC%A20100001",
    "B0100001%20",
    "B0100001%00",
    "..",
    "a%2Fb",
    "*",
    "__proto__",
  ])("of %s: there is no such thing, whoever asks", async (of) => {
    const nothing = (await ask(app, "/api/none")).text;
    for (const headers of [{}, bearer(tokenOf(robot)), bearer(tokenOf({ ...visitor, businessId: closedId }))]) {
      const answer = await visit(of, headers);
      expect([answer.status, problemCode(answer), answer.text]).toEqual([404, "not_found", nothing]);
    }
  });

  test("what cannot be read of a path is 400", async () => {
    expect(problemCode(await visit("%E0%A4%A"))).toBe("invalid_payload");
  });

  test("only POST makes a visitor", async () => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      expect((await ask(app, `/api/visitors/${businessId}`, { method })).status).toBe(405);
    }
  });
});

describe("[X10] DELETE /api/tokens", () => {
  const revoke = (query: string, by: TokenClaims = robot) =>
    ask(app, `/api/tokens${query}`, { method: "DELETE", headers: bearer(tokenOf(by)) });

  test("ends what was issued until now, to that one alone", async () => {
    const [one, other] = [read(await issue({ ...ana, sub: "gone" })), read(await issue({ ...ana, sub: "here" }))];
    const elsewhere = read(await issue({ ...ana, sub: "gone", businessId: closedId }));
    const answer = await revoke(`?sub=gone&businessId=${businessId}`);
    const before = Date.parse((JSON.parse(answer.text) as { issuedBefore: string }).issuedBefore);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({
      sub: "gone",
      businessId,
      issuedBefore: new Date(before).toISOString(),
    });
    const statuses = [one, other, elsewhere].map(({ token }) => statusWith(token));
    expect(await Promise.all(statuses)).toEqual([401, 404, 404]);
    const later = tokenOf({ ...ana, sub: "gone", iat: before / 1000 });
    expect(await statusWith(later)).toBe(404);
  });

  test("a visitor whose token was ended is somebody new", async () => {
    const { sub, token } = read(await visit(businessId));
    await revoke(`?sub=${sub}&businessId=${businessId}`);
    expect(read(await visit(businessId, bearer(token))).sub).not.toBe(sub);
  });

  test.each([
    "",
    "?sub=",
    "?sub=a%20b",
    "?sub=a&sub=b",
    `?businessId=${businessId}`,
    "?sub=a&businessId=",
    "?sub=a&businessId=a:b",
    `?sub=a&businessID=${businessId}`,
    "?sub=a&all=1",
  ])("%j is 400, and ends nothing", async (query) => {
    const answer = await revoke(query);
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
  });

  test.each<[string, TokenClaims, string]>([
    ["a user", ana, `?sub=ana&businessId=${businessId}`],
    ["a coordinator", { ...ana, role: "coordinator" }, `?sub=ana&businessId=${businessId}`],
    ["a user whose question is none", ana, "?x=1"],
    ["a service of another business", { ...robot, businessId: closedId }, `?sub=ana&businessId=${businessId}`],
    ["a service of a business, for every one", { ...robot, businessId }, "?sub=ana"],
  ])("%s learns that there is no such thing", async (_what, by, query) => {
    const answer = await revoke(query, by);
    expect([answer.status, answer.text]).toEqual([404, (await ask(app, "/api/none")).text]);
    expect(await statusWith(tokenOf({ ...ana, iat: Math.floor(Date.now() / 1000) }))).toBe(404);
  });
});

describe("[X-15] secrets that follow one another", () => {
  test("the old one is good until the server is started without it", async () => {
    const without = { AUTH_SECRET: secret };
    const both = await start({ ...without, AUTH_SECRET_PREVIOUS: older });
    expect([await statusWith(tokenOf(ana), both), await statusWith(tokenOf(ana, older), both)]).toEqual([404, 404]);
    const issued = read(await post("/api/tokens", ana, bearer(tokenOf(robot, older)), both)).token;
    await both.dispose();
    const after = await start(without);
    expect([await statusWith(issued, after), await statusWith(tokenOf(ana, older), after)]).toEqual([404, 401]);
    await after.dispose();
  });
});

describe("[X4] AUTH_AUDIENCE", () => {
  test("is in what the server issues, and asked of everybody", async () => {
    const own = await start({ AUTH_SECRET: secret, AUTH_AUDIENCE: "desk" });
    expect(await statusWith(tokenOf(ana), own)).toBe(401);
    const by = bearer(tokenOf({ ...robot, aud: ["other", "desk"] }));
    expect(await statusWith(read(await post("/api/tokens", ana, by, own)).token, own)).toBe(404);
    expect(await statusWith(read(await visit(businessId, {}, own)).token, own)).toBe(404);
    await own.dispose();
  });
});

describe("[X4] an open server", () => {
  test("keeps its secret with its data: what it issued is good after a restart", async () => {
    const environment = { DATA_DIR: await makeDataDir() };
    const body = { sub: "bot", role: "agent", businessId };
    const open = await start(environment);
    const { token } = read(await post("/api/tokens", body, { "x-role": "service" }, open));
    expect((await visit(businessId, {}, open)).status).toBe(201);
    expect((await visit("none", {}, open)).status).toBe(404);
    expect((await post("/api/tokens", body, {}, open)).status).toBe(404);
    await open.stop();
    const again = await start(environment);
    // Whoever is not known is a coordinator here, and would be shown the list.
    const active = `/api/sessions/business/${businessId}/active`;
    expect((await ask(again, active)).status).toBe(200);
    expect((await ask(again, active, { headers: bearer(token) })).status).toBe(404);
    await again.dispose();
    await open.dispose();
  });
});

describe("[X4] a server whose tokens others sign", () => {
  let issuer: Issuer;
  let own: TestApp;
  const failures: unknown[] = [];

  beforeAll(async () => {
    issuer = await Issuer.start();
    await issuer.publishKey("one", "ES256");
    const telemetry = new Telemetry<DeskEvents>();
    telemetry.attach("http.failed", ({ error }) => failures.push(error));
    telemetry.attach("socket_crashed", ({ error }) => failures.push(error));
    own = await startTestApp(
      { AUTH_JWKS_URL: issuer.url.replace("//", "//desk:password@"), BUSINESSES_DIR: businesses },
      { telemetry },
    );
  });

  afterAll(async () => {
    await own.dispose();
    await issuer.stop();
  });

  const by = ({ sub, role, businessId: of }: TokenClaims) =>
    issuer.sign("one", {
      sub,
      role,
      ...(of === null ? {} : { businessId: of }),
      exp: Math.floor(Date.now() / 1000) + 600,
    });

  // Before any other: nothing has been fetched.
  test("says 503 while the keys cannot be had, and is as before when they can", async () => {
    const token = await by(ana);
    issuer.answer = (_request, response) => void response.writeHead(500).end("secret of the other");
    const refused = await ask(own, "/api/sessions/x/messages", { headers: bearer(token) });
    expect([refused.status, problemCode(refused)]).toEqual([503, "keys_unavailable"]);
    expect(refused.text).not.toMatch(/127\.0\.0\.1|answer|secret|password/);
    const socket = await RawSocket.upgrade(own.port, { path: `/socket/websocket?vsn=2.0.0&token=${token}` });
    expect(socket.status).toBe(503);
    expect(socket.body).not.toMatch(/KeysUnavailable|AUTH_JWKS_URL|password/);
    socket.reset();
    expect(failures.map((error) => (error as Error).name)).toContain("KeysUnavailable");
    expect(failures.map(String).join()).not.toContain("password");
    expect((await ask(own, "/healthz")).status).toBe(200);
    issuer.answer = null;
    await retried(async () => (await statusWith(token, own)) === 404);
    const client = await connectPhoenix("1.8.16", own.url, { token });
    expect(await settled(client.channel(topic, {}).join())).toMatchObject({ role: "user", userId: "ana" });
    await disconnected(client);
  });

  test("issues none, to nobody", async () => {
    const nothing = (await ask(own, "/api/none")).text;
    const asked = [
      await post("/api/tokens", ana, bearer(await by(robot)), own),
      await visit(businessId, {}, own),
      await visit("none", {}, own),
    ];
    for (const answer of asked) expect([answer.status, answer.text]).toEqual([404, nothing]);
  });

  test("ends them all the same", async () => {
    const token = await by({ ...ana, sub: "gone" });
    expect(await statusWith(token, own)).toBe(404);
    const path = `/api/tokens?sub=gone&businessId=${businessId}`;
    expect((await ask(own, path, { method: "DELETE", headers: bearer(await by(robot)) })).status).toBe(200);
    expect(await statusWith(token, own)).toBe(401);
  });
});

describe("[X-06] [X7] tokens that are no good", () => {
  test("are answered alike, without a word of why", async () => {
    const good = tokenOf(ana);
    const [head, body, signature] = good.split(".");
    const none = Buffer.from(`{"alg":"none"}`).toString("base64url");
    const bad = [
      "x",
      "..",
      `${head}.${body}`,
      `${head}.${body}.`,
      `${none}.${body}.`,
      `${none}.${body}.${signature}`,
      `${good}.${signature}`,
      `${good}=`,
      tokenOf(ana, older),
      tokenOf({ ...ana, exp: "9999999999" }),
      tokenOf({ ...ana, exp: 1 }),
      signedText(secret, `{"alg":"HS256","jku":"${app.url}"}`, "{}"),
      signedText(secret, `{"alg":"RS256"}`, "{}"),
      signedText(secret, "{", "{"),
      "x".repeat(5000),
    ];
    const answers = await Promise.all(
      bad.map((token) => ask(app, "/api/sessions/x/messages", { headers: bearer(token) })),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(problemCode(answers[0]!)).toBe("unauthorized");
    const path = "/socket/websocket?vsn=2.0.0&token=";
    for (const token of bad) {
      const socket = await RawSocket.upgrade(app.port, { path: `${path}${encodeURIComponent(token)}` });
      expect([socket.status, socket.body]).toEqual([403, expect.not.stringMatching(/token|JW|error/i)]);
      socket.reset();
    }
  });

  test("one of a million characters is not even read", async () => {
    const long = "x".repeat(1_000_000);
    const path = `/socket/websocket?vsn=2.0.0&token=${long}`;
    const asked = [
      RawSocket.upgrade(app.port, { path }),
      RawSocket.upgrade(app.port, { headers: { authorization: `Bearer ${long}` } }),
      RawSocket.upgrade(app.port, { headers: { "sec-websocket-protocol": `phoenix, base64url.bearer.phx.${long}` } }),
    ];
    for (const socket of await Promise.all(asked)) {
      expect([431, 0]).toContain(socket.status);
      socket.reset();
    }
    expect(await statusWith(tokenOf(ana))).toBe(404);
  });
});

/** Asks until it is so: a server has its own time. */
async function retried(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await isSo())) if (Date.now() > end) throw new Error("waited 10 s in vain");
}
