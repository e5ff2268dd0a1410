import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Channel, Endpoint, type EndpointOptions, type MountOptions, ok, refuse } from "../../server/bennu.js";
import { FakeClock } from "../support/fake-clock.js";
import { disconnected, phoenixVersions, type PhoenixSocket, type PhoenixVersion, settled } from "../support/phoenix.js";
import { until } from "../support/until.js";
import { XmlHttpRequest } from "../support/xml-http-request.js";

const topic = "room:1";

class Room extends Channel {
  override join() {
    return ok({ token: this.socket.assigns.token });
  }

  override handleIn(event: string, payload: unknown) {
    if (event === "shout") this.broadcast("shout", payload);
    return ok(payload);
  }
}

const mount: MountOptions = {
  channels: { "room:*": Room },
  authToken: true,
  connect: (params, { authToken }) => (params.deny === "true" ? refuse() : { assigns: { token: authToken } }),
  longpoll: true,
};

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function start(more: Partial<MountOptions> = {}, options: Partial<EndpointOptions> = {}) {
  const endpoint = new Endpoint({ mounts: { "/socket": { ...mount, ...more } }, ...options });
  const counts = { requests: 0, closedConnections: 0 };
  const server = createServer((request, response) => {
    counts.requests += 1;
    request.socket.once("close", () => (counts.closedConnections += 1));
    if (!endpoint.handle(request, response)) response.writeHead(404).end();
  });
  endpoint.attach(server);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { endpoint, counts, port, url: `http://127.0.0.1:${port}` };
}

interface Answer {
  readonly httpStatus: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly status?: number;
  readonly token?: string;
  readonly messages?: readonly string[];
}

interface Asked {
  readonly token?: string | undefined;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly query?: string;
}

