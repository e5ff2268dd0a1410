import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Credentials } from "../../server/auth/credentials.js";
import { createRevocations } from "../../server/messaging/revocations.js";
import { readCurrentSession } from "../../server/messaging/sessions.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";
import { until } from "../support/until.js";
import { type Frame, WireClient } from "../support/wire.js";

const businessId = "B0100001";
const topic = `messages:${businessId}`;
const minute = 60_000;

let clock: FakeClock;
let app: TestApp;
let clients: WireClient[];

beforeEach(async () => {
  clock = new FakeClock();
  clients = [];
  app = await startTestApp({ AUTH_SECRET: secret, IDLE_TIMEOUT_MS: "0" }, { clock });
});

afterEach(async () => {
  for (const client of clients) client.close();
  await app.dispose();
});

describe("[X9] [X-12] a token that runs out on an open socket", () => {
  test("is announced 60 s before its end, once, on every channel, and not sooner", async () => {
    const ana = await joined("ana", { lifeMs: 10 * minute });
    clock.advance(9 * minute - 1000);
    await quiet(ana);
    expect(ana.eventsOf("token_expiring")).toEqual([]);
    clock.advance(1000);
    const frame = await ana.client.event("token_expiring");
    expect([frame[2], frame[4]]).toEqual([topic, { expiresAt: isoAt(minute) }]);
    clock.advance(minute - 1);
    await quiet(ana);
    expect(ana.eventsOf("token_expiring")).toHaveLength(1);
  });

  test("one that is about to end when its socket joins is announced after the reply", async () => {
    const ana = await joined("ana", { lifeMs: 30_000 });
    await ana.client.event("token_expiring");
    expect(ana.client.frames.map(([, , , event]) => event)).toEqual(["phx_reply", "token_expiring"]);
  });

  test("until its end all is accepted; from that moment on nothing is, and nothing is stored", async () => {
    const ana = await joined("ana", { lifeMs: 5 * minute });
    clock.advance(5 * minute - 1);
    expect((await ana.say("just in time")).status).toBe("ok");
    clock.advance(1);
    const refused = await ana.say("too late");
    expect([refused.status, refused.response]).toEqual([
      "error",
      expect.objectContaining({ code: "token_expired", reason: "token_expired" }),
    ]);
    expect((await ana.push("no_such_event", {})).response.code).toBe("token_expired");
    expect(await said("ana")).toEqual(["just in time"]);
  });

  test("[X-14] nothing is delivered to it either, though another token of the same user hears it", async () => {
    const [short, long] = [await joined("ana", { lifeMs: minute }), await joined("ana", { lifeMs: 60 * minute })];
    const [shortConsole, longConsole] = [
      await joined("carla", { role: "coordinator", lifeMs: minute }),
      await joined("dora", { role: "coordinator", lifeMs: 60 * minute }),
    ];
    clock.advance(minute);
    await long.say("a secret");
    await long.client.event("new_message");
    await longConsole.client.event("message_processed");
    for (const one of [short, shortConsole]) {
      await quiet(one);
      // Who was online is told before.
      const told = one.client.frames.filter(([, , , event]) => !event.startsWith("presence_"));
      expect(told.filter(([, , , event]) => event !== "phx_reply" && event !== "token_expiring")).toEqual([]);
    }
  });

  test("after 25 s of grace phx_error comes; the rejoin is refused with token_expired, and then phx_close", async () => {
    const ana = await joined("ana", { lifeMs: minute });
    clock.advance(minute + 24_999);
    await quiet(ana);
    expect(ana.eventsOf("phx_error")).toEqual([]);
    clock.advance(1001);
    await ana.client.event("phx_error");
    const { status, response } = await ana.client.call(topic, "phx_join", {});
    expect([status, response]).toEqual(["error", { reason: "token_expired" }]);
    await ana.client.event("phx_close");
    expect((await ana.say("still here?")).response).toEqual({ reason: "unmatched topic" });
    expect(clock.timerCount).toBeLessThan(20);
  });
});

