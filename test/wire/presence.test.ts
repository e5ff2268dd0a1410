import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connect, type TestSocket } from "../../server/testing.js";
import { onlinePageMax, onlineSocketsMax } from "../../server/messaging/online.js";
import { FakeClock } from "../support/fake-clock.js";
import { type Payload, type PhoenixVersion, settled } from "../support/phoenix.js";
import { ask } from "../support/plain-http.js";
import { connectClient, disconnectClients, importPhoenix, type PhoenixPresence } from "../support/phoenix-matrix.js";
import { here, there } from "../support/principals.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";
import { until } from "../support/until.js";
import { type Frame, WireClient } from "../support/wire.js";

const topic = `messages:${here}`;

interface Diff {
  readonly joins: State;
  readonly leaves: State;
}
type State = Readonly<Record<string, { readonly metas: readonly Payload[] }>>;

let app: TestApp;
let clients: WireClient[] = [];
let sockets: TestSocket[] = [];

afterEach(async () => {
  await disconnectClients();
  for (const client of clients) client.close();
  for (const socket of sockets) socket.close();
  [clients, sockets] = [[], []];
  await app.dispose();
});

/** On the wire itself. */
async function joined(payload: Payload, { on = topic, query = "" } = {}): Promise<WireClient> {
  const client = await WireClient.connect(app.url, query);
  clients.push(client);
  const { status, response } = await client.call(on, "phx_join", payload);
  if (status !== "ok") throw new Error(JSON.stringify(response));
  return client;
}

/** Without a network: for many. */
async function came(userId: string): Promise<TestSocket> {
  const socket = await connect(app.endpoint, "/socket", { userId }, { headers: { host: "localhost" } });
  sockets.push(socket);
  const { reply } = await socket.join(topic);
  if (reply.status !== "ok") throw new Error(JSON.stringify(reply));
  return socket;
}

function heard(client: WireClient, ...events: string[]): Frame[] {
  return client.frames.filter(([, , , event]) => events.includes(event));
}

const isDiff = (matches: (diff: Diff) => boolean) => (frame: Frame) =>
  frame[3] === "presence_diff" && matches(frame[4] as unknown as Diff);
const someoneJoins = (key: string) => isDiff(({ joins }) => joins[key] !== undefined);
const someoneLeaves = (key: string) => isDiff(({ leaves }) => leaves[key] !== undefined);

