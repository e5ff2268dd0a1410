import { channelCrash, closeCode, refusal, reserved } from "../../protocol/events.js";
import type { Client } from "./client.js";
import type { Message, Vsn } from "./frames.js";

/** What a check plays on: clients that have just connected, and a topic that nobody else has. */
export interface Stage {
  readonly a: Client;
  /** Another client. */
  readonly b: Client;
  readonly topic: string;
}

export interface Check {
  readonly rule: string;
  readonly name: string;
  /** Both, when left out. */
  readonly vsn?: Vsn;
  readonly clients: 1 | 2;
  run(stage: Stage): Promise<void>;
}

const reply = (joinRef: unknown, ref: unknown, topic: string, status: string, response: unknown = {}): Message => [
  joinRef,
  ref,
  topic,
  reserved.reply,
  { status, response },
];
const close = (joinRef: unknown, topic: string): Message => [joinRef, joinRef, topic, reserved.close, {}];
const crash = (joinRef: unknown, topic: string): Message => [joinRef, joinRef, topic, reserved.error, channelCrash];
const unmatched = (ref: unknown, topic: string): Message =>
  reply(null, ref, topic, "error", { reason: refusal.unmatchedTopic });

/** Joins with the ref "1". */
async function join(client: Client, topic: string): Promise<void> {
  client.send("1", "1", topic, reserved.join, {});
  await client.expects(reply("1", "1", topic, "ok"));
}

const payload = { n: 1, text: "ț 😀", list: [null, true, { deep: [] }] };
const bytes = Uint8Array.of(0, 1, 127, 128, 255);
const hex = Buffer.from(bytes).toString("hex");

function alone(rule: string, name: string, run: Check["run"], vsn?: Vsn): Check {
  return { rule, name, run, clients: 1, ...(vsn === undefined ? {} : { vsn }) };
}

/** On a topic that has been joined with the ref "1". */
function joined(rule: string, name: string, run: Check["run"], vsn?: Vsn): Check {
  const runJoined: Check["run"] = async (stage) => {
    await join(stage.a, stage.topic);
    await run(stage);
  };
  return alone(rule, name, runJoined, vsn);
}

/** On a topic that both clients have joined. */
function together(rule: string, name: string, run: Check["run"], vsn?: Vsn): Check {
  const runJoined: Check["run"] = async (stage) => {
    await Promise.all([join(stage.a, stage.topic), join(stage.b, stage.topic)]);
    await run(stage);
  };
  return { ...alone(rule, name, runJoined, vsn), clients: 2 };
}

