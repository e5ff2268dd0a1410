import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { WebSocketServer } from "ws";
import { Endpoint, type EndpointOptions, type MountOptions } from "../../server/bennu.js";
import { ask } from "../support/plain-http.js";
import { frame, opcode, RawSocket } from "../support/raw-socket.js";
import {
  closeServer,
  EchoRoom,
  h2c,
  listen,
  plainBeside,
  RawHttp,
  serveEndpoint,
  type Served,
} from "../support/served-endpoint.js";
import { until } from "../support/until.js";

const heartbeat = [null, "h", "phoenix", "heartbeat", {}];
const heartbeatReply = [null, "h", "phoenix", "phx_reply", { status: "ok", response: {} }];

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(
  mount: Partial<MountOptions> = {},
  options: Partial<EndpointOptions> = {},
  listener?: (endpoint: Endpoint) => RequestListener,
): Promise<Served> {
  const served = await serveEndpoint(mount, options, listener);
  cleanups.push(() => served.close());
  return served;
}

function raw(port: number): RawHttp {
  const http = new RawHttp(port);
  cleanups.push(() => http.destroy());
  return http;
}

async function upgrade(port: number, path: string, headers: Record<string, string | null> = {}): Promise<RawSocket> {
  const socket = await RawSocket.upgrade(port, { path, headers });
  cleanups.push(() => socket.reset());
  return socket;
}

const headerOf = (socket: RawSocket, name: string) =>
  new RegExp(`^${name}: (.*)$`, "im").exec(socket.head ?? "")?.[1]?.trim() ?? null;

async function expectAlive(socket: RawSocket): Promise<void> {
  expect(socket.status).toBe(101);
  socket.sendJson(heartbeat);
  expect(await socket.message(() => true)).toEqual(heartbeatReply);
  expect(socket.closeCodes).toEqual([]);
}

