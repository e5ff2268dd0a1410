import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { defaultBusiness } from "../../server/messaging/business.js";
import { type Accepted, type Conversations, createConversations } from "../../server/messaging/conversations.js";
import { createIds } from "../../server/messaging/ids.js";
import type { ChatMessage, Session } from "../../server/messaging/model.js";
import { readCurrentSession } from "../../server/messaging/sessions.js";
import { StoreError } from "../../server/messaging/store.js";
import { storeOfRun } from "../support/store-of-run.js";
import { FakeClock } from "../support/fake-clock.js";
import { intentLife, userMessageOf } from "../support/heads.js";
import { ask, type HttpAnswer, problemCode } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

const t0 = Date.parse("2026-03-02T10:00:00.000Z");
const unknownId = "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11";

interface HistoryPage {
  readonly sessionId: string;
  readonly businessId: string;
  readonly userId: string;
  readonly messages: readonly ChatMessage[];
  readonly pagination: { readonly hasMore: boolean; readonly nextCursor: string | null };
}

interface ActivePage {
  readonly businessId: string;
  readonly activeSessions: readonly Session[];
  readonly pagination: { readonly hasMore: boolean; readonly nextCursor: string | null };
}

/** Each writes some hundred messages. */
const pagingRuns = storeOfRun === "dynamodb" ? 3 : 20;

let app: TestApp;
let clock: FakeClock;
let conversations: Conversations;

beforeAll(async () => {
  clock = new FakeClock(t0);
  app = await startTestApp({ DEFAULT_TIME_ZONE: "Europe/Bucharest" }, { clock });
  const onError = () => undefined;
  conversations = createConversations({
    store: app.store,
    clock,
    ids: createIds(clock),
    node: "test",
    onError,
    onChanged: onError,
    onIntent: onError,
    intentLife,
  });
});

afterAll(() => app.dispose());

describe("[H4] shapes", () => {
  test("a conversation reads as it is documented to clients", async () => {
    const client = await WireClient.connect(app.url);
    await client.call("messages:B0100001", "phx_join", { userId: "user_123" });
    client.send(null, "1", "messages:B0100001", "new_message", {
      businessId: "B0100001",
      locationId: "L0100001",
      userId: "user_123",
      message: "Vreau să fac o programare",
    });
    const [, , , , answer] = await client.event("new_message");
    client.close();
    const { sessionId } = answer as { sessionId: string };
    const page = await history(sessionId);
    expect(page).toMatchObject({
      sessionId,
      businessId: "B0100001",
      userId: "user_123",
      messages: [
        {
          messageId: expect.any(String),
          sessionId,
          businessId: "B0100001",
          userId: "user_123",
          content: "Vreau să fac o programare",
          type: "user",
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          metadata: { source: "websocket" },
        },
        {
          messageId: answer.messageId,
          sessionId,
          businessId: "B0100001",
          userId: "agent",
          content: answer.message,
          type: "agent",
          timestamp: answer.timestamp,
          metadata: { source: "websocket", responseId: answer.responseId },
        },
      ],
      pagination: { hasMore: false, nextCursor: null },
    });
    expect(Object.keys(page)).toEqual(["sessionId", "businessId", "userId", "messages", "pagination"]);
    const { businessId, activeSessions } = await active("B0100001");
    const [session] = activeSessions;
    expect({ businessId, session }).toMatchObject({
      businessId: "B0100001",
      session: {
        sessionId,
        businessId: "B0100001",
        locationId: "L0100001",
        userId: "user_123",
        status: "active",
        createdAt: expect.any(String),
        updatedAt: answer.timestamp,
        lastMessageAt: answer.timestamp,
        metadata: { businessType: expect.any(String), context: {} },
      },
    });
  });
});

