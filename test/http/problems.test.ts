import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Action, may, rules } from "../../server/auth/access.js";
import { roles } from "../../server/auth/identity.js";
import { type ApiDeps, apiRoutes } from "../../server/http/api.js";
import type { Route } from "../../server/http/route.js";
import { answerUnreadable, withHost } from "../../server/http/unreadable.js";
import { ask, problemCode } from "../support/plain-http.js";
import { RawSocket } from "../support/raw-socket.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const businessId = "B0100001";
const problemType = expect.stringContaining("application/problem+json") as unknown as string;
const ids: Readonly<Record<string, string>> = { businessId, agentId: "ana", userId: "ana" };
const routes = apiRoutes({} as ApiDeps);
const rows = (all: readonly Route[]) => all.map((route) => [`${route.method} ${route.path}`, route] as const);
const withBody = routes.filter(({ method, hasBody = true }) => method !== "get" && method !== "delete" && hasBody);
const guarded = routes.filter(({ action }) => rules[action] !== "anyone");

let app: TestApp;
let closed: TestApp;

beforeAll(async () => {
  app = await startTestApp({ AGENT_SECRET: "a secret of more than thirty-two bytes" });
  closed = await startTestApp({ AUTH_SECRET: "a secret of more than thirty-two bytes" });
});

afterAll(async () => {
  await app.dispose();
  await closed.dispose();
});

function pathOf({ path }: Route): string {
  return path.replaceAll(/:(\w+)/g, (_all, name: string) => ids[name] ?? "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11");
}

/** Somebody who may do it, as an open server believes it. */
function somebody(action: Action): Record<string, string> {
  const identities = roles.map((role) => ({ role, userId: "ana", businessId }));
  const found = identities.find((each) => may(each, action, { businessId, userId: "ana" }));
  return { "x-role": found!.role, "x-user-id": "ana", "x-business-id": businessId };
}

const codeOf = async (route: Route, headers: Record<string, string>, body: string | Buffer, under = app) => {
  const answer = await ask(under, pathOf(route), { method: route.method.toUpperCase(), headers, body });
  return [answer.status, problemCode(answer)];
};

describe("[H1] a body that cannot be taken, by whoever may send one", () => {
  describe.each(rows(withBody))("%s", (_name, route) => {
    const json = { ...somebody(route.action), "content-type": "application/json" };
    const { bodyBytesMax = 65_536 } = route;

    test.each<[string, Record<string, string>, string | Buffer, number, string]>([
      ["that is cut off", json, '{"a":', 400, "invalid_payload"],
      ["of 33 levels", json, `{"a":${"[".repeat(32)}${"]".repeat(32)}}`, 400, "invalid_payload"],
      [
        "of more levels than can be gone through",
        json,
        `${"[".repeat(8000)}${"]".repeat(8000)}`,
        400,
        "invalid_payload",
      ],
      ["that is a text", json, '"a"', 400, "invalid_payload"],
      ["that is not UTF-8", json, Buffer.from('{"message":"caf\xe9"}', "latin1"), 400, "invalid_payload"],
      ["that is empty but for a blank", json, " ", 400, "invalid_payload"],
      ["that is too large", json, JSON.stringify({ a: "x".repeat(bodyBytesMax) }), 413, "payload_too_large"],
      ["that is encoded", { ...json, "content-encoding": "gzip" }, "{}", 415, "unsupported_media_type"],
      [
        "of another charset",
        { ...json, "content-type": "application/json; charset=x" },
        "{}",
        415,
        "unsupported_media_type",
      ],
      [
        "of another UTF",
        { ...json, "content-type": "application/json; charset=utf-16le" },
        Buffer.from("{}", "utf16le"),
        415,
        "unsupported_media_type",
      ],
      ["of another type", { ...json, "content-type": "text/plain" }, "{}", 415, "unsupported_media_type"],
      ["of no type", somebody(route.action), "{}", 415, "unsupported_media_type"],
    ])("one %s", async (_what, headers, body, status, code) => {
      expect(await codeOf(route, headers, body)).toEqual([status, code]);
    });
  });
});

