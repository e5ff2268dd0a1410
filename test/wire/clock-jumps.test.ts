import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { cursorAt } from "../../server/messaging/ids.js";
import { FakeClock } from "../support/fake-clock.js";
import { LongPollClient } from "../support/longpoll-client.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";
import { WireClient } from "../support/wire.js";

const businessId = "B0100001";
const topic = `messages:${businessId}`;
const hourMs = 3_600_000;
const agentTimeoutMs = 30_000;

let app: TestApp;
let agent: ScriptedAgent;
let clock: FakeClock;
let seats: Seat[];
/** Of ana's: good for a day, and for an hour. */
let [long, short] = ["", ""];

beforeEach(async () => {
  [agent, clock, seats] = [new ScriptedAgent(), new FakeClock(), []];
  app = await startTestApp({ AUTH_SECRET: secret, IDLE_TIMEOUT_MS: "0" }, { agents: { echo: agent }, clock });
  const token = (lifeMs: number) =>
    tokenOf({ sub: "ana", role: "user", businessId, exp: Math.floor((clock.now() + lifeMs) / 1000) });
  [long, short] = [await token(24 * hourMs), await token(hourMs)];
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  await app.dispose();
});

async function seat(token: string, payload: Readonly<Record<string, unknown>> = {}): Promise<Seat> {
  const taken = await Seat.take(app, payload, { on: topic, query: `&token=${token}` });
  seats.push(taken);
  return taken;
}

async function say(tab: Seat, message: string, clientMessageId: string) {
  const payload = { businessId, userId: "ana", locationId: "default", message, clientMessageId };
  const { status, response } = await tab.ask("new_message", payload);
  expect(status).toBe("ok");
  return response as { readonly messageId: string; readonly sessionId: string; readonly duplicate?: boolean };
}

test.each([8, -8, 1, -1])(
  "[T-06] [H-03] the wall clock jumps by %d h, and back, while the agent works: one answer, in order; retries are known; tokens go by it",
  async (hours) => {
    const [tab, early] = [await seat(long), await seat(short)];
    const said = await say(tab, "hello", "c1");
    const call = await agent.call("hello");
    const jump = (by: number) => clock.jumpTo(clock.now() + by * hourMs);

    jump(hours);
    const { response } = await early.ask("no_such_event", {});
    expect(response.code).toBe(hours > 0 ? "token_expired" : "unknown_event");
    // The looks for what was left lying, and for who has gone, go by the other clock, and so does the agent's deadline.
    for (let look = 0; look < 5; look += 1) {
      clock.advance(3000);
      await tab.client.heartbeat();
    }
    expect([agent.calls.length, call.signal.aborted]).toEqual([1, false]);
    const again = await seat(long, { resume: { sessionId: said.sessionId, offset: 0, epoch: app.store.epoch } });
    expect(again.joined).toMatchObject({ recovered: true, running: [{ messageId: said.messageId }] });
    expect(await say(again, "hello", "c1")).toMatchObject({ messageId: said.messageId, duplicate: true });
    const isOver = await seat(short).then(
      () => false,
      () => true,
    );
    expect(isOver).toBe(hours > 0);

    call.answer();
    for (const each of [tab, again]) expect(await each.hears("new_message")).toMatchObject({ offset: 2 });
    jump(-hours);
    await seat(short);
    expect(await say(again, "hello", "c1")).toMatchObject({ messageId: said.messageId, duplicate: true });
    expect((await say(again, "next", "c2")).sessionId).toBe(said.sessionId);
    (await agent.call("next")).answer();
    for (const each of [tab, again]) expect(await each.hears("new_message")).toMatchObject({ offset: 4 });

    const { items: rows } = await app.store.readMessages(said.sessionId, { limit: 10 });
    expect(rows.map(({ offset, content }) => [offset, content])).toEqual([
      [1, "hello"],
      [2, "answer to hello"],
      [3, "next"],
      [4, "answer to next"],
    ]);
    const times = rows.map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted());
    const events = (await app.store.readEvents(businessId, { after: cursorAt(0), limit: 10 })).items;
    expect(events).toHaveLength(2);
    expect(agent.calls).toHaveLength(2);
  },
);

test.each([1, -1])(
  "[H-03] [M19] the wall clock jumps by %d h while the agent works: it has its whole time, and not a moment more",
  async (hours) => {
    const tab = await seat(long);
    const said = await say(tab, "hello", "c1");
    const call = await agent.call("hello");
    clock.advance(10_000);
    clock.jumpTo(clock.now() + hours * hourMs);
    clock.advance(agentTimeoutMs - 10_001);
    await tab.client.heartbeat();
    expect([call.signal.aborted, tab.heard("new_message")]).toEqual([false, []]);
    clock.advance(1);
    expect(await tab.hears("new_message")).toMatchObject({ from: "system", inReplyTo: said.messageId, offset: 2 });
    expect(call.signal.aborted).toBe(true);
    const { items: rows } = await app.store.readMessages(said.sessionId, { limit: 10 });
    expect(rows.map(({ offset, type }) => [offset, type])).toEqual([
      [1, "user"],
      [2, "system"],
    ]);
    const times = rows.map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted());
  },
);

test.each([1, -1])(
  "[H-03] [T6] [T9] the wall clock jumps by %d h: who is silent is closed when the idle time has passed, and not before",
  async (hours) => {
    await app.dispose();
    app = await startTestApp({ IDLE_TIMEOUT_MS: "90000" }, { clock });
    const client = await WireClient.connect(app.url);
    await client.heartbeat();
    const { token } = await LongPollClient.open(app);
    expect([token.length, app.endpoint.socketCount]).toEqual([32, 2]);
    clock.jumpTo(clock.now() + hours * hourMs);
    clock.advance(14_999);
    expect(app.endpoint.socketCount).toBe(2);
    clock.advance(1);
    expect(app.endpoint.socketCount).toBe(1);
    clock.jumpTo(clock.now() - hours * hourMs);
    clock.advance(74_999);
    await client.heartbeat();
    expect(client.closed).toBeNull();
    // Looked at once a second.
    clock.advance(91_000);
    expect(await client.closeCode()).toBe(1002);
  },
);
