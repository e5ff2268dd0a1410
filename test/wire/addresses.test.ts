import { afterEach, describe, expect, test } from "@jest/globals";
import { SignJWT } from "jose";
import { type EndpointOptions, type MountOptions, refuse } from "../../server/bennu.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask, type HttpAnswer } from "../support/plain-http.js";
import { closeFrame, frame, RawSocket } from "../support/raw-socket.js";
import { type Served, serveEndpoint } from "../support/served-endpoint.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const webSocketPath = "/socket/websocket?vsn=2.0.0";
const longPollPath = "/socket/longpoll?vsn=2.0.0";

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** An endpoint that takes the word of a header for who asks, and so many sockets of each. */
async function serve(
  maxSocketsPerAddress: number,
  mount: Partial<MountOptions> = {},
  options: Partial<EndpointOptions> = {},
): Promise<Served> {
  const addressOf: EndpointOptions["addressOf"] = ({ headers }) => (headers["x-from"] as string | undefined) ?? "here";
  const served = await serveEndpoint(mount, { maxSocketsPerAddress, addressOf, ...options });
  cleanups.push(() => served.close());
  return served;
}

async function upgrade(
  port: number,
  headers: Record<string, string | null> = {},
  path = webSocketPath,
): Promise<RawSocket> {
  const socket = await RawSocket.upgrade(port, { path, headers });
  cleanups.push(() => socket.reset());
  return socket;
}

/** The status of an HTTP request for a session of long-poll, with that in its body. */
async function poll(
  port: number,
  headers: Record<string, string> = {},
): Promise<[http: number, body: number, token?: string]> {
  const { status, text } = await ask({ port }, longPollPath, { headers });
  const body = status === 200 ? (JSON.parse(text) as { status: number; token?: string }) : null;
  return body?.token === undefined ? [status, body?.status ?? 0] : [status, body.status, body.token];
}

const nobodyIsCounted = ({ endpoint }: Served) => until("nobody to be counted", () => endpoint.addressCount === 0);

const retryAfter = (socket: RawSocket) => /^retry-after: (.*)$/im.exec(socket.head ?? "")?.[1];

describe("[L20] O-05 one more socket of an address than it may have", () => {
  test("is answered 429 before connect, with when to come back, and is told of", async () => {
    let connects = 0;
    const served = await serve(2, {
      connect: () => {
        connects += 1;
        return {};
      },
    });
    const told: unknown[] = [];
    for (const name of ["limit.reached", "socket_refused"] as const)
      served.endpoint.telemetry.attach(name, (event) => told.push(event));
    const open = [await upgrade(served.port), await upgrade(served.port)];
    const refused = await upgrade(served.port);
    expect([open.map(({ status }) => status), refused.status, retryAfter(refused)]).toEqual([[101, 101], 429, "5"]);
    const answer: HttpAnswer = await ask(served, longPollPath);
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "5"]);
    expect((await ask(served, webSocketPath)).status).toBe(429);
    expect(connects).toBe(2);
    const limit = { limit: "MAX_SOCKETS_PER_ADDRESS" };
    expect(told).toEqual([
      limit,
      { mount: "/socket", transport: "websocket", status: 429 },
      limit,
      { mount: "/socket", transport: "longpoll", status: 429 },
      limit,
      { mount: "/socket", transport: "websocket", status: 429 },
    ]);
    expect((await upgrade(served.port, { "x-from": "elsewhere" })).status).toBe(101);
    expect(served.endpoint.addressCount).toBe(2);
    open[0]!.reset();
    await until("its end", () => served.endpoint.socketCount === 2);
    expect((await upgrade(served.port)).status).toBe(101);
  });

  test("is refused whichever transport it comes over", async () => {
    const { port } = await serve(2);
    expect((await upgrade(port)).status).toBe(101);
    expect((await poll(port)).slice(0, 2)).toEqual([200, 410]);
    expect([(await upgrade(port)).status, (await poll(port))[0]]).toEqual([429, 429]);
  });

  test("is refused also where the address is the peer's own, and nothing else is believed", async () => {
    const { port } = await serve(1, {}, { addressOf: undefined as never });
    expect((await upgrade(port)).status).toBe(101);
    expect((await upgrade(port, { "x-forwarded-for": "203.0.113.9", forwarded: "for=203.0.113.9" })).status).toBe(429);
  });

  test("does not keep the sockets there are from polling and sending", async () => {
    const { port } = await serve(1);
    const [, , token] = await poll(port);
    const sent = await ask({ port }, `${longPollPath}&token=${token}`, {
      method: "POST",
      body: '[null,"1","phoenix","heartbeat",{}]',
    });
    expect(JSON.parse(sent.text)).toEqual({ status: 200 });
    expect(JSON.parse((await ask({ port }, `${longPollPath}&token=${token}`)).text)).toMatchObject({ status: 200 });
  });

  test.each<[first: string, second: string, isSame: boolean]>([
    ["2001:db8::1", "2001:db8::ffff:0:0:1", true],
    ["2001:db8::1", "2001:DB8:0:0:9::", true],
    ["2001:db8::1", "2001:db8:0:1::1", false],
    ["192.0.2.1", "::ffff:192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
  ])("%s and %s have the same places: %p", async (first, second, isSame) => {
    const { port } = await serve(1);
    expect((await upgrade(port, { "x-from": first })).status).toBe(101);
    expect((await upgrade(port, { "x-from": second })).status).toBe(isSame ? 429 : 101);
  });
});

