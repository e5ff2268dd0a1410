import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { LongPollClient } from "../support/longpoll-client.js";
import { ask } from "../support/plain-http.js";
import { RawHttp } from "../support/served-endpoint.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const crlf = "\r\n";
const smuggled = `GET /docs/openapi.json HTTP/1.1${crlf}host: localhost${crlf}${crlf}`;
const next = `GET /healthz HTTP/1.1${crlf}host: localhost${crlf}connection: close${crlf}${crlf}`;

/** Where a request with a body is taken: by the API, by nobody, and by a long-poll session. */
const doors = ["/api/messages", "/nowhere", "longpoll"] as const;

let app: TestApp;
let poller: LongPollClient;
let connections: RawHttp[];

beforeAll(async () => {
  connections = [];
  app = await startTestApp();
});

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy();
  expect((await ask(app, "/healthz")).status).toBe(200);
});

afterAll(async () => {
  // Not disposed of: what Node answers to what it cannot read is not in the description of the API.
  await app.stop();
  await rm(app.dataDir, { recursive: true, force: true });
});

/** A request as it is written, of a user of the open server. */
const request = (path: string, headers: readonly string[], body = "") =>
  [`POST ${path} HTTP/1.1`, "host: localhost", "x-user-id: early", "x-business-id: B1", ...headers, "", body].join(
    crlf,
  );

const statusesIn = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** The statuses of all that is answered to some bytes, until the server ends the connection. */
async function answersTo(bytes: string, { isEnded = false } = {}): Promise<number[]> {
  const connection = new RawHttp(app.port);
  connections.push(connection);
  connection.write(bytes);
  if (isEnded) connection.end();
  await until("the end of the connection", () => connection.isEnded);
  expect(connection.text).not.toMatch(/<html|openapi|node_modules|\.js:\d/i);
  return statusesIn(connection.text);
}

async function pathOf(door: (typeof doors)[number]): Promise<string> {
  if (door !== "longpoll") return door;
  poller = await LongPollClient.open(app);
  return poller.path();
}

/** What is not there, or has no type, is told before its body has come. */
const refusals = {
  "/api/messages": ["400", "400,400", "415,400"],
  "/nowhere": ["400", "404", "404,400"],
  longpoll: ["400"],
};

/** Requests that nobody can tell the end of: whatever follows is nobody's request. */
const unreadable: [what: string, headers: readonly string[], body: string][] = [
  ["chunks that are none", ["transfer-encoding: chunked"], `zz${crlf}${smuggled}`],
  ["a chunk that is longer than it says", ["transfer-encoding: chunked"], `2${crlf}[]]${crlf}0${crlf}${crlf}`],
  ["a chunk of more bytes than there are numbers", ["transfer-encoding: chunked"], `${"F".repeat(17)}${crlf}`],
  ["a chunk of fewer than none", ["transfer-encoding: chunked"], `-1${crlf}[]${crlf}`],
  ["a length and chunks", ["content-length: 2", "transfer-encoding: chunked"], `0${crlf}${crlf}`],
  ["chunks and a length", ["transfer-encoding: chunked", "content-length: 50"], `0${crlf}${crlf}`],
  ["two lengths", ["content-length: 2", "content-length: 50"], "[]"],
  ["a length that is no number", ["content-length: 2x"], "[]"],
  ["a length with a sign", ["content-length: +2"], "[]"],
  ["a length below zero", ["content-length: -2"], "[]"],
  ["a length beyond all numbers", [`content-length: ${"9".repeat(30)}`], "[]"],
  ["a space before the colon", ["content-length : 2"], "[]"],
  ["chunks that are not the last encoding", ["transfer-encoding: chunked, identity"], `0${crlf}${crlf}`],
  ["chunks with something before the word", ["transfer-encoding: xchunked"], `0${crlf}${crlf}`],
  ["a header that goes on in the next line", ["x-a: b", " transfer-encoding: chunked"], `0${crlf}${crlf}`],
  ["a header without a name", [": b"], ""],
  ["a NUL in a header", ["x-a: b\0c"], ""],
];