describe("on an open server", () => {
  beforeEach(async () => {
    app = await startTestApp();
  });

  /** A console with the client's own Presence. */
  async function console(version: PhoenixVersion): Promise<PhoenixPresence> {
    const socket = await connectClient([version, "WebSocket"], `${app.url}/socket`);
    const { Presence } = await importPhoenix(version);
    const channel = socket.channel(topic, {});
    const presence = new Presence(channel);
    await settled(channel.join());
    return presence;
  }

  const keysOf = (presence: PhoenixPresence) => presence.list((key) => key).toSorted();
  const users = (presence: PhoenixPresence) => keysOf(presence).filter((key) => key.startsWith("user:"));

  describe.each(["1.4.17", "1.8.16"] as const)("[M70] the Presence of phoenix %s", (version) => {
    test("knows who was there, who comes and who goes, a tab at a time", async () => {
      const first = await came("ana");
      const presence = await console(version);
      const [came2, went]: [string[], string[]] = [[], []];
      await until("the state is there", () => keysOf(presence).length === 2);
      expect(keysOf(presence)).toEqual([expect.stringMatching(/^coordinator:./), "user:ana"]);
      presence.onJoin((key) => void came2.push(key));
      presence.onLeave((key) => void went.push(key));
      const second = await came("ana");
      const other = await came("u:1");
      await until("they came", () => came2.length === 2);
      expect(came2).toEqual(["user:ana", "user:u:1"]);
      const tabs = () =>
        presence
          .list((key, { metas }) => (key === "user:ana" ? metas.length : 0))
          .toSorted()
          .at(-1);
      expect(tabs()).toBe(2);
      first.close();
      other.close();
      await until("they went", () => went.length === 2);
      expect([went, users(presence), tabs()]).toEqual([["user:ana", "user:u:1"], ["user:ana"], 1]);
      second.close();
      await until("nobody is there", () => users(presence).length === 0);
    });

    test("ends up with all of more than a frame holds, while others come and go", async () => {
      const count = 2 * onlinePageMax + 7;
      for (let index = 0; index < count; index += 1) await came(`u${index}`);
      const presence = await console(version);
      for (let index = 0; index < 20; index += 1) {
        sockets[index * 50]!.close();
        await came(`late${index}`);
      }
      await until("all are there", () => users(presence).length === count && users(presence).includes("user:late19"));
      const gone = Array.from({ length: 20 }, (_, index) => `user:u${index * 50}`);
      await until("those who went are not", () => !users(presence).some((key) => gone.includes(key)));
    });
  });

  test("[M70] [L26] no frame has more than 500 keys, nor more than 100 sockets of one", async () => {
    for (let index = 0; index < 2 * onlinePageMax; index += 1) await came(`u${index}`);
    const last = sockets.at(-1)!;
    for (let index = 0; index < onlineSocketsMax + 20; index += 1) await came("many");
    last.close();
    const client = await joined({});
    // Its own coming, told to all coordinators; then who is there.
    const [, state, ...rest] = await until("all are there", () => {
      const told = heard(client, "presence_state", "presence_diff");
      return told.length === 4 && told;
    });
    expect(state![3]).toBe("presence_state");
    const pages = [state![4] as State, ...rest.map(([, , , , diff]) => diff.joins as State)];
    expect(pages.map((page) => Object.keys(page).length)).toEqual([onlinePageMax, onlinePageMax, 1]);
    const all = Object.assign({}, ...pages) as State;
    expect(all["user:many"]!.metas).toHaveLength(onlineSocketsMax);
  });

  test("[M70] [L26] who has more sockets than are shown is online as long as one of them is there", async () => {
    const others = 5;
    for (let index = 0; index < onlineSocketsMax + others; index += 1) await came("many");
    const presence = await console("1.8.16");
    const shown = () =>
      presence
        .list((key, { metas }) => (key === "user:many" ? metas.length : 0))
        .toSorted()
        .at(-1);
    await until("they are there", () => shown() === onlineSocketsMax);
    // One that waits to be shown, then all that were, and all but one of those that came in their place.
    const last = sockets.pop()!;
    sockets.pop()!.close();
    for (const socket of sockets) socket.close();
    await until("one is left", () => shown() === 1);
    expect(users(presence)).toEqual(["user:many"]);
    last.close();
    await until("nobody is there", () => users(presence).length === 0);
  });

  test("[M70] a presence says the role, since when, and which socket; and nothing else", async () => {
    const user = await joined({ userId: "ana" });
    const client = await joined({});
    const [, , , , state] = await client.event("presence_state");
    const { connectionId } = user.frames[0]![4].response as Payload;
    const meta = (role: string, id: unknown): Payload => ({
      role,
      onlineAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      connectionId: id,
      phx_ref: expect.any(String),
    });
    const own = Object.keys(state).find((key) => key.startsWith("coordinator:"))!;
    // On an open server a coordinator is the socket: as in the holder of a session.
    expect(state).toEqual({
      "user:ana": { metas: [meta("user", connectionId)] },
      [own]: { metas: [meta("coordinator", own.slice("coordinator:".length))] },
    });
    const reply = client.frames.findIndex(([, , , event]) => event === "phx_reply");
    expect(client.frames.findIndex(([, , , event]) => event === "presence_state")).toBeGreaterThan(reply);
  });

  test("[M70] who joins again on the same socket is there once", async () => {
    const client = await joined({});
    const user = await joined({ userId: "ana" });
    await client.next(someoneJoins("user:ana"));
    expect((await user.call(topic, "phx_join", { userId: "ana" })).status).toBe("ok");
    await client.next(someoneLeaves("user:ana"));
    const [, , , , state] = await (await joined({})).event("presence_state");
    expect((state as State)["user:ana"]!.metas).toHaveLength(1);
  });

  test("[M70] whose join is refused was never there", async () => {
    const client = await joined({});
    const stranger = await WireClient.connect(app.url);
    clients.push(stranger);
    expect((await stranger.call(topic, "phx_join", { userId: "no such id" })).status).toBe("error");
    await client.heartbeat();
    expect(heard(client, "presence_diff")).toHaveLength(1);
  });

  test("[M70] [X3] users hear nothing of it, nor do coordinators of another business", async () => {
    const elsewhere = await joined({}, { on: `messages:${there}` });
    const user = await joined({ userId: "ana" });
    const client = await joined({});
    await joined({ userId: "ana" });
    const tab = await joined({ userId: "bob" });
    await client.next(someoneJoins("user:bob"));
    tab.close();
    await client.next(someoneLeaves("user:bob"));
    for (const one of [elsewhere, user]) await one.heartbeat();
    expect(heard(user, "presence_state", "presence_diff")).toEqual([]);
    expect(JSON.stringify(heard(elsewhere, "presence_state", "presence_diff"))).not.toMatch(/user:|B0100001/);
  });

  test("[M70] [L19] of two sockets where one may be, the older is gone", async () => {
    await app.dispose();
    app = await startTestApp({ MAX_SOCKETS_PER_USER: "1" });
    const client = await joined({});
    const [older, newer] = [await joined({ userId: "ana" }), await joined({ userId: "ana" })];
    await older.event("phx_close");
    const [, , , , diff] = await client.next(someoneLeaves("user:ana"));
    const { connectionId } = older.frames[0]![4].response as Payload;
    expect((diff as unknown as Diff).leaves["user:ana"]!.metas).toMatchObject([{ connectionId }]);
    newer.close();
    await client.next(someoneLeaves("user:ana"));
  });
});

