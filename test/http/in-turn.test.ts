import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { RawHttp } from "../support/served-endpoint.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const count = 50;
const path = "/api/sessions/8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11/messages";
const ask = (more = "") => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${more}\r\n`;

let app: TestApp;
/** Reads of the store that are under way. */
let reading: (() => void)[];
let begun: number;

beforeAll(async () => {
  app = await startTestApp();
  [reading, begun] = [[], 0];
  const readHead = app.store.readHead.bind(app.store);
  app.store.readHead = async (sessionId) => {
    begun += 1;
    await new Promise<void>((resolve) => reading.push(resolve));
    return readHead(sessionId);
  };
});

afterAll(() => app.dispose());

test(`[L30] [H-11] of ${count} requests that one connection sends ahead one is worked on at a time, and all are answered`, async () => {
  const connection = new RawHttp(app.port);
  connection.write(ask().repeat(count - 1) + ask("connection: close\r\n"));
  for (let at = 1; at <= count; at += 1) {
    await until("the next one is begun", () => reading.length > 0);
    expect([reading.length, begun]).toEqual([1, at]);
    reading.shift()!();
  }
  await until("the end of the connection", () => connection.isEnded);
  expect(connection.text.split("HTTP/1.1 404 ")).toHaveLength(count + 1);
});

test("[L30] requests of several connections do not wait for each other, and one that goes has nothing more done", async () => {
  begun = 0;
  const connections = [new RawHttp(app.port), new RawHttp(app.port)];
  for (const connection of connections) connection.write(ask().repeat(3));
  await until("one of each", () => reading.length === 2);
  expect(begun).toBe(2);
  for (const connection of connections) connection.destroy();
  const other = new RawHttp(app.port);
  other.write(ask("connection: close\r\n"));
  await until("another one", () => reading.length === 3);
  for (const done of reading.splice(0)) done();
  await until("its answer", () => other.isEnded);
  expect(begun).toBe(3);
});
