import { afterEach, expect, test } from "@jest/globals";
import { readSession } from "../support/desk-history.js";
import { FaultyLine } from "../support/faulty-line.js";
import { createRandom, seedOfRun } from "../support/random.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const lostRuns = 500;
const atOnce = 10;
/** How often a client that has not heard of its message says it again. */
const repeats = 5;

type Fields = Record<string, unknown>;

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

test(`[D-01] [M6] ${lostRuns} runs of acknowledgements that are lost: said again ${repeats} times, a message is stored once and answered once`, async () => {
  app = await startTestApp({ MAX_SOCKETS: "0" });
  const indexes = Array.from({ length: lostRuns }, (_, index) => index).values();
  const worker = async () => {
    for (const index of indexes) {
      try {
        await losesAcknowledgements(index, createRandom(seedOfRun + index));
      } catch (cause) {
        throw new Error(`BENNU_SEED=${seedOfRun} repeats run ${index}: ${(cause as Error).message}`, { cause });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}, 600_000);

/** The first acknowledgement is lost, and others; the last one arrives. */
async function losesAcknowledgements(index: number, random: () => number): Promise<void> {
  const userId = `user_${index}`;
  const line = await FaultyLine.to(app.port);
  const heard: Fields[] = [];
  for (let time = 0; time <= repeats; time += 1) {
    const client = await joined(userId, line.url);
    const isLost = time === 0 || (time < repeats && random() < 0.6);
    const message = { businessId, userId, locationId: "default", message: "hello", clientMessageId: "c1" };
    if (isLost) {
      const dropped = line.dropDown();
      client.send(null, "lost", topic, "new_message", message);
      await dropped;
    } else heard.push((await client.call(topic, "new_message", message)).response);
    // With or without a word: the server may hold the old connection for whole.
    if (random() < 0.5) line.cut();
    else line.halfOpen();
  }
  const [first] = heard;
  const sessionId = String(first!.sessionId);
  const last = await joined(userId, app.url);
  const rows = await answered(sessionId, last);
  await line.close();
  expect(rows.map(({ type, content }) => [type, content])).toEqual([
    ["user", "hello"],
    ["agent", "hello"],
  ]);
  const { messageId, offset, timestamp } = rows[0]!;
  expect(heard).toEqual(heard.map(() => ({ messageId, sessionId, offset, timestamp, duplicate: true })));
  last.close();
}

/** The session once its first message is answered. */
async function answered(sessionId: string, client: WireClient): Promise<Awaited<ReturnType<typeof readSession>>> {
  for (;;) {
    await client.heartbeat();
    const rows = await readSession(app.url, sessionId);
    if (rows.length > 1) return rows;
  }
}

async function joined(userId: string, url: string): Promise<WireClient> {
  const client = await WireClient.connect(url);
  const { status, response } = await client.call(topic, "phx_join", { userId });
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return client;
}
