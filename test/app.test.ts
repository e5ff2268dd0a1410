import { afterEach, expect, test } from "@jest/globals";
import { FakeClock } from "./support/fake-clock.js";
import { startTestApp, type TestApp } from "./support/start-app.js";
import { patienceMs } from "./support/store-of-run.js";
import { WireClient } from "./support/wire.js";
import { joined, newMessage, topic } from "./support/witness.js";

const hourMs = 3_600_000;

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

test("[M22] SESSION_IDLE_HOURS and RETENTION_DAYS say when a session is abandoned, and when it is deleted", async () => {
  const clock = new FakeClock();
  app = await startTestApp({ SESSION_IDLE_HOURS: "2", RETENTION_DAYS: "3", IDLE_TIMEOUT_MS: "0" }, { clock });
  const client = await WireClient.connect(app.url);
  await joined(client, "ana");
  const { response } = await client.call(topic, "new_message", newMessage("ana"));
  await client.event("new_message");
  const sessionId = String(response.sessionId);
  let rev: number | null = null;
  const status = async () => (await app.store.readHead(sessionId))?.session.status;
  const messages = async () => (await app.store.readMessages(sessionId, { limit: 10 })).items.length;

  // The store finds what is due by the hour.
  await pass(hourMs);
  for (let minute = 0; minute < 5; minute += 1) await pass(60_000);
  expect([await status(), await messages()]).toEqual(["active", 2]);
  await pass(2 * hourMs);
  await minutesUntil("abandoned", async () => (await status()) === "abandoned");
  expect(await messages()).toBe(2);
  await pass(70 * hourMs);
  for (let minute = 0; minute < 5; minute += 1) await pass(60_000);
  expect(await messages()).toBe(2);
  await pass(3 * hourMs);
  await minutesUntil("deleted", async () => (await messages()) === 0);
  client.close();

  async function minutesUntil(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + patienceMs;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`in vain: ${what}`);
      await pass(60_000);
    }
  }

  /** Lets time pass while no write is under way: a disk that took a minute would have failed. */
  async function pass(ms: number): Promise<void> {
    for (let write = 0; write < 3; write += 1) {
      const { record } = await app.store.writeRecord({ partition: "test", id: "quiet" }, rev, {});
      rev = record?.rev ?? null;
    }
    clock.advance(ms);
  }
});
