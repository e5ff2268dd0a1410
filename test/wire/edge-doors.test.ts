import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { SignJWT } from "jose";
import type { MountOptions } from "../../server/bennu.js";
import { ask, type HttpAnswer, problemCode } from "../support/plain-http.js";
import { RawSocket } from "../support/raw-socket.js";
import { EchoRoom, type Served, serveEndpoint } from "../support/served-endpoint.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const AUTH_SECRET = "a secret of more than thirty-two bytes";
const businessId = "B0100001";
const apiPath = `/api/sessions/business/${businessId}/active`;

type Headers = Readonly<Record<string, string>>;
type Port = { readonly port: number };

interface Knock {
  readonly status: number;
  /** The headers of the answer about other pages. */
  readonly shared: Headers;
}

interface Door {
  readonly name: string;
  /** What is answered to who may come in. */
  readonly open: number;
  knock(server: Port, headers: Headers): Promise<Knock>;
}

let token: string;

/** Everything at which somebody can knock; each with a token, for the servers that want one. */
const doors: readonly Door[] = [
  { name: "websocket", open: 101, knock: knockAtSocket },
  { name: "longpoll GET", open: 200, knock: (server, headers) => knock(server, longPollPath(), { headers }) },
  {
    name: "longpoll POST",
    open: 200,
    knock: (server, headers) => knock(server, longPollPath(), { method: "POST", headers, body: "[]" }),
  },
  {
    name: "longpoll OPTIONS",
    open: 200,
    knock: (server, headers) => knock(server, longPollPath(), { method: "OPTIONS", headers }),
  },
  { name: "page", open: 200, knock: (server, headers) => knock(server, "/", { headers }) },
  {
    name: "API",
    open: 200,
    knock: (server, headers) => knock(server, apiPath, { headers: { ...headers, authorization: `Bearer ${token}` } }),
  },
  { name: "health", open: 200, knock: (server, headers) => knock(server, "/healthz", { headers }) },
];

const metricsDoor: Door = {
  name: "metrics",
  open: 200,
  knock: (server, headers) => knock(server, "/metrics", { headers }),
};

const longPollPath = () => `/socket/longpoll?vsn=2.0.0&token=${token}`;

async function knockAtSocket({ port }: Port, headers: Headers): Promise<Knock> {
  const socket = await RawSocket.upgrade(port, { path: `/socket/websocket?vsn=2.0.0&token=${token}`, headers });
  const lines = (socket.head ?? "").split("\r\n").slice(1);
  const pairs = lines.map((line) => line.toLowerCase().split(": ") as [string, string]);
  socket.reset();
  return { status: socket.status, shared: sharedOf(Object.fromEntries(pairs)) };
}

async function knock(server: Port, path: string, question: Parameters<typeof ask>[2]): Promise<Knock> {
  const { status, headers } = await ask(server, path, question);
  return { status, shared: sharedOf(headers) };
}

function sharedOf(headers: HttpAnswer["headers"]): Headers {
  const about = Object.entries(headers).filter(([name]) => name.startsWith("access-control-"));
  return Object.fromEntries(about) as Headers;
}

/** How every door answers: `in` with what it does for those who may, `out` with 403 and no word to other pages. */
async function answersOf(server: Port, headers: Headers, at = doors): Promise<Record<string, string>> {
  const answers: [string, string][] = [];
  for (const door of at) {
    const { status, shared } = await door.knock(server, headers);
    const named = shared["access-control-allow-origin"];
    const isWordless = Object.keys(shared).length === 0;
    if (status === door.open && (named === undefined || named === headers.origin)) answers.push([door.name, "in"]);
    else answers.push([door.name, status === 403 && isWordless ? "out" : `${status} ${JSON.stringify(shared)}`]);
  }
  return Object.fromEntries(answers);
}

const all = (answer: string, at = doors) => Object.fromEntries(at.map(({ name }) => [name, answer]));

const apps: TestApp[] = [];
const served: Served[] = [];

async function start(environment: Record<string, string> = {}): Promise<TestApp> {
  const app = await startTestApp(environment);
  apps.push(app);
  return app;
}

beforeAll(async () => {
  token = await new SignJWT({ sub: "carla", role: "coordinator", businessId })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("10m")
    .sign(new TextEncoder().encode(AUTH_SECRET));
});

afterAll(async () => {
  for (const app of apps) await app.dispose();
});

afterEach(async () => {
  for (const one of served.splice(0)) await one.close();
});

