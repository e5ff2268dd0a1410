import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Channel, Endpoint, error, type JoinResult, ok, Presence } from "../../server/bennu.js";
import { connect, type TestChannel } from "../../server/testing.js";

type Payload = Readonly<Record<string, unknown>>;

let endpoint: Endpoint;
let presence: Presence;

/** Does to Presence what the client asks for. */
class Roster extends Channel {
  override join(): JoinResult {
    return ok();
  }

  override handleIn(event: string, payload: unknown) {
    const { key, meta = {}, topic } = payload as { key?: unknown; meta?: Payload; topic?: string };
    const options = topic === undefined ? {} : { topic };
    if (event === "track") return resultOf(presence.track(this, key, meta, options));
    if (event === "update") return resultOf(presence.update(this, key, meta, options));
    if (event === "untrack") presence.untrack(this, key, options);
    if (event === "late") setImmediate(() => presence.track(this, "late", {}));
    if (event === "crash") throw new Error("on purpose");
    return ok(presence.list(topic ?? this.topic));
  }
}

function resultOf(result: { readonly ok: true } | { readonly ok: false; readonly reason: string }) {
  return result.ok ? ok() : error({ reason: result.reason });
}

beforeEach(() => {
  let refs = 0;
  endpoint = new Endpoint({ mounts: { "/socket": { channels: { "room:*": Roster } } } });
  presence = new Presence(endpoint, () => `r${(refs += 1)}`);
});

async function join(topic = "room:1"): Promise<{ room: TestChannel; close: () => void }> {
  const socket = await connect(endpoint, "/socket");
  return { room: await socket.join(topic), close: () => socket.close() };
}

async function call(room: TestChannel, event: string, payload: Payload): Promise<unknown> {
  return room.assertReply(room.push(event, payload), "ok");
}

