import { createServer } from "node:http";
import { afterEach, describe, expect, test } from "@jest/globals";
import {
  type Accepted,
  Channel,
  type ConnectInfo,
  Endpoint,
  type EndpointOptions,
  error,
  type MountOptions,
  ok,
  refuse,
  type Refused,
  stop,
} from "../../server/bennu.js";
import { FakeClock } from "../support/fake-clock.js";
import { connectOffline, type OfflineClient } from "../support/offline-client.js";
import { ask } from "../support/plain-http.js";
import { RawSocket } from "../support/raw-socket.js";
import { EchoRoom, plainBeside, serveEndpoint } from "../support/served-endpoint.js";
import { until } from "../support/until.js";

const webSocketPath = "/socket/websocket?vsn=2.0.0";
const longPollPath = "/socket/longpoll?vsn=2.0.0";

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(mount: Partial<MountOptions> = {}, options: Partial<EndpointOptions> = {}) {
  const served = await serveEndpoint(mount, options);
  cleanups.push(() => served.close());
  const errors: unknown[] = [];
  served.endpoint.telemetry.attach("socket_crashed", ({ error: cause }) => void errors.push(cause));
  return { ...served, errors };
}

async function upgrade(port: number, headers: Record<string, string> = {}): Promise<RawSocket> {
  const socket = await RawSocket.upgrade(port, { path: webSocketPath, headers });
  cleanups.push(() => socket.reset());
  return socket;
}

describe("what connect returns", () => {
  const mistakes: [name: string, decision: unknown, told: string][] = [
    ["an error that is none of ours", { error: "unauthorized" }, "error"],
    ["a reason alone", { reason: "unauthorized" }, "reason"],
    ["nothing", undefined, "undefined"],
    ["null", null, "null"],
    ["false", false, "false"],
    ["true", true, "true"],
    ["zero", 0, "a number"],
    ["a word", "error", "a string"],
    ["a list", [], "a list"],
    ["the ok of a channel", ok(), "status"],
    ["the error of a channel", error({ reason: "no" }), "status"],
    ["the stop of a channel", stop(), "an object"],
    ["an id that is no text", { id: 5 }, "id"],
    ["assigns that are no object", { assigns: "admin" }, "assigns"],
    ["assigns that are a list", { assigns: [] }, "assigns"],
    ["a limit below nothing", { maxFrameBytes: -1 }, "a maxFrameBytes"],
    ["a limit that is no number", { maxFrameBytes: "1024" }, "a maxFrameBytes"],
    ["a user instead of assigns", { id: "u", name: "Ana" }, "name"],
    ["a function", () => ({}), "a function"],
  ];

  test.each(mistakes)("[T4] and is neither is answered 500: %s", async (_name, decision, told) => {
    for (const connect of [() => decision, () => Promise.resolve(decision)] as (() => Accepted)[]) {
      const { port, endpoint, errors } = await serve({ connect });
      const socket = await upgrade(port);
      expect([socket.status, socket.body]).toEqual([500, ""]);
      expect((await ask({ port }, longPollPath)).status).toBe(500);
      expect((await ask({ port }, webSocketPath)).status).toBe(500);
      expect(endpoint.socketCount).toBe(0);
      expect(errors).toHaveLength(3);
      expect(String(errors[0])).toContain("connect");
      expect(String(errors[0])).toContain(told);
      expect(String(errors[0])).not.toMatch(/unauthorized|Ana/);
    }
  });

  test.each<[name: string, decision: Accepted]>([
    ["nothing of itself", {}],
    ["an id", { id: "u" }],
    ["no id", { id: null, assigns: { a: 1 } }],
    ["what is undefined", { id: undefined, assigns: undefined } as unknown as Accepted],
    [
      "assigns of a class",
      {
        assigns: new (class Assigns {
          [name: string]: unknown;
          a = 1;
        })(),
      },
    ],
  ])("[T4] and says %s, is accepted", async (_name, decision) => {
    const { port } = await serve({ connect: () => decision });
    expect((await upgrade(port)).status).toBe(101);
  });

  test("[T4] must be one of the two by its type", () => {
    const connects: MountOptions["connect"][] = [
      () => refuse(),
      () => ({}),
      (params) => (params.deny === "true" ? refuse("denied") : { id: "u" }),
      async () => ((await Promise.resolve(true)) ? { assigns: { a: 1 } } : refuse()),
      // @ts-expect-error: an error that is none of ours
      () => ({ error: "unauthorized" }),
      // @ts-expect-error: a reason alone
      (params) => (params.deny === "true" ? { reason: "denied" } : { id: "u" }),
      // @ts-expect-error: the error of a channel
      () => error({ reason: "no" }),
      // @ts-expect-error: the same, later
      () => Promise.resolve({ error: "unauthorized" }),
      // @ts-expect-error: nothing
      () => undefined,
    ];
    expect(connects).toHaveLength(9);
  });
});

