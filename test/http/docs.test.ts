import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type ApiDeps, apiRoutes } from "../../server/http/api.js";
import { describeApi, pathOf } from "../../server/http/openapi.js";
import { beside } from "../../server/http/pages.js";
import { checkAnswers, noteFault } from "../support/answer-faults.js";
import { faultOf } from "../support/http-contract.js";
import { mountedRoutes } from "../support/mounted-routes.js";
import { type OpenApi, openApiDocument } from "../support/openapi-shape.js";
import { ask } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const publicDir = join(import.meta.dirname, "..", "..", "dist", "client", "public");

let app: TestApp;
let served: unknown;
let document: OpenApi;

beforeAll(async () => {
  app = await startTestApp();
  served = JSON.parse((await ask(app, "/docs/openapi.json")).text);
  document = openApiDocument.parse(served);
});

afterAll(() => app.dispose());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method,
      name: `${method} ${path}`,
      operation,
    })),
  );

describe("[H26] the description of the API", () => {
  test("has every route that is mounted, and what is answered beside them, and nothing else", () => {
    const mounted = mountedRoutes().map((route) => route.replaceAll(/:(\w+)/g, "{$1}"));
    const others = beside.map((each) => `${each.method} ${pathOf(each)}`);
    const described = operations().map(({ name }) => name);
    expect(described.toSorted()).toEqual([...mounted, ...others].toSorted());
    expect(new Set(described).size).toBe(mounted.length + others.length);
  });

  test("is what the answers in all tests are held to", () => {
    const made = describeApi([...apiRoutes({} as ApiDeps), ...beside]);
    expect(served).toEqual(JSON.parse(JSON.stringify(made)));
  });

  test("has what the server answers beside its routes: each is there, and so is every file of the pages", async () => {
    // Pages have addresses of their own, and what is compressed goes by the name of the file.
    const files = (await readdir(publicDir)).filter((name) => !/\.(?:html|br|gz)$/.test(name));
    const asked = [
      ...beside.filter(({ path }) => path !== "/:file").map(({ path }) => path),
      ...files.map((f) => `/${f}`),
    ];
    expect(asked).toContain("/widget.js");
    for (const path of asked) {
      const { status, headers } = await ask(app, path);
      expect([path, status === 404 || headers["content-type"] === "application/problem+json"]).toEqual([path, false]);
    }
  });

  test("gives each operation a name of its own, and its parameters in the order of its path", () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, name, operation } of operations()) {
      const inPath = operation.parameters.filter((each) => each.in === "path").map((each) => each.name);
      expect([name, inPath]).toEqual([name, [...path.matchAll(/\{(\w+)\}/g)].map(([, word]) => word)]);
      const all = operation.parameters.map((each) => `${each.in} ${each.name}`);
      expect([name, new Set(all).size]).toEqual([name, all.length]);
    }
  });

  test("refers to every shape that it has, and to no other", () => {
    const text = JSON.stringify(document);
    const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]*)"/g)].map(([, name]) => name);
    expect([...new Set(names)].toSorted()).toEqual(Object.keys(document.components.schemas).toSorted());
  });

  test("says of each route who may ask: a token, something else that is named, or nothing at all", () => {
    const routes = [...apiRoutes({} as ApiDeps), ...beside];
    const schemes = new Set<string>();
    for (const { method, path, action } of routes) {
      const { security, responses } = document.paths[pathOf({ path })]![method]!;
      const asked = security.flatMap((each) => Object.keys(each));
      for (const scheme of asked) schemes.add(scheme);
      const isFree = action === "page.read" || action === "visitor.create";
      expect([method, path, asked.length > 0, "401" in responses]).toEqual([method, path, !isFree, !isFree]);
    }
    expect([...schemes].toSorted()).toEqual(Object.keys(document.components.securitySchemes).toSorted());
  });

  test("says what is taken and what is answered", () => {
    const { security, parameters, requestBody, responses } = document.paths["/api/messages"]!.post!;
    expect(security).toEqual([{ bearer: [] }]);
    expect(parameters.map((each) => [each.in, each.name])).toEqual([
      ["query", "wait"],
      ["header", "Idempotency-Key"],
    ]);
    expect(requestBody).toMatchObject({
      content: { "application/json": { schema: { $ref: "#/components/schemas/NewMessage" } } },
    });
    const statuses = ["200", "202", "400", "401", "402", "403", "404", "413", "415", "422", "429", "500", "503"];
    expect(Object.keys(responses)).toEqual(statuses);
    expect(document.paths["/healthz"]!.get!.security).toEqual([]);
  });

  test("describes a body as it is taken: what has a default need not be there", () => {
    const { NewBusiness, Business } = document.components.schemas as Record<string, { readonly required: string[] }>;
    expect(Business!.required).toEqual(expect.arrayContaining(["businessId", "intents", "welcomesVisitors"]));
    expect(NewBusiness!.required).toContain("businessId");
    expect(NewBusiness!.required).not.toContain("intents");
    expect(NewBusiness!.required).not.toContain("welcomesVisitors");
  });

  test("is there for people: a page that needs no script, and nothing from elsewhere", async () => {
    const { status, headers, text } = await ask(app, "/docs");
    expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    for (const { method, path } of operations()) expect(text).toContain(`${method.toUpperCase()} ${path}`);
    expect(text).not.toMatch(/<script|style=|https?:/);
    const sheets = [...text.matchAll(/href="(\/[^"]*)"/g)].map(([, href]) => href!);
    for (const href of sheets) expect([href, (await ask(app, href)).status]).toEqual([href, 200]);
  });
});