describe.each(doors)("[H-07] [H1] a request to %s", (door) => {
  test.each(unreadable)("with %s is refused, and the end of its connection", async (_what, headers, body) => {
    const statuses = await answersTo(request(await pathOf(door), headers, body) + smuggled);
    expect(refusals[door]).toContain(statuses.join());
  });

  test("whose body ends too early has no effect", async () => {
    const message = { businessId: "B1", locationId: "L1", userId: "early", message: "cut" };
    const body = JSON.stringify(door === "longpoll" ? ["1", "1", "messages:B1", "phx_join", message] : message);
    const path = await pathOf(door);
    const headers = ["content-type: application/json", `content-length: ${body.length + 1}`];
    const statuses = await answersTo(request(path, headers, body), { isEnded: true });
    expect(refusals[door]).toContain(statuses.join());
    const { items } = await app.store.readActiveSessions("B1", { limit: 10, from: null });
    expect(items.filter(({ userId }) => userId === "early")).toEqual([]);
    if (door !== "longpoll") return;
    await poller.post([null, "h", "phoenix", "heartbeat", {}]);
    expect((await poller.poll()).frames.map(([, ref]) => ref)).toEqual(["h"]);
  });

  test("with a body that looks like another request is one request, and the next one on its connection is the next", async () => {
    const body = request(await pathOf(door), [`content-length: ${smuggled.length}`], smuggled);
    const statuses = await answersTo(body + next);
    expect(statuses).toHaveLength(2);
    expect(statuses[1]).toBe(200);
  });

  test("that asks whether it may go on is told so, and then answered", async () => {
    const path = await pathOf(door);
    const headers = ["expect: 100-continue", "content-type: application/json", "content-length: 2"];
    const [first, , third] = await answersTo(request(path, headers, "{}") + next);
    expect([first, third]).toEqual([100, 200]);
  });

  test("that expects what there is not is told 417, and the end of its connection: its body may never come", async () => {
    const path = await pathOf(door);
    const statuses = await answersTo(request(path, ["expect: a miracle", "content-length: 2"], "{}") + next);
    expect(statuses).toEqual([417]);
  });

  test("of a path of 1 MB is 431", async () => {
    const path = await pathOf(door);
    const long = `${path}${path.includes("?") ? "&" : "?"}a=${"x".repeat(2 ** 20)}`;
    expect(await answersTo(request(long, ["content-length: 2"], "{}") + smuggled)).toEqual([431]);
  });
});

test("[H-07] [H1] a body over the limit is 413, and what is left of it is no request", async () => {
  const body = smuggled.repeat(2000);
  const headers = ["content-type: application/json", `content-length: ${body.length}`];
  expect(await answersTo(request("/api/messages", headers, body) + next)).toEqual([413, 200]);
});

test("[H-07] [H7] an encoded body is 415, and the end of its connection: what is left of it is no request", async () => {
  const headers = ["content-encoding: gzip", `content-length: ${smuggled.length}`];
  expect(await answersTo(request("/api/messages", headers, smuggled) + next)).toEqual([415]);
});

test.each([
  ["no HTTP", 400, "hello\r\n\r\n"],
  ["HTTP of long ago, which names nobody", 403, "GET /healthz\r\n\r\n"],
  ["a version that there is not", 400, "GET /healthz HTTP/9.9\r\nhost: localhost\r\n\r\n"],
  ["a method in small letters", 400, "get /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"],
  ["nobody's name", 400, "GET /healthz HTTP/1.1\r\n\r\n"],
  ["the greeting of TLS", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
])("[H-07] [H1] %s is %d, and the end of its connection", async (_what, status, bytes) => {
  expect(await answersTo(bytes + smuggled)).toEqual([status]);
});
