import { createHmac } from "node:crypto";
import { afterEach, describe, expect, test } from "@jest/globals";
import { FakeClock } from "../support/fake-clock.js";
import { ask, problemCode } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const secret = "a secret of thirty-two bytes or more";
const ana = { businessId, userId: "sms:+40722123456", locationId: "default", message: "Bună" };

let app: TestApp;

afterEach(() => app.dispose());

const start = async (environment: Readonly<Record<string, string>> = { AGENT_SECRET: secret }) => {
  app = await startTestApp(environment, { clock: new FakeClock() });
};

interface Options {
  readonly to?: string;
  readonly signature?: string;
  readonly key?: string;
}

const signed = (body: string, by = secret) => `sha256=${createHmac("sha256", by).update(body).digest("hex")}`;

async function bring(content: unknown, { to = businessId, signature, key }: Options = {}) {
  const body = typeof content === "string" ? content : JSON.stringify(content);
  const headers = {
    "content-type": "application/json",
    "x-bennu-signature": signature ?? signed(body),
    ...(key === undefined ? {} : { "idempotency-key": key }),
  };
  const answer = await ask(app, `/api/webhooks/generic/${to}`, { method: "POST", headers, body });
  return { ...answer, code: () => [answer.status, problemCode(answer)] };
}

describe("[H36] POST /api/webhooks/generic/:businessId", () => {
  test("is 202 once it is stored; it is answered as anything that its user says", async () => {
    await start();
    const tab = await WireClient.connect(app.url);
    await tab.call(`messages:${businessId}`, "phx_join", { userId: ana.userId });
    const { status, text } = await bring(ana);
    const said = JSON.parse(text) as { messageId: string; sessionId: string };
    expect(status).toBe(202);
    expect((await tab.event("message_accepted"))[4]).toMatchObject({ ...said, message: "Bună" });
    expect((await tab.event("new_message"))[4]).toMatchObject({ inReplyTo: said.messageId });
    const stored = await app.store.findMessage(said.sessionId, said.messageId);
    expect(stored).toMatchObject({ userId: ana.userId, metadata: { source: "webhook" } });
    tab.close();
  });

  test("[M6] the same id is the same message, however often it is brought", async () => {
    await start();
    const [one, ...more] = await Promise.all([1, 2, 3].map(() => bring(ana, { key: "k1" })));
    const ids = [one!, ...more].map(({ text }) => (JSON.parse(text) as { messageId: string }).messageId);
    expect(new Set(ids).size).toBe(1);
    expect((await bring({ ...ana, message: "other", clientMessageId: "k1" })).code()).toEqual([
      422,
      "idempotency_mismatch",
    ]);
  });

  test("[X16] what is not signed with our secret, as it was sent, is 401, and nothing is stored", async () => {
    await start();
    const body = JSON.stringify(ana);
    for (const signature of ["", "sha256=", signed(body, `${secret}.`), signed(`${body} `), signed(body).slice(7)]) {
      const refused = await bring(body, { signature });
      expect(refused.code()).toEqual([401, "unauthorized"]);
      expect(refused.headers["www-authenticate"]).toBe("X-Bennu-Signature");
    }
    const plain = { "x-bennu-signature": signed(""), "content-type": "text/plain" };
    const unread = await ask(app, "/api/webhooks/generic/B1", { method: "POST", headers: plain, body });
    expect(unread.status).not.toBe(202);
    const sessions = await ask(app, `/api/sessions?businessId=${businessId}`);
    expect(JSON.parse(sessions.text)).toMatchObject({ sessions: [] });
  });

  test("what cannot be said is refused as anywhere else", async () => {
    await start();
    expect((await bring({ ...ana, message: " " })).code()).toEqual([400, "missing_parameters"]);
    expect((await bring({ ...ana, businessId: "B2" })).code()).toEqual([400, "invalid_payload"]);
    expect((await bring({ ...ana, userId: "a b" })).code()).toEqual([400, "invalid_payload"]);
    expect((await bring(ana, { to: "B%201" })).code()).toEqual([404, "not_found"]);
  });

  test("without a secret there is no such route", async () => {
    await start({});
    expect((await bring(ana)).code()).toEqual([404, "not_found"]);
  });
});