describe("[X9] renewing a token in place", () => {
  test("moves its end; it is announced anew, and the channel never notices", async () => {
    const ana = await joined("ana", { lifeMs: 2 * minute });
    clock.advance(minute);
    await ana.client.event("token_expiring");
    const renewed = await ana.renew({ lifeMs: 10 * minute });
    expect(renewed).toEqual({ status: "ok", response: { expiresAt: isoAt(10 * minute) } });
    clock.advance(9 * minute - 1000);
    expect((await ana.say("hello")).status).toBe("ok");
    expect(ana.eventsOf("token_expiring")).toHaveLength(1);
    clock.advance(1000);
    await ana.client.event("token_expiring");
    clock.advance(minute + 26_000);
    await ana.client.event("phx_error");
  });

  test("in the time of grace works as well, and what was missed since the end is pushed, once", async () => {
    const [late, other] = [await joined("ana", { lifeMs: minute }), await joined("ana", { lifeMs: 60 * minute })];
    const console = await joined("carla", { role: "coordinator", lifeMs: minute });
    await other.say("before");
    await late.client.event("new_message");
    await console.client.event("message_processed");
    clock.advance(minute + 5000);
    await other.say("meanwhile");
    await other.client.next(({ 4: { message }, 3: event }) => event === "new_message" && message === "meanwhile");
    expect((await late.say("too late")).response.code).toBe("token_expired");
    clock.advance(19_000);
    expect((await late.renew({ lifeMs: 10 * minute })).status).toBe("ok");
    expect((await console.renew({ lifeMs: 10 * minute })).status).toBe("ok");
    await late.client.next(({ 4: { message }, 3: event }) => event === "new_message" && message === "meanwhile");
    await console.client.next(
      ({ 4: { message }, 3: event }) => event === "message_processed" && message === "meanwhile",
    );
    expect((await late.say("afterwards")).status).toBe("ok");
    await late.client.next(({ 4: { message }, 3: event }) => event === "new_message" && message === "afterwards");
    const answers = late.eventsOf("new_message").map(({ 4: { message } }) => message);
    expect(answers).toEqual(["before", "meanwhile", "afterwards"]);
    clock.advance(30_000);
    await quiet(late);
    expect(late.eventsOf("phx_error")).toEqual([]);
  });

  test.each<[string, string, () => Promise<string | undefined> | string | undefined]>([
    ["another user's", "forbidden", () => token("mallory")],
    ["another business's", "forbidden", () => token("ana", { businessId: "B0200002" })],
    ["one that is over", "token_expired", () => token("ana", { lifeMs: -1000 })],
    ["one of another secret", "forbidden", () => token("ana", { key: "another secret of thirty-two bytes!" })],
    ["no token at all", "forbidden", () => "token"],
    ["nothing", "missing_parameters", () => undefined],
  ])("with %s is refused: %s, and the old one stays as good as it was", async (_what, code, make) => {
    const ana = await joined("ana", { lifeMs: 5 * minute });
    const { status, response } = await ana.push("access_token", { token: await make() });
    expect([status, response.code]).toEqual(["error", code]);
    expect((await ana.say("still good")).status).toBe("ok");
    clock.advance(5 * minute);
    expect((await ana.say("over")).response.code).toBe("token_expired");
  });

  test("[X-14] with one of another role ends the channel at once; what the new role may not hear is not heard", async () => {
    const carla = await joined("carla", { role: "coordinator" });
    const ana = await joined("ana");
    await ana.say("one");
    await carla.client.event("message_processed");
    expect((await carla.renew({ role: "user" })).status).toBe("ok");
    await carla.client.event("phx_error");
    await ana.say("two");
    await ana.client.next(({ 4: { message }, 3: event }) => event === "new_message" && message === "two");
    await quiet(carla);
    expect(carla.eventsOf("message_processed")).toHaveLength(1);
    const { response } = await carla.client.call(topic, "phx_join", {});
    expect([response.role, response.userId]).toEqual(["user", "carla"]);
  });
});

describe("[X10] [X-13] tokens that are revoked", () => {
  test("the channel ends with phx_close; sockets, HTTP and renewals are refused at once, others go on", async () => {
    const [ana, ion] = [await joined("ana"), await joined("ion")];
    const before = await token("ana");
    clock.advance(1000);
    await revoke("ana");
    await ana.client.event("phx_close");
    const { response } = await ana.client.call(topic, "phx_join", {});
    expect(response).toEqual({ reason: "forbidden" });
    await ana.client.event("phx_close");
    await expect(WireClient.connect(app.url, `&token=${before}`)).rejects.toThrow("403");
    const path = `/api/sessions/${businessId}:ana:${clock.now()}/messages`;
    expect((await ask(app, path, { headers: { authorization: `Bearer ${before}` } })).status).toBe(401);
    expect((await ion.push("access_token", { token: before })).response.code).toBe("forbidden");
    expect((await ion.say("hello")).status).toBe("ok");
    clock.advance(1000);
    const again = await joined("ana");
    expect((await again.say("with a new one")).status).toBe("ok");
  });

  test("one that we sign in the same second, afterwards, is good", async () => {
    await revoke("ana");
    const service = await tokenOf({ sub: "robot", role: "service", exp: clock.now() / 1000 + 60 });
    const headers = { authorization: `Bearer ${service}`, "content-type": "application/json" };
    const body = JSON.stringify({ sub: "ana", role: "user", businessId });
    const issued = await ask(app, "/api/tokens", { method: "POST", headers, body });
    const client = await connect((JSON.parse(issued.text) as { token: string }).token);
    expect((await client.call(topic, "phx_join", {})).status).toBe("ok");
  });

  test("one that was revoked between connect and join joins nothing", async () => {
    const client = await connect(await token("ana"));
    clock.advance(1000);
    await revoke("ana");
    expect((await client.call(topic, "phx_join", {})).response).toEqual({ reason: "forbidden" });
    await client.event("phx_close");
  });

  test("by another node: here too, within five seconds, and what is not theirs stays", async () => {
    const [ana, ion] = [await joined("ana"), await joined("ion")];
    clock.advance(1000);
    const other = createRevocations({
      store: app.store,
      clock,
      credentials: new Credentials(clock),
      onError: (operation, error) => {
        throw new Error(operation, { cause: error });
      },
    });
    // More than the list of the latest holds, hers first.
    for (const userId of ["ana", ...Array.from({ length: 120 }, (_, index) => `user${index}`)]) {
      await other.revoke({ businessId, userId });
    }
    let isClosed = false;
    void ana.client.event("phx_close").then(() => (isClosed = true));
    clock.advance(5000);
    await until("her channel is closed", () => isClosed);
    expect((await ion.say("hello")).status).toBe("ok");
  });

  test("what is under way when it is revoked is not delivered", async () => {
    const ana = await joined("ana");
    const other = await joined("ana", { lifeMs: 60 * minute });
    clock.advance(1000);
    const said = other.say("on its way");
    await revoke("ana");
    await said.catch(() => undefined);
    await ana.client.event("phx_close");
    const closedAt = ana.client.frames.findIndex(([, , , event]) => event === "phx_close");
    expect(ana.client.frames.slice(closedAt + 1)).toEqual([]);
  });
});