describe("[H2] [H-04] limit", () => {
  const sizes: [string, number][] = [
    ["", 50],
    ["limit=1", 1],
    ["limit=7", 7],
    ["limit=007", 7],
    ["limit=100", 100],
    ["limit=200", 200],
    ["limit=201", 200],
    ["limit=9999", 200],
  ];
  const refused = [
    "limit=",
    "limit=0",
    "limit=0000",
    "limit=-1",
    "limit=%2B5",
    "limit=1.5",
    "limit=1e9",
    "limit=1e1",
    "limit=abc",
    "limit=0x10",
    "limit=%205",
    "limit=5%20",
    "limit=5%0A",
    "limit=NaN",
    "limit=Infinity",
    "limit=50abc",
    "limit=100000",
    "limit=10000",
    "limit=5&limit=5",
    "limit=%EF%BC%95",
    "limit[]=1",
    "limit%5B%5D=1",
    "limit[0]=1",
    "limit=1&limit[]=1",
    "Limit=1",
    "limit%20=1",
  ];
  let sessionId: string;

  beforeAll(async () => {
    sessionId = await fill("limits", 250);
  });

  test.each(sizes)("%j gives %d messages", async (query, size) => {
    const { messages, pagination } = await history(sessionId, query);
    expect([messages.length, messages.at(-1)?.offset, pagination.hasMore]).toEqual([size, 250, true]);
  });

  test.each(refused)("%j is refused", async (query) => {
    for (const path of [`/api/sessions/${sessionId}/messages`, "/api/sessions/business/B1/active"]) {
      const answer = await ask(app, `${path}?${query}`);
      expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
    }
  });

  test("names that have nothing to do with ours are nobody's mistake", async () => {
    expect((await history(sessionId, "limit=1&_=1772445600000&limits[]=5&utm[x]=limit")).messages).toHaveLength(1);
  });

  test("what is wrong is said in words, and a wrong limit tells nothing of a session", async () => {
    const answers = await Promise.all(
      [sessionId, unknownId].map((id) => ask(app, `/api/sessions/${id}/messages?limit=0`)),
    );
    expect(answers[0]!.text).toBe(answers[1]!.text);
    expect(JSON.parse(answers[0]!.text)).toMatchObject({ detail: "limit is not a whole number from 1 to 9999" });
  });

  test("[L12] the maximum is the server's own, also where it is less than what is usual", async () => {
    const small = await startTestApp({ MAX_HISTORY_PAGE: "3" });
    const client = await WireClient.connect(small.url);
    await client.call("messages:B1", "phx_join", { userId: "ana" });
    for (const message of ["one", "two"]) {
      const payload = { businessId: "B1", locationId: "L1", userId: "ana", message };
      await client.call("messages:B1", "new_message", payload);
      await client.event("new_message");
    }
    const current = await readCurrentSession(small.store, { businessId: "B1", userId: "ana" });
    const id = current!.value.sessionId;
    for (const query of ["", "?limit=50"]) {
      const page = JSON.parse((await ask(small, `/api/sessions/${id}/messages${query}`)).text) as HistoryPage;
      expect(page.messages).toHaveLength(3);
    }
    client.close();
    await small.dispose();
  });
});

