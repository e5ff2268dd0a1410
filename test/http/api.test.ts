import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { type Health, healthRoutes } from "../../server/http/health.js";
import { routerOf } from "../../server/http/route.js";
import { Telemetry } from "../../server/telemetry.js";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { RawSocket } from "../support/raw-socket.js";
import { ask, problemCode } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const knownPath = "/api/sessions/business/B1/active";

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.dispose());

describe("[H1] [H-08] what is not there", () => {
  test.each([
    ["GET", "/nowhere"],
    ["GET", "/api"],
    ["GET", "/api/sessions/x/messages/y"],
    ["GET", "/api/sessions/business/B1"],
    ["GET", "/API/nowhere"],
    ["GET", "/.env"],
    ["GET", "/..%2f..%2fpackage.json"],
    ["GET", "/%2e%2e/package.json"],
    ["GET", "/../../package.json"],
    ["GET", "//etc/passwd"],
    ["GET", "/%00"],
    ["POST", "/nowhere"],
    ["PROPFIND", "/nowhere"],
  ])("%s %s is a problem in JSON", async (method, path) => {
    const answer = await ask(app, path, { method });
    expect([answer.status, problemCode(answer)]).toEqual([404, "not_found"]);
  });

  test.each(["/api/sessions/%/messages", "/api/sessions/%zz/messages", "/api/sessions/business/%E0%A4/active"])(
    "[H-05] %s cannot be read",
    async (path) => {
      const answer = await ask(app, path);
      expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
      expect(answer.text).not.toMatch(/URIError|at .*\.(js|ts)/);
    },
  );

  test.each(["/%", "/%zz", `/${"x".repeat(9000)}`])("%.20s is no page", async (path) => {
    const answer = await ask(app, path);
    expect([400, 404]).toContain(answer.status);
    expect(problemCode(answer)).toMatch(/^(not_found|invalid_payload)$/);
  });

  test("HEAD is answered as GET is, without a body", async () => {
    const answers = await Promise.all(
      ["/nowhere", "/healthz", knownPath].map((path) => ask(app, path, { method: "HEAD" })),
    );
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [404, ""],
      [200, ""],
      [200, ""],
    ]);
  });
});

describe("[H1] the headers of every answer", () => {
  test.each(["/", "/healthz", "/nowhere", knownPath, "/api/sessions/%/messages", "/api/sessions/x/messages"])(
    "of %s say who may do what with it, and nothing of who made it",
    async (path) => {
      const { headers } = await ask(app, path);
      expect(headers).not.toHaveProperty("x-powered-by");
      expect(headers).not.toHaveProperty("server");
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
      });
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("object-src 'none'");
      expect(policy).not.toMatch(/unsafe-|\*/);
    },
  );
});

describe("[X5] [X-19] the names under which an open server answers", () => {
  const hosts: [string, boolean][] = [
    ["localhost", true],
    ["localhost:3001", true],
    ["127.0.0.1", true],
    ["127.0.0.1:80", true],
    ["[::1]:3001", true],
    ["evil.com", false],
    ["localhost.evil.com", false],
    ["evil.com:3001", false],
    ["127.0.0.1.evil.com", false],
    ["127.0.0.2", false],
    ["0.0.0.0", false],
    ["LOCALHOST", false],
    ["localhost:", false],
    ["localhost:123456", false],
    ["localhost@evil.com", false],
  ];

  test.each(hosts)("Host %j: %p", async (host, isAnswered) => {
    for (const path of ["/healthz", knownPath, "/"]) {
      const answer = await ask(app, path, { headers: { host } });
      if (isAnswered) expect([200, 304]).toContain(answer.status);
      else expect([answer.status, problemCode(answer)]).toEqual([403, "forbidden"]);
    }
  });

  test.each([...hosts, ["", false]] as typeof hosts)("a socket to Host %j: %p", async (host, isAnswered) => {
    const socket = await RawSocket.upgrade(app.port, { headers: { host } });
    expect(socket.status).toBe(isAnswered ? 101 : 403);
    socket.reset();
  });
});

