import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createHmac } from "node:crypto";
import { type ApiDeps, apiRoutes } from "../../server/http/api.js";
import { ask, problemCode } from "../support/plain-http.js";
import { makeDataDir, startTestApp, type TestApp } from "../support/start-app.js";

type Json = Readonly<Record<string, unknown>>;

/** Who asks. */
interface Caller {
  readonly businessId: string;
  readonly userId: string;
}

/** A request that is done, and may be said again. */
interface Wish {
  readonly role: "user" | "service";
  readonly path: (caller: Caller) => string | Promise<string>;
  /** @param words what one wish differs in from another */
  readonly body: (caller: Caller, words: string) => Json;
  /** What it is that was made. */
  readonly made: (answer: Json) => unknown;
}

/** As Node has to be given a text that is to leave as UTF-8. */
const inHeader = (text: string) => Buffer.from(text, "utf8").toString("latin1");

const secret = "a secret of thirty-two bytes or more";
const ana = { businessId: "B1", userId: "ana" };
const others: readonly (readonly [string, Caller])[] = [
  ["another user's", { ...ana, userId: "bob" }],
  ["a user's of the same id elsewhere", { ...ana, businessId: "B2" }],
];
const later = "2999-01-01T00:00:00.000Z";
const chats = new Map<string, Promise<string>>();

const wishes: Readonly<Record<string, Wish>> = {
  "post /api/messages": saying(() => "/api/messages"),
  "post /api/webhooks/generic/:businessId": saying(({ businessId }) => `/api/webhooks/generic/${businessId}`),
  "post /chats": beginning("/chats"),
  "post /api/chats": beginning("/api/chats"),
  "post /chats/:sessionId/messages": sayingIn("/chats"),
  "post /api/chats/:sessionId/messages": sayingIn("/api/chats"),
  "post /conversations": conversing("/conversations"),
  "post /api/conversations": conversing("/api/conversations"),
  "post /api/schedules": {
    role: "user",
    path: () => "/api/schedules",
    body: (_caller, message) => ({ message, at: later }),
    made: ({ scheduleId }) => scheduleId,
  },
};

/** What does nothing twice, or keeps nothing of what it makes. */
const harmless: readonly string[] = [
  "post /agents/:agentId/connect",
  "post /api/agents/:agentId/connect",
  "post /conversations/:conversationId/participants/add",
  "post /conversations/:conversationId/participants/remove",
  "post /api/conversations/:conversationId/participants/add",
  "post /api/conversations/:conversationId/participants/remove",
  "post /internal/chat-ai-worker",
  "post /api/tokens",
  "post /api/visitors/:businessId",
  "post /api/webhooks/telegram/:businessId",
];

const posts = apiRoutes({} as ApiDeps).filter(({ method }) => method === "post");
const environment = { AGENT_SECRET: secret };

let dataDir: string;
let app: TestApp;

beforeAll(async () => {
  dataDir = await makeDataDir();
  app = await startTestApp({ ...environment, DATA_DIR: dataDir });
});

afterAll(() => app.dispose());

function saying(path: Wish["path"]): Wish {
  const body = (caller: Caller, message: string) => ({ ...caller, locationId: "L1", message });
  return { role: "user", path, body, made: ({ messageId }) => messageId };
}

function beginning(path: string): Wish {
  return { role: "user", path: () => path, body: (_caller, title) => ({ title }), made: ({ _id }) => _id };
}

function sayingIn(path: string): Wish {
  return {
    role: "user",
    path: async (caller) => `${path}/${await chatOf(caller)}/messages`,
    body: (_caller, content) => ({ content }),
    made: ({ message }) => (message as Json)._id,
  };
}

function conversing(path: string): Wish {
  const body = (_caller: Caller, title: string) => ({ agentId: "robot", title });
  return { role: "service", path: () => path, body, made: ({ _id }) => _id };
}

function chatOf(caller: Caller): Promise<string> {
  const name = JSON.stringify(caller);
  const chat =
    chats.get(name) ?? wishFor(wishes["post /chats"]!, { caller }).then(({ answer }) => answer._id as string);
  chats.set(name, chat);
  return chat;
}