describe("[X13] X-02 a server with ALLOWED_ORIGINS", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await start({ AUTH_SECRET, ALLOWED_ORIGINS: "https://allowed.com, http://localhost:5173" });
  });

  test.each<[origin: string | null, answer: string]>([
    [null, "in"],
    ["https://allowed.com", "in"],
    ["http://localhost:5173", "in"],
    ["https://evil.com", "out"],
    ["null", "out"],
    ["", "out"],
    ["https://allowed.com.evil.com", "out"],
    ["https://evilallowed.com", "out"],
    ["https://sub.allowed.com", "out"],
    ["http://allowed.com", "out"],
    ["https://allowed.com:8443", "out"],
    ["HTTPS://allowed.com", "out"],
    ["https://ALLOWED.com", "out"],
    ["https://xn--llowed-cua.com", "out"],
    ["https://a@allowed.com", "out"],
    ["https://allowed.com@evil.com", "out"],
    ["https://a@evil", "out"],
    ["http://localhost", "out"],
    ["http://127.0.0.1:{port}", "out"],
  ])("says to %j: %s", async (origin, answer) => {
    const headers: Headers = origin === null ? {} : { origin: origin.replace("{port}", String(app.port)) };
    expect(await answersOf(app, headers)).toEqual(all(answer));
  });

  test("X-02 without a token is nobody, also as a program", async () => {
    const socket = await RawSocket.upgrade(app.port);
    expect(socket.status).toBe(403);
    socket.reset();
  });

  test("H-09 tells each page that may what it may send and read, and no cache mistakes one for another", async () => {
    const origin = "https://allowed.com";
    const asked = { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-a" };
    for (const path of [longPollPath(), apiPath, "/", "/nowhere"]) {
      const preflight = await ask(app, path, { method: "OPTIONS", headers: asked });
      expect([path, preflight.headers["access-control-allow-origin"]]).toEqual([path, origin]);
      expect(preflight.headers["access-control-allow-methods"]).toMatch(/post/i);
      const answer = await ask(app, path, { headers: { origin } });
      expect(answer.headers).toMatchObject({
        "access-control-allow-origin": origin,
        "access-control-expose-headers": path === longPollPath() ? "retry-after" : "etag,retry-after",
      });
      for (const { headers } of [preflight, answer]) {
        expect(headers.vary).toMatch(/\bOrigin\b/);
        expect(headers).not.toHaveProperty("access-control-allow-credentials");
      }
    }
  });

  test("H-09 tells a page that may not nothing, whatever it asks for, and says so to caches", async () => {
    for (const method of ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"]) {
      for (const path of [longPollPath(), apiPath, "/", "/nowhere", "/metrics"]) {
        const headers = { origin: "https://evil.com", "access-control-request-method": "POST" };
        const answer = await ask(app, path, { method, headers });
        expect([method, path, answer.status, sharedOf(answer.headers)]).toEqual([method, path, 403, {}]);
        expect(answer.headers.vary).toMatch(/\bOrigin\b/);
      }
    }
  });

  test("H-09 says it to programs without a name of anybody", async () => {
    for (const path of [longPollPath(), apiPath, "/"]) {
      for (const method of ["GET", "OPTIONS"]) {
        const { headers } = await ask(app, path, { method });
        expect(headers).not.toHaveProperty("access-control-allow-origin");
        expect(headers.vary).toMatch(/\bOrigin\b/);
      }
    }
  });

  test("X-04 never takes a cookie for a token", async () => {
    const cookie = `token=${token}; authToken=${token}; session=${token}; access_token=${token}; Bearer=${token}`;
    const headers = { cookie, origin: "https://allowed.com" };
    const socket = await RawSocket.upgrade(app.port, { headers });
    expect(socket.status).toBe(403);
    socket.reset();
    expect(JSON.parse((await ask(app, "/socket/longpoll?vsn=2.0.0", { headers })).text)).toEqual({ status: 403 });
    const answer = await ask(app, apiPath, { headers });
    expect([answer.status, problemCode(answer), answer.headers["set-cookie"]]).toEqual([
      401,
      "unauthorized",
      undefined,
    ]);
    expect((await ask(app, "/", { headers })).headers["set-cookie"]).toBeUndefined();
  });

  test("X-18 has no metrics here, whoever asks", async () => {
    const authorization = `Bearer ${token}`;
    for (const headers of [{}, { authorization }, { host: "localhost" }, { origin: "https://allowed.com" }]) {
      expect((await ask(app, "/metrics", { headers: headers })).status).toBe(404);
    }
    expect(app.metricsUrl).toBeNull();
  });

  test("has any name that somebody gave it", async () => {
    expect(await answersOf(app, { host: "desk.example", origin: "https://allowed.com" })).toEqual(all("in"));
  });
});