describe("[H3] [H4] before and after", () => {
  let sessionId: string;
  let rows: readonly ChatMessage[];

  // 500 messages in one millisecond, with ten before and ten after it.
  beforeAll(async () => {
    await fill("crowd", 10);
    clock.advance(1);
    await fill("crowd", 500);
    clock.advance(1);
    sessionId = await fill("crowd", 10);
    rows = (await app.store.readMessages(sessionId, { limit: 1000 })).items;
    expect(new Set(rows.map(({ timestamp }) => timestamp)).size).toBe(3);
  });

  test.each([1, 7, 50, 200])("[H-02] pages of %d backwards and forwards hold each message once", async (limit) => {
    const offsets = rows.map(({ offset }) => offset);
    expect(await backwards(sessionId, limit)).toEqual(offsets);
    expect(await forwards(sessionId, limit)).toEqual(offsets);
  });

  test("[H-02] a timestamp that many share excludes all of them, in either form and either direction", async () => {
    const shared = rows[10]!.timestamp;
    const forms = [shared, String(Date.parse(shared)), shared.replace("Z", "%2B00:00"), shared.replace("Z", "")];
    for (const form of forms) {
      const older = await history(sessionId, `before=${form}`);
      expect(older.messages.map(({ offset }) => offset)).toEqual(range(1, 10));
      expect(older.pagination).toEqual({ hasMore: false, nextCursor: null });
      const newer = await history(sessionId, `after=${form}`);
      expect(newer.messages.map(({ offset }) => offset)).toEqual(range(511, 520));
    }
  });

  test("[H-02] from a timestamp on, nextCursor leads through all that is older", async () => {
    const seen: number[] = [];
    let query = `limit=33&before=${rows.at(-1)!.timestamp}`;
    for (;;) {
      const { messages, pagination } = await history(sessionId, query);
      seen.unshift(...messages.map(({ offset }) => offset));
      if (pagination.nextCursor === null) break;
      query = `limit=33&before=${pagination.nextCursor}`;
    }
    expect(seen).toEqual(range(1, 510));
  });

  test("both together are a window between the two", async () => {
    const { messages, pagination } = await history(sessionId, "after=o5&before=o9");
    expect(messages.map(({ offset }) => offset)).toEqual([6, 7, 8]);
    expect(pagination).toEqual({ hasMore: false, nextCursor: null });
  });

  test.each<[string, number[]]>([
    ["before=o1", []],
    ["before=o0", []],
    ["before=o2", [1]],
    ["after=o520", []],
    ["after=o519", [520]],
    ["after=o999999999999999", []],
    ["before=o999999999999999&limit=2", [519, 520]],
    ["before=1970-01-01", []],
    ["after=1970-01-01&limit=2", [1, 2]],
    ["before=2999-01-01T00:00:00Z&limit=1", [520]],
    ["after=2999-01-01T00:00:00Z", []],
    ["before=999999999999999&limit=1", [520]],
    ["after=999999999999999", []],
    ["after=9999-12-31T23:59:59.999Z", []],
    ["before=0000-01-01T00:00:00%2B14:00", []],
    ["before=100000000000", []],
    ["after=2028-02-29T00:00:00Z", []],
    ["before=2000-02-29", []],
    ["before=2024-12-31T23:30:00-02:00", []],
  ])("%s gives %j", async (query, offsets) => {
    const { messages } = await history(sessionId, query);
    expect(messages.map(({ offset }) => offset)).toEqual(offsets);
  });

  test.each([
    "",
    "x",
    "o",
    "o-1",
    "o1.5",
    "o1e3",
    "O5",
    "5",
    "1234567890",
    "%20o5",
    "o1234567890123456",
    "2026-13-01",
    "2026-03-02T25:00:00Z",
    "2026-02-30",
    "2026-02-30T00:00:00Z",
    "2026-02-29T10:00:00%2B02:00",
    "2026-04-31T00:00:00",
    "2026-00-10",
    "2026-03-00",
    "1900-02-29T00:00:00Z",
    "2026-03-02%2010:00:00",
    "yesterday",
    "null",
    "NaN",
    "%00",
  ])("[H3] the cursor %j is refused", async (value) => {
    for (const name of ["before", "after"]) {
      const answer = await ask(app, `/api/sessions/${sessionId}/messages?${name}=${value}`);
      expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
    }
  });

  test("[H3] a cursor that is given twice is refused", async () => {
    const answer = await ask(app, `/api/sessions/${sessionId}/messages?before=o5&before=o5`);
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
  });

  test.each(["after[x]=o1", "after[]=o1", "before%5Bx%5D=o1", "After=o1", "BEFORE=o5"])(
    "[H3] %s is refused, and not overlooked",
    async (query) => {
      const answer = await ask(app, `/api/sessions/${sessionId}/messages?${query}`);
      expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
      expect(answer.text).toMatch(/(after|before) is given once, under that very name/);
    },
  );

  test("[H-01] pages backwards while messages are written: all that was there, once, and nothing new among them", async () => {
    for (let run = 0; run < pagingRuns; run += 1) {
      const userId = `busy${run}`;
      const id = await fill(userId, 40);
      let isWriting = true;
      const writing = (async () => {
        while (isWriting) {
          await fill(userId, 1);
          clock.advance(1);
        }
      })();
      const first = await history(id, "limit=7");
      const top = first.messages.at(-1)!.offset;
      const seen = first.messages.map(({ offset }) => offset);
      for (let next = first.pagination.nextCursor; next !== null;) {
        const { messages, pagination } = await history(id, `limit=7&before=${next}`);
        seen.unshift(...messages.map(({ offset }) => offset));
        next = pagination.nextCursor;
      }
      isWriting = false;
      await writing;
      expect(top).toBeGreaterThanOrEqual(40);
      expect(seen).toEqual(range(1, top));
    }
  });
});