describe("what onRefused returns", () => {
  const mistakes: [name: string, answer: unknown][] = [
    ["a header over two lines", { status: 403, headers: { "x-why": "a\r\nset-cookie: a=b" } }],
    ["a header with a control character", { status: 403, headers: { "x-why": "a\u0000" } }],
    ["a header that Latin-1 has not", { status: 403, headers: { "x-why": "ț" } }],
    ["a name that is no header", { status: 403, headers: { "x why": "a" } }],
    ["a name over two lines", { status: 403, headers: { "x\r\ny": "a" } }],
    ["a header without a value", { status: 403, headers: { "x-why": undefined } }],
    ["headers that are none", { status: 403, headers: "x: y" }],
    ["no status", { body: "no" }],
    ["a status that is none", { status: 99 }],
    ["a status that is no answer", { status: 101 }],
    ["a status that is text", { status: "403" }],
    ["half a status", { status: 403.5 }],
    ["a body that is no text", { status: 403, body: { reason: "no" } }],
    ["a promise", Promise.resolve({ status: 403 })],
    ["a word", "no"],
  ];

  test.each(mistakes)("[T4] and cannot be sent is answered 500: %s", async (_name, answer) => {
    const { port, errors } = await serve({
      connect: () => Promise.resolve(refuse("denied")),
      onRefused: () => answer as never,
    });
    const socket = await upgrade(port);
    expect([socket.status, socket.head]).toEqual([500, expect.not.stringContaining("cookie")]);
    expect((await ask({ port }, webSocketPath)).status).toBe(500);
    expect(errors).toHaveLength(2);
    expect(String(errors[0])).toContain("onRefused");
  });

  test("[T4] is sent as it is, but for what frames it", async () => {
    const headers = {
      "X-Why": "too many",
      Connection: "keep-alive",
      "Content-Length": "1",
      "transfer-encoding": "chunked",
    };
    const { port } = await serve({
      connect: () => refuse(1),
      onRefused: () => ({ status: 429, headers, body: "später" }),
    });
    const socket = await upgrade(port);
    expect(socket.head!.split("\r\n")).toEqual([
      "HTTP/1.1 429 Too Many Requests",
      "X-Why: too many",
      "connection: close",
      "content-length: 7",
    ]);
    await until("the body", () => socket.body === "später");
    const plain = await ask({ port }, webSocketPath);
    expect([plain.status, plain.text, plain.headers["x-why"]]).toEqual([429, "später", "too many"]);
  });

  test("[T4] and is nothing, is 403", async () => {
    const { port } = await serve({ connect: () => refuse(1), onRefused: () => undefined as never });
    expect((await upgrade(port)).status).toBe(403);
  });
});

test.each(["ab-_c", "a", "===="])(
  "[T5] an auth token that is no base64, %j, is told as a refusal, and as no crash",
  async (token) => {
    const { port, endpoint, errors } = await serve({ authToken: true });
    const refused: unknown[] = [];
    endpoint.telemetry.attach("socket_refused", ({ status }) => void refused.push(status));
    const headers = { "sec-websocket-protocol": `phoenix, base64url.bearer.phx.${token}` };
    expect((await upgrade(port, headers)).status).toBe(500);
    expect((await ask({ port }, webSocketPath, { headers })).status).toBe(500);
    expect([refused, errors]).toEqual([[500, 500], []]);
  },
);

