import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type JWTPayload, SignJWT } from "jose";
import { WebSocket } from "ws";
import { readCurrentSession } from "../../server/messaging/sessions.js";
import { loadPhoenix, type PhoenixSocket, disconnected, settled } from "../support/phoenix.js";
import { ask, problemCode } from "../support/plain-http.js";
import { RawSocket } from "../support/raw-socket.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

const secret = "a secret of more than thirty-two bytes";
const businessId = "B0100001";
const topic = `messages:${businessId}`;

const user: JWTPayload = { sub: "ana", role: "user", businessId };
const coordinator: JWTPayload = { sub: "carla", role: "coordinator", businessId };

let app: TestApp;
let clients: WireClient[] = [];

beforeAll(async () => {
  app = await startTestApp({ AUTH_SECRET: secret });
});

afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});

afterAll(() => app.dispose());

describe("[X4] tokens that are no good", () => {
  const now = Math.floor(Date.now() / 1000);
  const later = now + 3600;
  const bad: [string, () => string | Promise<string>][] = [
    ["expired", () => tokenOf({ ...user, exp: now - 1 })],
    ["of another secret", () => tokenOf({ ...user, exp: later }, { key: "another secret of thirty-two bytes!" })],
    ["signed otherwise", () => tokenOf({ ...user, exp: later }, { alg: "HS512" })],
    ["not signed", () => unsigned({ alg: "none" }, { ...user, exp: later })],
    ["not signed, in other letters", () => unsigned({ alg: "None" }, { ...user, exp: later })],
    ["without an algorithm", () => unsigned({}, { ...user, exp: later })],
    ["that never expires", () => tokenOf({ ...user })],
    ["that expires at a text", () => tokenOf({ ...user, exp: String(later) as unknown as number })],
    ["that expires at a list", () => tokenOf({ ...user, exp: [later] as unknown as number })],
    ["that expires at null", () => tokenOf({ ...user, exp: null as unknown as number })],
    ["that expired before all time", () => tokenOf({ ...user, exp: -1 })],
    ["not valid yet", () => tokenOf({ ...user, exp: later, nbf: now + 600 })],
    ["of nobody", () => tokenOf({ role: "user", businessId, exp: later })],
    ["of an impossible user", () => tokenOf({ ...user, sub: "a b", exp: later })],
    ["of no role", () => tokenOf({ sub: "ana", businessId, exp: later })],
    ["of an unknown role", () => tokenOf({ ...user, role: "admin", exp: later })],
    ["of a user of no business", () => tokenOf({ sub: "ana", role: "user", exp: later })],
    ["of a coordinator of no business", () => tokenOf({ sub: "carla", role: "coordinator", exp: later })],
    ["of an impossible business", () => tokenOf({ ...user, businessId: "a:b", exp: later })],
    ["of several businesses", () => tokenOf({ ...user, businessId: [businessId], exp: later })],
    ["that demands what we do not know", () => tokenOf({ ...user, exp: later }, { crit: ["x"] })],
    ["with a part too many", async () => `${await tokenOf({ ...user, exp: later })}.x`],
    ["with a part too few", async () => (await tokenOf({ ...user, exp: later })).split(".").slice(0, 2).join(".")],
    ["with something behind it", async () => `${await tokenOf({ ...user, exp: later })}x`],
    ["that is too long", () => tokenOf({ ...user, exp: later, padding: "x".repeat(5000) })],
    ["that is no token", () => "token"],
    ["that is empty", () => ""],
  ];

  test.each(bad)("[X-06] [X-07] one %s opens no socket and reads no history", async (_what, make) => {
    const token = await make();
    expect(await statusOf(`&token=${encodeURIComponent(token)}`)).toBe(403);
    const encoded = `base64url.bearer.phx.${Buffer.from(token).toString("base64").replaceAll("=", "")}`;
    expect(await statusOf("", { "sec-websocket-protocol": `phoenix, ${encoded}` })).toBe(403);
    for (const path of [`/api/sessions/business/${businessId}/active`, "/api/sessions/x/messages"]) {
      const answer = await ask(app, path, { headers: { authorization: `Bearer ${token}` } });
      expect([answer.status, problemCode(answer)]).toEqual([401, "unauthorized"]);
      expect(answer.headers["www-authenticate"]).toMatch(/^Bearer( error="invalid_token")?$/);
      if (token.length > 8) expect(answer.text).not.toContain(token.slice(0, 8));
    }
  });

  test("[X-01] without one there is no socket, whatever else is said", async () => {
    for (const query of [
      "",
      `&userId=ana&businessId=${businessId}`,
      "&role=coordinator",
      "&token[]=x",
      "&token[a]=x",
    ]) {
      expect(await statusOf(query)).toBe(403);
    }
  });

  test.each<Record<string, string>>([
    {},
    { "x-user-id": "ana" },
    { "x-role": "coordinator" },
    { authorization: "" },
    { authorization: "Bearer" },
    { authorization: "Basic YTpi" },
    { cookie: "token=x" },
  ])("%j over HTTP is 401", async (headers) => {
    const answer = await ask(app, `/api/sessions/business/${businessId}/active`, { headers });
    expect([answer.status, problemCode(answer)]).toEqual([401, "unauthorized"]);
  });

  test("a good token in a cookie, or as a parameter of a page, is nobody's", async () => {
    const token = await good(coordinator);
    const path = `/api/sessions/business/${businessId}/active`;
    expect((await ask(app, path, { headers: { cookie: `token=${token}` } })).status).toBe(401);
    expect((await ask(app, `${path}?token=${token}`)).status).toBe(401);
  });
});

