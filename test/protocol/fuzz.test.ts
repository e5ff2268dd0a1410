import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodePush } from "../../protocol/binary.js";
import { DecodeError } from "../../protocol/errors.js";
import type { Message } from "../../protocol/message.js";
import { parseJoin, parseNewMessage } from "../../protocol/payloads.js";
import type { Serializer } from "../../protocol/serializer.js";
import { v1 } from "../../protocol/v1.js";
import { v2 } from "../../protocol/v2.js";
import { createRandom, seedOfRun } from "../support/random.js";

const seed = seedOfRun;
const runs = { seed, numRuns: 2000 };
const mutationCount = 20_000;

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const ref = fc.oneof(fc.constant(null), text, fc.integer());
const json = fc.jsonValue({ maxDepth: 4 });
const object = fc.dictionary(text, json, { maxKeys: 5 });
const field = fc.string({ unit: "grapheme", maxLength: 20 }).filter((value) => Buffer.byteLength(value) <= 255);
const data = fc.uint8Array({ maxLength: 100 });

/** What JSON makes of it: `-0` is `0` there. */
const onTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function named<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(`BENNU_SEED=${seed} repeats this: ${(cause as Error).message}`, { cause });
  }
}

describe(`round trips, seed ${seed}`, () => {
  test("[W4] a message comes out of version 2 as it went in", () => {
    fc.assert(
      fc.property(ref, ref, text, text, json, (joinRef, sentRef, topic, event, payload) => {
        const decoded = v2.decodeText(JSON.stringify([joinRef, sentRef, topic, event, payload]));
        expect(decoded).toEqual(onTheWire({ joinRef, ref: sentRef, topic, event, payload }));
      }),
      runs,
    );
  });

  test("[W3] a message comes out of version 1 as it went in, as text and as bytes", () => {
    fc.assert(
      fc.property(ref, ref, text, text, json, (joinRef, sentRef, topic, event, payload) => {
        const sent = JSON.stringify({ topic, event, payload, ref: sentRef, join_ref: joinRef });
        const message = onTheWire({ joinRef, ref: sentRef, topic, event, payload });
        expect(v1.decodeText(sent)).toEqual(message);
        expect(v1.decodeBinary(Buffer.from(sent))).toEqual(message);
      }),
      runs,
    );
  });

  test("[W4] [W5] what leaves as text can be read as a message with the same fields", () => {
    fc.assert(
      fc.property(ref, ref, text, text, object, (joinRef, sentRef, topic, event, payload) => {
        const push = { joinRef, ref: sentRef, topic, event, payload };
        expect(v2.decodeText(v2.encodePush(push) as string)).toEqual(onTheWire(push));
        expect(v1.decodeText(v1.encodePush(push) as string)).toEqual(onTheWire({ ...push, joinRef: null }));
        const broadcast = { ...push, joinRef: null, ref: null };
        expect(v2.decodeText(v2.encodeBroadcast(push) as string)).toEqual(onTheWire(broadcast));
      }),
      runs,
    );
  });

  test("[W9] a binary message comes out as it went in", () => {
    fc.assert(
      fc.property(field, field, field, field, data, (joinRef, sentRef, topic, event, payload) => {
        const decoded = decodePush(binaryPush([joinRef, sentRef, topic, event], payload));
        expect({ ...decoded, payload: [...(decoded.payload as Uint8Array)] }).toEqual({
          joinRef,
          ref: sentRef,
          topic,
          event,
          payload: [...payload],
        });
      }),
      runs,
    );
  });

  test("[W9] what leaves as bytes holds its fields where the layout says", () => {
    fc.assert(
      fc.property(field, field, field, field, data, (joinRef, sentRef, topic, word, payload) => {
        const reply = v2.encodeReply({ joinRef, ref: sentRef, topic, status: word, response: payload }) as Uint8Array;
        expect(fieldsOf(reply, 1, 4)).toEqual([joinRef, sentRef, topic, word, [...payload]]);
        const push = v2.encodePush({ joinRef, ref: sentRef, topic, event: word, payload }) as Uint8Array;
        expect(fieldsOf(push, 0, 3)).toEqual([joinRef, topic, word, [...payload]]);
        const broadcast = v2.encodeBroadcast({ topic, event: word, payload }) as Uint8Array;
        expect(fieldsOf(broadcast, 2, 2)).toEqual([topic, word, [...payload]]);
      }),
      runs,
    );
  });
});

