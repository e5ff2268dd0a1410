import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { ChatMessage, Session } from "../../server/messaging/model.js";
import { dueKey, duePartition } from "../../server/messaging/schedule-records.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask, problemCode } from "../support/plain-http.js";
import { makeDataDir, startTestApp, type TestApp } from "../support/start-app.js";

const businessId = "B1";
const minuteMs = 60_000;
const begin = Date.parse("2026-03-02T10:00:30.000Z");

let app: TestApp;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  clock.jumpTo(begin);
  app = await startTestApp({ MAX_SCHEDULES_PER_USER: "3" }, { clock });
});

afterEach(() => app.dispose());

interface Made {
  readonly scheduleId: string;
  readonly nextAt: string;
}

async function call<T = Made>(
  method: string,
  query: string,
  body?: unknown,
  as: Readonly<Record<string, string>> = {},
) {
  const headers = { "x-user-id": "ana", "x-business-id": businessId, "content-type": "application/json", ...as };
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await ask(app, `/api/schedules${query}`, { method, headers, ...text });
  return { ...answer, json: () => JSON.parse(answer.text) as T, code: () => [answer.status, problemCode(answer)] };
}

const post = (body: unknown) => call("POST", "", body);
const inMs = (ms: number) => new Date(clock.now() + ms).toISOString();

async function saidBy(userId: string): Promise<readonly ChatMessage[]> {
  const path = `/api/sessions?businessId=${businessId}&userId=${userId}`;
  const { sessions } = JSON.parse((await ask(app, path)).text) as { sessions: Session[] };
  const pages = sessions.map(({ sessionId }) => app.store.readMessages(sessionId, { limit: 200 }));
  return (await Promise.all(pages)).flatMap(({ items }) => items).filter(({ type }) => type === "user");
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Lets a little time go on, again and again, until it holds. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    clock.advance(250);
    await pause();
  }
}

async function untilSaid(count: number): Promise<readonly ChatMessage[]> {
  await eventually(async () => (await saidBy("ana")).length >= count);
  return saidBy("ana");
}

/** The one schedule there is goes on to a time; that time comes. */
async function untilDue(at: string): Promise<void> {
  await eventually(async () => (await call<{ schedules: Made[] }>("GET", "")).json().schedules[0]?.nextAt === at);
  clock.advance(Date.parse(at) - clock.now());
}

const dueEntries = async () => {
  const parts = [0, 1, 2, 3].map((part) => app.store.listRecords(duePartition(part), { limit: 100 }));
  return (await Promise.all(parts)).flatMap(({ items }) => items);
};

describe("[H35] /api/schedules", () => {
  test("are made, listed and taken away", async () => {
    const at = inMs(60 * minuteMs);
    const once = (await post({ message: " hello ", at })).json();
    const rest = { scheduleId: once.scheduleId, businessId, userId: "ana", locationId: "default" };
    expect(once).toEqual({ ...rest, message: " hello ", at, nextAt: at, createdAt: inMs(0) });
    const daily = (await post({ message: "again", cron: "0 9 * * *", locationId: "north" })).json();
    expect(daily).toMatchObject({ cron: "0 9 * * *", nextAt: "2026-03-03T09:00:00.000Z", locationId: "north" });
    const listed = (await call<{ schedules: Made[] }>("GET", "?limit=1")).json();
    expect(listed).toMatchObject({ schedules: [once], pagination: { hasMore: true } });
    expect((await call("DELETE", `?scheduleId=${once.scheduleId}`)).status).toBe(204);
    expect((await call("DELETE", `?scheduleId=${once.scheduleId}`)).code()).toEqual([404, "not_found"]);
    expect((await call<{ schedules: Made[] }>("GET", "")).json().schedules).toEqual([daily]);
    clock.advance(60 * minuteMs);
    await eventually(async () => (await dueEntries()).length === 1);
    expect(await saidBy("ana")).toEqual([]);
  });

  test("what cannot be is refused, and nothing is made", async () => {
    const at = inMs(minuteMs);
    for (const body of [
      ...[{}, { message: "x" }, { message: "x", at, cron: "* * * * *" }, { message: "x", at: "tomorrow" }],
      ...[
        { message: "x", at: inMs(0) },
        { message: "x", cron: "* * * *" },
        { message: 7, at },
        { message: "x", at, to: 1 },
      ],
    ]) {
      expect((await post(body)).code()).toEqual([400, "invalid_payload"]);
    }
    expect((await post({ message: " ", at })).code()).toEqual([400, "missing_parameters"]);
    expect((await post({ message: "x".repeat(8193), at })).code()).toEqual([413, "message_too_long"]);
    expect((await post({ message: "x", at, userId: "bob" })).code()).toEqual([404, "not_found"]);
    for (let count = 0; count < 3; count += 1) expect((await post({ message: "x", at })).status).toBe(201);
    expect((await post({ message: "x", at })).code()).toEqual([409, "too_many_schedules"]);
    expect(await dueEntries()).toHaveLength(3);
  });

  test("a service schedules for a user, and a coordinator for nobody", async () => {
    const body = { businessId, userId: "ana", message: "hello", at: inMs(minuteMs) };
    expect((await call("POST", "", body, { "x-user-id": "robot", "x-role": "service" })).status).toBe(201);
    expect((await call("POST", "", body, { "x-role": "coordinator" })).code()).toEqual([404, "not_found"]);
    clock.advance(minuteMs);
    expect((await untilSaid(1)).map(({ content, userId }) => [userId, content])).toEqual([["ana", "hello"]]);
  });
});

