import { afterEach, describe, expect, test } from "@jest/globals";
import { readSession } from "../support/desk-history.js";
import { FakeClock } from "../support/fake-clock.js";
import { FaultyLine } from "../support/faulty-line.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const hourMs = 3_600_000;

type Fields = Record<string, unknown>;

let app: TestApp;
let clients: WireClient[] = [];

afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await app.dispose();
});

describe("[M6] an id of the client's", () => {
  test("[D-02] with another text is idempotency_mismatch, whenever it comes: the first stays, and nobody is asked", async () => {
    app = await startTestApp();
    const [one, other] = [await joined("ana"), await joined("ana")];
    const { response } = await say(one, "hello", { clientMessageId: "c1" });
    await one.event("new_message");
    for (const client of [one, other]) {
      for (const text of ["hello!", "Hello", "hello "]) {
        const refused = await say(client, text, { clientMessageId: "c1" });
        expect([refused.status, refused.response]).toMatchObject([
          "error",
          { code: "idempotency_mismatch", reason: "idempotency_mismatch", clientMessageId: "c1" },
        ]);
      }
    }
    expect((await say(other, "hello", { clientMessageId: "c1" })).response).toEqual({ ...response, duplicate: true });
    const rows = await readSession(app.url, String(response.sessionId));
    expect(rows.map(({ content }) => content)).toEqual(["hello", "hello"]);
  });

  test("[D-04] [M1] is known after an hour, after a day, and after a restart, whatever the day's session is by then", async () => {
    const clock = new FakeClock();
    const environment = { IDLE_TIMEOUT_MS: "0" };
    app = await startTestApp(environment, { clock });
    const { response } = await say(await joined("ana"), "hello", { clientMessageId: "c1" });
    const again = async () => (await say(await joined("ana"), "hello", { clientMessageId: "c1" })).response;
    for (const ms of [0, hourMs, 23 * hourMs, 7 * 24 * hourMs]) {
      clock.jumpTo(clock.now() + ms);
      expect(await again()).toEqual({ ...response, duplicate: true });
    }
    for (const client of clients) client.close();
    await app.stop();
    app = await startTestApp({ ...environment, DATA_DIR: app.dataDir }, { clock });
    expect(await again()).toEqual({ ...response, duplicate: true });
    expect(await readSession(app.url, String(response.sessionId))).toHaveLength(2);
    // It began no session either.
    const { items } = await app.store.readSessionsOf({ businessId, userId: "ana" }, { limit: 10 });
    expect(items.map(({ sessionId }) => sessionId)).toEqual([response.sessionId]);
  });

  test("[D-05] is not asked of anybody: without one each message is a new one, with the same text and after a lost reply too", async () => {
    app = await startTestApp();
    const line = await FaultyLine.to(app.port);
    const dropping = await joined("ana", line.url);
    const dropped = line.dropDown();
    dropping.send(null, "lost", topic, "new_message", messageOf("hello"));
    await dropped;
    line.cut();
    const client = await joined("ana");
    const replies = [await say(client, "hello"), await say(client, "hello")];
    expect(replies.map(({ status, response }) => [status, response.duplicate])).toEqual([
      ["ok", undefined],
      ["ok", undefined],
    ]);
    const { messageId } = replies[1]!.response;
    await client.next(([, , , event, { inReplyTo }]) => event === "new_message" && inReplyTo === messageId);
    const rows = await readSession(app.url, String(replies[0]!.response.sessionId));
    const questions = rows.filter(({ type }) => type === "user");
    expect(questions.map(({ content }) => content)).toEqual(["hello", "hello", "hello"]);
    expect(new Set(questions.map((row) => row.messageId)).size).toBe(3);
    for (const { metadata } of questions) expect(metadata).not.toHaveProperty("clientMessageId");
    await line.close();
  });
});

async function joined(userId: string, url = app.url): Promise<WireClient> {
  const client = await WireClient.connect(url);
  clients.push(client);
  const { status, response } = await client.call(topic, "phx_join", { userId });
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return client;
}

function say(client: WireClient, message: string, more: Fields = {}) {
  return client.call(topic, "new_message", messageOf(message, more));
}

function messageOf(message: string, more: Fields = {}): Fields {
  return { businessId, userId: "ana", locationId: "default", message, ...more };
}