describe("[C17] [X9] [X10] what waits for a poll", () => {
  test("is not had any more once its token was revoked: only the end is", async () => {
    const ana = await joined("ana");
    const carla = await longPoll(await token("carla", { role: "coordinator" }));
    await ana.say("a secret");
    await ana.client.event("new_message");
    clock.advance(1000);
    await revoke("carla");
    expect(await carla.poll()).toEqual(["phx_close"]);
  });

  test("nor once it has ended; a renewal in time of grace has it join again, for all that it has missed", async () => {
    const ana = await joined("ana", { lifeMs: 60 * minute });
    const carla = await longPoll(await token("carla", { role: "coordinator", lifeMs: 8000 }));
    await ana.say("a secret");
    await ana.client.event("new_message");
    clock.advance(8000);
    clock.advance(1000);
    await carla.push("access_token", { token: await token("carla", { role: "coordinator" }) });
    expect(await carla.poll()).toEqual(["phx_reply", "phx_error"]);
  });
});

/** A client over long-poll that has joined, and asks for what there is when it is told to. */
async function longPoll(given: string) {
  const opened = await ask(app, `/socket/longpoll?vsn=2.0.0&token=${given}`);
  const path = `/socket/longpoll?vsn=2.0.0&token=${(JSON.parse(opened.text) as { token: string }).token}`;
  const push = (event: string, payload: unknown) =>
    ask(app, path, { method: "POST", body: JSON.stringify(["1", "1", topic, event, payload]) });
  const poll = async () => {
    const { messages } = JSON.parse((await ask(app, path)).text) as { messages: string[] };
    return messages.map((message) => (JSON.parse(message) as unknown[])[3]);
  };
  await push("phx_join", {});
  expect((await poll())[0]).toBe("phx_reply");
  return { push, poll };
}

interface Who {
  readonly role?: string;
  readonly lifeMs?: number;
  readonly businessId?: string;
  readonly key?: string;
}

function token(sub: string, { role = "user", lifeMs = 10 * minute, businessId: of = businessId, key }: Who = {}) {
  const exp = (clock.now() + lifeMs) / 1000;
  const claims = { sub, role, businessId: of, exp, iat: Math.floor(clock.now() / 1000) };
  return tokenOf(claims, key === undefined ? {} : { key });
}

async function connect(given: string): Promise<WireClient> {
  const client = await WireClient.connect(app.url, `&token=${given}`);
  clients.push(client);
  return client;
}

async function joined(sub: string, who: Who = {}) {
  const client = await connect(await token(sub, who));
  const { status } = await client.call(topic, "phx_join", {});
  expect(status).toBe("ok");
  const joinRef = client.frames[0]![0] as string;
  const push = (event: string, payload: unknown) => client.call(topic, event, payload, joinRef);
  return {
    client,
    push,
    say: (message: string) => push("new_message", { businessId, userId: sub, locationId: "default", message }),
    renew: async (next: Who) => push("access_token", { token: await token(sub, { ...who, ...next }) }),
    eventsOf: (event: string): Frame[] => client.frames.filter((frame) => frame[3] === event),
  };
}

async function revoke(sub: string): Promise<void> {
  const service = await tokenOf({ sub: "robot", role: "service", exp: clock.now() / 1000 + 60 });
  const headers = { authorization: `Bearer ${service}` };
  const answer = await ask(app, `/api/tokens?sub=${sub}&businessId=${businessId}`, { method: "DELETE", headers });
  expect(answer.status).toBe(200);
}

/** Whatever was sent before this has arrived. */
async function quiet({ client }: { readonly client: WireClient }): Promise<void> {
  await client.heartbeat();
}

/** What a user has said, as it is stored. */
async function said(userId: string): Promise<string[]> {
  const current = await readCurrentSession(app.store, { businessId, userId });
  const { items } = await app.store.readMessages(current!.value.sessionId, { limit: 100 });
  return items.filter(({ type }) => type === "user").map(({ content }) => content);
}

function isoAt(ms: number): string {
  return new Date(clock.now() + ms).toISOString();
}