describe("[H1] [X2] without a token", () => {
  test.each(rows(guarded))("%s is 401, whatever its body is", async (_name, route) => {
    // Nobody says how long the body of a GET is.
    for (const body of withBody.includes(route) ? ["", "{", "x".repeat(70_000)] : [""]) {
      const answer = await ask(closed, pathOf(route), { method: route.method.toUpperCase(), body });
      expect([answer.status, problemCode(answer)]).toEqual([401, "unauthorized"]);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
    }
  });
});

describe("[H1] what is not done to a path that there is", () => {
  const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"];
  const paths = [...new Set(routes.map(({ path }) => path))];

  test.each(paths)("to %s", async (path) => {
    const ofPath = routes.filter((route) => route.path === path);
    const known = ofPath.map(({ method }) => method.toUpperCase());
    const allowed = [...known, ...(known.includes("GET") ? ["HEAD"] : []), "OPTIONS"];
    for (const method of methods.filter((each) => !known.includes(each))) {
      const answer = await ask(app, pathOf(ofPath[0]!), { method });
      expect([method, answer.status, problemCode(answer)]).toEqual([method, 405, "method_not_allowed"]);
      expect(String(answer.headers.allow).split(", ").toSorted()).toEqual(allowed.toSorted());
    }
    const options = await ask(app, pathOf(ofPath[0]!), { method: "OPTIONS" });
    expect([options.status, options.text, options.headers.allow]).toEqual([204, "", allowed.join(", ")]);
    const head = await ask(app, pathOf(ofPath[0]!), { method: "HEAD" });
    expect(head.status === 405).toBe(!known.includes("GET"));
  });
});

describe("[H1] a page, like a file of the pages and the metrics, is read and nothing else", () => {
  test.each(["/", "/index.html", "/console", "/console.html", "/widget.js", "/metrics"])("%s", async (path) => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
      const { status, headers, text } = await ask(app, path, { method });
      const { code } = JSON.parse(text) as { readonly code: unknown };
      expect([method, status, code]).toEqual([method, 405, "method_not_allowed"]);
      expect(headers).toMatchObject({ "content-type": problemType, allow: "GET, HEAD, OPTIONS" });
    }
    const options = await ask(app, path, { method: "OPTIONS" });
    expect([options.status, options.text, options.headers.allow]).toEqual([204, "", "GET, HEAD, OPTIONS"]);
    expect((await ask(app, path, { method: "HEAD" })).status).toBe(200);
  });

  test.each(["/nothing", "/nothing.js", "/../../../package.json", "/%2e%2e/x"])(
    "what is no page is 404: %s",
    async (path) => {
      const answer = await ask(app, path, { method: "POST" });
      expect([answer.status, problemCode(answer)]).toEqual([404, "not_found"]);
    },
  );
});

describe("[L2] [H1] MAX_JSON_DEPTH is that of bodies, too", () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
  const headers = { "content-type": "application/json", "x-user-id": "ana", "x-business-id": businessId };
  const detailOf = async (under: TestApp, levels: number) => {
    const answer = await ask(under, "/chats", { method: "POST", headers, body: deep(levels) });
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
    return (JSON.parse(answer.text) as { readonly detail?: string }).detail;
  };

  test.each([
    ["3", 3, 4, "more than 3 levels"],
    ["40", 40, 41, "more than 40 levels"],
  ])("%s", async (MAX_JSON_DEPTH, taken, refused, detail) => {
    const other = await startTestApp({ MAX_JSON_DEPTH });
    expect(await detailOf(other, taken)).not.toContain("levels");
    expect(await detailOf(other, refused)).toBe(detail);
    await other.dispose();
  });

  test("0 switches it off", async () => {
    const other = await startTestApp({ MAX_JSON_DEPTH: "0" });
    expect(await detailOf(other, 100)).not.toContain("levels");
    await other.dispose();
  });
});