describe("[M3] [H4] the ids that old clients make up", () => {
  const midnight = Date.parse("2026-03-01T22:00:00.000Z");

  test("today's is today's session, under its real id", async () => {
    const sessionId = await fill("ana:1", 3);
    for (const ms of [midnight, midnight + 3_600_000, midnight - 11 * 3_600_000]) {
      const page = await history(`B1:ana:1:${ms}`);
      expect([page.sessionId, page.businessId, page.userId, page.messages.length]).toEqual([
        sessionId,
        "B1",
        "ana:1",
        3,
      ]);
    }
  });

  test("after the day's session was resolved it is the one that follows", async () => {
    const first = await fill("bea", 1);
    const { status } = (await app.store.changeSession(first, (head) => {
      const session = { ...head.session, status: "resolved" as const };
      return { result: session, head: { ...head, session } };
    }))!;
    clock.advance(1);
    const second = await fill("bea", 2);
    expect([status, second === first]).toEqual(["resolved", false]);
    expect((await history(`B1:bea:${midnight}`)).sessionId).toBe(second);
  });

  test.each([
    ["a user who has said nothing", `B1:nobody:${midnight}`],
    ["the day before", `B1:ana:1:${midnight - 86_400_000}`],
    ["the day after", `B1:ana:1:${midnight + 86_400_000}`],
    ["a day long ago", "B1:ana:1:0"],
    ["a day that is far away", "B1:ana:1:999999999999999"],
    ["a business nobody described, on an open server", `B9:ana:${midnight}`],
  ])("of %s: no messages, under the id that was asked for", async (_what, id) => {
    const [businessId] = id.split(":");
    expect(await history(id)).toEqual({
      sessionId: id,
      businessId,
      userId: id.slice(businessId!.length + 1, id.lastIndexOf(":")),
      messages: [],
      pagination: { hasMore: false, nextCursor: null },
    });
  });

  test("[X7] someone else's is not there, whether they said something or not, as an unknown one is", async () => {
    await fill("cleo", 1);
    const headers = { "x-user-id": "mallory" };
    const unknown = await ask(app, `/api/sessions/${unknownId}/messages`, { headers });
    expect([unknown.status, problemCode(unknown)]).toEqual([404, "session_not_found"]);
    for (const id of [`B1:cleo:${midnight}`, `B1:nobody:${midnight}`, "B1:cleo:0", `B1:mallory:x:${midnight}`]) {
      expect(await seen(`/api/sessions/${id}/messages`, headers)).toEqual([404, unknown.text]);
    }
    const elsewhere = { "x-user-id": "cleo", "x-business-id": "B2" };
    expect(await seen(`/api/sessions/B1:cleo:${midnight}/messages`, elsewhere)).toEqual([404, unknown.text]);
  });
});

describe("[H-05] ids with anything in them", () => {
  test.each([
    "%00",
    "..%2F..",
    "a%2Fb",
    "%F0%9F%98%80",
    "x".repeat(512),
    "x".repeat(9000),
    "%F0%9F%98%80".repeat(256),
    "%E2%82%AC".repeat(512),
    "%EF%BF%BF".repeat(512),
    "%00".repeat(512),
    "B1:%00:1704067200000",
    ":::::",
    "__proto__",
    "constructor",
    "B1:__proto__:x",
  ])("%.40s is not there", async (id) => {
    const answer = await ask(app, `/api/sessions/${id}/messages`);
    expect([answer.status, problemCode(answer)]).toEqual([404, "session_not_found"]);
  });

  test.each(["%", "%zz", "%E2%82", "%FF", "%C0%80"])("%s is no text at all", async (id) => {
    for (const path of [`/api/sessions/${id}/messages`, `/api/sessions/business/${id}/active`]) {
      const answer = await ask(app, path);
      expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
    }
  });

  test.each(["", "B%20", "B%00", "B%2F", "x".repeat(65), "%F0%9F%98%80", "..%2F..", "*"])(
    "a business %j is not there",
    async (id) => {
      const answer = await ask(app, `/api/sessions/business/${id}/active`);
      expect([answer.status, problemCode(answer)]).toEqual([404, "not_found"]);
    },
  );
});

