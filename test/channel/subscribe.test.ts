import { describe, expect, test } from "@jest/globals";
import { ok } from "../../server/channel/channel.js";
import { type Filter, PubSub } from "../../server/pubsub/pubsub.js";
import { connect, deferred, type Script, type ScriptedChannel, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const news = [null, null, topic, "news", {}];

/** A room that subscribes to its audience when it is told to, or after a wait. */
function room(options: { readonly slow?: boolean } = {}) {
  const pubsub = new PubSub();
  const gate = deferred();
  const stops: (() => void)[] = [];
  const channels: ScriptedChannel[] = [];
  const script: Script = {
    join: (channel) => (channels.push(channel), ok()),
    handleIn: async (channel) => {
      if (options.slow === true) await gate.promise;
      stops.push(channel.socket.subscribe("audience", { as: topic }));
    },
  };
  const connected = connect({ "room:*": script }, { pubsub });
  connected.receive("1", "1", topic, "phx_join");
  return { ...connected, pubsub, gate, stops, channels };
}

test("[R10] C-04 what an old channel subscribes after a rejoin is not heard by the new one", async () => {
  const { transport, pubsub, gate, receive } = room({ slow: true });
  receive("1", "2", topic, "subscribe");
  receive("3", "3", topic, "phx_join");
  transport.take();
  gate.resolve();
  await settle();
  pubsub.broadcast("audience", "news", {});
  expect([transport.take(), pubsub.topicCount]).toEqual([[], 1]);
});

test("[R10] under another name, a channel that has ended subscribes nothing either", async () => {
  const { transport, pubsub, channels, receive } = room();
  receive("2", "2", "room:2", "phx_join");
  receive("1", "3", topic, "phx_leave");
  await settle();
  transport.take();
  channels[0]!.socket.subscribe("audience", { as: "room:2" });
  pubsub.broadcast("audience", "news", {});
  expect(transport.take()).toEqual([]);
});

test("[R10] subscribing twice is subscribing once, and one call ends it, until the next", async () => {
  const { transport, pubsub, stops, receive } = room();
  for (const ref of ["2", "3"]) receive("1", ref, topic, "subscribe");
  await settle();
  transport.take();
  pubsub.broadcast("audience", "news", {});
  expect(transport.take()).toEqual([news]);
  stops[0]!();
  pubsub.broadcast("audience", "news", {});
  expect([transport.take(), pubsub.topicCount]).toEqual([[], 1]);
  stops[1]!();
  receive("1", "4", topic, "subscribe");
  await settle();
  stops[0]!();
  pubsub.broadcast("audience", "news", {});
  expect(transport.take()).toEqual([news]);
});

test("[R10] subscribing to the channel's own topic under its own name doubles nothing", () => {
  const pubsub = new PubSub();
  const script: Script = {
    join: (channel) => {
      channel.socket.subscribe(topic, { as: topic });
      return ok();
    },
    handleIn: (channel) => channel.socket.subscribe(topic, { as: topic })(),
  };
  const { transport, receive } = connect({ "room:*": script }, { pubsub });
  receive("1", "1", topic, "phx_join");
  receive("1", "2", topic, "again");
  transport.take();
  pubsub.broadcast(topic, "news", {});
  expect(transport.take()).toEqual([news]);
});

describe("[R10] what is heard is asked for at each broadcast", () => {
  function filtered(filter: Filter) {
    const pubsub = new PubSub();
    const script: Script = {
      join: (channel) => {
        channel.socket.subscribe("audience", { as: topic, filter });
        return ok();
      },
    };
    const deaf = connect({ "room:*": script }, { pubsub });
    const other = connect({ "room:*": { ...script, join: all } }, { pubsub });
    for (const { receive, transport } of [deaf, other]) {
      receive("1", "1", topic, "phx_join");
      transport.take();
    }
    return { pubsub, deaf, other };
  }

  const all: NonNullable<Script["join"]> = (channel) => {
    channel.socket.subscribe("audience", { as: topic });
    return ok();
  };

  test("at that moment, of this payload, and of this socket alone", () => {
    let isHeard = true;
    const { pubsub, deaf, other } = filtered(({ event, payload }) => isHeard && (event === "news" || payload === null));
    pubsub.broadcast("audience", "news", {});
    pubsub.broadcast("audience", "other", {});
    isHeard = false;
    pubsub.broadcast("audience", "news", {});
    expect(deaf.transport.take()).toEqual([news]);
    expect(other.transport.take()).toEqual([news, [null, null, topic, "other", {}], news]);
  });

  test("a filter that throws lets nothing through, and harms nobody else", () => {
    const { pubsub, deaf, other } = filtered(() => {
      throw new Error("of a filter");
    });
    pubsub.broadcast("audience", "news", {});
    expect([deaf.transport.take(), other.transport.take()]).toEqual([[], [news]]);
  });
});
