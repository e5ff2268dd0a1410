import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { DateTime } from "luxon";
import { parse, stringify } from "yaml";
import { DeskWindow } from "../support/desk-window.js";
import { FakeTool } from "../support/fake-tool.js";
import type { Payload } from "../support/phoenix.js";
import { TestServer } from "../support/server-process.js";

const root = join(import.meta.dirname, "..", "..");
const businessId = "B0100001";
const userId = "ana";

let tool: FakeTool;
let folder: string;
let server: TestServer;

beforeEach(async () => {
  tool = await FakeTool.start();
  folder = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
  const shipped = parse(await readFile(join(root, "businesses", `${businessId}.yaml`), "utf8")) as Payload;
  const [booking, ...others] = shipped.intents as readonly Payload[];
  const intents = [{ ...booking, ask: "questions", tool: { kind: "webhook", url: tool.url } }, ...others];
  await writeFile(join(folder, `${businessId}.yaml`), stringify({ ...shipped, intents }));
  server = await TestServer.create({ AGENT: "assistant", BUSINESSES_DIR: folder });
  await server.start();
});

afterEach(async () => {
  await server.dispose();
  await tool.stop();
  await rm(folder, { recursive: true });
});

/** A Tuesday at least a week from now: the practice is open. */
function comingTuesday(): string {
  return DateTime.now().plus({ weeks: 2 }).startOf("week").plus({ days: 1 }).toISODate();
}

async function history(sessionId: unknown): Promise<readonly Payload[]> {
  const response = await fetch(`${server.url}/api/sessions/${String(sessionId)}/messages`);
  return ((await response.json()) as { readonly messages: readonly Payload[] }).messages;
}

test.each(["before the tool has done it", "after the tool has done it, before it said so"])(
  "[M60] [A24] kill -9 in the middle of a tool's call, %s: it is asked again under the same key, and the user has one answer",
  async (moment) => {
    const before = await DeskWindow.open(server.url, businessId, { userId });
    for (const said of ["Vreau să fac o programare", "Detartraj", `${comingTuesday()} la 10:30`]) {
      await before.answerTo(await before.say(said));
    }
    if (moment === "before the tool has done it") tool.next("hang");
    else tool.next(() => void tool.done.push(tool.hits.at(-1)!.key!));
    const last = await before.say("Ana Pop, 0722 123 456");
    const { key } = await tool.hit(1);
    await server.kill();
    await before.close();

    await server.start();
    const after = await DeskWindow.open(server.url, businessId, { userId });
    await tool.hit(2);
    // Answered before the page was back, or after: it has it either way.
    const isAnswer = ({ inReplyTo }: Payload) => inReplyTo === last.messageId;
    const inJoin = (after.joins.at(-1)!.messages as readonly Payload[] | undefined)?.find(isAnswer);
    const answer = inJoin ?? (await after.answerTo(last));
    expect(answer).toMatchObject({ isComplete: true, from: "agent" });
    expect(tool.hits.map((hit) => hit.key)).toEqual([key, key]);
    expect(tool.done).toEqual([key]);
    const rows = await history(last.sessionId);
    expect(rows.filter((row) => (row as { type?: unknown }).type === "agent")).toHaveLength(4);
    expect(rows.at(-1)).toMatchObject({ metadata: { inReplyTo: last.messageId } });
    await after.close();
  },
  300_000,
);