/** One request to the long-poll transport. */
function ask(url: string, method: string, { token, body, headers = {}, query = "" }: Asked = {}): Promise<Answer> {
  const path = `${url}/socket/longpoll?vsn=2.0.0${query}${token === undefined ? "" : `&token=${token}`}`;
  return new Promise((resolve, reject) => {
    const request = httpRequest(path, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        const json = text.startsWith("{") ? (JSON.parse(text) as Partial<Answer>) : {};
        resolve({ httpStatus: response.statusCode!, headers: response.headers, text, ...json });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const frame = (...message: unknown[]) => JSON.stringify(message);
const join = frame("1", "1", topic, "phx_join", {});

describe("long-poll", () => {
  test("[T7] a token is 24 random bytes, another for each session", async () => {
    const { url, endpoint } = await start();
    const [one, other] = [await ask(url, "GET"), await ask(url, "GET")];
    expect(one.token).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(one.token).not.toBe(other.token);
    expect(endpoint.socketCount).toBe(2);
  });

  test("[T7] a session that has ended is asked for in vain, after the dispatch timeout", async () => {
    const clock = new FakeClock();
    const { url } = await start({}, { clock });
    const { token } = await ask(url, "GET");
    clock.advance(15_000);
    const answers = [ask(url, "POST", { token, body: join }), ask(url, "GET", { token })];
    await until("both requests wait", () => clock.timerCount === 2);
    clock.advance(2000);
    const [post, get] = await Promise.all(answers);
    expect(post).toMatchObject({ httpStatus: 200, status: 410 });
    expect(get).toMatchObject({ httpStatus: 200, status: 410, messages: [] });
    expect(get!.token).not.toBe(token);
  });

  test("[T9] a poll whose connection breaks loses nothing", async () => {
    const { url, port, endpoint, counts } = await start();
    const { token } = await ask(url, "GET");
    await ask(url, "POST", { token, body: join });
    await ask(url, "GET", { token });
    const stream = connect(port, "127.0.0.1");
    stream.write(`GET /socket/longpoll?vsn=2.0.0&token=${token} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await until("the poll waits", () => counts.requests === 4);
    stream.destroy();
    await until("the server knows", () => counts.closedConnections === 4);
    endpoint.broadcast(topic, "news", { n: 1 });
    const { messages } = await ask(url, "GET", { token });
    expect(messages).toEqual([frame(null, null, topic, "news", { n: 1 })]);
  });

  test("[T9] a drain answers the polls that wait, and sends everyone away", async () => {
    const { url, endpoint, counts } = await start();
    const { token } = await ask(url, "GET");
    await ask(url, "POST", { token, body: join });
    await ask(url, "GET", { token });
    const waiting = ask(url, "GET", { token });
    await until("the poll waits", () => counts.requests === 4);
    await endpoint.drain();
    const { status, headers } = await waiting;
    expect(status).toBe(204);
    expect(headers.connection).toBe("close");
    expect(endpoint.socketCount).toBe(0);
    expect(await ask(url, "GET", { token })).toMatchObject({ httpStatus: 503, text: "" });
    expect(await ask(url, "POST", { token, body: join })).toMatchObject({ httpStatus: 200, status: 410 });
  });

  test.each([
    ["of its mount", { maxSessions: 1 }, 0],
    ["of all sockets", {}, 1],
  ])(
    "[L8] a session over the limit %s is answered 503, with nothing in the body",
    async (_name, longpoll, maxSockets) => {
      const { url, endpoint } = await start({ longpoll }, { maxSockets });
      const { token } = await ask(url, "GET");
      const refused = await ask(url, "GET");
      expect(refused).toMatchObject({ httpStatus: 503, text: "" });
      expect(refused.headers["access-control-allow-origin"]).toBe("*");
      expect(await ask(url, "POST", { token, body: join })).toMatchObject({ status: 200 });
      endpoint.terminate();
      expect(await ask(url, "GET")).toMatchObject({ status: 410 });
    },
  );

  test("[T7] a refused connect is told in the body, and leaves nothing behind", async () => {
    const { url, endpoint } = await start();
    expect(await ask(url, "GET", { query: "&deny=true" })).toMatchObject({ httpStatus: 200, status: 403 });
    expect(endpoint.socketCount).toBe(0);
  });

  test("[T8] a body over the limit is answered 400, and the session lives", async () => {
    const { url } = await start({ longpoll: { maxBodyBytes: 100 } });
    const { token } = await ask(url, "GET");
    for (const length of [101, 150]) {
      const { httpStatus } = await ask(url, "POST", { token, body: "x".repeat(length) });
      expect(httpStatus).toBe(400);
    }
    expect(await ask(url, "POST", { token, body: join })).toMatchObject({ status: 200 });
  });

  test("[T7] a mount without long-poll has no such path", async () => {
    const { url } = await start({ longpoll: false });
    expect(await ask(url, "GET")).toMatchObject({ httpStatus: 404 });
  });
});

type Dialect = { readonly contentType: string; readonly hasToken: boolean };

const dialects: Readonly<Record<PhoenixVersion, Dialect>> = {
  "1.4.17": { contentType: "application/json", hasToken: false },
  "1.5.14": { contentType: "application/json", hasToken: false },
  "1.6.16": { contentType: "application/json", hasToken: false },
  "1.7.21": { contentType: "application/x-ndjson", hasToken: false },
  "1.8.16": { contentType: "application/x-ndjson", hasToken: true },
};

describe("[W1] published phoenix.js clients over long-poll, unchanged", () => {
  async function connectOverLongPoll(version: PhoenixVersion, url: string): Promise<PhoenixSocket> {
    const global = globalThis as { window?: unknown; XMLHttpRequest?: unknown };
    global.XMLHttpRequest = XmlHttpRequest;
    // The oldest of them looks for a window when it is loaded.
    global.window ??= globalThis;
    type Module = {
      readonly Socket: new (url: string, options: unknown) => PhoenixSocket;
      readonly LongPoll: unknown;
    };
    const module = (await import(phoenixVersions[version])) as Partial<Module> & { readonly default?: Module };
    const { Socket, LongPoll } = module.Socket === undefined ? module.default! : (module as Module);
    const socket = new Socket(`${url}/socket`, { transport: LongPoll, authToken: "secret", heartbeatIntervalMs: 800 });
    await new Promise<void>((resolve) => {
      socket.onOpen(resolve);
      socket.connect();
    });
    return socket;
  }

  test.each(Object.keys(dialects) as PhoenixVersion[])("phoenix %s joins, pushes and hears", async (version) => {
    const { url, endpoint } = await start({ longpoll: { windowMs: 300 } });
    XmlHttpRequest.made.length = 0;
    const socket = await connectOverLongPoll(version, url);
    const channel = socket.channel(topic, {});
    const heard: unknown[] = [];
    channel.on("shout", (payload) => void heard.push(payload));
    channel.on("news", (payload) => void heard.push(payload));
    const { contentType, hasToken } = dialects[version];
    expect(await settled(channel.join())).toEqual({ token: hasToken ? "secret" : null });
    const replies = await Promise.all([1, 2, 3].map((n) => settled(channel.push("shout", { n }))));
    expect(replies).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    // Polls that run into their window are followed by others.
    await until(
      "an empty poll and the next",
      () => XmlHttpRequest.made.filter(({ method }) => method === "GET").length > 6,
    );
    endpoint.broadcast(topic, "news", { n: 4 });
    await until("the broadcast", () => heard.length === 4);
    expect(heard).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
    const posts = XmlHttpRequest.made.filter(({ method }) => method === "POST");
    expect(new Set(posts.map(({ headers }) => headers["content-type"]))).toEqual(new Set([contentType]));
    await disconnected(socket);
  });
});
