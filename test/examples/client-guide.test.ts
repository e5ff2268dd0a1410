import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { History } from "bennu/client";
import { ClientSeats } from "../support/client-seats.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { say, showEarlier } from "./client-guide.js";

const businessId = "B0100001";
let app: TestApp;
let seats: ClientSeats;

beforeEach(async () => {
  app = await startTestApp({ MAX_MESSAGE_BYTES: "20" });
  seats = new ClientSeats(businessId, () => app.url);
});

afterEach(async () => {
  await seats.leaveAll();
  await app.dispose();
});

test("the functions of the guide are those that are tested", async () => {
  const read = (...path: string[]) => readFile(join(import.meta.dirname, ...path), "utf8");
  const [guide, code] = [await read("..", "..", "docs", "client.md"), await read("client-guide.ts")];
  const functions = code.split(/^(?=\/\*\*)/m).slice(1);
  expect(functions).toHaveLength(2);
  for (const text of functions) expect(guide).toContain(text.trimEnd());
});

test("[L10] what is too long is not sent, and what is refused is said and not shown", async () => {
  const chat = await seats.online();
  expect(await say(chat, "ă".repeat(12))).toBe("2 characters too long");
  expect(chat.messages).toEqual([]);
  expect(await say(chat, "  ")).toEqual(expect.any(String));
  expect(chat.messages).toEqual([]);
  expect(await say(chat, "ă".repeat(10))).toBeNull();
  expect(chat.messages[0]).toMatchObject({ state: "stored" });
});

test("[M13] what may yet be said stays where it is", async () => {
  const chat = seats.chat();
  const told = say(chat, "Bună");
  await chat.leave();
  expect(await told).toBe("The message was not sent.");
  expect(chat.messages).toMatchObject([{ state: "failed", content: "Bună", code: "left" }]);
});

test("[H3] what was said before is read page by page, with no connection of the chat's own", async () => {
  const writing = await seats.online();
  const texts = Array.from({ length: 26 }, (_, n) => `text ${n}`);
  for (const text of texts) await writing.send(text);
  await until("all answers", () => writing.messages.length === 52);
  const reading = seats.chat();
  const history = new History({ baseUrl: app.url, sessionId: writing.sessionId!, businessId, userId: "ana" });
  expect(await showEarlier(reading, history)).toBe(true);
  expect(reading.messages).toHaveLength(50);
  expect(await showEarlier(reading, history)).toBe(false);
  expect(reading.messages.filter(({ from }) => from === "user").map(({ content }) => content)).toEqual(texts);
});

test("[M12] a chat that is online has its business's name, and how much a message may hold", async () => {
  const { status } = await seats.online();
  expect(status).toMatchObject({ businessName: expect.any(String), maxMessageBytes: 20 });
});