test("[L8] a GET without an upgrade takes as much room as one with, while it is decided", async () => {
  let decide: (() => void) | null = null;
  const connect = () => new Promise<Accepted>((resolve) => (decide = () => resolve({})));
  const { port } = await serve({ connect }, { maxSockets: 1 });
  const deciding = ask({ port }, webSocketPath);
  const decided = await until("its decision", () => decide);
  expect((await ask({ port }, webSocketPath)).status).toBe(503);
  decided();
  expect((await deciding).status).toBe(400);
});

describe("a mount that says nothing of origins", () => {
  const cases = (port: number): [origin: string, own: number, named: number][] => [
    [`http://127.0.0.1:${port}`, 101, 403],
    [`HTTP://127.0.0.1:${port}`, 101, 403],
    [`http://127.0.0.1:${port + 1}`, 403, 403],
    [`https://127.0.0.1:${port}`, 403, 403],
    ["https://evil.example", 403, 403],
    ["null", 403, 403],
    ["https://desk.example", 403, 101],
    ["http://desk.example:8080", 403, 101],
  ];

  test("[T3] takes only pages of where the request was sent to", async () => {
    const { port } = await serve();
    for (const [origin, status] of cases(port)) {
      expect([origin, (await upgrade(port, { origin })).status]).toEqual([origin, status]);
      const { text } = await ask({ port }, longPollPath, { headers: { origin } });
      expect(text).toContain(status === 101 ? '"status":410' : '"status":403');
    }
    expect((await upgrade(port)).status).toBe(101);
  });

  test("[T3] takes only pages of the endpoint's host, where it is told that", async () => {
    const { port } = await serve({}, { host: "desk.example" });
    for (const [origin, , status] of cases(port)) {
      expect([origin, (await upgrade(port, { origin })).status]).toEqual([origin, status]);
    }
  });

  test("[T3] and one that says false takes all", async () => {
    const { port } = await serve({ checkOrigin: false });
    expect((await upgrade(port, { origin: "https://evil.example" })).status).toBe(101);
  });
});

describe("a server that stops", () => {
  test("[L8] sends a long-poll away whose connect was being decided", async () => {
    let accept: ((decision: Accepted) => void) | null = null;
    const { port, endpoint } = await serve({
      connect: () => new Promise<Accepted | Refused>((resolve) => (accept = resolve)),
      longpoll: { maxSessions: 1 },
    });
    const asked = ask({ port }, longPollPath);
    const decided = await until("connect", () => accept);
    await endpoint.drain();
    decided({});
    const { status, headers } = await asked;
    expect([status, headers["retry-after"]]).toEqual([503, "5"]);
    expect(endpoint.socketCount).toBe(0);
  });
});