/** What is asked of a server with the channel `room:*` of the transcripts. */
export const checks: readonly Check[] = [
  alone("R1", "a heartbeat is answered", async ({ a }) => {
    a.send("7", "8", "phoenix", "heartbeat", {});
    await a.expects(reply(null, "8", "phoenix", "ok"));
  }),
  alone("R1", "a join is answered", ({ a, topic }) => join(a, topic)),
  alone("C5", "a join answers with what the channel says", async ({ a, topic }) => {
    a.send("1", "1", topic, reserved.join, { reply: payload });
    await a.expects(reply("1", "1", topic, "ok", payload));
  }),
  alone("C2", "a join that is refused says why", async ({ a, topic }) => {
    a.send("1", "1", topic, reserved.join, { deny: true });
    await a.expects(reply("1", "1", topic, "error", { reason: "unauthorized" }));
    a.send("1", "2", topic, "echo", {});
    await a.expects(unmatched("2", topic));
  }),
  alone("C2", "a join that crashes is answered", async ({ a, topic }) => {
    a.send("1", "1", topic, reserved.join, { crash: true });
    await a.expects(reply("1", "1", topic, "error", { reason: refusal.joinCrashed }));
  }),
  alone("R2", "a join of a topic without a channel is unmatched, join_ref null", async ({ a, topic }) => {
    a.send("1", "1", `nowhere-${topic}`, reserved.join, {});
    await a.expects(unmatched("1", `nowhere-${topic}`));
  }),
  alone("R2", "an event on a topic that is not joined is unmatched, join_ref null", async ({ a, topic }) => {
    a.send("1", "1", topic, "echo", {});
    await a.expects(unmatched("1", topic));
  }),
  alone("R3", "a leave of a topic that is not joined is answered ok", async ({ a, topic }) => {
    a.send("1", "2", topic, reserved.leave, {});
    await a.expects(reply("1", "2", topic, "ok"));
  }),
  joined("C5", "echo is answered ok", async ({ a, topic }) => {
    a.send("1", "2", topic, "echo", payload);
    await a.expects(reply("1", "2", topic, "ok", payload));
  }),
  joined("C5", "echo_error is answered error", async ({ a, topic }) => {
    a.send("1", "2", topic, "echo_error", payload);
    await a.expects(reply("1", "2", topic, "error", payload));
  }),
  joined("W5", "a ref keeps its JSON type", async ({ a, topic }) => {
    a.send("1", 2, topic, "echo", {});
    a.send("1", null, topic, "echo", {});
    await a.expects(reply("1", 2, topic, "ok"), reply("1", null, topic, "ok"));
  }),
  joined("C5", "push_me is pushed back", async ({ a, topic }) => {
    a.send("1", "2", topic, "push_me", payload);
    await a.expects(["1", null, topic, "push_me", payload]);
  }),
  together("R9", "shout reaches everyone", async ({ a, b, topic }) => {
    a.send("1", "2", topic, "shout", payload);
    const shouted: Message = [null, null, topic, "shout", payload];
    await Promise.all([a.expects(shouted), b.expects(shouted)]);
  }),
  together("R9", "shout_from reaches everyone else", async ({ a, b, topic }) => {
    a.send("1", "2", topic, "shout_from", payload);
    await Promise.all([a.expects(), b.expects([null, null, topic, "shout", payload])]);
  }),
  together("R9", "multi: push, broadcast, push and reply in this order", async ({ a, b, topic }) => {
    a.send("1", "2", topic, "multi", payload);
    const broadcast: Message = [null, null, topic, "multi_broadcast", payload];
    await Promise.all([
      a.expects(
        ["1", null, topic, "multi_push_1", payload],
        broadcast,
        ["1", null, topic, "multi_push_2", payload],
        reply("1", "2", topic, "ok", payload),
      ),
      b.expects(broadcast),
    ]);
  }),
  joined("C3", "crash ends the channel with phx_error; it can be joined again", async ({ a, topic }) => {
    a.send("1", "2", topic, "crash", {});
    await a.expects(crash("1", topic));
    a.send("1", "3", topic, "echo", {});
    await a.expects(unmatched("3", topic));
    await join(a, topic);
  }),
  joined("C4", "an event without a handler crashes the channel", async ({ a, topic }) => {
    a.send("1", "2", topic, "no_such_event", {});
    await a.expects(crash("1", topic));
  }),
  joined("W8", "an event that is no string crashes the channel", async ({ a, topic }) => {
    a.send("1", "2", topic, 5, {});
    await a.expects(crash("1", topic));
  }),
  joined("C6", "stop ends the channel with phx_close", async ({ a, topic }) => {
    a.send("1", "2", topic, "stop", {});
    await a.expects(close("1", topic));
    a.send("1", "3", topic, "echo", {});
    await a.expects(unmatched("3", topic));
  }),
  joined("C6", "stop_reply: the reply, then phx_close", async ({ a, topic }) => {
    a.send("1", "2", topic, "stop_reply", payload);
    await a.expects(reply("1", "2", topic, "ok", payload), close("1", topic));
  }),
  joined("R6", "leave: the reply, then phx_close", async ({ a, topic }) => {
    a.send("1", "2", topic, reserved.leave, {});
    await a.expects(reply("1", "2", topic, "ok"), close("1", topic));
    a.send("1", "3", topic, "echo", {});
    await a.expects(unmatched("3", topic));
  }),
  joined("R4", "a stale join_ref is dropped without an answer", async ({ a, topic }) => {
    a.send("0", "2", topic, "echo", {});
    a.send(1, "3", topic, "echo", {});
    a.send("0", "4", topic, reserved.leave, {});
    await a.expects();
    a.send("1", "5", topic, "echo", {});
    await a.expects(reply("1", "5", topic, "ok"));
  }),
  joined("R4", "a null join_ref means whichever channel there is", async ({ a, topic }) => {
    a.send(null, "2", topic, "echo", {});
    await a.expects(reply("1", "2", topic, "ok"));
  }),
  joined("R5", "a duplicate join: the new reply, then phx_close of the old channel", async ({ a, topic }) => {
    a.send("2", "2", topic, reserved.join, {});
    await a.expects(reply("2", "2", topic, "ok"), close("1", topic));
    a.send("2", "3", topic, "echo", {});
    await a.expects(reply("2", "3", topic, "ok"));
  }),
  joined("R5", "a duplicate join that is refused ends the old channel too", async ({ a, topic }) => {
    a.send("2", "2", topic, reserved.join, { deny: true });
    await a.expects(reply("2", "2", topic, "error", { reason: "unauthorized" }), close("1", topic));
  }),
  joined("C1", "a slow handler holds up its channel, and no other", async ({ a, topic }) => {
    a.send("1", "2", topic, "sleep_echo", { ms: 200 });
    a.send("1", "3", topic, "echo", {});
    a.send(null, "4", "phoenix", "heartbeat", {});
    await a.expects(reply(null, "4", "phoenix", "ok"));
    await a.expects(reply("1", "2", topic, "ok", { ms: 200 }), reply("1", "3", topic, "ok"));
  }),
  alone("R8", "a slow join holds up the connection", async ({ a, topic }) => {
    a.send("1", "1", topic, reserved.join, { sleep: 150 });
    a.send(null, "2", "phoenix", "heartbeat", {});
    await a.expects(reply("1", "1", topic, "ok"), reply(null, "2", "phoenix", "ok"));
  }),
  ...malformed(),
  joined(
    "W9",
    "binary_echo is answered in a binary reply",
    async ({ a, topic }) => {
      a.send("1", "2", topic, "binary_echo", bytes);
      await a.expectsFrames({ binary: "reply", joinRef: "1", ref: "2", topic, status: "ok", data: hex });
    },
    "2.0.0",
  ),
  joined(
    "W9",
    "binary_push is a binary push, without a ref",
    async ({ a, topic }) => {
      a.send("1", "2", topic, "binary_push", bytes);
      await a.expectsFrames({ binary: "push", joinRef: "1", topic, event: "binary_push", data: hex });
    },
    "2.0.0",
  ),
  together(
    "W9",
    "binary_shout is a binary broadcast to everyone",
    async ({ a, b, topic }) => {
      a.send("1", "2", topic, "binary_shout", bytes);
      const shouted = { binary: "broadcast", topic, event: "binary_shout", data: hex };
      await Promise.all([a.expectsFrames(shouted), b.expectsFrames(shouted)]);
    },
    "2.0.0",
  ),
  joined(
    "W9",
    "bytes may be answered with JSON",
    async ({ a, topic }) => {
      a.send("1", "2", topic, "binary_size", bytes);
      await a.expects(reply("1", "2", topic, "ok", { size: bytes.length }));
    },
    "2.0.0",
  ),
  alone(
    "W3",
    "a binary frame is read as JSON text",
    async ({ a }) => {
      a.sendRaw(Buffer.from(JSON.stringify({ topic: "phoenix", event: "heartbeat", payload: {}, ref: "1" })));
      await a.expects(reply(null, "1", "phoenix", "ok"));
    },
    "1.0.0",
  ),
];