describe("[X2] [X4] who a token is for", () => {
  test("a user is who the token says, whatever the join says", async () => {
    const client = await connect(await good(user));
    for (const payload of [{}, { userId: "ana" }, { userId: "mallory" }, { role: "coordinator" }]) {
      const { status, response } = await client.call(topic, "phx_join", payload);
      expect([status, response.role, response.userId]).toEqual(["ok", "user", "ana"]);
    }
  });

  test("[X3] a user speaks for himself alone, and nothing else is stored", async () => {
    const client = await connect(await good({ ...user, sub: "solo" }));
    await client.call(topic, "phx_join", { userId: "victim" });
    const refused = await client.call(topic, "new_message", messageOf("victim"));
    expect([refused.status, refused.response.code]).toEqual(["error", "forbidden"]);
    expect(await readCurrentSession(app.store, { businessId, userId: "victim" })).toBeNull();
    const accepted = await client.call(topic, "new_message", messageOf("solo"));
    expect(accepted.status).toBe("ok");
  });

  test("a coordinator coordinates, and speaks for nobody", async () => {
    const client = await connect(await good(coordinator));
    const { response } = await client.call(topic, "phx_join", { userId: "ana" });
    expect(response).toMatchObject({ role: "coordinator", activeSessions: expect.any(Number) as unknown });
    const refused = await client.call(topic, "new_message", messageOf("ana"));
    expect(refused.response.code).toBe("forbidden");
  });

  test("[X7] another business is answered as one that does not exist", async () => {
    for (const claims of [user, coordinator]) {
      const client = await connect(await good(claims));
      for (const other of ["messages:B0200002", "messages:b0100001", "messages:none", "messages:", "messages:*"]) {
        expect(await client.call(other, "phx_join", { userId: "ana" })).toEqual({
          status: "error",
          response: { reason: "not_found" },
        });
      }
    }
  });

  test("with tokens, a business that nobody described does not exist, not even for the service", async () => {
    const client = await connect(await good({ sub: "robot", role: "service" }));
    expect((await client.call("messages:B0200002", "phx_join", {})).response).toEqual({ reason: "not_found" });
    expect((await client.call(topic, "phx_join", {})).response).toMatchObject({ role: "coordinator" });
  });

  test("an agent has no business on the topic of the customers", async () => {
    const client = await connect(await good({ ...user, role: "agent" }));
    expect((await client.call(topic, "phx_join", { userId: "ana" })).response).toEqual({ reason: "forbidden" });
  });

  test("[X-09] [X-11] over HTTP a user reads what is his own; a coordinator what is the business's", async () => {
    const ana = await connect(await good({ ...user, sub: "reader" }));
    await ana.call(topic, "phx_join", {});
    const { response } = await ana.call(topic, "new_message", messageOf("reader"));
    const paths = [
      `/api/sessions/${String(response.sessionId)}/messages`,
      `/api/sessions/${businessId}:reader:${Date.now() - 43_200_000}/messages`,
    ];
    const active = `/api/sessions/business/${businessId}/active`;
    const unknown = "/api/sessions/8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11/messages";
    const principals: [JWTPayload, number, number][] = [
      [{ ...user, sub: "reader" }, 200, 404],
      [{ ...user, sub: "Reader" }, 404, 404],
      [{ ...user, sub: "reade" }, 404, 404],
      [{ ...user, sub: "reader", businessId: "B0200002" }, 404, 404],
      [coordinator, 200, 200],
      [{ ...coordinator, businessId: "B0200002" }, 404, 404],
      [{ sub: "robot", role: "service" }, 200, 200],
      [{ sub: "robot", role: "service", businessId: "B0200002" }, 404, 404],
      [{ ...user, sub: "reader", role: "agent" }, 404, 404],
    ];
    for (const [claims, history, list] of principals) {
      const headers = { authorization: `Bearer ${await good(claims)}`, "x-user-id": "reader", "x-role": "coordinator" };
      const missing = await ask(app, unknown, { headers });
      for (const path of paths) {
        const answer = await ask(app, path, { headers });
        expect([claims, answer.status]).toEqual([claims, history]);
        if (history === 404) expect(answer.text).toBe(missing.text);
      }
      expect([claims, (await ask(app, active, { headers })).status]).toEqual([claims, list]);
    }
  });
});