describe("[X5] [H-09] pages elsewhere", () => {
  const local = [
    "http://localhost",
    "http://localhost:5173",
    "https://localhost:8443",
    "http://127.0.0.1:3000",
    "http://[::1]:1",
  ];
  const foreign = [
    "https://evil.com",
    "null",
    "http://localhost.evil.com",
    "http://evil.com/localhost",
    "http://localhost@evil.com",
    "http://127.0.0.1.evil.com",
    "file://localhost",
    "http://LOCALHOST",
    "http://localhost:",
    "",
  ];

  test.each(local)("of %s may read, and are named", async (origin) => {
    for (const [method, path] of [
      ["GET", knownPath],
      ["OPTIONS", knownPath],
      ["GET", "/nowhere"],
    ] as const) {
      const { headers } = await ask(app, path, { method, headers: { origin, "access-control-request-method": "GET" } });
      expect(headers["access-control-allow-origin"]).toBe(origin);
      expect(headers.vary).toMatch(/\bOrigin\b/);
      expect(headers).not.toHaveProperty("access-control-allow-credentials");
    }
  });

  test.each(foreign)("of %j may not, and nobody else is named either", async (origin) => {
    for (const [method, path] of [
      ["GET", knownPath],
      ["OPTIONS", knownPath],
      ["GET", "/nowhere"],
    ] as const) {
      const { headers, status } = await ask(app, path, {
        method,
        headers: { origin, "access-control-request-method": "GET" },
      });
      expect(status).toBe(403);
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });

  test("a program, which has no origin, is answered and nobody is named", async () => {
    const { status, headers } = await ask(app, knownPath);
    expect([status, headers["access-control-allow-origin"]]).toEqual([200, undefined]);
  });

  test("a preflight says what may be sent", async () => {
    const asked = { origin: "http://localhost:5173", "access-control-request-method": "POST" };
    const { status, headers } = await ask(app, knownPath, { method: "OPTIONS", headers: asked });
    expect(status).toBe(204);
    expect(headers["access-control-allow-methods"]).toBe("GET,POST,PATCH,PUT,DELETE");
    expect(String(headers["access-control-allow-headers"]).split(",")).toEqual(
      expect.arrayContaining(["authorization", "content-type", "x-user-id"]),
    );
  });

  test.each(foreign.slice(0, -1))("of %j get no socket", async (origin) => {
    const socket = await RawSocket.upgrade(app.port, { headers: { origin } });
    expect(socket.status).toBe(403);
    socket.reset();
  });

  test.each(local)("of %s get one", async (origin) => {
    const socket = await RawSocket.upgrade(app.port, { headers: { origin } });
    expect(socket.status).toBe(101);
    socket.reset();
  });
});

describe("[H7] [H-06] encoded bodies", () => {
  test.each(["br", "gzip", "deflate", "zstd", "GZIP", "identity, gzip", "x"])(
    "%s is refused unread",
    async (encoding) => {
      const headers = { "content-encoding": encoding, "content-length": "100000000" };
      const socket = await RawSocket.dial(app.port);
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(
        `POST /api/sessions/x/messages HTTP/1.1\r\nhost: localhost\r\n${lines.join("\r\n")}\r\n\r\nfew bytes`,
      );
      await socket.finish();
      expect(socket.status).toBe(415);
      expect(socket.head).toMatch(/^connection: close$/im);
      expect(JSON.parse(socket.body)).toMatchObject({ status: 415, code: "unsupported_media_type" });
    },
  );

  test("identity is no encoding", async () => {
    const answer = await ask(app, knownPath, { headers: { "content-encoding": "identity" } });
    expect(answer.status).toBe(200);
  });
});

describe("[H6] health", () => {
  test("/healthz says that the process lives", async () => {
    const { status, text } = await ask(app, "/healthz");
    expect([status, JSON.parse(text)]).toEqual([200, { status: "ok" }]);
  });

  test("/readyz says that it can work, and what is insecure about it", async () => {
    const { status, text } = await ask(app, "/readyz");
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { status: "ready", problems: [], insecure: ["open: everyone on this machine is whoever they say"] },
    ]);
  });

  const nobody = { door: { enter: never, check: never }, telemetry: new Telemetry<DeskEvents>(), maxJsonDepth: 32 };

  test("/readyz is 503, with what is wrong, while something is; /healthz does not mind", async () => {
    const problems: string[] = [];
    const health: Health = { problems: () => problems, insecure: [] };
    const server = createServer(express().use(routerOf(healthRoutes(health), nobody)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const under = { port: (server.address() as AddressInfo).port };
    problems.push("the disk is full");
    const notReady = await ask(under, "/readyz");
    expect([notReady.status, JSON.parse(notReady.text)]).toEqual([
      503,
      { status: "not ready", problems: ["the disk is full"], insecure: [] },
    ]);
    expect((await ask(under, "/healthz")).status).toBe(200);
    problems.pop();
    expect((await ask(under, "/readyz")).status).toBe(200);
    await new Promise((resolve) => server.close(resolve));
  });

  test("a server that is asked by token says nothing about being open", async () => {
    const closed = await startTestApp({ AUTH_SECRET: "a secret of more than thirty-two bytes" });
    const { status, text } = await ask(closed, "/readyz");
    expect([status, JSON.parse(text)]).toEqual([200, { status: "ready", problems: [], insecure: [] }]);
    await closed.dispose();
  });
});

// Health must be told while neither keys nor store can be asked.
function never(): never {
  throw new Error("asked who it is");
}