describe("[X13] [X12] X-02 a server without a list", () => {
  let direct: TestApp;
  let proxied: TestApp;

  beforeAll(async () => {
    direct = await start({ AUTH_SECRET });
    proxied = await start({ AUTH_SECRET, TRUSTED_PROXIES: "loopback" });
  });

  const desk = { host: "desk.example" };
  const outside = { host: "inner:3001", "x-forwarded-host": "desk.example", "x-forwarded-proto": "https" };

  test.each<[headers: Headers, whenDirect: string, whenProxied: string]>([
    [desk, "in", "in"],
    [{ ...desk, origin: "https://desk.example" }, "in", "in"],
    [{ ...desk, origin: "http://desk.example" }, "in", "in"],
    [{ ...desk, origin: "https://desk.example:8443" }, "out", "out"],
    [{ host: "desk.example:8443", origin: "https://desk.example:8443" }, "in", "in"],
    [{ ...desk, origin: "https://DESK.example" }, "out", "out"],
    [{ ...desk, origin: "https://desk.example.evil.com" }, "out", "out"],
    [{ ...desk, origin: "https://evildesk.example" }, "out", "out"],
    [{ ...desk, origin: "https://a@desk.example" }, "out", "out"],
    [{ ...desk, origin: "https://desk.example@evil.com" }, "out", "out"],
    [{ ...desk, origin: "https://evil.com" }, "out", "out"],
    [{ ...desk, origin: "null" }, "out", "out"],
    // What is said of the outside counts only from a proxy that is trusted.
    [{ ...outside, origin: "https://desk.example" }, "out", "in"],
    [{ ...outside, origin: "http://desk.example" }, "out", "out"],
    [{ ...outside, origin: "https://inner:3001" }, "in", "out"],
    [{ ...desk, "x-forwarded-proto": "https", origin: "http://desk.example" }, "in", "out"],
    [{ ...desk, "x-forwarded-proto": "wss", origin: "https://desk.example" }, "in", "in"],
    [{ ...desk, "x-forwarded-host": "evil.com", origin: "https://evil.com" }, "out", "in"],
  ])("says to %j: %s, and behind a proxy %s", async (headers, whenDirect, whenProxied) => {
    expect(await answersOf(direct, headers)).toEqual(all(whenDirect));
    expect(await answersOf(proxied, headers)).toEqual(all(whenProxied));
  });
});

describe("[X5] X-19 an open server", () => {
  let app: TestApp;
  const at = [...doors, metricsDoor];

  beforeAll(async () => {
    app = await start({ TRUSTED_PROXIES: "loopback" });
  });

  test.each<[headers: Headers, answer: string]>([
    [{ host: "localhost" }, "in"],
    [{ host: "localhost:3001", origin: "http://localhost:5173" }, "in"],
    [{ host: "[::1]:3001", origin: "http://[::1]:3001" }, "in"],
    [{ host: "127.0.0.1:3001", origin: "https://127.0.0.1" }, "in"],
    [{ host: "evil.com" }, "out"],
    [{ host: "evil.com:3001", origin: "http://evil.com:3001" }, "out"],
    [{ host: "evil.com:3001", origin: "http://localhost:3001" }, "out"],
    [{ host: "localhost.evil.com" }, "out"],
    [{ host: "127.0.0.1.nip.io:3001" }, "out"],
    [{ host: "LOCALHOST" }, "out"],
    [{ host: "evil.com", "x-forwarded-host": "localhost" }, "out"],
    [{ host: "localhost", origin: "https://evil.com" }, "out"],
    [{ host: "localhost", origin: "https://allowed.com" }, "out"],
    [{ host: "localhost", origin: "null" }, "out"],
    [{ host: "localhost", origin: "http://localhost.evil.com" }, "out"],
  ])("says to %j: %s", async (headers, answer) => {
    expect(await answersOf(app, headers, at)).toEqual(all(answer, at));
  });

  test("X-04 H-09 lets no page ask with its cookies", async () => {
    for (const path of [longPollPath(), apiPath]) {
      const { headers } = await ask(app, path, { headers: { origin: "http://localhost:5173" } });
      expect(headers["access-control-allow-origin"]).toBe("http://localhost:5173");
      expect(headers).not.toHaveProperty("access-control-allow-credentials");
    }
  });
});

