import { afterEach, expect, test } from "@jest/globals";
import { readSession } from "../support/desk-history.js";
import { withSeed } from "../support/random.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const roomy = {
  ...{ MAX_BACKLOG: "20000", MAX_BACKLOG_PER_BUSINESS: "20000", MAX_BACKLOG_PER_USER: "20000" },
  MAX_SEND_QUEUE_BYTES: "0",
};
/** The most that a resume gives back. (SPEC M12) */
const recoveredMax = 300;

type Fields = Record<string, unknown>;

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

test("[D-17] [M12] after missing 10,000: nothing of it and the client is told so; from there it resumes, and the history has all", async () => {
  app = await startTestApp(roomy);
  const writer = await connected();
  await joined(writer, {});
  const answers = () => writer.frames.filter(([, , , event]) => event === "new_message");
  // A session takes so many turns at a time, and no more.
  const [messageCount, atOnce] = [5000, 50];
  for (let from = 0; from < messageCount; from += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, index) => say(writer, `message ${from + index}`)));
    await until("all are answered", () => answers().length === from + atOnce);
  }
  const sessionId = String(answers()[0]![4].sessionId);
  const total = 2 * messageCount;
  const { epoch } = app.store;
  for (const resume of [
    { sessionId, offset: 0, epoch },
    { sessionId, offset: total - recoveredMax - 1, epoch },
    { sessionId, offset: total, epoch: "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11" },
    { sessionId, offset: total + 1, epoch },
  ]) {
    const reply = await joinedAnew({ resume });
    expect(reply).toMatchObject({ sessionId, offset: total, epoch, recovered: false, messages: [] });
    // What it was told is what it can resume from: it does not ask for ever.
    const next = await joinedAnew({ resume: { sessionId, offset: reply.offset, epoch: reply.epoch } });
    expect(next).toMatchObject({ offset: total, recovered: true, messages: [] });
  }
  const rows = await readSession(app.url, sessionId);
  expect(rows.map(({ offset }) => offset)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  const missed = await joinedAnew({ resume: { sessionId, offset: total - recoveredMax, epoch } });
  expect(missed.messages).toEqual(rows.slice(-recoveredMax));
  writer.close();
}, 600_000);

test(
  "[D-18] [M12] [M27] 5,000 joins while messages are being stored: what was missed and what is live are together everything, once",
  () =>
    withSeed(async (random) => {
      app = await startTestApp(roomy);
      const writer = await connected();
      await joined(writer, {});
      const { sessionId } = await say(writer, "first");
      const [messageCount, joinsEach] = [250, 20];
      for (let index = 0; index < messageCount; index += 1) {
        const stands = 2 * index;
        const said = say(writer, `message ${index}`);
        const joins = await Promise.all(
          Array.from({ length: joinsEach }, async () => {
            for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await new Promise(setImmediate);
            const since = Math.max(0, stands - Math.floor(random() * 20));
            return joinSince({ sessionId, offset: since });
          }),
        );
        const { offset } = await said;
        await Promise.all(joins.map((join) => hasAllUpTo(Number(offset), join)));
      }
      writer.close();
    }),
  900_000,
);

interface Resumed {
  readonly client: WireClient;
  readonly reply: Fields;
  readonly since: number;
}

async function joinSince(resume: { readonly sessionId: unknown; readonly offset: number }): Promise<Resumed> {
  const client = await connected();
  return { client, reply: await joined(client, { resume }), since: resume.offset };
}

/** From where it resumed there is no gap, and nothing twice; and what was stored by now has come. */
async function hasAllUpTo(offset: number, { client, reply, since }: Resumed): Promise<void> {
  await client.heartbeat();
  const live = client.frames.filter(([, , , event]) => event === "new_message" || event === "message_accepted");
  const given = [...(reply.messages as Fields[]), ...live.map(([, , , , payload]) => payload)];
  const offsets = given.map((message) => Number(message.offset)).toSorted((one, other) => one - other);
  expect(offsets).toEqual(offsets.map((_, index) => since + index + 1));
  expect(offsets.at(-1)).toBeGreaterThanOrEqual(offset);
  client.close();
}

function connected(): Promise<WireClient> {
  return WireClient.connect(app.url);
}

async function joinedAnew(more: Fields): Promise<Fields> {
  const client = await connected();
  const reply = await joined(client, more);
  client.close();
  return reply;
}

async function joined(client: WireClient, more: Fields): Promise<Fields> {
  return answered(await client.call(topic, "phx_join", { userId: "ana", ...more }));
}

async function say(client: WireClient, message: string): Promise<Fields> {
  return answered(await client.call(topic, "new_message", messageOf(message)));
}

function answered({ status, response }: { readonly status: string; readonly response: Fields }): Fields {
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return response;
}

function messageOf(message: string): Fields {
  return { businessId, userId: "ana", locationId: "default", message };
}
