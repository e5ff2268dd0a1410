import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { DecodeError } from "../../protocol/errors.js";
import { v1 } from "../../protocol/v1.js";
import { v2 } from "../../protocol/v2.js";
import { type Outcome, Probe } from "../support/probe.js";
import { createRandom, seedOfRun as seed } from "../support/random.js";
import { frame, opcode } from "../support/raw-socket.js";
import { TranscriptProcess } from "../support/transcript-process.js";

const messageMutations = 80_000;
const frameMutations = 20_000;
const lanes = 16;
const timeoutMs = 600_000;

let server: TranscriptProcess;

beforeAll(async () => {
  server = await TranscriptProcess.start();
});

afterEach(() => server.assertWell());

afterAll(() => server.stop());

type Random = (below: number) => number;

interface Sample {
  readonly opcode: number;
  readonly bytes: Buffer;
}

interface Version {
  readonly path: string;
  readonly serializer: typeof v2;
  readonly samples: readonly Sample[];
}

const filler = "Good morning, I would like an appointment for tomorrow at ten, dacă se poate 😀. ".repeat(6);
const topic = "room:mutations";

/** Valid frames: what clients send, in all its shapes. */
const messages: readonly [
  joinRef: string | null,
  ref: string | null,
  topic: string,
  event: string,
  payload: unknown,
][] = [
  ["1", "1", topic, "phx_join", { whoami: true, text: filler }],
  ["1", "2", topic, "echo", { text: filler, list: [1, 2.5, null, true, { deep: [[["x"]]] }] }],
  ["1", "3", topic, "shout", { text: filler }],
  ["1", "4", topic, "multi", { text: filler }],
  ["1", "5", topic, "intercept_me", { text: filler }],
  [null, "6", "phoenix", "heartbeat", { text: filler }],
  ["1", "7", topic, "phx_leave", { text: filler }],
  ["9", null, "presence:mutations", "phx_join", { user: "alice", meta: { text: filler } }],
];
const binaries = ["binary_echo", "binary_shout", "binary_push", "binary_size"].map((event, index) =>
  binaryPush(["1", `b${index}`, topic, event], Buffer.from(filler.repeat(2))),
);
const texts = (encode: (message: (typeof messages)[number]) => unknown): Sample[] =>
  messages.map((message) => ({ opcode: opcode.text, bytes: Buffer.from(JSON.stringify(encode(message))) }));
const asObject = ([join_ref, ref, on, event, payload]: (typeof messages)[number]) => ({
  topic: on,
  event,
  payload,
  ref,
  join_ref,
});

const version1: Version = {
  path: "/socket/websocket?vsn=1.0.0",
  serializer: v1,
  samples: [...texts(asObject), { opcode: opcode.binary, bytes: Buffer.from(JSON.stringify(asObject(messages[1]!))) }],
};
const version2: Version = {
  path: "/socket/websocket?vsn=2.0.0",
  serializer: v2,
  samples: [...texts((message) => message), ...binaries.map((bytes) => ({ opcode: opcode.binary, bytes }))],
};