describe("[M80] what is scheduled", () => {
  test("is said once at its time, as the user's message, and answered; then there is nothing left of it", async () => {
    const { scheduleId, nextAt } = (await post({ message: "hello", at: inMs(10 * minuteMs) })).json();
    clock.advance(10 * minuteMs - 1000);
    expect(await saidBy("ana")).toEqual([]);
    const [message] = await untilSaid(1);
    expect(message).toMatchObject({ content: "hello", userId: "ana", metadata: { source: "cron" } });
    expect(message!.metadata.clientMessageId).toBe(`schedule:${scheduleId}:${nextAt}`);
    const answers = () => app.store.readMessages(message!.sessionId, { after: 1, limit: 1 });
    await eventually(async () => (await answers()).items.length === 1);
    await eventually(async () => (await dueEntries()).length === 0);
    expect(await saidBy("ana")).toHaveLength(1);
    expect((await call<{ schedules: Made[] }>("GET", "")).json().schedules).toEqual([]);
  });

  test("again and again, by its line", async () => {
    await post({ message: "tick", cron: "*/5 * * * *" });
    for (const minute of ["05", "10", "15"]) await untilDue(`2026-03-02T10:${minute}:00.000Z`);
    const said = await untilSaid(3);
    expect(said.map(({ metadata }) => metadata.clientMessageId!.slice(-24))).toEqual([
      "2026-03-02T10:05:00.000Z",
      "2026-03-02T10:10:00.000Z",
      "2026-03-02T10:15:00.000Z",
    ]);
  });

  test("survives a restart: what was missed is said once, and then by its line", async () => {
    const dataDir = await makeDataDir();
    await app.dispose();
    app = await startTestApp({ DATA_DIR: dataDir }, { clock });
    await post({ message: "tick", cron: "*/5 * * * *" });
    await app.stop();
    clock.jumpTo(begin + 60 * minuteMs);
    app = await startTestApp({ DATA_DIR: dataDir }, { clock });
    await untilDue("2026-03-02T11:05:00.000Z");
    const said = await untilSaid(2);
    expect(said.map(({ metadata }) => metadata.clientMessageId!.slice(-24))).toEqual([
      "2026-03-02T10:05:00.000Z",
      "2026-03-02T11:05:00.000Z",
    ]);
  });

  test("[M80] what a user was to say while no server was there is said in the order of its times", async () => {
    const dataDir = await makeDataDir();
    await app.dispose();
    app = await startTestApp({ DATA_DIR: dataDir, MAX_SCHEDULES_PER_USER: "40" }, { clock });
    const minutes = Array.from({ length: 24 }, (_, index) => index + 1);
    // Made in another order than they are due.
    for (const minute of minutes.toReversed()) await post({ message: `minute ${minute}`, at: inMs(minute * minuteMs) });
    await app.stop();
    clock.jumpTo(begin + 60 * minuteMs);
    app = await startTestApp({ DATA_DIR: dataDir }, { clock });
    const said = await untilSaid(minutes.length);
    expect(said.map(({ content }) => content)).toEqual(minutes.map((minute) => `minute ${minute}`));
  });

  test("is not said again by whoever comes back to it, though its end was never written", async () => {
    const { scheduleId, nextAt } = (await post({ message: "hello", at: inMs(minuteMs) })).json();
    const key = { partition: `schedules#user#${businessId}#ana`, id: scheduleId };
    const before = (await app.store.readRecord(key))!.value;
    await untilSaid(1);
    const isOver = async () => (await app.store.readRecord(key)) === null;
    await eventually(isOver);
    // As if the process had ended just after the message was stored.
    const due = { scheduleId, businessId, userId: "ana", at: nextAt };
    await app.store.writeRecord(key, null, before);
    await app.store.writeRecord(dueKey(due), null, due);
    await eventually(isOver);
    expect(await saidBy("ana")).toHaveLength(1);
  });
});
