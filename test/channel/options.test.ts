import { describe, expect, test } from "@jest/globals";
import { Channel, ok } from "../../server/channel/channel.js";
import { phoenixLimits, socketLimits } from "../../server/channel/limits.js";
import { Topics } from "../../server/channel/topics.js";
import { Endpoint } from "../../server/endpoint.js";
import { Telemetry } from "../../server/telemetry.js";
import { Socket } from "../../server/channel/socket.js";
import { FakeTransport } from "../support/fake-transport.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { systemClock } from "../../server/clock.js";
import { v2 } from "../../protocol/v2.js";

class Room extends Channel {
  override join() {
    return ok();
  }
}

describe("channels of a mount", () => {
  test.each<[name: string, channels: unknown, message: RegExp]>([
    ["nothing", undefined, /`channels` is an object of topic patterns/],
    ["null", null, /`channels` is an object of topic patterns/],
    ["a list", [Room], /`channels` is an object of topic patterns/],
    ["undefined", { "room:*": undefined }, /room:\*/],
    ["an instance", { "room:*": {} }, /room:\*/],
    ["a class that is no channel", { "room:*": class {} }, /"room:\*" does not extend Channel/],
    ["an async function", { "room:*": () => Promise.resolve(1), "x:*": async () => {} }, /"x:\*" is async/],
  ])("[C2] refuses %s when it is made, naming the pattern", (_name, channels, message) => {
    expect(() => new Topics(channels as never)).toThrow(message);
  });

  test.each<[name: string, made: unknown]>([
    ["undefined", undefined],
    ["a promise", Promise.resolve()],
    ["an object", { join: () => ok() }],
    ["a class", Room],
  ])("[C2] a factory that makes %s says so at the join", (_name, made) => {
    const telemetry = new Telemetry();
    const errors: string[] = [];
    telemetry.attach("channel_crashed", ({ error }) => void errors.push(String(error)));
    const transport = new FakeTransport();
    const socket = new Socket(
      {
        mount: "/s",
        topics: new Topics({ "room:*": (() => made) as never }),
        limits: phoenixLimits,
        pubsub: new PubSub(),
        telemetry,
        clock: systemClock,
      },
      transport,
      v2,
      { id: null, assigns: {} },
    );
    socket.receiveText('["1","1","room:1","phx_join",{}]');
    expect(errors).toEqual([expect.stringMatching(/makes no channel/)]);
    expect(transport.take()).toMatchObject([["1", "1", "room:1", "phx_reply", { status: "error" }]]);
  });

  test("[C2] a factory that makes the same channel twice says so", () => {
    const errors: string[] = [];
    let made: Channel | null = null;
    const { transport } = joinTwice(() => (made ??= new Room()), errors);
    expect(errors).toEqual([expect.stringMatching(/must make a new one/)]);
    expect(transport.take()).toMatchObject([
      ["1", "1", "room:1", "phx_reply", { status: "ok" }],
      ["2", "2", "room:2", "phx_reply", { status: "error" }],
    ]);
  });

  test("[C2] an endpoint refuses what its mounts cannot use", () => {
    const endpoint = (mount: object) => () => new Endpoint({ mounts: { "/s": mount as never } });
    expect(endpoint({})).toThrow(/channels/);
    expect(endpoint({ channels: { "room:*": Room }, limits: { maxChannels: Number.NaN } })).toThrow(/maxChannels/);
    expect(endpoint({ channels: { "room:*": Room } })).not.toThrow();
  });
});

test.each([0, -1, Number.NaN, 1.5])(
  "[D5] a drain in batches of %p is refused: it would never end",
  async (batchSize) => {
    const endpoint = new Endpoint({ mounts: {} });
    await expect(endpoint.drain({ batchSize })).rejects.toThrow(/batchSize/);
  },
);

function joinTwice(create: () => Channel, errors: string[]) {
  const telemetry = new Telemetry();
  telemetry.attach("channel_crashed", ({ error }) => void errors.push(String(error)));
  const transport = new FakeTransport();
  const context = { mount: "/s", limits: phoenixLimits, pubsub: new PubSub(), telemetry, clock: systemClock };
  const topics = new Topics({ "room:*": create });
  const socket = new Socket({ ...context, topics }, transport, v2, { id: null, assigns: {} });
  for (const n of ["1", "2"]) socket.receiveText(JSON.stringify([n, n, `room:${n}`, "phx_join", {}]));
  return { transport };
}

describe("limits", () => {
  test("[L5] those that are left out are Phoenix's", () => {
    expect(socketLimits({})).toEqual(phoenixLimits);
    expect(socketLimits({ maxChannels: 5, maxHeldBytes: undefined } as never)).toEqual({
      ...phoenixLimits,
      maxChannels: 5,
    });
  });

  test.each<[name: string, value: unknown]>([
    ["maxChannels", Number.NaN],
    ["maxChannels", -1],
    ["maxWaitingFrames", 1.5],
    ["maxWaitingFrames", 0],
    ["maxChannelBacklog", 0],
    ["maxHeldBytes", "5"],
    ["maxJsonDepth", Infinity],
    ["maxChanels", 5],
  ])("[L5] refuses %s: %p, naming it", (name, value) => {
    expect(() => socketLimits({ [name]: value })).toThrow(new RegExp(name));
  });
});