/** What a message comes to, by the serializers alone. (SPEC W7, W10) */
function expectedOf({ serializer }: Version, { opcode: code, bytes }: Sample): Outcome {
  try {
    if (code === opcode.binary) serializer.decodeBinary(bytes);
    else serializer.decodeText(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return "alive";
  } catch (cause) {
    return cause instanceof DecodeError ? 1011 : 1007;
  }
}

/** Runs the items on several connections at once. An error says which item, and how to repeat it. */
async function inLanes<T>(
  items: Iterable<T>,
  probeFor: () => Probe,
  run: (probe: Probe, item: T) => Promise<void>,
): Promise<number> {
  const iterator = items[Symbol.iterator]();
  const probes = Array.from({ length: lanes }, probeFor);
  await Promise.all(
    probes.map(async (probe) => {
      for (let next = iterator.next(); next.done !== true; next = iterator.next()) await run(probe, next.value);
      probe.close();
    }),
  );
  return probes.reduce((sum, { connections }) => sum + connections, 0);
}

function fail(what: string, bytes: Uint8Array): never {
  throw new Error(`BENNU_SEED=${seed} repeats this: ${what} for ${Buffer.from(bytes).toString("hex")}`);
}

async function checkMessage(version: Version, probe: Probe, sample: Sample): Promise<Outcome> {
  const expected = expectedOf(version, sample);
  const outcome = await probe
    .send(frame(sample.bytes, { opcode: sample.opcode }))
    .catch((cause: unknown) => fail(String(cause), sample.bytes));
  if (outcome !== expected) fail(`${outcome} instead of ${expected}`, sample.bytes);
  return outcome;
}

test.each([
  ["1.0.0", version1],
  ["2.0.0", version2],
] as const)(
  "[W7] [W10] every truncation of a message of version %s is answered or closes 1011 or 1007",
  async (_vsn, version) => {
    const truncations = version.samples.flatMap(({ opcode: code, bytes }) =>
      Array.from({ length: bytes.length }, (_, length) => ({ opcode: code, bytes: bytes.subarray(0, length) })),
    );
    await inLanes(
      truncations,
      () => new Probe(server.port, version.path),
      async (probe, sample) => void (await checkMessage(version, probe, sample)),
    );
  },
  timeoutMs,
);

test(
  `[W7] [W10] ${messageMutations} mutations of messages are answered or close 1011 or 1007, seed ${seed}`,
  async () => {
    const random = below(createRandom(seed));
    const counts = new Map<Outcome, number>();
    for (const version of [version1, version2]) {
      function* mutated(): Generator<Sample> {
        const { samples } = version;
        for (let run = 0; run < messageMutations / 2; run += 1) {
          const sample = samples[run % samples.length]!;
          yield { opcode: sample.opcode, bytes: mutate(sample.bytes, samples[random(samples.length)]!.bytes, random) };
        }
      }
      await inLanes(
        mutated(),
        () => new Probe(server.port, version.path),
        async (probe, sample) => {
          const outcome = await checkMessage(version, probe, sample);
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        },
      );
    }
    expect([...counts.keys()].map(String).sort()).toEqual(["1007", "1011", "alive"]);
    for (const count of counts.values()) expect(count).toBeGreaterThan(messageMutations / 50);
  },
  timeoutMs,
);

/** Frames of at most this many bytes: one that claims more is refused, so nothing waits for bytes that never come. */
const smallPath = "/socket_small/websocket?vsn=2.0.0";
const smallMaxBytes = 1024;
const allowed: readonly Outcome[] = ["alive", 1002, 1007, 1008, 1009, 1011];

/** Whole WebSocket frames, also in fragments and with control frames in between. */
function wholeFrames(): Buffer[] {
  const short = version2.samples.map(({ opcode: code, bytes }) => frame(bytes.subarray(0, 900), { opcode: code }));
  const heartbeat = '[null,"5","phoenix","heartbeat",{}]';
  return [
    ...short,
    frame(heartbeat),
    Buffer.concat([
      frame(heartbeat.slice(0, 9), { fin: false }),
      frame("ping", { opcode: opcode.ping }),
      frame(heartbeat.slice(9), { opcode: opcode.continuation }),
    ]),
    Buffer.concat([frame(heartbeat), frame("", { opcode: opcode.pong }), frame(heartbeat)]),
    frame(heartbeat, { headerBytes: 4 }),
    frame(heartbeat, { headerBytes: 10 }),
  ];
}

/** What a frame may swallow that claims more bytes than it has: as many as the largest frame, in frames of their own. */
const swallowed = Buffer.concat(Array.from({ length: 40 }, () => frame('[null,"s","phoenix","heartbeat",{}]')));

async function checkFrame(probe: Probe, bytes: Buffer): Promise<Outcome> {
  const outcome = await probe.send(bytes, swallowed).catch((cause: unknown) => fail(String(cause), bytes));
  // 1000 answers a close frame of the peer, and a mutation can be one; so can what is read of the frames after it.
  if (!allowed.includes(outcome) && outcome !== 1000) fail(`${outcome}`, bytes);
  return outcome;
}

test(
  "[W10] every truncation of a WebSocket frame is answered, closed, or ends with the connection",
  async () => {
    const truncations = wholeFrames().flatMap((whole) =>
      Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length)),
    );
    const few = truncations.filter((_, index) => index % 5 === 0);
    expect(swallowed.length).toBeGreaterThan(smallMaxBytes);
    await inLanes(
      truncations,
      () => new Probe(server.port, smallPath),
      async (probe, bytes) => void (await checkFrame(probe, bytes)),
    );
    await inLanes(
      few,
      () => new Probe(server.port, smallPath),
      async (probe, bytes) => {
        const outcome = await probe.sendAndEnd(bytes).catch((cause: unknown) => fail(String(cause), bytes));
        if (outcome !== "cut" && !allowed.includes(outcome)) fail(`${outcome}`, bytes);
      },
    );
  },
  timeoutMs,
);

test(
  `[W7] [W10] ${frameMutations} mutations of WebSocket frames are answered or closed, seed ${seed}`,
  async () => {
    const random = below(createRandom(seed + 1));
    const counts = new Map<Outcome, number>();
    const whole = wholeFrames();
    function* mutated(): Generator<Buffer> {
      for (let run = 0; run < frameMutations; run += 1) {
        yield mutate(whole[run % whole.length]!, whole[random(whole.length)]!, random);
      }
    }
    await inLanes(
      mutated(),
      () => new Probe(server.port, smallPath),
      async (probe, bytes) => {
        const outcome = await checkFrame(probe, bytes);
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      },
    );
    for (const outcome of ["alive", 1002, 1009, 1011] as const) expect(counts.get(outcome)).toBeGreaterThan(20);
    // Hardly any mutation begins a close by itself.
    expect(counts.get(1000) ?? 0).toBeLessThan(frameMutations / 20);
  },
  timeoutMs,
);

function below(random: () => number): Random {
  return (bound) => Math.floor(random() * bound);
}

/** One change, now and then two: a bit, a byte, bytes removed or inserted, a piece of another frame. */
function mutate(bytes: Buffer, other: Buffer, random: Random): Buffer {
  let mutated = Buffer.from(bytes);
  for (let change = random(5) === 0 ? 2 : 1; change > 0; change -= 1) {
    const at = random(mutated.length + 1);
    const [head, tail] = [mutated.subarray(0, at), mutated.subarray(at)];
    const length = 1 + random(8);
    switch (random(6)) {
      case 0:
      case 1:
        if (at < mutated.length) mutated[at]! ^= 1 << random(8);
        break;
      case 2:
        if (at < mutated.length) mutated[at] = random(256);
        break;
      case 3:
        mutated = Buffer.concat([head, tail.subarray(length)]);
        break;
      case 4:
        mutated = Buffer.concat([head, Buffer.from(Array.from({ length }, () => 32 + random(95))), tail]);
        break;
      default: {
        const from = random(other.length);
        mutated = Buffer.concat([head, other.subarray(from, from + length), tail]);
      }
    }
  }
  return mutated;
}

function binaryPush(fields: readonly string[], payload: Uint8Array): Buffer {
  const parts = fields.map((value) => Buffer.from(value));
  return Buffer.concat([Buffer.of(0, ...parts.map((part) => part.length)), ...parts, payload]);
}