describe("an endpoint", () => {
  async function serve(mount: Partial<MountOptions>, others: Record<string, MountOptions> = {}): Promise<Served> {
    const main: MountOptions = { channels: { "room:*": EchoRoom }, longpoll: true, ...mount };
    const one = await serveEndpoint({}, { mounts: { "/socket": main, ...others } });
    served.push(one);
    return one;
  }

  const lists = { "/a": ["https://a.example"], "/b": ["//*.other.com"] };
  test.each([[["/a", "/b"]], [["/b", "/a"]]] as (keyof typeof lists)[][][])(
    "[T3] X-03 with the mounts %j has the origins of each",
    async (order) => {
      const mounts = order.map((path) => [
        path,
        { channels: { "room:*": EchoRoom }, longpoll: true, checkOrigin: lists[path] },
      ]);
      const { port } = await serve({}, Object.fromEntries(mounts) as Record<string, MountOptions>);
      const origins = [
        "https://a.example",
        "https://x.other.com",
        "https://other.com",
        "https://any-other.com",
        "https://x.y.other.com",
      ];
      const statuses: Record<string, number[]> = {};
      // Asked in turn, so that no mount could remember what another has decided.
      for (const origin of origins) {
        for (const path of order) {
          const socket = await RawSocket.upgrade(port, { path: `${path}/websocket?vsn=2.0.0`, headers: { origin } });
          socket.reset();
          const { text } = await ask({ port }, `${path}/longpoll?vsn=2.0.0`, { headers: { origin } });
          const { status } = JSON.parse(text) as { status: number };
          expect(status === 410).toBe(socket.status === 101);
          (statuses[path] ??= []).push(socket.status);
        }
      }
      expect(statuses).toEqual({ "/a": [101, 403, 403, 403, 403], "/b": [403, 101, 101, 403, 101] });
    },
  );

  test("[T12] X-19 asks checkHost before anything else, whatever is asked for", async () => {
    let connects = 0;
    const { port } = await serve({
      checkHost: (host) => host === "desk.example",
      connect: () => {
        connects += 1;
        return {};
      },
    });
    const statusOf = async (host: string | null) => {
      const socket = await RawSocket.upgrade(port, { headers: { host } });
      socket.reset();
      return socket.status;
    };
    expect([await statusOf("evil.example"), await statusOf(null), await statusOf("desk.example:1")]).toEqual([
      403, 403, 403,
    ]);
    const path = "/socket/longpoll?vsn=2.0.0";
    for (const method of ["GET", "POST", "OPTIONS", "PUT"]) {
      const answer = await ask({ port }, path, { method, headers: { host: "evil.example" } });
      expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { status: 403 }]);
    }
    expect(connects).toBe(0);
    expect(await statusOf("desk.example")).toBe(101);
  });

  test("[T7] [T12] H-09 lets every page read, as Phoenix does, unless it names the one that asks", async () => {
    const origin = "https://a.example";
    const checkOrigin = [origin];
    const phoenix = await serve({ checkOrigin });
    const strict = await serve({ checkOrigin, allowOrigin: "asking" });
    const path = "/socket/longpoll?vsn=2.0.0";
    const seen = async (server: Port, headers: Headers) => {
      const { status, headers: answered } = await ask(server, path, { headers });
      return [status, answered["access-control-allow-origin"], answered.vary];
    };
    const evil = { origin: "https://evil.example" };
    expect([await seen(phoenix, { origin }), await seen(phoenix, evil), await seen(phoenix, {})]).toEqual([
      [200, "*", undefined],
      [200, "*", undefined],
      [200, "*", undefined],
    ]);
    expect([await seen(strict, { origin }), await seen(strict, evil), await seen(strict, {})]).toEqual([
      [200, origin, "Origin"],
      [403, undefined, "Origin"],
      [200, undefined, "Origin"],
    ]);
  });

  test("[T12] X-02 a checkOrigin that is a function is given the request", async () => {
    const { port } = await serve({ checkOrigin: (_origin, { headers }) => headers["x-key"] === "7" });
    const headers = { origin: "https://a.example" };
    const statuses = [];
    for (const key of ["6", "7"]) {
      const socket = await RawSocket.upgrade(port, { headers: { ...headers, "x-key": key } });
      statuses.push(socket.status);
      socket.reset();
    }
    expect(statuses).toEqual([403, 101]);
  });
});