describe("Presence", () => {
  afterEach(() => {
    expect(endpoint.pubsub.topicCount).toBe(0);
    expect(presence.topicCount).toBe(0);
  });

  test("[P1] tells everyone on the topic of a join and of a leave, the joiner too", async () => {
    const [a, b] = [await join(), await join()];
    await call(a.room, "track", { key: "alice", meta: { since: 1 } });
    const joins = { alice: { metas: [{ since: 1, phx_ref: "r1" }] } };
    for (const { room } of [a, b]) expect(await room.assertBroadcast("presence_diff")).toEqual({ joins, leaves: {} });
    a.close();
    expect(await b.room.assertBroadcast("presence_diff")).toEqual({ joins: {}, leaves: joins });
    b.close();
  });

  test("[P2] [N-08] one key of two channels has two metas, the oldest first, and loses the one that ended", async () => {
    const [a, b] = [await join(), await join()];
    await call(a.room, "track", { key: "alice", meta: { tab: 1 } });
    await call(b.room, "track", { key: "alice", meta: { tab: 2 } });
    const both = {
      alice: {
        metas: [
          { tab: 1, phx_ref: "r1" },
          { tab: 2, phx_ref: "r2" },
        ],
      },
    };
    expect(await call(b.room, "list", {})).toEqual(both);
    a.close();
    await b.room.assertBroadcast("presence_diff", { leaves: { alice: { metas: [{ tab: 1, phx_ref: "r1" }] } } });
    expect(presence.getByKey("room:1", "alice")).toEqual([{ tab: 2, phx_ref: "r2" }]);
    b.close();
  });

  test("[P2] refuses the same key twice, updates only what is tracked, untracks anything", async () => {
    const { room, close } = await join();
    await call(room, "track", { key: "alice" });
    await room.assertReply(room.push("track", { key: "alice" }), "error", { reason: "already_tracked" });
    await room.assertReply(room.push("update", { key: "bob" }), "error", { reason: "not_tracked" });
    await call(room, "untrack", { key: "bob" });
    expect(await call(room, "untrack", { key: "alice" })).toEqual({});
    close();
  });

  test("[P3] an update is one diff: the new meta joins and the old one leaves", async () => {
    const { room, close } = await join();
    await call(room, "track", { key: "alice", meta: { phx_ref: "mine" } });
    await room.assertBroadcast("presence_diff");
    await call(room, "update", { key: "alice", meta: { typing: true } });
    expect(await room.assertBroadcast("presence_diff")).toEqual({
      joins: { alice: { metas: [{ typing: true, phx_ref: "r2", phx_ref_prev: "r1" }] } },
      leaves: { alice: { metas: [{ phx_ref: "r1" }] } },
    });
    close();
  });

  test.each(["crash", "phx_leave"])("[P4] all keys of a channel leave in one diff: %s", async (end) => {
    const [a, b] = [await join(), await join()];
    await call(a.room, "track", { key: "alice" });
    await call(a.room, "track", { key: "bob" });
    await b.room.assertBroadcast("presence_diff");
    await b.room.assertBroadcast("presence_diff");
    a.room.push(end, {});
    const diff = (await b.room.assertBroadcast("presence_diff")) as { leaves: object };
    expect(Object.keys(diff.leaves)).toEqual(["alice", "bob"]);
    a.close();
    b.close();
  });

  test.each([
    [42, "42"],
    [true, "true"],
    [null, ""],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["é", "é"],
  ])("[P5] [C-17] the key %p is the name %p", async (key, name) => {
    const { room, close } = await join();
    await call(room, "track", { key });
    const state = (await call(room, "list", {})) as Payload;
    expect(Object.getOwnPropertyNames(state)).toEqual([name]);
    close();
  });

  test("[R10] a presence on another topic is told there, and only there", async () => {
    const [a, b] = [await join("room:1"), await join("room:2")];
    await call(a.room, "track", { key: "alice", topic: "room:2" });
    await b.room.assertBroadcast("presence_diff", { joins: { alice: {} } });
    a.room.refute("presence_diff");
    expect(presence.list("room:1")).toEqual({});
    a.close();
    await b.room.assertBroadcast("presence_diff", { leaves: { alice: {} } });
    b.close();
  });

  test.each([
    ["nobody", 0, [0]],
    ["fewer than a page", 2, [2]],
    ["a page", 3, [3]],
    ["more", 7, [3, 3, 1]],
  ])("[P8] pages of %s", async (_name, count, sizes) => {
    const { room, close } = await join();
    for (let index = 0; index < count; index += 1) await call(room, "track", { key: index });
    const pages = [...presence.pages("room:1", 3)];
    expect(pages.map((page) => Object.keys(page).length)).toEqual(sizes);
    expect(Object.assign({}, ...pages)).toEqual(presence.list("room:1"));
    close();
  });

  test("[P8] a page ends with the key that fills it, and no key is in two", async () => {
    const tabs = [await join(), await join()];
    for (const key of ["alice", "bob"]) for (const { room } of tabs) await call(room, "track", { key });
    const pages = [...presence.pages("room:1", 1)];
    expect(pages.map((page) => Object.entries(page).map(([key, { metas }]) => [key, metas.length]))).toEqual([
      [["alice", 2]],
      [["bob", 2]],
    ]);
    for (const { close } of tabs) close();
  });

  test("[P8] a page is as of the moment when it is asked for", async () => {
    const { room, close } = await join();
    for (const key of ["alice", "bob", "carol", "dave"]) await call(room, "track", { key });
    const pages = presence.pages("room:1", 1);
    const next = () => Object.keys(pages.next().value ?? {});
    expect(next()).toEqual(["alice"]);
    await call(room, "untrack", { key: "bob" });
    await call(room, "update", { key: "carol", meta: { typing: true } });
    expect(pages.next().value).toEqual({ carol: { metas: [{ typing: true, phx_ref: "r5", phx_ref_prev: "r3" }] } });
    close();
    expect(pages.next().done).toBe(true);
  });

  test("[P1] who tracks after its channel has ended is told to have come and gone, in this order", async () => {
    const { room, close } = await join();
    const diffs: unknown[] = [];
    const unlisten = endpoint.pubsub.listen("room:1", ({ payload }) => void diffs.push(payload));
    await call(room, "late", {});
    close();
    await new Promise((resolve) => setImmediate(resolve));
    unlisten();
    const late = { late: { metas: [{ phx_ref: "r1" }] } };
    expect(diffs).toEqual([
      { joins: late, leaves: {} },
      { joins: {}, leaves: late },
    ]);
  });
});
