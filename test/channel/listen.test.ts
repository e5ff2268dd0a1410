import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Channel, Endpoint, error, ok, type Unsubscribe } from "bennu";
import { connect, type TestChannel, type TestSocket } from "bennu/testing";

/** Tells its client what it hears on another topic. */
class Watcher extends Channel {
  #unlisten: Unsubscribe | null = null;

  override join(payload: unknown) {
    this.listen("prices");
    return (payload as { refuse?: boolean }).refuse === true ? error() : ok();
  }

  override handleInfo(message: unknown) {
    const { topic, event, payload } = message as Parameters<Parameters<Endpoint["pubsub"]["listen"]>[1]>[0];
    this.push("heard", { topic, event, payload });
    (payload as { touched?: boolean }).touched = true;
  }

  override handleIn(event: string) {
    if (event === "listen") this.#unlisten = this.listen("news");
    else if (event === "unlisten") this.#unlisten?.();
    else throw new Error("on purpose");
    return ok();
  }
}

let endpoint: Endpoint;
let socket: TestSocket;
let room: TestChannel;

beforeEach(async () => {
  endpoint = new Endpoint({ mounts: { "/socket": { channels: { "room:*": Watcher } } } });
  socket = await connect(endpoint, "/socket");
  room = await socket.join("room:1");
});

afterEach(() => {
  endpoint.terminate();
  expect(endpoint.pubsub.topicCount).toBe(0);
});

async function call(event: string): Promise<void> {
  await room.assertReply(room.push(event), "ok");
}

test("[C14] what is broadcast on a topic that a channel listens to comes to handleInfo", async () => {
  const payload = { by: 3 };
  endpoint.broadcast("prices", "rise", payload);
  expect(payload).toEqual({ by: 3 });
  await room.assertPush("heard", { topic: "prices", event: "rise", payload: { by: 3 } });
  expect(room.received.map(({ event }) => event)).toEqual(["phx_reply", "heard"]);
});

test("[C14] until it no longer listens", async () => {
  await call("listen");
  endpoint.broadcast("news", "one", {});
  await room.assertPush("heard", { event: "one" });
  await call("unlisten");
  await call("unlisten");
  endpoint.broadcast("news", "two", {});
  await call("listen");
  room.refute("heard");
});

test.each([
  ["left", () => void room.leave()],
  ["crashed", () => void room.push("crash")],
  ["was replaced by a new join", () => void socket.join("room:1", { refuse: true })],
  ["closed its socket", () => socket.close()],
])("[C9] [C14] or until the channel %s", async (_, end) => {
  await call("listen");
  expect(endpoint.pubsub.topicCount).toBe(3);
  end();
  await Promise.resolve();
  endpoint.broadcast("news", "one", {});
  expect(endpoint.pubsub.topicCount).toBe(0);
});

test("[C14] a join that is refused listens to nothing", async () => {
  socket.close();
  await (await connect(endpoint, "/socket")).join("room:2", { refuse: true });
  expect(endpoint.pubsub.topicCount).toBe(0);
});

test("[C14] a channel that has ended listens to nothing any more", async () => {
  let again: (() => Unsubscribe) | undefined;
  class Late extends Channel {
    override join() {
      again = () => this.listen("news");
      return ok();
    }
  }
  const other = new Endpoint({ mounts: { "/socket": { channels: { "room:*": Late } } } });
  const client = await connect(other, "/socket");
  await client.join("room:1");
  client.close();
  again!()();
  again!();
  expect(other.pubsub.topicCount).toBe(0);
});