function headersOf({ role, ...caller }: Caller & { readonly role: string }, body: string): Record<string, string> {
  return {
    ...{ "content-type": "application/json", "x-role": role },
    ...{ "x-user-id": caller.userId, "x-business-id": caller.businessId },
    "x-bennu-signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
}

async function wishFor(
  wish: Wish,
  { caller = ana, words = "one", key }: { readonly caller?: Caller; readonly words?: string; readonly key?: string },
) {
  const body = JSON.stringify(wish.body(caller, words));
  const headers = headersOf({ ...caller, role: wish.role }, body);
  const keyed = key === undefined ? {} : { "idempotency-key": key };
  const path = await wish.path(caller);
  const answer = await ask(app, path, { method: "POST", headers: { ...headers, ...keyed }, body });
  return { ...answer, answer: JSON.parse(answer.text) as Json };
}

// What is told of a retry beside the first answer: that it is one, and what has become of the message meanwhile.
function lasting({ duplicate: _duplicate, response: _response, ...rest }: Json): Json {
  return rest;
}

test("[H27] every POST says what the same one is under the same key, and is tried here", () => {
  const said = (repeated: string) =>
    posts.filter((route) => route.repeated === repeated).map(({ path }) => `post ${path}`);
  expect(posts.filter(({ repeated }) => repeated === undefined).map(({ path }) => path)).toEqual([]);
  expect(said("once").toSorted()).toEqual(Object.keys(wishes).toSorted());
  expect(said("harmless").toSorted()).toEqual(harmless.toSorted());
});

describe.each(Object.entries(wishes))("[H27] %s under a key", (name, wish) => {
  const { made } = wish;

  test("is done once, however many come at once, later, and after a restart", async () => {
    const key = `once ${name}`;
    const first = await Promise.all([1, 2, 3].map(() => wishFor(wish, { key })));
    await app.stop();
    app = await startTestApp({ ...environment, DATA_DIR: dataDir });
    const all = [...first, await wishFor(wish, { key })];
    expect(all.map(({ status }) => [200, 201, 202].includes(status))).toEqual([true, true, true, true]);
    expect(made(all[0]!.answer)).toEqual(expect.any(String));
    for (const { answer } of all) expect(lasting(answer)).toEqual(lasting(all[0]!.answer));
  });

  test("is another one under another key, or without one", async () => {
    const keys = [`first ${name}`, `second ${name}`, undefined, undefined];
    const all = [];
    for (const key of keys) all.push(await wishFor(wish, key === undefined ? {} : { key }));
    expect(new Set(all.map(({ answer }) => made(answer))).size).toBe(4);
  });

  test("is refused when it is another wish, and the first one stands", async () => {
    const key = `other ${name}`;
    const first = await wishFor(wish, { key });
    const other = await wishFor(wish, { key, words: "two" });
    expect([other.status, problemCode(other)]).toEqual([422, "idempotency_mismatch"]);
    expect(made((await wishFor(wish, { key })).answer)).toBe(made(first.answer));
  });

  test.each(others)("is not %s", async (_whose, caller) => {
    const key = `own ${name}`;
    const mine = await wishFor(wish, { key });
    const theirs = await wishFor(wish, { key, caller, words: "two" });
    expect([200, 201, 202]).toContain(theirs.status);
    expect(made(theirs.answer)).not.toBe(made(mine.answer));
    expect(made((await wishFor(wish, { key })).answer)).toBe(made(mine.answer));
  });

  test("takes one of 128 bytes", async () => {
    const key = name.padEnd(128, "x");
    const all = [await wishFor(wish, { key }), await wishFor(wish, { key })];
    expect(made(all[0]!.answer)).toEqual(expect.any(String));
    expect(made(all[1]!.answer)).toBe(made(all[0]!.answer));
  });
});

describe.each(posts)("[H27] $path with a key that is none", ({ path, action }) => {
  const role = ["conversation.create", "conversation.invite", "agent.connect", "token.issue"].includes(action)
    ? "service"
    : "user";
  const filled = path.replaceAll(/:businessId/g, ana.businessId).replaceAll(/:\w+/g, "x");

  test.each([
    ["empty", ""],
    ["129 bytes", "x".repeat(129)],
    ["65 letters of two bytes", inHeader("é".repeat(65))],
    ["no UTF-8", "\u00ff"],
  ])("that is %s is 400", async (_what, key) => {
    const headers = { ...headersOf({ ...ana, role }, "{}"), "idempotency-key": key };
    const answer = await ask(app, filled, { method: "POST", headers, body: "{}" });
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
    expect(JSON.parse(answer.text)).toMatchObject({ detail: "Idempotency-Key is 1 to 128 bytes of UTF-8" });
  });
});

describe("[H27] a key is the bytes that were sent", () => {
  const said = (key: string) => wishFor(wishes["post /api/messages"]!, { key });

  test("128 of them, whatever they are, and not one more", async () => {
    for (const [key, status] of [
      [inHeader("ă".repeat(64)), 202],
      [inHeader(`${"ț".repeat(64)}x`), 400],
      [inHeader("🙂".repeat(32)), 202],
      ["x".repeat(129), 400],
    ] as const) {
      expect([key, (await said(key)).status]).toEqual([key, status]);
    }
  });

  test("and the clientMessageId of the same text", async () => {
    const words = "of one id";
    const { path, body } = wishes["post /api/messages"]!;
    const first = await wishFor(wishes["post /api/messages"]!, { key: inHeader("mesajul întâi"), words });
    const same = JSON.stringify({ ...body(ana, words), clientMessageId: "mesajul întâi" });
    const options = { method: "POST", headers: headersOf({ ...ana, role: "user" }, same), body: same };
    const again = JSON.parse((await ask(app, await path(ana), options)).text) as Json;
    expect(again).toMatchObject({ messageId: first.answer.messageId, duplicate: true });
  });
});
