import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createBusinessRecords } from "../../server/messaging/business-records.js";
import { type Businesses, createBusinesses } from "../../server/messaging/businesses.js";
import type { Business } from "../../server/messaging/business.js";
import { createIds } from "../../server/messaging/ids.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask, problemCode } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const path = `/api/businesses/${businessId}`;
const service = { "x-role": "service", "content-type": "application/json" };

const bakery = {
  businessId,
  name: "Bakery",
  locale: "en",
  timeZone: "Europe/London",
  questions: [{ question: "Do you sell rye bread?", answer: "Yes, rye on weekdays." }],
  documents: [{ documentId: "cakes", title: "Cake orders", text: "Wedding cakes are ordered three weeks ahead." }],
};
const fileText = "businessId: B2\nname: Of the file\nlocale: en\ntimeZone: UTC\nagent: { kind: assistant }\n";

let folder: string;
let app: TestApp;

async function start(): Promise<TestApp> {
  return startTestApp({
    DATA_DIR: join(folder, "data"),
    BUSINESSES_DIR: join(folder, "businesses"),
    AGENT: "assistant",
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bennu-stored-"));
  await mkdir(join(folder, "businesses"));
  await writeFile(join(folder, "businesses", "B2.yaml"), fileText);
  app = await start();
});

afterEach(async () => {
  await app.dispose();
  await rm(folder, { recursive: true, force: true });
});

type Body = Readonly<Record<string, unknown>>;

async function send(method: string, at: string, body?: unknown, more: Readonly<Record<string, string>> = {}) {
  const headers = { ...service, ...more };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await ask(app, at, { method, headers, ...(body === undefined ? {} : { body: text }) });
  const parsed = answer.text === "" ? {} : (JSON.parse(answer.text) as Body);
  return { status: answer.status, etag: String(answer.headers.etag), body: parsed, answer };
}

const put = (body: unknown, at = path, more = {}) => send("PUT", at, body, more);
const get = (at = path) => send("GET", at);

async function join_(id = businessId, userId = "ana"): Promise<WireClient> {
  const tab = await WireClient.connect(app.url);
  await tab.call(`messages:${id}`, "phx_join", { userId });
  return tab;
}

async function answerTo(tab: WireClient, message: string, id = businessId): Promise<string> {
  const payload = { businessId: id, userId: "ana", locationId: "default", message };
  const { status, response } = await tab.call(`messages:${id}`, "new_message", payload);
  expect(status).toBe("ok");
  for (;;) {
    // An answer of before comes once more when nobody knows whether it arrived.
    const [, , , , answer] = await tab.event("new_message");
    if (answer.inReplyTo === response.messageId) return String(answer.message);
  }
}

describe("[H9] [B5] a business that is stored", () => {
  test("answers the next turn of a socket that is open, again when it is stored again, and after a restart", async () => {
    const tab = await join_();
    expect(await answerTo(tab, "Do you sell rye bread?")).not.toContain("rye on weekdays");
    const stored = await put(bakery);
    expect([stored.status, stored.body]).toMatchObject([200, { ...bakery, type: "general", greeting: "Hello!" }]);
    expect(await answerTo(tab, "Do you sell rye bread?")).toBe("Yes, rye on weekdays.");
    const question = { ...bakery.questions[0], answer: "Only on Sundays." };
    expect((await put({ ...bakery, questions: [question] })).status).toBe(200);
    expect(await answerTo(tab, "Do you sell rye bread?")).toBe("Only on Sundays.");
    tab.close();
    await app.stop();
    app = await start();
    expect((await get()).body).toMatchObject({ questions: [question] });
    const back = await join_();
    expect(await answerTo(back, "Do you sell rye bread?")).toBe("Only on Sundays.");
    back.close();
  });

  test("[B4] limits the users of sockets that are open", async () => {
    const tab = await join_();
    await put({ ...bakery, limits: { messagesPerMinutePerUser: 1 } });
    await answerTo(tab, "Do you sell rye bread?");
    const payload = { businessId, userId: "ana", locationId: "default", message: "And now?" };
    const { response } = await tab.call(`messages:${businessId}`, "new_message", payload);
    expect(response.code).toBe("rate_limited");
    tab.close();
  });

  test("goes before its file, and what GET answers PUT takes", async () => {
    const { body, etag } = await get("/api/businesses/B2");
    expect(body).toMatchObject({ businessId: "B2", name: "Of the file" });
    expect(body).not.toHaveProperty("origin");
    const same = await put(body, "/api/businesses/B2", { "if-match": etag });
    expect([same.status, same.body, same.etag]).toEqual([200, body, etag]);
    await put({ ...body, name: "Of the store" }, "/api/businesses/B2");
    expect((await get("/api/businesses/B2")).body).toMatchObject({ name: "Of the store" });
  });

  test("is refused whole, with the path of each problem", async () => {
    await put(bakery);
    const { status, body, answer } = await put({
      ...bakery,
      nmae: "Bakery",
      locale: "fr",
      services: [{ name: "Bread" }, { name: "Rye", price: 3 }],
      limits: { messagesPerSecond: 0 },
      businessId: "B9",
      agent: { kind: "http", url: "http://127.0.0.1:1/" },
    });
    expect([status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
    expect(body.errors).toEqual(
      expect.arrayContaining([
        { path: "businessId", message: expect.stringContaining(`expected "${businessId}"`) as unknown },
        { path: "agent.url", message: expect.stringContaining("public internet") as unknown },
        { path: "nmae", message: 'unknown key "nmae"' },
        { path: "locale", message: expect.stringContaining("expected one of") as unknown },
        { path: "services.1.price", message: "expected string, received number" },
        { path: "limits.messagesPerSecond", message: expect.any(String) as unknown },
      ]),
    );
    expect((await get()).body).toMatchObject(bakery);
  });

  const http = (url: string) => ({ agent: { kind: "http", url } });
  const tool = (url: string) => ({
    intents: [
      { name: "a", title: "A", phrases: ["a"], opening: "A", confirmation: "A", tool: { kind: "webhook", url } },
    ],
  });
  test.each<[what: string, changes: object, path: string]>([
    ["another id than the path", { businessId: "B3" }, "businessId"],
    [
      "a document that is there twice",
      { documents: [...bakery.documents, ...bakery.documents] },
      "documents.1.documentId",
    ],
    ["an agent of a kind that there is not", { agent: { kind: "magic" } }, "agent.kind"],
    ["[B6] an agent on this machine", http("http://127.1:3000/"), "agent.url"],
    ["[B6] an agent at localhost", http("http://localhost/"), "agent.url"],
    ["[B6] a tool on a private network", tool("http://10.0.0.7/"), "intents.0.tool.url"],
    ["[B6] a tool on this machine, in IPv6", tool("http://[::ffff:7f00:1]/"), "intents.0.tool.url"],
    ["[B6] a word about who wrote it", { origin: "file" }, "origin"],
    ["a name that objects have", JSON.parse('{"__proto__": {"a": 1}}') as object, "__proto__"],
  ])("%s is a problem", async (_what, changes, where) => {
    const text = JSON.stringify({ ...bakery }).slice(0, -1) + "," + JSON.stringify(changes).slice(1);
    const { status, body } = await put(text);
    const { path: at } = (body.errors as { readonly path: string }[])[0]!;
    expect([status, at]).toEqual([400, where]);
    expect((await get()).body).toMatchObject({ name: businessId });
  });

  test.each(["", "[]", "null", "3", "{", '{"a":'])("the body %j is none", async (text) => {
    const { status, answer } = await put(text);
    expect([status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
  });

  test("is as large as a file may be, whatever a store takes at once, and no larger", async () => {
    const document = (n: number) => ({ documentId: `d${n}`, title: "T", text: '"'.repeat(100_000) });
    const large = { ...bakery, documents: [1, 2, 3, 4, 5].map(document) };
    expect((await put(large)).status).toBe(200);
    await app.stop();
    app = await start();
    expect((await get()).body).toMatchObject(large);
    const [larger] = [{ ...bakery, documents: [1, 2, 3, 4, 5, 6].map(document) }];
    expect(problemCode((await put(larger)).answer)).toBe("payload_too_large");
    expect(problemCode((await put(document(6), `${path}/documents/d6`)).answer)).toBe("payload_too_large");
    expect((await get()).body).toMatchObject(large);
  });
});

describe("[H9] If-Match", () => {
  test("a business that is not what it names is 412, and stays", async () => {
    const { etag } = await put(bakery);
    const next = await put({ ...bakery, name: "Two" }, path, { "if-match": `"x", ${etag}` });
    expect([next.status, next.etag === etag]).toEqual([200, false]);
    for (const stale of [etag, '"x"', `W/${next.etag}`, ""]) {
      const { status, answer } = await put({ ...bakery, name: "Three" }, path, { "if-match": stale });
      expect([status, problemCode(answer)]).toEqual([412, "precondition_failed"]);
    }
    expect(await get()).toMatchObject({ etag: next.etag, body: { name: "Two" } });
    expect((await put(bakery, path, { "if-match": "*" })).status).toBe(200);
  });

  test("of many at once with the same one, one is stored; without any the last of them is, whole", async () => {
    const { etag } = await put(bakery);
    const names = Array.from({ length: 8 }, (_, n) => `Bakery ${n}`);
    const of = (name: string) => ({ ...bakery, name, greeting: name, questions: [{ question: "Who?", answer: name }] });
    const all = await Promise.all(names.map((name) => put(of(name), path, { "if-match": etag })));
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(7).fill(412)]);
    const winner = all.find(({ status }) => status === 200)!;
    expect((await get()).body).toEqual(winner.body);
    const free = await Promise.all(names.map((name) => put(of(name))));
    expect(free.map(({ status }) => status)).toEqual(Array<number>(8).fill(200));
    const { body } = await get();
    expect(body).toMatchObject(of(String(body.name)));
    // Nothing is left of what was refused or replaced.
    const { items } = await app.store.listRecords(`business#${businessId}`, { limit: 10 });
    expect(items).toHaveLength(1);
  });
});

describe("[H10] [B7] documents", () => {
  const at = (id: string, of = businessId) => `/api/businesses/${of}/documents/${id}`;
  const text = "The summer fair is in the castle park.";

  test("one beside a file is found by the next turn, named as its source, and can be taken away again", async () => {
    const fair = await put({ title: "Summer fair", text }, at("fair", "B2"));
    expect([fair.status, fair.body]).toEqual([201, { documentId: "fair", title: "Summer fair", text }]);
    const tab = await join_("B2");
    expect(await answerTo(tab, "Where is the summer fair?", "B2")).toContain("castle park");
    const [{ sessionId } = { sessionId: "" }] = (await app.store.readActiveSessions("B2", { limit: 1 })).items;
    const { items } = await app.store.readMessages(sessionId, { limit: 1 });
    expect(items[0]?.metadata.sources).toEqual(["Summer fair"]);
    await app.stop();
    app = await start();
    expect(await get(at("fair", "B2"))).toMatchObject({ status: 200, etag: fair.etag });
    expect((await send("DELETE", at("fair", "B2"))).status).toBe(204);
    expect((await get(at("fair", "B2"))).status).toBe(404);
    expect(problemCode((await send("DELETE", at("fair", "B2"))).answer)).toBe("not_found");
    const back = await join_("B2");
    expect(await answerTo(back, "Where is the summer fair?", "B2")).not.toContain("castle park");
    for (const each of [tab, back]) each.close();
  });

  test("one of a stored business is replaced where it is, and goes when the whole is stored anew", async () => {
    await put({ ...bakery, documents: [...bakery.documents, { documentId: "z", title: "Z", text: "z" }] });
    expect((await put({ title: "Cakes", text: "New." }, at("cakes"))).status).toBe(200);
    expect((await put({ title: "Last", text: "New." }, at("a"))).status).toBe(201);
    const { body } = await get();
    expect((body.documents as Body[]).map(({ title }) => title)).toEqual(["Cakes", "Z", "Last"]);
    await put(bakery);
    expect((await get()).body.documents).toEqual(bakery.documents);
  });

  test("one of a file can be taken away, and the file stays trusted", async () => {
    const file = join(folder, "businesses", "B2.yaml");
    await writeFile(file, `${fileText}documents:\n  - { documentId: a, title: A, text: a }\n`);
    await app.stop();
    app = await start();
    expect((await get(at("a", "B2"))).body).toEqual({ documentId: "a", title: "A", text: "a" });
    expect((await send("DELETE", at("a", "B2"))).status).toBe(204);
    expect((await get("/api/businesses/B2")).body.documents).toEqual([]);
    expect((await put({ title: "A", text: "b" }, at("a", "B2"))).status).toBe(201);
    expect((await get("/api/businesses/B2")).body.documents).toEqual([{ documentId: "a", title: "A", text: "b" }]);
  });

  test("[H9] If-Match is of the document", async () => {
    const { etag } = await put({ title: "A", text: "a" }, at("a"));
    const next = await put({ title: "A", text: "b" }, at("a"), { "if-match": etag });
    expect(next.status).toBe(200);
    for (const method of ["PUT", "DELETE"]) {
      const body = method === "PUT" ? { title: "A", text: "c" } : undefined;
      const { answer } = await send(method, at("a"), body, { "if-match": etag });
      expect(problemCode(answer)).toBe("precondition_failed");
    }
    const none = await put({ title: "B", text: "b" }, at("b"), { "if-match": "*" });
    expect(problemCode(none.answer)).toBe("precondition_failed");
    expect((await send("DELETE", at("a"), undefined, { "if-match": next.etag })).status).toBe(204);
  });

  test.each<[body: unknown, id: string, where: string]>([
    [{ title: "A" }, "a", "text"],
    [{ title: "A", text: " " }, "a", "text"],
    [{ title: "A", text: "a", more: 1 }, "a", "more"],
    [{ documentId: "b", title: "A", text: "a" }, "a", "documentId"],
    [{ title: "A", text: "a" }, "a%20b", "documentId"],
    [{ title: "A", text: "x".repeat(200_001) }, "a", "text"],
    [[], "a", ""],
  ])("[B1] what is not as a document must be is a problem (%#)", async (body, id, where) => {
    const refused = await put(body, at(id));
    expect(refused.status).toBe(400);
    expect((refused.body.errors as { path: string }[])[0]!.path).toBe(where);
    expect((await get()).body.documents).toEqual([]);
  });

  test("many at once are all there", async () => {
    const ids = Array.from({ length: 6 }, (_, n) => `d${n}`);
    const all = await Promise.all(ids.map((id) => put({ title: id, text: id }, at(id))));
    expect(all.map(({ status }) => status)).toEqual(ids.map(() => 201));
    const { body } = await get();
    expect((body.documents as Body[]).map(({ documentId }) => documentId).toSorted()).toEqual(ids);
  });
});

describe("[B5] another node", () => {
  let clock: FakeClock;
  let other: Businesses;
  const errors: string[] = [];

  beforeEach(async () => {
    clock = new FakeClock();
    errors.length = 0;
    const onError = (operation: string) => void errors.push(operation);
    other = createBusinesses({
      records: createBusinessRecords({ store: app.store, ids: createIds(clock), onError }),
      clock,
      files: new Map<string, Business>(),
      undescribed: () => null,
      problemsOf: () => [],
      onError,
    });
    await other.start();
  });
  afterEach(() => other.stop());

  test("has what was stored within 5 s, and a file's documents only with the file", async () => {
    await put(bakery);
    await put({ title: "A", text: "a" }, "/api/businesses/B2/documents/a");
    expect(other.find("B1")).toBeNull();
    clock.advance(5000);
    await until("the business is there", () => other.find("B1") !== null);
    expect(other.find("B1")).toMatchObject(bakery);
    const before = other.find("B1");
    clock.advance(5000);
    await put({ ...bakery, name: "Two" });
    clock.advance(5000);
    await until("it has its new name", () => other.find("B1")?.name === "Two");
    expect(before?.name).toBe("Bakery");
    expect([other.find("B2"), errors]).toEqual([null, ["use a business that is stored"]]);
  });

  test("that stores at the same time mixes nothing", async () => {
    const any = () => true;
    const ours = Array.from({ length: 5 }, (_, n) => put({ ...bakery, name: `ours ${n}`, greeting: `ours ${n}` }));
    const theirs = Array.from({ length: 5 }, (_, n) =>
      other.put(businessId, { ...bakery, name: `theirs ${n}`, greeting: `theirs ${n}` }, any),
    );
    expect((await Promise.all(ours)).every(({ status }) => status === 200)).toBe(true);
    expect((await Promise.all(theirs)).every(({ ok }) => ok)).toBe(true);
    clock.advance(5000);
    const stored = await createBusinessRecords({
      store: app.store,
      ids: createIds(clock),
      onError: () => undefined,
    }).read("B1");
    const { name, greeting } = (stored!.stored as { business: Business }).business;
    expect(greeting).toBe(name);
  });
});
