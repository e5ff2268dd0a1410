import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import { Chat } from "../../client/chat.js";
import type { ChatOptions } from "../../client/chat-view.js";
import type { ChatEntry } from "../../client/entry.js";
import { History } from "../../client/history.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const businessId = "B0100001";
const userId = "user_1";
const chats: Chat[] = [];
let app: TestApp;

beforeEach(async () => {
  app = await startTestApp();
});

afterEach(async () => {
  await Promise.all(chats.splice(0).map((chat) => chat.leave()));
  await app.dispose();
});

test("[M14] a message is stored, and answered", async () => {
  const chat = await connected(open());
  const receipt = await chat.send("Bună ziua");
  expect(receipt).toMatchObject({ offset: 1, sessionId: chat.sessionId });
  await until("the answer", () => chat.messages.length === 2);
  expect(chat.messages).toMatchObject([
    { state: "stored", from: "user", content: "Bună ziua", messageId: receipt.messageId, offset: 1 },
    { state: "stored", from: "agent", inReplyTo: receipt.messageId, offset: 2 },
  ]);
});

test("[X3] another window of the same user sees both sides, and another user nothing", async () => {
  const [writing, watching, stranger] = await Promise.all([
    connected(open()),
    connected(open()),
    connected(open({ userId: "user_2" })),
  ]);
  await writing.send("Bună ziua");
  await until("the other window has both", () => watching.messages.length === 2);
  expect(texts(watching)).toEqual(texts(writing));
  await stranger.send("Alo");
  await until("the stranger's answer", () => stranger.messages.length === 2);
  expect(stranger.messages.map(({ sessionId }) => sessionId)).not.toContain(writing.sessionId);
});

test("[H3] history holds what was said, each message once", async () => {
  const before = await connected(open());
  for (const text of ["unu", "doi", "trei"]) await before.send(text);
  await until("three answers", () => before.messages.length === 6);

  const after = await connected(open());
  const history = new History({ baseUrl: app.url, sessionId: after.sessionId!, businessId, userId });
  after.merge(await history.older());
  after.merge(await new History({ baseUrl: app.url, sessionId: after.sessionId!, businessId, userId }).older());
  expect(texts(after)).toEqual(texts(before));
  expect(after.messages.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("[M12] what was written without a server is stored once when it is back, and nothing is repeated", async () => {
  const chat = await connected(open());
  await chat.send("înainte");
  await until("the first answer", () => chat.messages.length === 2);
  await app.stop();
  await until("the loss", () => chat.status.state === "offline");
  const later = chat.send("între timp");
  app = await restarted(app);
  await expect(later).resolves.toMatchObject({ offset: 3, sessionId: chat.sessionId });
  await until("the second answer", () => chat.messages.length === 4);
  const history = await new History({ baseUrl: app.url, sessionId: chat.sessionId!, businessId, userId }).older();
  expect(history.map(({ messageId }) => messageId)).toEqual(chat.messages.map(({ messageId }) => messageId));
});

test("[M10] what the server refuses is not stored, and says why", async () => {
  const chat = await connected(open());
  await expect(chat.send("x".repeat(8193))).rejects.toMatchObject({ code: "message_too_long" });
  await expect(chat.send("   ")).rejects.toMatchObject({ code: "missing_parameters" });
  await expect(chat.send("scurt")).resolves.toMatchObject({ offset: 1 });
});

test("[M13] the same clientMessageId again is the same message", async () => {
  const [first, second] = [await connected(open()), await connected(open())];
  const receipt = await first.send("o dată", { clientMessageId: "c-1" });
  await expect(second.send("o dată", { clientMessageId: "c-1" })).resolves.toEqual(receipt);
  await expect(second.send("altceva", { clientMessageId: "c-1" })).rejects.toMatchObject({
    code: "idempotency_mismatch",
  });
});

test("[M13] messages of several windows at once each get their own place", async () => {
  const windows = await Promise.all([connected(open()), connected(open()), connected(open())]);
  const receipts = await Promise.all(windows.flatMap((chat, at) => [chat.send(`a${at}`), chat.send(`b${at}`)]));
  expect(new Set(receipts.map(({ sessionId }) => sessionId)).size).toBe(1);
  await until("all windows have all", () => windows.every((chat) => chat.messages.length === 12));
  for (const chat of windows)
    expect(chat.messages.map(({ offset }) => offset)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
});

function open(options: Partial<ChatOptions> = {}): Chat {
  const url = `${app.url.replace("http", "ws")}/socket`;
  const chat = new Chat({ url, businessId, userId, transport: WebSocket, reconnectAfterMs: () => 20, ...options });
  chats.push(chat);
  return chat;
}

async function connected(chat: Chat): Promise<Chat> {
  chat.connect();
  await until("the chat is online", () => chat.status.state === "online");
  return chat;
}

function restarted({ dataDir, port }: TestApp): Promise<TestApp> {
  return startTestApp({ DATA_DIR: dataDir, PORT: String(port) });
}

function texts(chat: Chat): string[] {
  return chat.messages.map(({ from, content }: ChatEntry) => `${from}: ${content}`);
}