describe("with tokens", () => {
  let clock: FakeClock;

  beforeEach(async () => {
    clock = new FakeClock();
    app = await startTestApp({ AUTH_SECRET: secret, IDLE_TIMEOUT_MS: "0" }, { clock });
  });

  const minute = 60_000;
  const token = (sub: string, role: string, lifeMs = 60 * minute) =>
    tokenOf({ sub, role, businessId: here, exp: (clock.now() + lifeMs) / 1000 });
  const come = async (sub: string, role: string, lifeMs?: number) =>
    joined({}, { query: `&token=${await token(sub, role, lifeMs)}` });

  test("[M70] [X8] coordinators and services are shown who is there, and a service is nobody who could be", async () => {
    await come("ana", "user");
    const service = await come("robot", "service");
    const client = await come("carla", "coordinator");
    await come("ana", "coordinator");
    await service.next(someoneJoins("coordinator:ana"));
    await client.next(someoneJoins("coordinator:ana"));
    const states = [service, client].map((one) => Object.keys(heard(one, "presence_state")[0]![4]));
    expect(states).toEqual([["user:ana"], ["user:ana", "coordinator:carla"]]);
  });

  test("[M70] [X9] a coordinator whose token has ended hears of nobody, and after a renewal of all who are there", async () => {
    const user = await come("ana", "user");
    const client = await come("carla", "coordinator", minute);
    const witness = await come("dora", "coordinator");
    await client.next(someoneJoins("coordinator:dora"));
    const before = client.frames.length;
    clock.advance(minute);
    await come("bob", "user");
    user.close();
    await witness.next(someoneJoins("user:bob"));
    await witness.next(someoneLeaves("user:ana"));
    await client.heartbeat();
    const presences = () => client.frames.slice(before).filter(([, , , event]) => event.startsWith("presence_"));
    expect(presences()).toEqual([]);
    await client.call(topic, "access_token", { token: await token("carla", "coordinator") });
    await until("the state came again", () => presences().length > 0);
    expect(presences().map(([, , , event, payload]) => [event, Object.keys(payload)])).toEqual([
      ["presence_state", ["coordinator:carla", "coordinator:dora", "user:bob"]],
    ]);
  });

  test("[M70] [X9] of a list in several frames nothing more comes once the token has ended", async () => {
    for (let index = 0; index <= onlinePageMax; index += 1) {
      const params = { token: await token(`u${index}`, "user") };
      const socket = await connect(app.endpoint, "/socket", params, { headers: { host: "localhost" } });
      sockets.push(socket);
      await socket.join(topic);
    }
    const path = "/socket/longpoll?vsn=2.0.0&token=";
    const opened = JSON.parse((await ask(app, path + (await token("carla", "coordinator", 8500)))).text) as Payload;
    const push = (...frame: unknown[]) =>
      ask(app, path + String(opened.token), { method: "POST", body: JSON.stringify(frame) });
    const poll = async () => {
      const { messages } = JSON.parse((await ask(app, path + String(opened.token))).text) as { messages: string[] };
      return messages.map((message) => (JSON.parse(message) as unknown[])[3]);
    };
    await push("1", "1", topic, "phx_join", {});
    const taken: unknown[] = [];
    while (!taken.includes("presence_state")) taken.push(...(await poll()));
    // Between two looks at the tokens: nobody has been told yet that this one is over.
    clock.advance(8500);
    const rest = poll();
    await push(null, "2", "phoenix", "heartbeat", {});
    expect(await rest).toEqual(["phx_reply"]);
  });

  test("[M70] [X9] who does not renew is gone with the channel", async () => {
    const witness = await come("carla", "coordinator");
    await come("ana", "user", minute);
    await witness.next(someoneJoins("user:ana"));
    clock.advance(minute);
    await witness.heartbeat();
    expect(heard(witness, "presence_diff").map(([, , , , diff]) => Object.keys(diff.leaves as object))).toEqual([
      [],
      [],
    ]);
    clock.advance(26_000);
    await witness.next(someoneLeaves("user:ana"));
  });
});
