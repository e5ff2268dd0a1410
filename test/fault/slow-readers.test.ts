import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "S1";
const userId = "ana";
const readerCount = 200;
/** Of 8 KiB each, half of them answers: 2 MB. */
const messageCount = 250;
/** More than the kernel keeps for somebody who does not read them. */
const pagesAsked = 8;
const patience = 300_000;
const pageBytesMax = 1024 * 1024;
/** Connections of those who ask meanwhile. */
const spare = 10;

let server: TestServer;
let readers: Socket[];

beforeEach(async () => {
  readers = [];
  const unwatched = { NODE_OPTIONS: "" }; // Who looks at each answer keeps a copy of it.
  server = await TestServer.create({ ...unwatched, MAX_BACKLOG_PER_BUSINESS: "1000", MAX_BACKLOG: "2000" });
  await server.start();
});

afterEach(async () => {
  for (const reader of readers) reader.destroy();
  await server.dispose();
});

/** The most memory that the server has had so far. */
function peakBytes(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))!;
  return Number(kilobytes) * 1024;
}

function openFiles(): number {
  return readdirSync(`/proc/${server.pid}/fd`).length;
}

async function fill(): Promise<string> {
  const client = await WireClient.connect(server.url);
  const topic = `messages:${businessId}`;
  await client.call(topic, "phx_join", { userId });
  let sessionId = "";
  for (let index = 0; index < messageCount / 2; index += 1) {
    const payload = { businessId, userId, locationId: "L1", message: "x".repeat(8192) };
    const { status, response } = await client.call(topic, "new_message", payload);
    if (status !== "ok") throw new Error(JSON.stringify(response));
    sessionId = String(response.sessionId);
    await client.event("new_message");
  }
  client.close();
  return sessionId;
}

/** Asks for the same page again and again in one go, and reads no more than the others are asked to. */
function readSlowly(path: string): Socket {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  // Nobody listens to what comes: it waits until it is read.
  socket.on("readable", () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(pagesAsked));
  return socket;
}

test(
  `[H-11] [L28] [L29] ${readerCount} readers of 100 B/s of a history of 2 MB: the server keeps a page of each at most, others are served, and it ends them`,
  async () => {
    const sessionId = await fill();
    const path = `/api/sessions/${sessionId}/messages?limit=200`;
    const page = await (await fetch(`${server.url}${path}`)).text();
    expect(page.length).toBeLessThanOrEqual(pageBytesMax + 1000);
    const [before, files] = [peakBytes(), openFiles()];
    readers = Array.from({ length: readerCount }, () => readSlowly(path));
    const reading = setInterval(() => {
      for (const reader of readers) reader.read(100);
    }, 1000);
    try {
      await until("all have come", () => readers.every(({ bytesRead }) => bytesRead > 0), patience);
      expect(openFiles()).toBeGreaterThan(files + readerCount / 2);
      // The clients themselves do not notice that before they have read what they have: it is the server that is looked at.
      while (openFiles() > files + spare) {
        const { messages } = (await (await fetch(`${server.url}${path.replace("200", "1")}`)).json()) as History;
        expect(messages).toHaveLength(1);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    } finally {
      clearInterval(reading);
    }
    expect(peakBytes() - before).toBeLessThan(2 * readerCount * pageBytesMax);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  },
  patience,
);

interface History {
  readonly messages: readonly unknown[];
}
