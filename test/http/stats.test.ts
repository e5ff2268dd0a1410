import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { createStats } from "../../server/messaging/stats.js";
import { statsDayOf, statsDays } from "../../server/messaging/stats-records.js";
import { Telemetry } from "../../server/telemetry.js";
import { FakeClock } from "../support/fake-clock.js";
import { soon } from "../support/intercepted-store.js";
import { ask, problemCode } from "../support/plain-http.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** In Kolkata ten minutes before midnight, and in the same hour of UTC after it. */
const evening = "2026-03-02T18:20:00.000Z";

let folder: string;
let app: TestApp;
let agent: ScriptedAgent;
let clock: FakeClock;
let seats: Seat[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bennu-stats-"));
  await describeBusiness("B1", "Asia/Kolkata");
  await describeBusiness("B2", "Europe/Bucharest");
  clock = new FakeClock(Date.parse(evening));
  await start();
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  await app.dispose();
  await rm(folder, { recursive: true, force: true });
});

function describeBusiness(businessId: string, timeZone: string): Promise<void> {
  const text = `businessId: ${businessId}\nname: Of the file\nlocale: en\ntimeZone: ${timeZone}\n`;
  return writeFile(join(folder, `${businessId}.yaml`), text);
}

async function start(): Promise<void> {
  [seats, agent] = [[], new ScriptedAgent()];
  const environment = {
    IDLE_TIMEOUT_MS: "0",
    RETENTION_DAYS: "30",
    BUSINESSES_DIR: folder,
    DATA_DIR: join(folder, "data"),
  };
  app = await startTestApp(environment, { agents: { echo: agent }, clock });
}

/** What was counted is stored. */
async function restart(): Promise<void> {
  for (const { client } of seats) client.close();
  await app.stop();
  await start();
}

async function seat(userId: string | null): Promise<Seat> {
  const taken = await Seat.take(app, userId === null ? {} : { userId }, { on: "messages:B1" });
  seats.push(taken);
  return taken;
}

function answerTo(of: Seat, { messageId }: { readonly messageId: string }) {
  return of.hears("new_message", ({ inReplyTo }) => inReplyTo === messageId);
}

interface Stats {
  readonly figures: readonly Readonly<Record<string, unknown>>[];
  readonly [name: string]: unknown;
}

async function stats(query = "", businessId = "B1"): Promise<Stats> {
  const { status, text } = await ask(app, `/api/businesses/${businessId}/stats${query}`);
  expect([status, text]).toEqual([200, expect.any(String)]);
  return JSON.parse(text) as Stats;
}

const nothing = {
  ...{ messages: 0, answered: 0, failed: 0, human: 0 },
  ...{ answerMs: { p50: null, p95: null }, agentShare: null, messagesPerMinute: 0 },
};

