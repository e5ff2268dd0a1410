import { describe, expect, test } from "@jest/globals";
import { v1 } from "../../protocol/v1.js";
import { error, ok, stop } from "../../server/channel/channel.js";
import { connect, deferred, type Script, type ScriptedChannel, settle } from "../support/scripted-channel.js";

const topic = "room:1";
const okReply = (ref: unknown, response: unknown = {}, joinRef: unknown = "1") => [
  joinRef,
  ref,
  topic,
  "phx_reply",
  { status: "ok", response },
];
const crashed = ["1", "1", topic, "phx_error", { reason: "channel_crash" }];
const closed = ["1", "1", topic, "phx_close", {}];
const late = ["1", null, topic, "late", {}];

/** A channel whose join starts something that pushes whenever the test says so; its `terminate` takes time. */
function ticking(more: Script = {}) {
  let channel: ScriptedChannel | null = null;
  const gate = deferred();
  const script: Script = {
    join: (self) => {
      channel ??= self;
      return ok();
    },
    handleIn: (_self, event) => {
      if (event === "crash") throw new Error("boom");
      return event === "stop" ? stop() : ok();
    },
    terminate: async (self) => {
      self.push("bye", {});
      await gate.promise;
    },
    ...more,
  };
  const room = connect({ "room:*": script });
  room.receive("1", "1", topic, "phx_join");
  room.transport.take();
  return { ...room, gate, tick: () => channel!.push("late", {}), answer: (ref: string) => channel!.reply(ref, ok()) };
}

const bye = ["1", null, topic, "bye", {}];

describe("what runs in the background when a channel ends", () => {
  test.each<[end: string, frames: unknown[]]>([
    ["phx_leave", [okReply("2"), closed, bye]],
    ["stop", [closed, bye]],
  ])("[C11] pushes nothing after phx_close, also while terminate waits: %s", async (end, frames) => {
    const { transport, gate, tick, answer, receive } = ticking();
    receive("1", "2", topic, end);
    await settle();
    tick();
    answer("2");
    expect(transport.take()).toEqual(frames);
    gate.resolve();
    await settle();
    tick();
    expect(transport.take()).toEqual([]);
  });

  test("[C7] [C11] may push before phx_error, which waits for terminate, and nothing after it", async () => {
    const { transport, gate, tick, receive } = ticking();
    receive("1", "2", topic, "crash");
    tick();
    expect(transport.take()).toEqual([bye, late]);
    gate.resolve();
    await settle();
    tick();
    expect(transport.take()).toEqual([crashed]);
  });

  test("[C7] [R5] [C11] pushes nothing into the channel that replaced its own", async () => {
    const { transport, gate, tick, receive } = ticking();
    receive("3", "3", topic, "phx_join");
    tick();
    gate.resolve();
    await settle();
    tick();
    expect(transport.take()).toEqual([okReply("3", {}, "3"), closed, bye]);
  });

  test("[C11] a client of version 1, which sees no join_ref, hears nothing of a replaced channel either", async () => {
    let old: ScriptedChannel | null = null;
    const script: Script = {
      join: (self) => ((old ??= self), ok()),
      terminate: () => settle(),
    };
    const { socket, transport } = connect({ "room:*": script }, { serializer: v1 });
    const join = (ref: string) => socket.receiveText(JSON.stringify({ topic, event: "phx_join", payload: {}, ref }));
    join("1");
    join("2");
    transport.take();
    old!.push("late", {});
    await settle();
    old!.push("late", {});
    expect(transport.take()).toEqual([]);
  });
});

describe("terminate", () => {
  test("[C7] may answer what was not answered yet, before phx_error", () => {
    let pending: unknown = null;
    const { transport, receive } = ticking({
      handleIn: (_channel, event, _payload, ref) => {
        if (event === "crash") throw new Error("boom");
        pending = ref;
      },
      terminate: (channel) => channel.reply(pending, ok("sorry")),
    });
    receive("1", "2", topic, "ask");
    receive("1", "3", topic, "crash");
    expect(transport.take()).toEqual([okReply("2", "sorry"), crashed]);
  });
});

describe("a join that was refused", () => {
  test("[C2] keeps nothing of what its channel sends itself afterwards", async () => {
    const channels: ScriptedChannel[] = [];
    const infos: unknown[] = [];
    const script: Script = {
      join: (channel) => {
        channels.push(channel);
        channel.send("early");
        return error({ reason: "no" });
      },
      handleInfo: (_channel, message) => void infos.push(message),
    };
    const { receive } = connect({ "room:*": script });
    receive("1", "1", topic, "phx_join");
    const messages = Array.from({ length: 100 }, () => new WeakRef({}));
    for (const message of messages) channels[0]!.send(message.deref());
    await settle();
    expect(infos).toEqual([]);
    const { gc } = globalThis as { gc?: () => void };
    gc?.();
    if (gc !== undefined) expect(messages.filter((message) => message.deref() !== undefined)).toEqual([]);
  });
});

describe("handleInfo", () => {
  test.each([
    ["a reply", ok()],
    ["a stop with a reply", stop("normal", ok())],
  ])("[C3] that returns %s crashes with a word about it: there is no ref to answer", async (_name, result) => {
    const reasons: unknown[] = [];
    const { transport, receive } = ticking({
      handleIn: (channel) => channel.send("info"),
      handleInfo: () => result as never,
      terminate: (_channel, reason) => void reasons.push(reason),
    });
    receive("1", "2", topic, "go");
    await settle();
    expect(transport.take()).toEqual([crashed]);
    expect(String(reasons[0])).toMatch(/no ref to answer/);
  });
});