test("[H1] [S10] a session that cannot be read is answered 503, in words that fit reading too", async () => {
  const broken = await startTestApp();
  broken.store.readHead = () => Promise.reject(new StoreError("read a session", { retryable: false }));
  const answer = await ask(broken, `/api/sessions/${unknownId}/messages`);
  expect([answer.status, JSON.parse(answer.text)]).toEqual([
    503,
    {
      type: "about:blank",
      title: "The store cannot be read or written at the moment",
      status: 503,
      code: "storage_unavailable",
    },
  ]);
  await broken.dispose();
});

describe("[M22] a session that is being deleted", () => {
  test("is answered as one that is not there, under its own id and under a made-up one", async () => {
    const id = await fill("gone", 3);
    const madeUp = `B1:gone:${Date.parse("2026-03-01T22:00:00.000Z")}`;
    expect((await history(madeUp)).sessionId).toBe(id);
    await app.store.changeSession(id, (head) => ({
      result: null,
      head: { ...head, session: { ...head.session, status: "closed" }, deletingSince: "2026-03-02T12:00:00.000Z" },
    }));
    const [answer, unknown] = [id, unknownId].map((each) => seen(`/api/sessions/${each}/messages`, {}));
    expect(await answer).toEqual(await unknown);
    expect(await history(madeUp)).toMatchObject({ sessionId: madeUp, messages: [] });
  });
});

describe("[H5] the active sessions of a business", () => {
  beforeAll(async () => {
    for (let index = 0; index < 25; index += 1) {
      await fill(`user${index}`, 1, "B5");
      if (index % 5 === 4) clock.advance(1);
    }
    await fill("user3", 1, "B5");
  });

  test("of a few minutes come with the latest message first, by the minute in pages of any size", async () => {
    for (const userId of ["early", "late"]) {
      await fill(userId, 1, "B7");
      clock.advance(60_000);
    }
    for (const userId of ["early", "later"]) await fill(userId, 1, "B7");
    const first = await active("B7", "limit=2");
    const second = await active("B7", `limit=2&cursor=${first.pagination.nextCursor}`);
    expect(first.activeSessions.map(({ userId }) => userId).toSorted()).toEqual(["early", "later"]);
    expect(second.activeSessions.map(({ userId }) => userId)).toEqual(["late"]);
  });

  test("come with the latest message first", async () => {
    const { businessId, activeSessions, pagination } = await active("B5");
    expect([businessId, activeSessions.length, activeSessions[0]!.userId]).toEqual(["B5", 25, "user3"]);
    const times = activeSessions.map(({ lastMessageAt }) => lastMessageAt);
    expect(times).toEqual(times.toSorted().toReversed());
    expect(pagination).toEqual({ hasMore: false, nextCursor: null });
  });

  test.each([1, 4, 24, 25, 26])(
    "in pages of %d are each there once, also where they share a millisecond",
    async (limit) => {
      const all = (await active("B5")).activeSessions.map(({ sessionId }) => sessionId).toSorted();
      const found: string[] = [];
      for (let query = `limit=${limit}`; ;) {
        const { activeSessions, pagination } = await active("B5", query);
        found.push(...activeSessions.map(({ sessionId }) => sessionId));
        const times = activeSessions.map(({ lastMessageAt }) => lastMessageAt);
        expect(times).toEqual(times.toSorted().toReversed());
        expect(pagination.hasMore).toBe(pagination.nextCursor !== null);
        if (pagination.nextCursor === null) break;
        query = `limit=${limit}&cursor=${encodeURIComponent(pagination.nextCursor)}`;
      }
      expect(found.toSorted()).toEqual(all);
    },
  );

  test("of a business where nobody spoke are none", async () => {
    expect(await active("B6")).toEqual({
      businessId: "B6",
      activeSessions: [],
      pagination: { hasMore: false, nextCursor: null },
    });
  });

  test("a cursor of another business's list is refused", async () => {
    const { pagination } = await active("B5", "limit=1");
    const answer = await ask(app, `/api/sessions/business/B7/active?cursor=${pagination.nextCursor}`);
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
  });

  test.each(["x", "", "o5", "a".repeat(3000), "%00", Buffer.from("active B5 ").toString("base64url")])(
    "after the cursor %.20j are none: it is refused",
    async (cursor) => {
      const answer = await ask(app, `/api/sessions/business/B5/active?cursor=${cursor}`);
      expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
    },
  );

  test.each(["cursor[]=x", "cursor[a]=x", "Cursor=x"])("%s is refused, and not overlooked", async (query) => {
    const answer = await ask(app, `/api/sessions/business/B5/active?${query}`);
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
  });

  test("[X7] are not there for a user, nor for a coordinator of another business", async () => {
    const [unknown] = await Promise.all([ask(app, "/api/sessions/business/%20/active")]);
    for (const headers of [
      { "x-user-id": "user3" },
      { "x-business-id": "B6" },
      { "x-role": "user", "x-user-id": "u" },
    ]) {
      expect(await seen("/api/sessions/business/B5/active", headers)).toEqual([404, unknown.text]);
    }
  });
});

