import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Session } from "../../server/messaging/model.js";
import { headOf, questionOf } from "../support/heads.js";
import { soon } from "../support/intercepted-store.js";
import { ask, problemCode } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

interface Page {
  readonly sessions: readonly Session[];
  readonly pagination: { readonly hasMore: boolean; readonly nextCursor: string | null };
}

const total = 60;
const start = Date.parse("2026-03-02T10:00:00.000Z");

let app: TestApp;

/** Of every seventh one of five users of a business there is a title, and every third one is closed. */
beforeAll(async () => {
  app = await startTestApp();
  for (let index = 0; index < total; index += 1) await put(`s${name(index)}`, index, { userId: `u${index % 5}` });
  await put("other", 3, { businessId: "B2", userId: "u1" });
  // An index may lag behind what was acknowledged. (SPEC S15)
  for (const query of [
    "businessId=B1",
    ...["u0", "u1", "u2", "u3", "u4"].map((name) => `businessId=B1&userId=${name}`),
  ]) {
    const due = query.includes("userId") ? total / 5 : total;
    while ((await all(query)).length < due) await soon();
  }
});

afterAll(() => app.dispose());

async function put(sessionId: string, index: number, session: Partial<Session>): Promise<void> {
  const createdAt = new Date(start + index * 1000).toISOString();
  const more = {
    ...(index % 7 === 0 ? { title: `Șină dentară ${index}` } : {}),
    status: index % 3 === 0 ? ("closed" as const) : ("active" as const),
  };
  const chatId = index % 2 === 0 ? "even" : "odd";
  const head = headOf({ session: { sessionId, createdAt, offset: 1, ...more, ...session } });
  const { businessId, userId = "" } = head.session;
  const said = { ...questionOf(`m-${sessionId}`, 1), sessionId, businessId, userId, timestamp: createdAt };
  await app.store.importSession(head, [{ ...said, metadata: { source: "http", chatId } }]);
}

function name(index: number): string {
  return String(index).padStart(3, "0");
}

async function list(query: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
  const { status, text } = await ask(app, `/api/sessions?${query}`, { headers });
  expect([query, status]).toEqual([query, 200]);
  return JSON.parse(text) as Page;
}

async function all(
  query: string,
  headers: Readonly<Record<string, string>> = {},
  from: string | null = "",
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let cursor = from; cursor !== null;) {
    const { sessions, pagination } = await list(`${query}${cursor === "" ? "" : `&cursor=${cursor}`}`, headers);
    const limit = Number(/limit=(\d+)/.exec(query)?.[1] ?? 50);
    expect(sessions.length).toBeLessThanOrEqual(limit);
    ids.push(...sessions.map(({ sessionId }) => sessionId));
    expect(pagination.hasMore).toBe(pagination.nextCursor !== null);
    cursor = pagination.nextCursor;
  }
  return ids;
}

function ids(isOne: (index: number) => boolean): string[] {
  return Array.from({ length: total }, (_, index) => index)
    .filter(isOne)
    .map((index) => `s${name(index)}`)
    .toReversed();
}