describe("a request for another protocol", () => {
  test("[T11] is answered as if it had not asked, and its connection lives on", async () => {
    const { port } = await serve();
    const http = raw(port);
    http.write(...h2c("GET", "/healthz"));
    expect(await http.reads("plain GET ")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    http.write("GET /again HTTP/1.1", "Host: localhost", "", "");
    expect(await http.reads("plain GET ")).toContain("HTTP/1.1 200 OK\r\n");
    expect(http.isEnded).toBe(false);
  });

  test.each<[how: string, headers: readonly string[], parts: readonly string[]]>([
    ["whole", ["Content-Length: 10"], ["0123456789"]],
    ["in pieces", ["Content-Length: 10"], ["01234", "56789"]],
    ["in chunks", ["Transfer-Encoding: chunked"], ["5\r\n01234\r\n", "5\r\n56789\r\n0\r\n\r\n"]],
    ["once it is told to go on", ["Content-Length: 10", "Expect: 100-continue"], ["", "0123456789"]],
  ])("[T11] may have a body, which comes %s", async (_how, headers, [first, second]) => {
    const { port } = await serve();
    const http = raw(port);
    http.write(h2c("POST", "/", ...headers).join("\r\n") + first!);
    if (second !== undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      if (first === "") await http.reads("100 Continue");
      http.write(second);
    }
    expect(await http.reads("plain POST 0123456789")).toContain("HTTP/1.1 200 OK\r\n");
  });

  test("[T11] waits for the answer to the one before it on its connection", async () => {
    let release = () => undefined as void;
    const { port } = await serve({}, {}, (endpoint) => (request, response) => {
      if (request.url === "/slow") release = () => void response.end("slow");
      else plainBeside(endpoint)(request, response);
    });
    const http = raw(port);
    http.write("GET /slow HTTP/1.1", "Host: localhost", "", h2c("GET", "/next").join("\r\n"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    release();
    expect(await http.reads("plain GET ")).toContain("slow");
  });

  test("[C9] leaves nothing behind on its connection", async () => {
    const { port, server } = await serve();
    const listeners = new Set<number>();
    server.on("request", ({ socket }: IncomingMessage) => {
      listeners.add(socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0));
    });
    const http = raw(port);
    for (let round = 0; round < 30; round += 1) {
      http.write(...h2c("GET", "/"));
      await http.reads("plain GET ");
    }
    expect(listeners.size).toBe(1);
  });

  test("[T11] to long-poll is a long-poll", async () => {
    const { port, endpoint } = await serve();
    const http = raw(port);
    http.write(...h2c("GET", "/socket/longpoll?vsn=2.0.0"));
    const token = /"token":"([^"]*)"/.exec(await http.reads("}"))![1]!;
    const body = JSON.stringify(heartbeat);
    http.write(...h2c("POST", `/socket/longpoll?token=${token}`, `Content-Length: ${body.length}`));
    http.write(body);
    await http.reads('{"status":200}');
    expect(endpoint.socketCount).toBe(1);
  });

  test("[T4] to a WebSocket is a GET without an upgrade", async () => {
    const { port } = await serve();
    const http = raw(port);
    http.write(...h2c("GET", "/socket/websocket?vsn=2.0.0"));
    expect(await http.reads("must contain 'upgrade'")).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("a request for a WebSocket", () => {
  test("[T11] to long-poll is a long-poll", async () => {
    const { port } = await serve();
    const socket = await upgrade(port, "/socket/longpoll?vsn=2.0.0");
    expect(socket.status).toBe(200);
    await until("the body", () => socket.body.includes('"status":410'));
  });

  test("[T11] where none is, is answered by whoever answers requests", async () => {
    const { port } = await serve();
    const socket = await upgrade(port, "/elsewhere");
    expect(socket.status).toBe(200);
    await until("the body", () => socket.body === "plain GET ");
  });

  test("[T1] may name the server in its target", async () => {
    const { port } = await serve();
    await expectAlive(await upgrade(port, `http://localhost:${port}/socket/websocket?vsn=2.0.0`));
    expect((await upgrade(port, `http://localhost:${port}?vsn=2.0.0`)).body).toBe("plain GET ");
    expect((await ask({ port }, `http://localhost:${port}/socket/longpoll?vsn=2.0.0`)).text).toContain('"status":410');
  });

  test.each([
    ["POST", "/socket/websocket?vsn=2.0.0"],
    ["PUT", "/socket/websocket?vsn=2.0.0"],
  ])("[T4] by %s is answered 400, and nothing more", async (method, path) => {
    const { port } = await serve();
    const http = raw(port);
    http.write(
      `${method} ${path} HTTP/1.1`,
      "Host: localhost",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${"A".repeat(22)}==`,
      "Content-Length: 0",
      "",
      "",
    );
    const head = await http.reads("\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(head).toContain("content-length: 0\r\n");
    expect(head).not.toContain("text/html");
  });

  test.each(["8", "12", "13, 8", "0xd", "", null])(
    "[T4] of version %j is answered 400, and told 13",
    async (version) => {
      const { port, endpoint } = await serve();
      const socket = await upgrade(port, "/socket/websocket?vsn=2.0.0", { "sec-websocket-version": version });
      expect(socket.status).toBe(400);
      expect(headerOf(socket, "sec-websocket-version")).toBe("13");
      expect(headerOf(socket, "content-type")).toBeNull();
      expect(endpoint.socketCount).toBe(0);
    },
  );

  test("[T4] without a proper key is answered 400 in plain words", async () => {
    const { port } = await serve();
    const socket = await upgrade(port, "/socket/websocket?vsn=2.0.0", { "sec-websocket-key": "short" });
    expect(socket.status).toBe(400);
    expect(headerOf(socket, "content-type")).toBeNull();
    await until("the body", () => socket.body.includes("Sec-WebSocket-Key"));
  });

  test("[T2] whose query is not UTF-8 is answered 400, whatever its page", async () => {
    const { port } = await serve({ checkOrigin: ["https://good.example"] });
    const headers = { origin: "https://evil.example" };
    expect((await upgrade(port, "/socket/websocket?vsn=2.0.0&a=%ff", headers)).status).toBe(400);
  });
});

test("[L1] a message may come in many fragments", async () => {
  const { port } = await serve();
  const socket = await upgrade(port, "/socket/websocket?vsn=2.0.0");
  const text = JSON.stringify(heartbeat).padEnd(300);
  const parts = Array.from(text, (letter, index) =>
    frame(letter, { fin: index === text.length - 1, opcode: index === 0 ? opcode.text : opcode.continuation }),
  );
  socket.write(...parts);
  expect(await socket.message(() => true)).toEqual(heartbeatReply);
  socket.reset();
});

describe("the subprotocols that a client offers", () => {
  const bearer = "base64url.bearer.phx.";
  // Both characters of its base64 that are no letter or digit.
  const token = `${bearer}Zm9vPz8/8J+Yvg`;

  test.each<[mount: string, offered: string, answered: string | null]>([
    ["nothing", "", null],
    ["nothing", "foo, foo", null],
    ["nothing", "foo,", null],
    ["nothing", ",", null],
    ["nothing", "foo/bar", null],
    ["nothing", "phoenix", null],
    ["mqtt", "mqtt, mqtt", "mqtt"],
    ["mqtt", "a/b, mqtt", "mqtt"],
    ["mqtt", "mqtt,", "mqtt"],
    ["tokens", `phoenix, ${token}`, "phoenix"],
    ["tokens", `phoenix, phoenix, ${token}`, "phoenix"],
    ["tokens", token, null],
  ])("[T5] where the mount takes %s, %j is answered %j", async (takes, offered, answered) => {
    const seen: unknown[] = [];
    const { port } = await serve({
      authToken: takes === "tokens",
      websocket: { subprotocols: takes === "mqtt" ? ["sip", "mqtt"] : [] },
      connect: (_params, info) => {
        seen.push(info.authToken, info.headers["sec-websocket-protocol"]);
        return {};
      },
    });
    const socket = await upgrade(port, "/socket/websocket?vsn=2.0.0", { "sec-websocket-protocol": offered });
    expect(headerOf(socket, "sec-websocket-protocol")).toBe(answered);
    await expectAlive(socket);
    expect(seen).toEqual([offered.includes(bearer) ? "foo???😾" : null, offered]);
  });

  test("[T5] that are none of the mount's are refused", async () => {
    const { port } = await serve({ websocket: { subprotocols: ["mqtt"] } });
    expect((await upgrade(port, "/socket/websocket?vsn=2.0.0", { "sec-websocket-protocol": "" })).status).toBe(403);
  });

  test("[T5] are tokens, or the mount that names them is a mistake", () => {
    const mounts = { "/socket": { channels: {}, websocket: { subprotocols: ["a b"] } } };
    expect(() => new Endpoint({ mounts })).toThrow("a b");
  });
});

describe("a server that others share", () => {
  const another = (path: string) => new Endpoint({ mounts: { [path]: { channels: { "room:*": EchoRoom } } } });

  test("[T11] has two endpoints side by side, each with its paths", async () => {
    const { port, server } = await serve();
    const other = another("/other");
    other.attach(server);
    other.attach(server);
    await expectAlive(await upgrade(port, "/socket/websocket?vsn=2.0.0"));
    await expectAlive(await upgrade(port, "/other/websocket?vsn=2.0.0"));
    const nowhere = await upgrade(port, "/nowhere/websocket");
    await until("the answer", () => nowhere.body === "plain GET ");
    expect(server.listenerCount("upgrade")).toBe(1);
    other.terminate();
  });

  test.each(["before", "after"])("[T11] leaves to a listener that came %s what is not ours", async (when) => {
    const foreign = new WebSocketServer({ noServer: true });
    foreign.on("connection", (ws) => ws.on("message", (data) => ws.send(`foreign ${(data as Buffer).toString()}`)));
    const listener = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      if (request.url === "/foreign")
        foreign.handleUpgrade(request, stream, head, (ws) => foreign.emit("connection", ws));
    };
    const endpoint = another("/socket");
    const server = createServer(plainBeside(endpoint));
    if (when === "before") server.on("upgrade", listener);
    endpoint.attach(server);
    if (when === "after") server.on("upgrade", listener);
    const port = await listen(server);
    cleanups.push(() => closeServer(server));
    const theirs = await upgrade(port, "/foreign");
    await expectAlive(await upgrade(port, "/socket/websocket?vsn=2.0.0"));
    theirs.sendText('"hi"');
    await until("their answer", () => theirs.frames.length === 1);
    expect(theirs.frames[0]!.payload.toString()).toBe('foreign "hi"');
    for (const ws of foreign.clients) ws.terminate();
    endpoint.terminate();
  });

  test("[T11] costs one connection where another listener answers what is ours", async () => {
    const { port, server, endpoint } = await serve({
      connect: () => new Promise((resolve) => setImmediate(() => resolve({}))),
    });
    const errors: unknown[] = [];
    endpoint.telemetry.attach("socket_crashed", ({ error }) => void errors.push(error));
    const foreign = new WebSocketServer({ noServer: true });
    const listener = (request: IncomingMessage, stream: Duplex, head: Buffer) =>
      foreign.handleUpgrade(request, stream, head, () => undefined);
    server.on("upgrade", listener);
    const socket = await upgrade(port, "/socket/websocket?vsn=2.0.0");
    await until("its end", () => socket.ended);
    expect(errors).toHaveLength(1);
    server.off("upgrade", listener);
    await expectAlive(await upgrade(port, "/socket/websocket?vsn=2.0.0"));
  });

  test("[T11] may hand over by itself what it wants to", async () => {
    const endpoint = another("/socket");
    const server = createServer();
    const left: unknown[] = [];
    server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      if (endpoint.upgrade(request, stream, head)) return;
      left.push(request.url);
      stream.destroy();
    });
    const port = await listen(server);
    cleanups.push(() => closeServer(server));
    await expectAlive(await upgrade(port, "/socket/websocket?vsn=2.0.0"));
    await upgrade(port, "/socket/longpoll");
    await upgrade(port, "/socket/websocket", { upgrade: "h2c" });
    expect(left).toEqual(["/socket/longpoll", "/socket/websocket"]);
    endpoint.terminate();
  });

  test("[T11] is left by an endpoint that is detached", async () => {
    const { port, server, endpoint } = await serve();
    const socket = await upgrade(port, "/socket/websocket?vsn=2.0.0");
    endpoint.detach(server);
    endpoint.detach();
    expect(server.listenerCount("upgrade")).toBe(0);
    expect((await upgrade(port, "/socket/websocket?vsn=2.0.0")).status).toBe(400);
    await expectAlive(socket);
  });

  test("[T11] has its new sockets from the endpoint that does not drain", async () => {
    const { port, server, endpoint: old } = await serve();
    old.refuseNew();
    expect((await upgrade(port, "/socket/websocket?vsn=2.0.0")).status).toBe(503);
    const next = another("/socket");
    next.attach(server);
    await expectAlive(await upgrade(port, "/socket/websocket?vsn=2.0.0"));
    await old.drain();
    await expectAlive(await upgrade(port, "/socket/websocket?vsn=2.0.0"));
    expect([old.socketCount, next.socketCount]).toEqual([0, 2]);
    next.terminate();
  });

  test("[T11] is left by an endpoint that has drained, which still says 503 to whom it is handed", async () => {
    const { port, server, endpoint } = await serve();
    await endpoint.drain();
    expect(server.listenerCount("upgrade")).toBe(0);
    const socket = await upgrade(port, "/socket/websocket?vsn=2.0.0");
    expect([socket.status, headerOf(socket, "retry-after")]).toEqual([503, "5"]);
  });
});