describe("[X2] who asks, on an open server", () => {
  test.each<[Record<string, string>, number]>([
    [{}, 200],
    [{ "x-user-id": "olga" }, 200],
    [{ "x-user-id": "olga", "x-role": "user" }, 200],
    [{ "x-user-id": "olga", "x-business-id": "B1" }, 200],
    [{ "x-role": "coordinator" }, 200],
    [{ "x-role": "coordinator", "x-user-id": "other" }, 200],
    [{ "x-business-id": "B1" }, 200],
    [{ "x-user-id": "other" }, 404],
    [{ "x-user-id": "Olga" }, 404],
    [{ "x-user-id": "olga", "x-business-id": "B2" }, 404],
    [{ "x-business-id": "b1" }, 404],
    [{ "x-role": "user" }, 400],
    [{ "x-role": "admin" }, 400],
    [{ "x-user-id": "a b" }, 400],
    [{ "x-user-id": "" }, 400],
    [{ "x-user-id": "x".repeat(129) }, 400],
    [{ "x-business-id": "a:b" }, 400],
  ])("%j: %d", async (headers, status) => {
    const sessionId = await fill("olga", 1);
    expect((await ask(app, `/api/sessions/${sessionId}/messages`, { headers })).status).toBe(status);
  });
});

async function history(id: string, query = ""): Promise<HistoryPage> {
  return parsed<HistoryPage>(await ask(app, `/api/sessions/${encodeURIComponent(id)}/messages?${query}`));
}

async function active(businessId: string, query = ""): Promise<ActivePage> {
  return parsed<ActivePage>(await ask(app, `/api/sessions/business/${businessId}/active?${query}`));
}

function parsed<T>({ status, headers, text }: HttpAnswer): T {
  expect([status, headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
  return JSON.parse(text) as T;
}

async function seen(path: string, headers: Record<string, string>): Promise<[number, string]> {
  const { status, text } = await ask(app, path, { headers });
  return [status, text];
}

async function backwards(id: string, limit: number): Promise<number[]> {
  const seen: number[] = [];
  for (let query = `limit=${limit}`; ;) {
    const { messages, pagination } = await history(id, query);
    seen.unshift(...messages.map(({ offset }) => offset));
    if (pagination.nextCursor === null) return seen;
    query = `limit=${limit}&before=${pagination.nextCursor}`;
  }
}

async function forwards(id: string, limit: number): Promise<number[]> {
  const seen: number[] = [];
  for (let query = `limit=${limit}&after=o0`; ;) {
    const { messages, pagination } = await history(id, query);
    seen.push(...messages.map(({ offset }) => offset));
    if (pagination.nextCursor === null) return seen;
    query = `limit=${limit}&after=${pagination.nextCursor}`;
  }
}

/** Stores so many messages of a user, without answers. @returns their session */
async function fill(userId: string, count: number, businessId = "B1"): Promise<string> {
  let sessionId = "";
  for (let first = 1; first <= count; first += openTurns) {
    const indexes = range(first, Math.min(count, first + openTurns - 1));
    const accepted = await Promise.all(indexes.map((index) => say(userId, `message ${index}`, businessId)));
    sessionId = accepted[0]!.message.sessionId;
    await app.store.changeSession(sessionId, (head) => ({ result: null, head: { ...head, turns: [] } }));
  }
  return sessionId;
}

/** A session holds no more of them. */
const openTurns = 100;

async function say(userId: string, content: string, businessId = "B1"): Promise<Accepted> {
  const accepted = await conversations.accept(
    userMessageOf(defaultBusiness(businessId, "Europe/Bucharest"), userId, content),
  );
  if (!accepted.ok) throw new Error(accepted.reason);
  return accepted.value;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