describe("[L20] O-05 a place is free again", () => {
  const slow = { connect: () => new Promise<never>(() => undefined) };
  const ends: [how: string, mount: Partial<MountOptions>, end: (served: Served) => void | Promise<void>][] = [
    ["when the peer closes", {}, closedBy(closeFrame(1000))],
    ["when the peer resets", {}, async ({ port }) => (await upgrade(port)).reset()],
    ["when the peer breaks the protocol", {}, closedBy("no frame at all")],
    ["when a malformed frame ends it", {}, closedBy(frame("{"))],
    [
      "when the endpoint ends it",
      {},
      async ({ port, endpoint }) => {
        await upgrade(port);
        endpoint.terminate();
      },
    ],
    [
      "when it is told to disconnect",
      { connect: () => ({ id: "users:1" }) },
      async ({ port, endpoint }) => {
        const socket = await upgrade(port);
        endpoint.broadcast("users:1", "disconnect", {});
        expect(await socket.closeCode()).toBe(1001);
        socket.reset();
      },
    ],
    ["when connect refuses", { connect: () => refuse() }, expecting(403)],
    ["when connect refuses later", { connect: () => Promise.resolve(refuse()) }, expecting(403)],
    ["when connect throws", { connect: () => Promise.reject(new Error("connect")) }, expecting(500)],
    ["when what connect says cannot be", { connect: () => ({ id: 7 }) as never }, expecting(500)],
    ["when its page may not", { checkOrigin: () => false }, expecting(403, { origin: "https://evil.example" })],
    ["when its name is not ours", { checkHost: () => false }, expecting(403)],
    ["when it speaks another version", {}, expecting(400, { "sec-websocket-version": "12" })],
    ["when it has no key", {}, expecting(400, { "sec-websocket-key": null })],
    ["when it has another serializer", {}, expecting(403, {}, "/socket/websocket?vsn=9.0.0")],
    ["when its query cannot be read", {}, expecting(400, {}, "/socket/websocket?vsn=%ff")],
    ["when it was no upgrade", {}, async (served) => expect((await ask(served, webSocketPath)).status).toBe(400)],
    [
      "when it was no upgrade, and connect throws",
      { connect: () => Promise.reject(new Error("connect")) },
      async (served) => expect((await ask(served, webSocketPath)).status).toBe(500),
    ],
    [
      "when a session of long-poll is refused",
      { connect: () => Promise.resolve(refuse()) },
      async ({ port }) => expect(await poll(port)).toEqual([200, 403]),
    ],
    [
      "when connect throws for long-poll",
      { connect: () => Promise.reject(new Error("connect")) },
      async ({ port }) => expect(await poll(port)).toEqual([500, 0]),
    ],
    [
      "when a session of long-poll ends",
      {},
      async ({ port, endpoint }) => {
        expect((await poll(port)).slice(0, 2)).toEqual([200, 410]);
        endpoint.terminate();
      },
    ],
    [
      "when the endpoint drains",
      {},
      async ({ port, endpoint }) => {
        await upgrade(port);
        await poll(port, { "x-from": "elsewhere" });
        await endpoint.drain();
        endpoint.terminate();
      },
    ],
  ];

  test.each(ends)("%s", async (_how, mount, end) => {
    const served = await serve(1, mount);
    served.endpoint.telemetry.attach("socket_crashed", () => undefined);
    await end(served);
    await nobodyIsCounted(served);
    expect(served.endpoint.socketCount).toBe(0);
  });

  test("when nobody has polled a session for its time", async () => {
    const clock = new FakeClock();
    const served = await serve(1, {}, { clock });
    await poll(served.port);
    expect([served.endpoint.addressCount, (await poll(served.port))[0]]).toEqual([1, 429]);
    clock.advance(15_000);
    expect(served.endpoint.addressCount).toBe(0);
    expect((await poll(served.port))[0]).toBe(200);
  });

  test.each<[transport: string, open: (served: Served) => Promise<{ readonly status: number }>]>([
    ["websocket", ({ port }) => upgrade(port)],
    ["longpoll", (served) => ask(served, longPollPath)],
  ])("when the endpoint began to stop while connect decided on %s", async (_transport, open) => {
    let decide = (_accepted: object) => undefined as void;
    const served = await serve(1, { connect: () => new Promise<object>((resolve) => (decide = resolve)) });
    const opening = open(served);
    await until("its decision", () => served.endpoint.addressCount === 1);
    served.endpoint.refuseNew();
    decide({});
    expect((await opening).status).toBe(503);
    await nobodyIsCounted(served);
  });

  test("which is not before connect has an end, also when the peer has gone meanwhile", async () => {
    const served = await serve(1, slow);
    const socket = await RawSocket.dial(served.port);
    socket.write("GET /socket/longpoll?vsn=2.0.0 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until("its decision", () => served.endpoint.addressCount === 1);
    socket.reset();
    expect((await upgrade(served.port)).status).toBe(429);
    expect(served.endpoint.addressCount).toBe(1);
  });

  test.each(["websocket", "longpoll"])(
    "after 300 of one address over %s that all reset while connect is slow",
    async (transport) => {
      const waiting: (() => void)[] = [];
      const served = await serve(50, { connect: () => new Promise((resolve) => waiting.push(() => resolve({}))) });
      const sockets = await Promise.all(Array.from({ length: 300 }, () => RawSocket.dial(served.port)));
      const asking = transport === "websocket" ? "connection: upgrade\r\nupgrade: websocket\r\n" : "";
      const head = `host: localhost\r\n${asking}sec-websocket-version: 13\r\nsec-websocket-key: ${"a".repeat(22)}==\r\n`;
      for (const socket of sockets) socket.write(`GET /socket/${transport}?vsn=2.0.0 HTTP/1.1\r\n${head}\r\n`);
      await until("250 answers", () => sockets.filter(({ status }) => status === 429).length === 250);
      expect([waiting.length, served.endpoint.addressCount]).toEqual([50, 1]);
      for (const socket of sockets) socket.reset();
      expect((await upgrade(served.port, { "x-from": "elsewhere" }, "/socket/websocket?vsn=9.0.0")).status).toBe(403);
      expect((await upgrade(served.port)).status).toBe(429);
      for (const decide of waiting) decide();
      await nobodyIsCounted(served);
      await until("the last of them", () => served.endpoint.socketCount === 0);
      const again = Array.from({ length: 50 }, () => upgrade(served.port));
      await until("50 new ones", () => waiting.length === 100);
      for (const decide of waiting) decide();
      expect(new Set((await Promise.all(again)).map(({ status }) => status))).toEqual(new Set([101]));
    },
  );
});

test("[L20] O-05 whose address cannot be told because that is a mistake costs one connection", async () => {
  const crashes: unknown[] = [];
  const error = new Error("addressOf");
  const addressOf = () => {
    throw error;
  };
  const served = await serve(1, {}, { addressOf });
  served.endpoint.telemetry.attach("socket_crashed", (event) => crashes.push(event));
  expect([(await upgrade(served.port)).status, (await ask(served, longPollPath)).status]).toEqual([500, 500]);
  expect((await ask(served, webSocketPath)).status).toBe(500);
  expect(crashes).toEqual([1, 2, 3].map(() => ({ mount: "/socket", error })));
  expect(served.endpoint.addressCount).toBe(0);
});

test.each<[string, Partial<EndpointOptions>]>([
  ["is no limit", { maxSocketsPerAddress: 0, addressOf: () => "here" }],
  ["are nobody's", { addressOf: () => null }],
])("[L20] O-05 where there %s, nobody is counted", async (_what, options) => {
  const served = await serve(1, {}, options);
  for (let count = 0; count < 3; count += 1) expect((await upgrade(served.port)).status).toBe(101);
  expect(served.endpoint.addressCount).toBe(0);
});

describe("[L20] [X12] O-05 the desk", () => {
  let app: TestApp;

  afterEach(() => app.dispose());

  async function start(environment: Record<string, string>): Promise<void> {
    app = await startTestApp({ MAX_SOCKETS_PER_ADDRESS: "2", ...environment });
  }

  const statusesOf = async (count: number, headersOf: (index: number) => Record<string, string>) => {
    const statuses: number[] = [];
    for (let index = 0; index < count; index += 1) statuses.push((await upgrade(app.port, headersOf(index))).status);
    return statuses;
  };

  test("does not count this machine, and believes nobody whom it was not told to", async () => {
    await start({});
    expect(await statusesOf(3, () => ({ "x-forwarded-for": "203.0.113.9" }))).toEqual([101, 101, 101]);
    expect(app.endpoint.addressCount).toBe(0);
  });

  test("counts those for whom a trusted proxy asks, whatever they have told the proxy", async () => {
    await start({ TRUSTED_PROXIES: "loopback, 10.0.0.0/8" });
    const spoofed = (index: number) => ({ "x-forwarded-for": `198.51.100.${index}, 203.0.113.9, 10.0.0.7` });
    expect(await statusesOf(3, spoofed)).toEqual([101, 101, 429]);
    expect(await statusesOf(1, () => ({ "x-forwarded-for": "203.0.113.10" }))).toEqual([101]);
    // The proxies themselves: they ask whether we live.
    expect(await statusesOf(3, () => ({}))).toEqual([101, 101, 101]);
    expect(await statusesOf(3, () => ({ "x-forwarded-for": "10.0.0.9" }))).toEqual([101, 101, 101]);
    expect(app.endpoint.addressCount).toBe(2);
    const { status, headers } = await ask(app, longPollPath, {
      headers: { "x-forwarded-for": "203.0.113.9", origin: "http://localhost:5173" },
    });
    expect([status, headers["retry-after"]]).toEqual([429, "5"]);
    expect(headers["access-control-allow-origin"]).toBe("http://localhost:5173");
    expect(headers["access-control-expose-headers"]).toBe("retry-after");
  });

  test("refuses before it looks at a token", async () => {
    const secret = "a secret of more than thirty-two bytes";
    await start({ TRUSTED_PROXIES: "loopback", MAX_SOCKETS_PER_ADDRESS: "1", AUTH_SECRET: secret });
    const token = await new SignJWT({ sub: "ana", role: "user", businessId: "B0100001" })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("10m")
      .sign(new TextEncoder().encode(secret));
    const headers = { "x-forwarded-for": "203.0.113.9" };
    const statusWith = async (given: string) =>
      (await upgrade(app.port, headers, `${webSocketPath}&token=${given}`)).status;
    expect([await statusWith("none"), await statusWith(token), await statusWith("none")]).toEqual([403, 101, 429]);
  });

  test("counts nobody where that is switched off", async () => {
    await start({ TRUSTED_PROXIES: "loopback", MAX_SOCKETS_PER_ADDRESS: "0" });
    expect(await statusesOf(3, () => ({ "x-forwarded-for": "203.0.113.9" }))).toEqual([101, 101, 101]);
    expect(app.endpoint.addressCount).toBe(0);
  });
});

function expecting(status: number, headers: Record<string, string | null> = {}, path?: string) {
  return async ({ port }: Served) => expect((await upgrade(port, headers, path)).status).toBe(status);
}

/** By what it has sent, and then both close. */
function closedBy(bytes: Uint8Array | string) {
  return async ({ port }: Served) => {
    const socket = await upgrade(port);
    socket.write(bytes);
    await socket.closeCode();
    socket.reset();
  };
}