describe("[H26] what holds every answer in the tests to it", () => {
  const json = "application/json; charset=utf-8";
  const problemJson = "application/problem+json; charset=utf-8";
  const problem = (status: number, code: string) =>
    JSON.stringify({ type: "about:blank", title: "It is so", status, code });
  const notFound = problem(404, "not_found");
  const notAllowed = problem(405, "method_not_allowed");
  const chat = { _id: "c", userId: "u", title: "t", createdAt: "2026-01-02T03:04:05.678Z" };
  const updatedAt = "2026-01-02T03:04:05.678Z";

  test.each<[string, string, string, number, Record<string, string>, string, string | null]>([
    ["as described", "GET", "/healthz", 200, { "content-type": json }, '{"status":"ok"}', null],
    ["a field more", "GET", "/healthz", 200, { "content-type": json }, '{"status":"ok","more":1}', "more"],
    ["a field less", "GET", "/healthz", 200, { "content-type": json }, "{}", "status"],
    ["another value", "GET", "/healthz", 200, { "content-type": json }, '{"status":"fine"}', "status"],
    ["a body that is cut off", "GET", "/healthz", 200, { "content-type": json }, '{"status', "is no JSON"],
    ["another type", "GET", "/healthz", 200, { "content-type": "text/html" }, '{"status":"ok"}', "came as text/html"],
    ["another status", "GET", "/healthz", 201, { "content-type": json }, '{"status":"ok"}', "is no status"],
    ["a problem", "GET", "/api/sessions/x", 404, { "content-type": problemJson }, notFound, null],
    ["a problem of no type", "GET", "/api/sessions/x", 404, { "content-type": json }, notFound, "came as"],
    ["half a problem", "GET", "/api/sessions/x", 404, { "content-type": problemJson }, '{"code":"not_found"}', "title"],
    ["a word of its own", "GET", "/x", 404, { "content-type": problemJson }, problem(404, "gone"), "code"],
    [
      "401 of nobody knows what",
      "GET",
      "/api/sessions",
      401,
      { "content-type": problemJson },
      problem(401, "unauthorized"),
      "has no WWW-Authenticate",
    ],
    [
      "nested, as described",
      "GET",
      "/chats/c",
      200,
      { "content-type": json },
      JSON.stringify({ ...chat, updatedAt }),
      null,
    ],
    [
      "a time that is none",
      "GET",
      "/chats/c",
      200,
      { "content-type": json },
      JSON.stringify({ ...chat, updatedAt: "today" }),
      "format",
    ],
    [
      "a field more in a shape",
      "GET",
      "/api/chats/c",
      200,
      { "content-type": json },
      JSON.stringify({ ...chat, updatedAt, kind: "chat" }),
      "kind",
    ],
    ["no body where there is none", "DELETE", "/api/sessions/x?y", 204, {}, "", null],
    ["a body where there is none", "DELETE", "/api/sessions/x?y", 204, {}, "{}", "has a body"],
    ["a page", "GET", "/console", 200, { "content-type": "text/html; charset=utf-8" }, "<!doctype html>", null],
    ["what is not there", "GET", "/no/where", 404, { "content-type": problemJson }, notFound, null],
    ["a page of what is not there", "GET", "/no/where", 404, { "content-type": "text/html" }, "Cannot GET", "came as"],
    ["something where there is nothing", "GET", "/no/where", 200, { "content-type": json }, "{}", "is no status"],
    [
      "what is not done",
      "PUT",
      "/healthz",
      405,
      { "content-type": problemJson, allow: "GET, HEAD, OPTIONS" },
      notAllowed,
      null,
    ],
    [
      "what is not done, and no word of what is",
      "PUT",
      "/healthz",
      405,
      { "content-type": problemJson },
      notAllowed,
      "allows",
    ],
    ["HEAD", "HEAD", "/healthz", 200, { "content-type": json }, "", null],
    ["HEAD with another type", "HEAD", "/healthz", 200, { "content-type": "text/html" }, "", "came as"],
    ["a preflight", "OPTIONS", "/api/messages", 204, {}, "", null],
    ["a preflight that says something", "OPTIONS", "/api/messages", 204, {}, "POST", "has a body"],
    ["a poll", "GET", "/socket/longpoll?vsn=2.0.0", 200, { "content-type": json }, '{"status":204}', null],
    [
      "a poll with more in it",
      "GET",
      "/socket/longpoll",
      200,
      { "content-type": json },
      '{"status":204,"userId":"u"}',
      "userId",
    ],
  ])("%s", (_name, method, url, status, headers, text, fault) => {
    const found = faultOf({ method, url, status, headers, text });
    if (fault === null) expect(found).toBeNull();
    else expect(found).toContain(fault);
  });

  test("fails the test in which it was", () => {
    noteFault("GET /x: 200 is no status that is described");
    expect(checkAnswers).toThrow("not as the API is described:\nGET /x: 200 is no status that is described");
    expect(checkAnswers).not.toThrow();
  });
});
