import { afterEach, expect, test } from "@jest/globals";
import { TestServer } from "../support/server-process.js";
import { WireClient } from "../support/wire.js";

const businessId = "B1";
const topic = `messages:${businessId}`;
const runs = 200;
/** Each is answered, so twice as many messages are there before the first page is asked for. */
const saidBefore = 10;

let server: TestServer;

afterEach(() => server.dispose());

interface Page {
  readonly messages: readonly { readonly offset: number }[];
  readonly pagination: { readonly nextCursor: string | null };
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

async function pageOf(sessionId: string, before: string | null): Promise<Page> {
  const query = before === null ? "limit=7" : `limit=7&before=${before}`;
  const answer = await fetch(`${server.url}/api/sessions/${sessionId}/messages?${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Page;
}

test(`[H-01] [H4] ${runs} histories are paged backwards by 7 while their session is written to: all that was there, once, and nothing new behind the first page`, async () => {
  server = await TestServer.create();
  await server.start();
  for (let run = 0; run < runs; run += 1) {
    const userId = `user_${run}`;
    const client = await WireClient.connect(server.url);
    await client.call(topic, "phx_join", { userId });
    const say = async (): Promise<string> => {
      const payload = { businessId, userId, locationId: "L1", message: "again" };
      const { status, response } = await client.call(topic, "new_message", payload);
      if (status !== "ok") throw new Error(JSON.stringify(response));
      return String(response.sessionId);
    };
    let sessionId = "";
    for (let index = 0; index < saidBefore; index += 1) {
      sessionId = await say();
      await client.event("new_message");
    }

    let isWriting = true;
    const writing = (async () => {
      while (isWriting) await say();
    })();
    const first = await pageOf(sessionId, null);
    const pages = [first.messages];
    for (let next = first.pagination.nextCursor; next !== null;) {
      const { messages, pagination } = await pageOf(sessionId, next);
      pages.unshift(messages);
      next = pagination.nextCursor;
    }
    isWriting = false;
    await writing;
    client.close();

    const newest = first.messages.at(-1)!.offset;
    expect(newest).toBeGreaterThanOrEqual(2 * saidBefore);
    expect(pages.flat().map(({ offset }) => offset)).toEqual(range(newest));
  }
}, 600_000);