function malformed(): Check[] {
  const object = { topic: "phoenix", event: "heartbeat", payload: {}, ref: "1" };
  const frames: [name: string, data: string | Uint8Array, vsn?: Vsn][] = [
    ["JSON that is cut off", "{oops"],
    ["an empty frame", ""],
    ["an object", JSON.stringify(object), "2.0.0"],
    ["an array of four", '[null,"1","phoenix","heartbeat"]', "2.0.0"],
    ["a binary frame that is cut off", Uint8Array.of(0, 1, 1, 9, 9, 49), "2.0.0"],
    ["a binary frame that is no push", Uint8Array.of(1, 0, 0, 0, 0), "2.0.0"],
    ["an array", '[null,"1","phoenix","heartbeat",{}]', "1.0.0"],
    ["an object without ref", JSON.stringify({ ...object, ref: undefined }), "1.0.0"],
  ];
  return frames.map(([name, data, vsn]) =>
    together(
      "W7",
      `${name} ends the connection with 1011, and no other`,
      async ({ a, b, topic }) => {
        a.sendRaw(data);
        await a.expectsClose(closeCode.malformed);
        b.send("1", "2", topic, "echo", {});
        await b.expects(reply("1", "2", topic, "ok"));
      },
      vsn,
    ),
  );
}