describe("[T5] where a token is given", () => {
  test("as the parameter `token`", async () => {
    const client = await connect(await good(user));
    expect((await client.call(topic, "phx_join", {})).response.userId).toBe("ana");
  });

  test("as `authToken` of phoenix 1.8.16; the subprotocol that is answered is phoenix", async () => {
    const socket = await phoenixSocket({ authToken: await good(user) });
    expect(await settled(socket.channel(topic, {}).join())).toMatchObject({ role: "user", userId: "ana" });
    expect((socket as unknown as { conn: WebSocket }).conn.protocol).toBe("phoenix");
    await disconnected(socket);
  });

  test("as `authToken` it goes before the parameter", async () => {
    const params = { token: await good({ ...user, sub: "other" }) };
    const socket = await phoenixSocket({ authToken: await good(user), params });
    expect(await settled(socket.channel(topic, {}).join())).toMatchObject({ userId: "ana" });
    await disconnected(socket);
  });

  test("a token for no audience, or another, is no good where one is asked for", async () => {
    const own = await startTestApp({ AUTH_SECRET: secret, AUTH_AUDIENCE: "desk" });
    const statuses: number[] = [];
    for (const aud of [undefined, "other", "desk", ["other", "desk"]]) {
      const token = await good(aud === undefined ? user : { ...user, aud });
      const headers = { authorization: `Bearer ${token}` };
      statuses.push((await ask(own, "/api/sessions/x/messages", { headers })).status);
    }
    expect(statuses).toEqual([401, 401, 404, 404]);
    await own.dispose();
  });
});

describe("[T3] [X-02] pages, where tokens say who is who", () => {
  const origins: [string | undefined, string | undefined, boolean][] = [
    [undefined, undefined, true],
    [undefined, "http://127.0.0.1:{port}", true],
    // Nobody knows whether a proxy has taken TLS off.
    [undefined, "https://127.0.0.1:{port}", true],
    [undefined, "http://127.0.0.1:1", false],
    [undefined, "http://localhost:{port}", false],
    [undefined, "https://evil.com", false],
    [undefined, "null", false],
    ["https://shop.example", "https://shop.example", true],
    ["https://shop.example", "http://shop.example", false],
    ["https://shop.example", "https://shop.example:8443", false],
    ["https://shop.example", "https://shop.example.evil.com", false],
    ["https://shop.example", "https://evilshop.example", false],
    ["https://shop.example", "http://127.0.0.1:{port}", false],
    ["https://shop.example, https://b.example", "https://b.example", true],
  ];

  test.each(origins)("ALLOWED_ORIGINS %p, Origin %p: %p", async (allowed, origin, isAllowed) => {
    const own = await startTestApp({
      AUTH_SECRET: secret,
      ...(allowed === undefined ? {} : { ALLOWED_ORIGINS: allowed }),
    });
    const asked = origin?.replace("{port}", String(own.port)) ?? null;
    const path = `/socket/websocket?vsn=2.0.0&token=${await good(user)}`;
    const socket = await RawSocket.upgrade(own.port, { path, headers: { origin: asked } });
    expect(socket.status).toBe(isAllowed ? 101 : 403);
    socket.reset();
    if (asked !== null) {
      const { headers } = await ask(own, "/healthz", { headers: { origin: asked } });
      expect(headers["access-control-allow-origin"]).toBe(isAllowed ? asked : undefined);
    }
    await own.dispose();
  });

  test("any name of the server is good, since a token is asked for", async () => {
    const headers = { host: "desk.example", authorization: `Bearer ${await good(coordinator)}` };
    expect((await ask(app, `/api/sessions/business/${businessId}/active`, { headers })).status).toBe(200);
  });
});

function tokenOf(
  claims: JWTPayload,
  { key = secret, alg = "HS256", crit }: { key?: string; alg?: string; crit?: string[] } = {},
): Promise<string> {
  const header = crit === undefined ? { alg } : { alg, crit, x: true };
  const options = crit === undefined ? {} : { crit: { x: true } };
  return new SignJWT(claims).setProtectedHeader(header).sign(new TextEncoder().encode(key), options);
}

function good(claims: JWTPayload): Promise<string> {
  return tokenOf({ ...claims, exp: Math.floor(Date.now() / 1000) + 600 });
}

function unsigned(header: unknown, claims: JWTPayload): string {
  const [head, body] = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return `${head}.${body}.`;
}

async function statusOf(query: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = await RawSocket.upgrade(app.port, { path: `/socket/websocket?vsn=2.0.0${query}`, headers });
  socket.reset();
  return socket.status;
}

async function connect(token: string): Promise<WireClient> {
  const client = await WireClient.connect(app.url, `&token=${token}`);
  clients.push(client);
  return client;
}

async function phoenixSocket(options: Record<string, unknown>): Promise<PhoenixSocket> {
  const Socket = await loadPhoenix("1.8.16");
  const socket = new Socket(`${app.url.replace(/^http/, "ws")}/socket`, { transport: WebSocket, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.onOpen(resolve);
    socket.onError(reject);
    socket.connect();
  });
  return socket;
}

function messageOf(userId: string) {
  return { businessId, userId, locationId: "default", message: "hello" };
}
