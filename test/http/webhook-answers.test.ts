import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { signatureOf } from "../../server/messaging/signature.js";
import { FakeClock } from "../support/fake-clock.js";
import { FakeTool } from "../support/fake-tool.js";
import { ask } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { businessFolder } from "../support/telegram-desk.js";
import { WireClient } from "../support/wire.js";

const businessId = "W1";
const secret = "a secret of thirty-two bytes or more";
const ana = { businessId, userId: "sms:+40722123456", locationId: "L1" };

let program: FakeTool;
let folder: Awaited<ReturnType<typeof businessFolder>>;
let clock: FakeClock;
let app: TestApp;

beforeEach(async () => {
  program = await FakeTool.start(secret);
  const described = { name: "Cabinet", locale: "ro", timeZone: "Europe/Bucharest", agent: { kind: "echo" } };
  const platforms = { webhook: { url: program.url } };
  folder = await businessFolder({ businessId, ...described, platforms } as { readonly businessId: string }, {
    ...{ businessId: "W2", ...described },
  });
  clock = new FakeClock();
  app = await startTestApp({ AGENT_SECRET: secret, BUSINESSES_DIR: folder.path, IDLE_TIMEOUT_MS: "0" }, { clock });
});

afterEach(async () => {
  await app.dispose();
  await program.stop();
  await folder.remove();
});

async function bring(message: string, to = businessId): Promise<Readonly<Record<string, unknown>>> {
  const body = JSON.stringify({ ...ana, businessId: to, message });
  const headers = {
    "content-type": "application/json",
    "x-bennu-signature": signatureOf(Buffer.from(body), secret),
    "idempotency-key": encodeURIComponent(message),
  };
  const { status, text } = await ask(app, `/api/webhooks/generic/${to}`, { method: "POST", headers, body });
  expect(status).toBe(202);
  return JSON.parse(text) as Record<string, unknown>;
}

/** The texts that were posted, once there are so many; time passes meanwhile. */
async function posted(count: number): Promise<readonly unknown[]> {
  const passing = setInterval(() => clock.advance(50), 5);
  await program.hit(count).finally(() => clearInterval(passing));
  return program.hits.map(({ body }) => body.message);
}

test("[M113] what a program brings is answered to its address, whole, signed, under the message's own key", async () => {
  const { messageId, sessionId } = await bring("Bună");
  const { key, isSigned, body } = await program.hit(1);
  expect(body).toEqual({
    ...{ businessId, userId: ana.userId, sessionId, inReplyTo: messageId, message: "Bună", offset: 2, from: "agent" },
    ...{ actions: [], isComplete: true },
    ...{ timestamp: "2026-03-02T10:00:00.000Z", messageId: key, responseId: expect.any(String) as unknown },
  });
  expect(isSigned).toBe(true);
});

test("[M112] it is posted again until it is taken, under the same key, and in its order", async () => {
  program.next({ status: 503, headers: { "retry-after": "2" } }, { status: 302, headers: { location: "/" } }, "hang");
  await bring("one");
  await program.hit(1);
  await bring("two");
  expect(await posted(5)).toEqual(["one", "one", "one", "one", "two"]);
  expect(new Set(program.hits.slice(0, 4).map(({ key }) => key)).size).toBe(1);
});

test("[M112] what it refuses for good is given up", async () => {
  program.next({ status: 422 });
  await bring("one");
  await bring("two");
  expect(await posted(2)).toEqual(["one", "two"]);
});

test("[M110] [M39] what a coordinator says leaves too, without who it was", async () => {
  const { sessionId } = await bring("one");
  await program.hit(1);
  const desk = await WireClient.connect(app.url);
  const { response } = await desk.call(`messages:${businessId}`, "phx_join", {});
  await desk.call(`messages:${businessId}`, "reply", { sessionId, message: "Sunt Carla" }, "c1");
  const { body } = await program.hit(2);
  expect(body).toMatchObject({ message: "Sunt Carla", from: "coordinator", sessionId });
  expect(JSON.stringify(body)).not.toContain(String(response.connectionId));
  desk.close();
});

test("[M112] a business without such an address has its users find their answers at their next join", async () => {
  await bring("one", "W2");
  const tab = await WireClient.connect(app.url);
  await tab.call("messages:W2", "phx_join", { userId: ana.userId });
  expect((await tab.event("new_message"))[4]).toMatchObject({ message: "one", from: "agent" });
  expect(program.hits).toEqual([]);
  tab.close();
});
