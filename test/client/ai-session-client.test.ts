import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { AISessionClient, type SessionMessage } from "bennu/client";
import { WebSocket } from "ws";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const businessId = "B0100001";
let app: TestApp;
let clients: AISessionClient[];

beforeEach(async () => {
  clients = [];
  app = await startTestApp();
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.disconnect()));
  await app.dispose();
});

/** As the page of old makes it, and overrides what shows a message. */
function open() {
  const url = `${app.url.replace("http", "ws")}/socket`;
  const reconnectAfterMs = () => 10;
  const client = new AISessionClient(businessId, "ana", {
    url,
    baseUrl: app.url,
    transport: WebSocket,
    reconnectAfterMs,
  });
  const shown: SessionMessage[] = [];
  const drawn: SessionMessage[] = [];
  client.displayMessage = (message) => void drawn.push(shown[shown.push(message) - 1]!);
  client.displayMessageHistory = () => void shown.splice(0, Infinity, ...client.messageHistory);
  clients.push(client);
  client.connect();
  return { client, shown, drawn };
}

const said = (messages: readonly SessionMessage[]) => messages.map(({ type, content }) => [type, content]);

test("a page of old shows each message once, knows its session, and reads its history", async () => {
  const { client, shown } = open();
  expect([client.isConnected, client.currentSessionId]).toEqual([false, null]);
  await client.sendMessage("Bună ziua");
  expect(client.isConnected).toBe(true);
  await until("the answer", () => shown.length === 2);
  const [question, answer] = shown;
  expect(question).toMatchObject({ type: "user", content: "Bună ziua", userId: "ana", businessId });
  expect(answer).toMatchObject({ type: "agent", userId: "agent", sessionId: client.currentSessionId });
  expect(client.messageHistory).toEqual(shown);

  const later = open();
  await until("it is online", () => later.client.isConnected);
  await later.client.loadTodaySession();
  expect(said(later.shown)).toEqual(said(shown));
  // All at once, and none of them by itself before that.
  expect(later.drawn).toEqual([]);
  expect(said(later.client.messageHistory)).toEqual(said(shown));
});

test("over a lost connection there is one socket, and what was written meanwhile arrives once", async () => {
  const { client, shown } = open();
  await client.sendMessage("one");
  await until("the answer", () => shown.length === 2);
  await app.stop();
  await until("the loss", () => !client.isConnected);
  const sent = client.sendMessage("two");
  app = await startTestApp({ DATA_DIR: app.dataDir, PORT: String(app.port) });
  await sent;
  await until("its answer", () => shown.length === 4);
  expect(said(shown).map(([type]) => type)).toEqual(["user", "agent", "user", "agent"]);
});