describe(`what is no message, seed ${seed}`, () => {
  test("[W7] W-13 every truncation of a binary frame is a message or a DecodeError", () => {
    fc.assert(
      fc.property(field, field, field, field, data, (joinRef, sentRef, topic, event, payload) => {
        const whole = binaryPush([joinRef, sentRef, topic, event], payload);
        const fieldsEnd = whole.length - payload.length;
        for (let length = 0; length < whole.length; length += 1) {
          const outcome = outcomeOf(v2, whole.subarray(0, length));
          expect(outcome === "refused").toBe(length < fieldsEnd);
        }
      }),
      { seed, numRuns: 200 },
    );
  });

  test(`[W7] W-14 ${mutationCount} mutations of text end in a message or a DecodeError`, () => {
    const random = below(createRandom(seed));
    const counts = { message: 0, refused: 0 };
    for (let run = 0; run < mutationCount; run += 1) {
      const bytes = mutate(Buffer.from(corpus[run % corpus.length]!), random);
      const serializer = run % 2 === 0 ? v2 : v1;
      counts[named(() => outcomeOf(serializer, bytes.toString("utf8")))] += 1;
    }
    expect(counts.message).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(1000);
  });

  test(`[W7] W-14 ${mutationCount} mutations of bytes end in a message or a DecodeError`, () => {
    const random = below(createRandom(seed));
    const counts = { message: 0, refused: 0 };
    for (let run = 0; run < mutationCount; run += 1) {
      const whole =
        run % 4 === 3
          ? Buffer.from(corpus[run % corpus.length]!)
          : binaryPush(["1", "2", "room:ț", "ping"], Uint8Array.of(1, 2, 3));
      const bytes = mutate(Buffer.from(whole), random);
      counts[named(() => outcomeOf(run % 2 === 0 ? v2 : v1, bytes))] += 1;
    }
    expect(counts.message).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(1000);
  });

  test("[M12] [M13] any JSON is a payload or a refusal", () => {
    const words = [
      "businessId",
      "locationId",
      "userId",
      "message",
      "sessionId",
      "clientMessageId",
      "chatId",
      "context",
      "timestamp",
      "role",
      "resume",
      "offset",
      "cursor",
      "epoch",
    ];
    const payload = fc.oneof(json, fc.dictionary(fc.constantFrom(...words), fc.oneof(text, json), { maxKeys: 9 }));
    fc.assert(
      fc.property(payload, (value) => {
        expect(typeof parseJoin(value).ok).toBe("boolean");
        expect(typeof parseNewMessage(value, 100).ok).toBe("boolean");
      }),
      runs,
    );
  });
});

const corpus = [
  '["1","1","messages:B0100001","phx_join",{"userId":"user_1"}]',
  '[null,"2","phoenix","heartbeat",{}]',
  '["1","3","messages:B0100001","new_message",{"businessId":"B0100001","locationId":"default","userId":"user_1","message":"Bună ziua 😀"}]',
  '["1","4","messages:B0100001","phx_leave",{}]',
  '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"5"}',
  '{"topic":"messages:B0100001","event":"phx_join","payload":{"a":[1,2.5,null,true,"\\u0000"]},"ref":"6","join_ref":"6"}',
];

function outcomeOf(serializer: Serializer, frame: string | Uint8Array): "message" | "refused" {
  let message: Message;
  try {
    message = typeof frame === "string" ? serializer.decodeText(frame) : serializer.decodeBinary(frame);
  } catch (cause) {
    if (cause instanceof DecodeError) return "refused";
    throw cause;
  }
  const { joinRef, ref: sentRef, topic, event } = message;
  if ([joinRef, sentRef, topic, event].includes(undefined)) throw new Error("a message with a hole in it");
  return "message";
}

function binaryPush(fields: readonly string[], payload: Uint8Array): Buffer {
  const parts = fields.map((value) => Buffer.from(value));
  return Buffer.concat([Buffer.of(0, ...parts.map((part) => part.length)), ...parts, payload]);
}

/** The fields of a binary frame of a kind, and its data, read by the layout alone. */
function fieldsOf(frame: Uint8Array, kind: number, count: number): unknown[] {
  expect(frame[0]).toBe(kind);
  let at = 1 + count;
  const fields: unknown[] = Array.from({ length: count }, (_, index) => {
    const end = at + frame[1 + index]!;
    const value = Buffer.from(frame.subarray(at, end)).toString("utf8");
    at = end;
    return value;
  });
  return [...fields, [...frame.subarray(at)]];
}

function below(random: () => number): Random {
  return (bound) => Math.floor(random() * bound);
}

/** A number below a bound. */
type Random = (below: number) => number;

const syntax = [
  '"',
  ",",
  "[",
  "]",
  "{",
  "}",
  ":",
  "null",
  "\\",
  "\\ud800",
  "1e400",
  "\u0000",
  "\ufeff",
  "__proto__",
  " ",
];

/** One to four changes: a bit, a byte, a cut, a doubling, a splice with another frame, a bit of syntax. */
function mutate(bytes: Buffer, random: Random): Buffer {
  let mutated = bytes;
  for (let change = random(4); change >= 0; change -= 1) {
    const at = random(mutated.length + 1);
    const [head, tail] = [mutated.subarray(0, at), mutated.subarray(at)];
    switch (random(6)) {
      case 0:
        if (at < mutated.length) (mutated = Buffer.from(mutated))[at]! ^= 1 << random(8);
        break;
      case 1:
        if (at < mutated.length) (mutated = Buffer.from(mutated))[at] = random(256);
        break;
      case 2:
        mutated = random(2) === 0 ? head : Buffer.concat([head, tail.subarray(random(tail.length + 1))]);
        break;
      case 3:
        mutated = Buffer.concat([head, tail.subarray(0, random(20)), tail]);
        break;
      case 4:
        mutated = Buffer.concat([head, Buffer.from(corpus[random(corpus.length)]!).subarray(random(40))]);
        break;
      default:
        mutated = Buffer.concat([head, Buffer.from(syntax[random(syntax.length)]!), tail]);
    }
  }
  return mutated;
}