describe("a body that was read before us", () => {
  const join = JSON.stringify(["1", "1", "room:1", "phx_join", {}]);

  /** An endpoint behind something that reads bodies and leaves what it makes of them in `body`. */
  async function behind(parse: (body: Buffer) => unknown, type: string, sent: string) {
    const endpoint = new Endpoint({
      mounts: { "/socket": { channels: { "room:*": EchoRoom }, longpoll: { windowMs: 500 } } },
    });
    const errors: unknown[] = [];
    endpoint.telemetry.attach("socket_crashed", ({ error: cause }) => void errors.push(cause));
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      if (request.method !== "POST") return plainBeside(endpoint)(request, response);
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        Object.assign(request, { body: parse(Buffer.concat(chunks)) });
        setImmediate(() => endpoint.handle(request, response));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(async () => {
      endpoint.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as { port: number };
    const { token } = JSON.parse((await ask({ port }, longPollPath)).text) as { token: string };
    const posted = await ask({ port }, `/socket/longpoll?token=${token}`, {
      method: "POST",
      headers: { "content-type": type, "content-length": String(Buffer.byteLength(sent)) },
      body: sent,
    });
    return { posted, errors, poll: () => ask({ port }, `/socket/longpoll?token=${token}`) };
  }

  const json = "application/json";
  test.each<[name: string, parse: (body: Buffer) => unknown, type: string, sent: string]>([
    ["JSON", (body) => JSON.parse(body.toString()) as unknown, json, join],
    ["text", (body) => body.toString(), "application/x-ndjson", `${join}\n${join.replaceAll("1", "2")}`],
    ["bytes", (body) => body, "application/x-ndjson", join],
  ])("[T8] and is there as %s is taken", async (_name, parse, type, sent) => {
    const { posted, poll } = await behind(parse, type, sent);
    expect(posted.text).toBe('{"status":200}');
    expect((await poll()).text).toContain("phx_reply");
  });

  test.each<[name: string, parse: (body: Buffer) => unknown, type: string]>([
    ["nothing", () => undefined, json],
    ["an object of something else", () => ({ a: "1" }), "application/x-www-form-urlencoded"],
    ["lines as one value", () => [], "application/x-ndjson"],
  ])("[T8] and is there as %s is answered 500 at once", async (_name, parse, type) => {
    const { posted, errors } = await behind(parse, type, join);
    expect(posted.status).toBe(500);
    expect(String(errors[0])).toContain("before");
  });

  test("[T8] and is over the limit is answered 400", async () => {
    const { posted } = await behind(() => Buffer.alloc(8_000_001), json, join);
    expect(posted.status).toBe(400);
  });
});

describe("a peer that was not listened to", () => {
  let release = () => undefined as void;
  const held = () => new Promise<void>((resolve) => (release = resolve));

  class SlowRoom extends Channel {
    override async join(payload: unknown) {
      if ((payload as { slow?: true }).slow) await held();
      return ok();
    }

    override async handleIn(event: string) {
      if (event === "slow") await held();
    }
  }

  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };

  async function connect(): Promise<{
    clock: FakeClock;
    client: OfflineClient;
    send: (event: string, payload?: object) => void;
  }> {
    const clock = new FakeClock();
    const endpoint = new Endpoint({
      clock,
      mounts: {
        "/socket": {
          channels: { "room:*": SlowRoom },
          websocket: { idleTimeoutMs: 1500 },
          limits: { maxWaitingFrames: 2 },
        },
      },
    });
    cleanups.push(() => endpoint.terminate());
    const client = await connectOffline(endpoint, { kind: "websocket", vsn: "2.0.0", id: "u" });
    await settle();
    let ref = 0;
    const send = (event: string, payload: object = {}) =>
      client.send({ joinRef: "1", ref: String((ref += 1)), topic: "room:1", event, payload: { ...payload } });
    return { clock, client, send };
  }

  test("[T6] because a handler is slow is not idle, and has the whole time afterwards", async () => {
    const { clock, client, send } = await connect();
    send("phx_join");
    for (const event of ["slow", "quick", "quick", "quick", "quick"]) send(event);
    await settle();
    clock.advance(10_000);
    await settle();
    expect(client.isClosed).toBe(false);
    release();
    await settle();
    clock.advance(1500);
    await settle();
    expect(client.isClosed).toBe(false);
    clock.advance(300);
    await settle();
    expect(client.isClosed).toBe(true);
  });

  test("[T6] because its join is slow is not idle, and has the whole time afterwards", async () => {
    const { clock, client, send } = await connect();
    send("phx_join", { slow: true });
    await settle();
    clock.advance(10_000);
    await settle();
    expect(client.isClosed).toBe(false);
    release();
    await settle();
    expect(client.received.map(({ event }) => event)).toEqual(["phx_reply"]);
    clock.advance(1500);
    await settle();
    expect(client.isClosed).toBe(false);
    clock.advance(300);
    await settle();
    expect(client.isClosed).toBe(true);
  });

  test("[T6] because a handler is slow is closed when it was idle before", async () => {
    const { clock, client, send } = await connect();
    send("phx_join");
    send("slow");
    await settle();
    clock.advance(1800);
    await settle();
    expect(client.isClosed).toBe(true);
    release();
  });
});

test("[T4] the info of a connect has the request's own headers and path", async () => {
  let info: ConnectInfo | null = null;
  const { port } = await serve({ connect: (_params, given) => ((info = given), {}) });
  await upgrade(port, { "x-trace": "7" });
  expect(info!.headers["x-trace"]).toBe("7");
  expect(info!.uri).toMatchObject({ path: "/socket/websocket", query: "vsn=2.0.0", port });
});