describe("[H11] GET /api/businesses/:businessId/stats", () => {
  test("tells what was said and answered, by whom and how fast, in the business's hours and days, after a restart too", async () => {
    const [ana, console] = [await seat("ana"), await seat(null)];
    const one = await ana.says("one");
    clock.advance(700);
    (await agent.call("one")).answer();
    await answerTo(ana, one);
    const two = await ana.says("two");
    (await agent.call("two")).say(new Error("it fails"));
    await answerTo(ana, two);
    await answerTo(ana, await ana.says("/help"));
    const repeated = {
      businessId: "B1",
      userId: "ana",
      locationId: "default",
      message: "/lang en",
      clientMessageId: "c1",
    };
    for (let time = 0; time < 2; time += 1) expect((await ana.ask("new_message", repeated)).status).toBe("ok");
    clock.advance(20 * minuteMs);
    await restart();
    const [later, other] = [await seat("ana"), await seat(null)];
    const { sessionId } = await later.says("three");
    const call = await agent.call("three");
    clock.advance(5000);
    expect((await other.ask("take_over", { sessionId })).status).toBe("ok");
    for (const message of ["a human is here", "and asks something"])
      expect((await other.ask("reply", { sessionId, message })).status).toBe("ok");
    call.answer();
    await restart();
    expect(console.heard("message_processed").length).toBeGreaterThan(0);
    const before = {
      ...{ messages: 4, answered: 1, failed: 1, human: 0, answerMs: { p50: 867, p95: 867 }, agentShare: 0.5 },
    };
    const after = {
      ...{ messages: 1, answered: 0, failed: 0, human: 1, answerMs: { p50: 5170, p95: 5170 }, agentShare: 0 },
    };
    const [midnight, nextHour] = ["2026-03-02T18:30:00.000Z", "2026-03-02T19:30:00.000Z"];
    const today = { from: midnight, to: "2026-03-03T18:30:00.000Z", ...after, messagesPerMinute: 0.1 };
    const yesterday = { from: "2026-03-01T18:30:00.000Z", to: midnight, ...before, messagesPerMinute: 0 };
    const told = await stats();
    expect({ ...told, figures: [] }).toEqual({
      ...{ businessId: "B1", timeZone: "Asia/Kolkata", by: "hour" },
      ...{ from: yesterday.from, to: nextHour, figures: [], today, yesterday },
    });
    expect(told.figures).toHaveLength(25);
    expect(told.figures.at(-1)).toEqual({ ...today, to: nextHour });
    expect(told.figures.at(-2)).toEqual({
      ...{ from: "2026-03-02T17:30:00.000Z", to: midnight, ...before, messagesPerMinute: 0.07 },
    });
    for (const { from, to, ...figures } of told.figures.slice(0, -2)) {
      expect([Date.parse(String(to)) - Date.parse(String(from)), figures]).toEqual([hourMs, nothing]);
    }
    expect((await stats("?by=day")).figures).toEqual([yesterday, today]);
    expect((await stats("", "B2")).today).toMatchObject(nothing);
  });

  test("[T-01] a day on which clocks change has its 23 or 25 hours, and each has what happened in it", async () => {
    const telemetry = new Telemetry<DeskEvents>();
    const node = createStats({ store: app.store, clock, telemetry });
    node.start();
    // The hour from 3 to 4 comes twice on this day.
    for (const [index, at] of ["2026-10-25T00:50Z", "2026-10-25T01:10Z", "2026-10-25T21:59Z"].entries()) {
      clock.jumpTo(Date.parse(at));
      for (let time = 0; time <= index; time += 1)
        telemetry.emit("message.accepted", { businessId: "B2", sessionId: "s", duplicate: false, durationMs: 1 });
    }
    await node.stop();
    const question = "?from=2026-10-24T21:00:00Z&to=2026-10-25T22:00:00Z";
    const { figures } = await stats(question, "B2");
    const messages = figures.map((hour) => hour.messages);
    expect(messages).toEqual([0, 0, 0, 1, 2, ...Array.from({ length: 19 }, () => 0), 3]);
    expect((await stats(`${question}&by=day`, "B2")).figures).toMatchObject([
      { from: "2026-10-24T21:00:00.000Z", to: "2026-10-25T22:00:00.000Z", messages: 6 },
    ]);
    const spring = await stats("?from=2026-03-28T22:00:00Z&to=2026-03-29T21:00:00Z", "B2");
    expect(spring.figures).toHaveLength(23);
  });

  test("[S2] nodes add theirs to the same hour, in the same moment", async () => {
    const outcomes = ["answered", "human", "failed", "command"] as const;
    const nodes = outcomes.map((outcome) => {
      const telemetry = new Telemetry<DeskEvents>();
      const node = createStats({ store: app.store, clock, telemetry });
      node.start();
      const event = { businessId: "B1", sessionId: "s", node: "agent", outcome, durationMs: 10 };
      return { node, answers: () => telemetry.emit("turn.answered", event) };
    });
    for (let round = 0; round < 3; round += 1) {
      for (const { answers } of nodes) answers();
      await Promise.all(nodes.map(({ node }) => node.flush()));
    }
    for (const { node } of nodes) await node.stop();
    expect((await stats()).today).toMatchObject({ answered: 3, human: 3, failed: 3, agentShare: 0.3333 });
  });

  test.each([
    "by=week",
    "by=hour&by=day",
    "By=day",
    "from=yesterday",
    "from=2026-02-30T00:00:00Z",
    "from=2026-03-01T00:00:00Z&from=2026-03-01T00:00:00Z",
    "to=o12",
    "from[]=2026-03-01T00:00:00Z",
    "from=2026-03-02T18:20:00Z&to=2026-03-02T18:20:00Z",
    "from=2026-03-03T00:00:00Z",
    "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00.001Z",
  ])("?%s is 400", async (query) => {
    const answer = await ask(app, `/api/businesses/B1/stats?${query}`);
    expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
  });

  test("31 days are not too many", async () => {
    const query = "?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z";
    expect((await stats(query)).figures).toHaveLength(31 * 24 + 1);
    expect((await stats(`${query}&by=day`)).figures).toHaveLength(32);
  });

  test("[M22] figures go when the time of retention is over", async () => {
    const ana = await seat("ana");
    await answerTo(ana, await ana.says("/help"));
    await restart();
    const { items } = await app.store.listRecords(statsDays, { limit: 10 });
    expect(items.map(({ id }) => id)).toEqual(["2026-03-02#B1"]);
    const { partition } = statsDayOf(items[0]!.id);
    // The day of UTC ended 30 days before this.
    clock.jumpTo(Date.parse("2026-04-02T00:00:00.000Z"));
    clock.advance(minuteMs);
    for (const name of [partition, statsDays]) {
      // Between its steps the cleanup waits for the clock.
      while ((await app.store.listRecords(name, { limit: 10 })).items.length > 0) {
        clock.advance(50);
        await soon();
      }
    }
    expect((await stats("?from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z&by=day")).figures).toMatchObject([
      nothing,
      nothing,
    ]);
  });
});