describe("[H20] GET /api/sessions", () => {
  const lists: [string, (index: number) => boolean][] = [
    ["businessId=B1", () => true],
    ["businessId=B1&userId=u2", (index) => index % 5 === 2],
    ["businessId=B1&status=closed", (index) => index % 3 === 0],
    ["businessId=B1&userId=u2&status=active", (index) => index % 5 === 2 && index % 3 !== 0],
    ["businessId=B1&q=sina", (index) => index % 7 === 0],
    ["businessId=B1&q=%C8%98IN%C4%82", (index) => index % 7 === 0],
    ["businessId=B1&q=U4", (index) => index % 5 === 4],
    ["businessId=B1&q=s04", (index) => Math.floor(index / 10) === 4],
    ["businessId=B1&userId=u2&chatId=odd", (index) => index % 5 === 2 && index % 2 === 1],
    ["businessId=B1&userId=u2&chatId=odd&status=closed", (index) => index % 30 === 27],
    ["businessId=B1&userId=u2&chatId=none", () => false],
    ["businessId=B1&userId=nobody", () => false],
    ["businessId=B1&q=nothing", () => false],
  ];

  test.each(lists)("%s: each once, the latest created first, at any page size", async (query, isOne) => {
    for (const limit of [1, 7, 50, 9999]) expect(await all(`${query}&limit=${limit}`)).toEqual(ids(isOne));
  });

  test("a user has the own sessions, and needs to say nothing for it", async () => {
    const headers = { "x-user-id": "u2", "x-business-id": "B1" };
    const own = ids((index) => index % 5 === 2);
    expect(await all("", headers)).toEqual(own);
    expect(await all("businessId=B1&userId=u2", headers)).toEqual(own);
    expect(await all("chatId=odd", headers)).toEqual(own.filter((id) => Number(id.slice(1)) % 2 === 1));
    for (const query of ["userId=u1", "businessId=B2", "userId=%20", "businessId=__proto__"]) {
      const answer = await ask(app, `/api/sessions?${query}`, { headers });
      expect([query, answer.status, problemCode(answer)]).toEqual([query, 404, "not_found"]);
    }
  });

  test("50 without a limit, and never more than 200; the sessions are whole", async () => {
    const { sessions, pagination } = await list("businessId=B1");
    expect([sessions.length, pagination.hasMore]).toEqual([50, true]);
    expect(sessions[0]).toEqual((await app.store.readHead("s059"))!.session);
  });

  test("a page looks at ten times its limit at most, and says where it ended", async () => {
    const { sessions, pagination } = await list("businessId=B1&q=s000&limit=5");
    expect([sessions, pagination.hasMore]).toEqual([[], true]);
    const rest = await list(`businessId=B1&q=s000&limit=5&cursor=${pagination.nextCursor}`);
    expect(rest.sessions.map(({ sessionId }) => sessionId)).toEqual(["s000"]);
  });

  test("nothing is lost or comes twice while sessions are talked in, begun and deleted", async () => {
    const before = ids((index) => index % 5 === 0);
    const first = await list("businessId=B1&userId=u0&limit=4");
    await put("s100", 100, { userId: "u0" });
    const old = "s000";
    await app.store.changeSession(old, (head) => ({
      result: null,
      head: { ...head, session: { ...head.session, lastMessageAt: "2026-09-09T00:00:00.000Z", status: "active" } },
    }));
    const gone = first.sessions[1]!.sessionId;
    expect((await ask(app, `/api/sessions/${gone}`, { method: "DELETE" })).status).toBe(204);
    const rest = await all("businessId=B1&userId=u0&limit=3", {}, first.pagination.nextCursor);
    expect([...first.sessions.map(({ sessionId }) => sessionId), ...rest]).toEqual(before);
  });

  test.each([
    ["limit=0", "invalid_payload"],
    ["limit=abc", "invalid_payload"],
    ["limit=1&limit=2", "invalid_payload"],
    ["status=deleted", "invalid_payload"],
    ["status=active&status=closed", "invalid_payload"],
    ["Status=active", "invalid_payload"],
    ["q=", "invalid_payload"],
    ["q=%20", "invalid_payload"],
    [`q=${"x".repeat(129)}`, "invalid_payload"],
    ["q[]=x", "invalid_payload"],
    ["chatId=", "invalid_payload"],
    ["userId=u1&userId=u2", "invalid_payload"],
    ["userId=u2&chatId=", "invalid_payload"],
    ["chatId=odd", "missing_parameters"],
    ["cursor=x", "invalid_payload"],
    ["cursor=", "invalid_payload"],
  ])("?businessId=B1&%s is 400", async (query, code) => {
    const answer = await ask(app, `/api/sessions?businessId=B1&${query}`);
    expect([answer.status, problemCode(answer)]).toEqual([400, code]);
  });

  test("without a business there is nothing to list, and a cursor is good for its own list alone", async () => {
    const answer = await ask(app, "/api/sessions");
    expect([answer.status, problemCode(answer)]).toEqual([400, "missing_parameters"]);
    const { nextCursor } = (await list("businessId=B1&limit=1")).pagination;
    for (const query of ["businessId=B2", "businessId=B1&userId=u1", "businessId=B1&userId=u1&chatId=odd"]) {
      const wrong = await ask(app, `/api/sessions?${query}&cursor=${nextCursor}`);
      expect([query, wrong.status, problemCode(wrong)]).toEqual([query, 400, "invalid_payload"]);
    }
  });
});
