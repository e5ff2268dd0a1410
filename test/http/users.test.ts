import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createBlocklist } from "../../server/messaging/blocklist.js";
import { blockedText } from "../../server/messaging/texts.js";
import { findUser } from "../../server/messaging/users.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask } from "../support/plain-http.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const ana = { businessId, userId: "ana" };
const path = `/api/businesses/${businessId}/users/ana`;

let app: TestApp;
let agent: ScriptedAgent;
let tab: WireClient;

beforeEach(async () => {
  agent = new ScriptedAgent();
  app = await startTestApp({}, { agents: { echo: agent } });
  tab = await WireClient.connect(app.url);
  await tab.call(topic, "phx_join", { userId: "ana" });
});

afterEach(async () => {
  tab.close();
  await app.dispose();
});

function say(message: string) {
  return tab.call(topic, "new_message", { ...ana, locationId: "default", message });
}

/** Says something that is answered, which makes a user known. */
async function talk(message: string): Promise<void> {
  expect((await say(message)).status).toBe("ok");
  (await agent.call(message)).answer();
  await tab.event("new_message");
}

async function patch(body: unknown, at = path) {
  const headers = { "content-type": "application/json" };
  const answer = await ask(app, at, { method: "PATCH", headers, body: JSON.stringify(body) });
  return { status: answer.status, type: String(answer.headers["content-type"]), body: JSON.parse(answer.text) as Body };
}

type Body = Readonly<Record<string, unknown>>;

describe("[M73] /api/businesses/:businessId/users/:userId", () => {
  test("says who a user is, and nothing that is only the server's", async () => {
    await talk("hello");
    const { status, text } = await ask(app, path);
    const date = expect.stringMatching(/^\d{4}-.*Z$/) as unknown;
    expect([status, JSON.parse(text)]).toEqual([
      200,
      { ...ana, blocked: false, platforms: ["channel"], createdAt: date, lastSeenAt: date },
    ]);
  });

  test("[M38] blocks: what is open ends, and what is said is refused; and takes it back", async () => {
    await talk("one");
    await say("two");
    await agent.call("two");
    const blocked = await patch({ blocked: true });
    expect([blocked.status, blocked.body]).toMatchObject([200, { ...ana, blocked: true }]);
    expect((await tab.event("new_message"))[4]).toMatchObject({ from: "system", message: blockedText("en") });
    expect((await say("three")).response.code).toBe("blocked");
    expect((await patch({ blocked: true })).body).toEqual(blocked.body);
    const unblocked = await patch({ blocked: false });
    expect(unblocked.body).toEqual({ ...blocked.body, blocked: false });
    await talk("four");
    expect(await findUser(app.store, ana)).toMatchObject({ blocked: false, greeted: false });
  });

  test("another node takes the messages again within 5 s", async () => {
    await talk("one");
    const clock = new FakeClock();
    const other = createBlocklist({ store: app.store, clock });
    await patch({ blocked: true });
    expect(await other.has(ana)).toBe(true);
    await patch({ blocked: false });
    expect(await other.has(ana)).toBe(true);
    clock.advance(5000);
    expect(await other.has(ana)).toBe(false);
  });

  test.each([[{}], [{ blocked: "true" }], [{ blocked: null }], [{ blocked: true, name: "Ana" }], [[]], [null]])(
    "the body %j is 400, and changes nothing",
    async (body) => {
      await talk("one");
      const answer = await patch(body);
      expect([answer.status, answer.type]).toEqual([400, expect.stringContaining("application/problem+json")]);
      expect(answer.body.code).toBe("invalid_payload");
      expect(await findUser(app.store, ana)).toMatchObject({ blocked: false });
    },
  );

  test("who is not known yet is 404, and is not made by asking", async () => {
    for (const blocked of [true, false]) {
      const answer = await patch({ blocked }, `/api/businesses/${businessId}/users/nobody`);
      expect([answer.status, answer.body.code]).toEqual([404, "not_found"]);
    }
    expect((await ask(app, `/api/businesses/${businessId}/users/nobody`)).status).toBe(404);
    expect(await findUser(app.store, { businessId, userId: "nobody" })).toBeNull();
  });
});
