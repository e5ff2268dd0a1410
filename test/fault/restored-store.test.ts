import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { ask } from "../support/plain-http.js";
import { TestServer } from "../support/server-process.js";
import { WireClient } from "../support/wire.js";

const businessId = "R1";
const userId = "ana";
const topic = `messages:${businessId}`;

let server: TestServer | null = null;
let client: WireClient | null = null;

afterEach(async () => {
  client?.close();
  await server?.dispose();
});

interface Place {
  readonly sessionId: string;
  readonly offset: number;
  readonly epoch: string;
}

interface Joined extends Place {
  readonly recovered: boolean;
  readonly messages: readonly { readonly offset: number; readonly content: string }[];
}

/** A connection of its own; a client that was there before says what it has seen. */
async function joined(resume?: Place): Promise<Joined> {
  client?.close();
  client = await WireClient.connect(server!.url);
  const { status, response } = await client.call(topic, "phx_join", {
    userId,
    ...(resume === undefined ? {} : { resume: placeOf(resume) }),
  });
  expect(status).toBe("ok");
  return response as unknown as Joined;
}

/** Said and answered by the echo agent. */
async function say(message: string): Promise<void> {
  const payload = { businessId, userId, locationId: "L1", message, clientMessageId: message };
  const { status } = await client!.call(topic, "new_message", payload);
  expect(status).toBe("ok");
  await client!.next(([, , , event, { message: answer }]) => event === "new_message" && answer === message);
}

async function history(sessionId: string): Promise<readonly (readonly [number, string])[]> {
  const place = { port: Number(new URL(server!.url).port) };
  const { text } = await ask(place, `/api/sessions/${sessionId}/messages?limit=200`);
  const { messages } = JSON.parse(text) as Pick<Joined, "messages">;
  return messages.map(({ offset, content }) => [offset, content] as const);
}

test("[D-19] [M12] a store that was restored from an old backup: what clients have seen is of another epoch, and they are told", async () => {
  server = await TestServer.create();
  const folder = join(server.dataDir, "store");
  const backup = join(server.dataDir, "copy-of-store");
  await server.start();
  await joined();
  await say("in the backup");
  await server.terminate();
  await cp(folder, backup, { recursive: true });

  await server.start();
  const before = await joined();
  await say("seen, and lost with the disk");
  const seen: Place = { ...before, offset: before.offset + 2 };
  // Without a restore it is the same epoch, and the client has missed nothing.
  expect(await joined(seen)).toMatchObject({ ...placeOf(seen), recovered: true, messages: [] });
  await server.kill();

  await rm(folder, { recursive: true });
  await cp(backup, folder, { recursive: true });
  await server.start();
  const restored = await joined(seen);
  expect(restored).toMatchObject({ sessionId: seen.sessionId, offset: 2, recovered: false, messages: [] });
  expect(restored.epoch).not.toBe(seen.epoch);
  // The offset that the client has seen is that of other content now: its own place still says nothing.
  await say("said after the restore");
  const [again, fresh] = [await joined(seen), await joined({ ...placeOf(seen), epoch: restored.epoch })];
  expect(again).toMatchObject({ offset: seen.offset, epoch: restored.epoch, recovered: false, messages: [] });
  expect(fresh).toMatchObject({ offset: seen.offset, recovered: true, messages: [] });
  // What the client has not lost it says again under its id, and it is taken.
  await say("seen, and lost with the disk");
  expect(await history(seen.sessionId)).toEqual([
    [1, "in the backup"],
    [2, "in the backup"],
    [3, "said after the restore"],
    [4, "said after the restore"],
    [5, "seen, and lost with the disk"],
    [6, "seen, and lost with the disk"],
  ]);
  expect(await server.terminate()).toEqual({ code: 0, signal: null });
}, 300_000);

function placeOf({ sessionId, offset, epoch }: Place): Place {
  return { sessionId, offset, epoch };
}
