import { afterEach, describe, expect, test } from "@jest/globals";
import { Channel, ok } from "../../server/bennu.js";
import { FakeClock } from "../support/fake-clock.js";
import { LongPollClient, type LongPollAnswer } from "../support/longpoll-client.js";
import { withSeed } from "../support/random.js";
import { RawHttp, serveEndpoint } from "../support/served-endpoint.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const windowMs = 10_000;
const raceCount = 1000;
const ndjson = "application/x-ndjson";
const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const turnsUntil = async (holds: () => boolean) => {
  while (!holds()) await turns(1);
};

describe("[L-04] [T7] [T8] two polls at once, and a POST while they end", () => {
  const topic = "room:1";
  let said = 0;

  /** Whatever it says has the next number. */
  class Counting extends Channel {
    override join() {
      return ok();
    }

    override handleIn() {
      this.push("n", { n: (said += 1) });
      return ok({ n: (said += 1) });
    }
  }

  test(
    `${raceCount} races: each message comes once, and in its order, to one of them`,
    () =>
      withSeed(async (random) => {
        said = 0;
        const clock = new FakeClock();
        let pollCount = 0;
        const served = await serveEndpoint({ channels: { "room:*": Counting } }, { clock }, (endpoint) => {
          return (request, response) => {
            if (request.method === "GET") pollCount += 1;
            endpoint.handle(request, response);
          };
        });
        cleanups.push(() => served.close());
        const client = await LongPollClient.open(served);
        cleanups.push(() => client.close());
        await client.join(topic, {});

        const answers: LongPollAnswer[] = [];
        const poll = () => client.poll().then((answer) => void answers.push(answer));
        const numbersOf = ({ frames }: LongPollAnswer) =>
          frames.map(([, , , event, payload]) => (event === "n" ? payload.n : (payload.response as typeof payload).n));
        const heard = () => answers.flatMap(numbersOf).length;

        for (let race = 0; race < raceCount; race += 1) {
          const before = pollCount;
          const polls = [poll(), poll()];
          const pushed = turns(random() * 12).then(() => client.post(["1", `r${race}`, topic, "say", {}]));
          const broadcast = turns(random() * 24).then(() => served.endpoint.broadcast(topic, "n", { n: (said += 1) }));
          // The window of those that wait ends before, beside or after what they wait for.
          await turnsUntil(() => pollCount === before + 2);
          await turns(random() * 12);
          clock.advance(windowMs);
          expect((await pushed).status).toBe(200);
          await Promise.all([broadcast, ...polls]);
        }
        while (heard() < said) await poll();

        // Of each kind there was some: with messages, and with none at the end of a window.
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 204]));
        expect(said).toBe(3 * raceCount);
        const inOrder = answers.map(numbersOf).filter(({ length }) => length > 0);
        inOrder.sort(([a], [b]) => Number(a) - Number(b));
        expect(inOrder.flat()).toEqual(Array.from({ length: said }, (_, index) => index + 1));
        expect(served.endpoint.socketCount).toBe(1);
      }),
    300_000,
  );
});

describe("[L-06] [M6] [T8] a POST whose answer is lost", () => {
  const businessId = "B1";
  const topic = `messages:${businessId}`;
  const rounds = 30;

  test(
    `is made again, on the same session or the next: in ${rounds} rounds each message is stored once, in order`,
    () =>
      withSeed(async (random) => {
        const agent = new ScriptedAgent();
        const app = await startTestApp({}, { agents: { echo: agent } });
        cleanups.push(() => app.dispose());
        for (let round = 0; round < rounds; round += 1) {
          const userId = `user_${round}`;
          const client = await LongPollClient.open(app);
          await client.join(topic, { userId });
          const batch = ["one", "two", "three"].map((message, at) => [
            "1",
            `${at + 2}`,
            topic,
            "new_message",
            { businessId, userId, locationId: "L1", message, clientMessageId: `${userId}-${at}` },
          ]);

          await postAndVanish(app, client, batch, Math.floor(random() * 4));
          const isNew = random() < 0.5;
          const again = isNew ? await LongPollClient.open(app) : client;
          if (isNew) await again.join(topic, { userId });
          expect((await again.post(...batch)).status).toBe(200);

          // Of each message the reply that came to the second try, or to the first: they say the same of it.
          const ids = new Map<unknown, Set<unknown>>();
          for (const [, ref] of batch) {
            const isReply = (frame: readonly unknown[]) => frame[1] === ref && frame[3] === "phx_reply";
            await again.next(isReply);
            const replies = again.frames.filter(isReply).map((frame) => frame[4]);
            expect(replies.map(({ status }) => status)).toEqual(replies.map(() => "ok"));
            ids.set(ref, new Set(replies.map(({ response }) => (response as Record<string, unknown>).messageId)));
          }
          expect([...ids.values()].map(({ size }) => size)).toEqual([1, 1, 1]);
          const [, , , , reply] = again.frames.find(([, ref]) => ref === "2")!;
          const { sessionId } = reply.response as { readonly sessionId: string };
          for (const message of ["one", "two", "three"]) await answered(agent, message, userId);
          await until("all are asked", () => asked(agent, userId).length === 3);
          const rows = (await app.store.readMessages(sessionId, { limit: 50 })).items.filter(
            ({ type }) => type === "user",
          );
          expect(rows.map(({ content, messageId }) => [content, messageId])).toEqual(
            ["one", "two", "three"].map((content, at) => [content, [...[...ids.values()][at]!][0]]),
          );
          for (const each of new Set([client, again])) each.close();
        }
        // Somebody asked twice for some of them, or nothing was lost here.
        expect(agent.calls).toHaveLength(3 * rounds);
      }),
    300_000,
  );

  const asked = (agent: ScriptedAgent, userId: string) => agent.calls.filter(({ turn }) => turn.userId === userId);

  async function answered(agent: ScriptedAgent, message: string, userId: string): Promise<void> {
    const call = await until(`the call for ${message}`, () =>
      asked(agent, userId).find(({ turn }) => turn.message === message),
    );
    call.answer();
  }

  /** Sends a batch, and is gone before it is answered, at one of several moments. */
  async function postAndVanish(
    app: { readonly port: number },
    client: LongPollClient,
    batch: readonly unknown[],
    moment: number,
  ): Promise<void> {
    const body = batch.map((frame) => JSON.stringify(frame)).join("\n");
    const connection = new RawHttp(app.port);
    const head = [`POST ${client.path()} HTTP/1.1`, "host: localhost", `content-type: ${ndjson}`];
    connection.write(...head, `content-length: ${Buffer.byteLength(body)}`, "", "");
    // Not all of it; all of it, and not answered yet; and answered, but unread.
    connection.write(moment === 0 ? body.slice(0, -10) : body);
    if (moment === 1) await turns(5);
    if (moment > 1) await until("the server is done with it", () => connection.text.includes('{"status":200}'));
    connection.destroy();
  }
});