describe("[H1] what Node cannot read", () => {
  const head = "host: localhost\r\n";
  test.each([
    ["no request", "what is this\r\n\r\n", 400, "invalid_payload"],
    ["a header without a name", `GET /healthz HTTP/1.1\r\n${head}: x\r\n\r\n`, 400, "invalid_payload"],
    ["no host", "GET /healthz HTTP/1.1\r\n\r\n", 400, "invalid_payload"],
    [
      "two lengths",
      `POST /chats HTTP/1.1\r\n${head}content-length: 1\r\ncontent-length: 2\r\n\r\n`,
      400,
      "invalid_payload",
    ],
    [
      "a chunk that is none",
      `POST /chats HTTP/1.1\r\n${head}transfer-encoding: chunked\r\n\r\nx\r\n`,
      400,
      "invalid_payload",
    ],
    ["a large head", `GET /healthz HTTP/1.1\r\n${head}x: ${"x".repeat(20_000)}\r\n\r\n`, 431, "headers_too_large"],
    ["a large path", `GET /${"x".repeat(20_000)} HTTP/1.1\r\n${head}\r\n`, 431, "headers_too_large"],
    ["an expectation", `GET /healthz HTTP/1.1\r\n${head}expect: miracles\r\n\r\n`, 417, "expectation_failed"],
  ])("%s", async (_what, bytes, status, code) => {
    const socket = await RawSocket.dial(app.port);
    socket.write(bytes);
    await socket.finish();
    expect(socket.head).toMatch(/^content-type: application\/problem\+json$/im);
    expect(socket.head).toMatch(/^connection: close$/im);
    expect(JSON.parse(socket.body)).toEqual({
      type: "about:blank",
      title: expect.any(String),
      status,
      code,
      ...detailOf(bytes),
    });
    expect(socket.status).toBe(status);
  });

  // Only this one is told what it has left out.
  const detailOf = (bytes: string) =>
    bytes.includes("host") ? {} : bytes.startsWith("GET") ? { detail: "Host is missing" } : {};

  test("one that does not come to its end", async () => {
    const patience = { headersTimeout: 1, requestTimeout: 1, connectionsCheckingInterval: 5 };
    const server = createServer(
      patience,
      withHost((_request, response) => void response.end()),
    );
    answerUnreadable(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const socket = await RawSocket.dial((server.address() as AddressInfo).port);
    socket.write("GET / HTTP/1.1\r\nhost: loc");
    await socket.finish();
    expect(JSON.parse(socket.body)).toMatchObject({ status: 408, code: "request_timeout" });
    await new Promise((resolve) => server.close(resolve));
  });

  test("nothing is put into an answer that has begun", async () => {
    const server = createServer((_request, response) => void response.write("half"));
    answerUnreadable(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const socket = await RawSocket.dial((server.address() as AddressInfo).port);
    socket.write(`GET / HTTP/1.1\r\n${head}\r\n`);
    await until("the first half", () => socket.body === "4\r\nhalf\r\n");
    socket.write("what is this\r\n\r\n");
    await socket.finish();
    expect(socket.body).not.toContain("about:blank");
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("[H1] [S18] while the store is not there", () => {
  // What is known without it: who one is, what a business says of itself, what the server is.
  const aside: ReadonlySet<string> = new Set(["get /healthz", "get /readyz"]);

  test("each route says so, or is answered as described without it", async () => {
    const under = await startTestApp();
    await under.store.close();
    const told: string[] = [];
    for (const route of routes.filter(({ method }) => method === "get")) {
      const answer = await ask(under, pathOf(route), { headers: somebody(route.action) });
      if (answer.status >= 500) {
        expect([route.path, answer.status, problemCode(answer)]).toEqual([route.path, 503, "storage_unavailable"]);
        told.push(`get ${route.path}`);
      }
    }
    expect(told).toEqual(expect.arrayContaining(["get /api/sessions", "get /conversations", "get /chats"]));
    expect(told.filter((name) => aside.has(name))).toEqual([]);
    await under.stop().catch(() => undefined);
  });
});
