import { describe, expect, test } from "@jest/globals";
import { RealtimeClient } from "@supabase/realtime-js";
import fc from "fast-check";
import { WebSocket } from "ws";
import { DecodeError, EncodeError } from "../../protocol/errors.js";
import { serializerFor } from "../../protocol/serializer.js";
import { supabase, supabaseV1 } from "../../protocol/supabase.js";
import { v1 } from "../../protocol/v1.js";
import { v2 } from "../../protocol/v2.js";
import { createRandom, seedOfRun } from "../support/random.js";

const seed = seedOfRun;
const runs = { seed, numRuns: 1000 };
const data = Uint8Array.of(0, 1, 255);
const topic = "realtime:room";

const bytes = (...parts: readonly (string | number | Uint8Array)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.of(part) : Buffer.from(part as Uint8Array))));

interface Push {
  readonly joinRef?: string;
  readonly ref?: string;
  readonly topic?: string;
  readonly event?: string;
  readonly meta?: string;
  readonly encoding?: number;
}

/** A user broadcast push, written by the layout alone. */
function push(parts: Push, payload: string | Uint8Array): Uint8Array {
  const { joinRef = "1", ref = "22", event = "cursor", meta = "", encoding = 0 } = parts;
  const texts = [joinRef, ref, parts.topic ?? topic, event, meta];
  return bytes(3, ...texts.map((text) => Buffer.byteLength(text)), encoding, ...texts, payload);
}

/** A user broadcast, read by the layout alone. */
function readBroadcast(frame: Uint8Array) {
  const [kind, topicLength, eventLength, metaLength, encoding] = frame;
  expect(kind).toBe(4);
  let at = 5;
  const take = (length: number) => Buffer.from(frame.subarray(at, (at += length))).toString("utf8");
  const [sentTopic, event, meta] = [take(topicLength!), take(eventLength!), take(metaLength!)];
  return { topic: sentTopic, event, meta, encoding, payload: [...frame.subarray(at)] };
}

const broadcast = (payload: unknown, more: object = {}) => ({
  topic,
  event: "broadcast",
  payload: { type: "broadcast", event: "cursor", payload, ...more },
});

describe("a user broadcast push from a client", () => {
  test.each<[name: string, frame: Uint8Array, message: object]>([
    ["bytes", push({}, data), { event: "cursor", payload: Buffer.from(data) }],
    ["no bytes", push({}, ""), { event: "cursor", payload: Buffer.alloc(0) }],
    ["JSON", push({ encoding: 1 }, '{"x":[1,null]}'), { event: "cursor", payload: { x: [1, null] } }],
    ["JSON that is no object", push({ encoding: 1 }, "null"), { event: "cursor", payload: null }],
    ["meta", push({ meta: '{"id":"7"}' }, data), { event: "cursor", payload: Buffer.from(data), meta: { id: "7" } }],
    ["no event", push({ event: "" }, data), { event: "", payload: Buffer.from(data) }],
    ["UTF-8", push({ event: "ț😀" }, data), { event: "ț😀", payload: Buffer.from(data) }],
    [
      "Latin-1, as older clients write it",
      bytes(3, 1, 2, topic.length, 4, 0, 0, "1", "22", topic, Buffer.from("café", "latin1")),
      { event: "café", payload: Buffer.alloc(0) },
    ],
    ["255 bytes", push({ event: "e".repeat(255) }, data), { event: "e".repeat(255), payload: Buffer.from(data) }],
  ])("[W12] with %s", (_name, frame, payload) => {
    const message = { joinRef: "1", ref: "22", topic, event: "broadcast", payload: { type: "broadcast", ...payload } };
    expect(supabase.decodeBinary(frame)).toEqual(message);
  });

  test("[W12] a push of version 2 stays one", () => {
    const frame = bytes(0, 1, 1, 1, 1, "1", "2", "a", "b", data);
    expect(supabase.decodeBinary(frame)).toEqual(v2.decodeBinary(frame));
    const text = '["1","2","a","b",{}]';
    expect(supabase.decodeText(text)).toEqual(v2.decodeText(text));
  });

  test.each([
    ["nothing", ""],
    ["a kind alone", "03"],
    ["a header that is cut off", "030000000000"],
    ["lengths that lead out of it", "03ffffffffff00010203"],
    ["an unknown encoding", "0300000000000278"],
    ["JSON that is none", "0300000000000178"],
    ["JSON that is not there", "03000000000001"],
    ["JSON that is not UTF-8", "0300000000000122ff22"],
    ["meta that is no JSON", "0300000000010078"],
    ["a user broadcast, which only the server sends", "040000000000"],
    ["another kind", "050000000000"],
  ])("[W7] [W12] refuses %s", (_name, hex) => {
    expect(() => supabase.decodeBinary(Buffer.from(hex, "hex"))).toThrow(DecodeError);
  });

  test("[W12] is none to Phoenix's own version 2", () => {
    expect(() => v2.decodeBinary(push({}, data))).toThrow(DecodeError);
  });
});

describe("to a client", () => {
  test("[W12] a broadcast of bytes", () => {
    const frame = bytes(4, topic.length, 6, 0, 0, topic, "cursor", data);
    expect(supabase.encodeBroadcast(broadcast(data))).toEqual(new Uint8Array(frame));
    expect(supabase.encodePush({ joinRef: "1", ref: null, ...broadcast(data) })).toEqual(new Uint8Array(frame));
  });

  test("[W12] a broadcast of bytes with meta", () => {
    const frame = supabase.encodeBroadcast(broadcast(data, { meta: { id: "7" } })) as Uint8Array;
    expect(readBroadcast(frame)).toEqual({
      topic,
      event: "cursor",
      meta: '{"id":"7"}',
      encoding: 0,
      payload: [...data],
    });
  });

  test.each<[name: string, message: { topic: string; event: string; payload: unknown }]>([
    ["JSON", broadcast({ x: 1 })],
    ["JSON with meta", broadcast({ x: 1 }, { meta: { id: "7" } })],
    ["bytes of another event", { ...broadcast(data), event: "other" }],
    ["bytes without a type", { ...broadcast(data), payload: { event: "cursor", payload: data } }],
    ["bytes without an event", { ...broadcast(data), payload: { type: "broadcast", payload: data } }],
    ["bytes alone", { topic, event: "broadcast", payload: data }],
  ])("[W12] %s leaves as version 2 has it", (_name, message) => {
    expect(supabase.encodeBroadcast(message)).toEqual(v2.encodeBroadcast(message));
    const asPush = { joinRef: "1", ref: null, ...message };
    expect(supabase.encodePush(asPush)).toEqual(v2.encodePush(asPush));
  });

  test("[W12] there is room for 255 bytes in a field, and no more", () => {
    const named = (event: string) => ({
      topic,
      event: "broadcast",
      payload: { type: "broadcast", event, payload: data },
    });
    expect(readBroadcast(supabase.encodeBroadcast(named("e".repeat(255))) as Uint8Array).event).toHaveLength(255);
    expect(() => supabase.encodeBroadcast(named("ț".repeat(128)))).toThrow(EncodeError);
    expect(() => supabase.encodeBroadcast(broadcast(data, { meta: "m".repeat(254) }))).toThrow(EncodeError);
  });

  test("[W12] nothing that is no payload is taken for one", () => {
    for (const payload of [null, 5, "text", []]) {
      expect(() => supabase.encodeBroadcast({ topic, event: "broadcast", payload })).toThrow(EncodeError);
    }
  });
});

describe("to a client of version 1", () => {
  test("[W12] a broadcast of bytes does not leave, and a push of them is a mistake", () => {
    for (const payload of [data, Buffer.from(data), new Uint8Array()]) {
      expect(supabaseV1.encodeBroadcast(broadcast(payload))).toBeNull();
      expect(() => supabaseV1.encodePush({ joinRef: "1", ref: null, ...broadcast(payload) })).toThrow(EncodeError);
    }
  });

  test("[W12] everything else leaves as version 1 has it", () => {
    for (const payload of [{ x: 1 }, null, { 0: 1 }]) {
      const message = broadcast(payload, { meta: { id: "7" } });
      expect(supabaseV1.encodeBroadcast(message)).toBe(v1.encodeBroadcast(message));
      const asPush = { joinRef: "1", ref: null, ...message };
      expect(supabaseV1.encodePush(asPush)).toBe(v1.encodePush(asPush));
    }
    expect(() => supabaseV1.encodeBroadcast({ topic, event: "broadcast", payload: data })).toThrow(EncodeError);
  });
});

test("[W2] [W12] a mount of this dialect has its own of both versions", () => {
  expect(serializerFor("2.0.0", "supabase")).toBe(supabase);
  expect(serializerFor("2.0.7+build", "supabase")).toBe(supabase);
  expect(serializerFor("1.0.0", "supabase")).toBe(supabaseV1);
  expect(serializerFor(undefined, "supabase")).toBe(supabaseV1);
  expect(serializerFor("2.1.0", "supabase")).toBeNull();
  expect(serializerFor("2.0.0", "phoenix")).toBe(v2);
  expect(serializerFor("1.0.0", "phoenix")).toBe(v1);
});

describe(`any frame, seed ${seed}`, () => {
  const field = fc.string({ unit: "grapheme", maxLength: 20 }).filter((value) => Buffer.byteLength(value) <= 255);
  const payload = fc.uint8Array({ maxLength: 60 });
  const json = fc.jsonValue({ maxDepth: 3 });
  const onTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

  test("[W12] a push of JSON comes out as it went in", () => {
    fc.assert(
      fc.property(field, field, field, field, json, (joinRef, ref, sentTopic, event, value) => {
        const frame = push({ joinRef, ref, topic: sentTopic, event, encoding: 1 }, JSON.stringify(value));
        expect(supabase.decodeBinary(frame)).toEqual({
          joinRef,
          ref,
          topic: sentTopic,
          event: "broadcast",
          payload: { type: "broadcast", event, payload: onTheWire(value) },
        });
      }),
      runs,
    );
  });

  test("[W12] bytes leave as they came", () => {
    fc.assert(
      fc.property(field, field, payload, fc.option(field, { nil: undefined }), (sentTopic, event, sent, meta) => {
        fc.pre(meta === undefined || Buffer.byteLength(JSON.stringify(meta)) <= 255);
        const metaText = meta === undefined ? "" : JSON.stringify(meta);
        const decoded = supabase.decodeBinary(push({ topic: sentTopic, event, meta: metaText }, sent));
        const frame = supabase.encodeBroadcast(decoded as never) as Uint8Array;
        expect(readBroadcast(frame)).toEqual({
          topic: sentTopic,
          event,
          meta: metaText,
          encoding: 0,
          payload: [...sent],
        });
      }),
      runs,
    );
  });

  test("[W7] [W12] every truncation within the fields is refused", () => {
    fc.assert(
      fc.property(field, field, field, payload, (ref, sentTopic, event, sent) => {
        const whole = push({ ref, topic: sentTopic, event }, sent);
        const fieldsEnd = whole.length - sent.length;
        for (let length = 0; length < whole.length; length += 1) {
          const decode = () => supabase.decodeBinary(whole.subarray(0, length));
          if (length < fieldsEnd) expect(decode).toThrow(DecodeError);
          else expect(decode().topic).toBe(sentTopic);
        }
      }),
      { seed, numRuns: 50 },
    );
  });

  test("[W7] [W12] mutations end in a message or a DecodeError", () => {
    const random = createRandom(seed);
    const whole = push({ meta: '{"a":1}', encoding: 1 }, '{"x":"ț"}');
    const counts = { message: 0, refused: 0 };
    for (let run = 0; run < 20_000; run += 1) {
      const frame = Buffer.from(whole);
      for (let change = 0; change < 2; change += 1) {
        frame[Math.floor(random() * frame.length)] = Math.floor(random() * 256);
      }
      try {
        expect(supabase.decodeBinary(frame).topic).toEqual(expect.any(String));
        counts.message += 1;
      } catch (cause) {
        if (!(cause instanceof DecodeError)) throw cause;
        counts.refused += 1;
      }
    }
    expect(counts.message).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(1000);
  });

  test("[W12] what the published client writes is read, and what is written it reads", () => {
    const { serializer } = new RealtimeClient("ws://localhost", {
      params: { apikey: "key" },
      transport: WebSocket as never,
    });
    const latin = fc.string({
      unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 20,
    });
    // "Ã©", one byte a character, is UTF-8 for "é": of that the client leaves no trace.
    const isPlain = (text: string) => !/[\u0080-\u00ff]{2}/.test(text);
    fc.assert(
      fc.property(latin.filter(isPlain), json, payload, (event, value, sent) => {
        let frame: ArrayBuffer | string = "";
        const written = (inner: unknown) =>
          serializer.encode(
            {
              join_ref: "1",
              ref: "2",
              topic,
              event: "broadcast",
              payload: { type: "broadcast", event, payload: inner },
            },
            (result) => (frame = result),
          ) as unknown;
        written({ value });
        expect(supabase.decodeBinary(new Uint8Array(frame as unknown as ArrayBuffer)).payload).toEqual({
          type: "broadcast",
          event,
          payload: onTheWire({ value }),
        });
        const outgoing = { topic, event: "broadcast", payload: { type: "broadcast", event, payload: sent } };
        const encoded = supabase.encodeBroadcast(outgoing) as Uint8Array;
        serializer.decode(encoded.slice().buffer, (message: { readonly payload: { payload: ArrayBuffer } }) => {
          expect(message).toMatchObject({ topic, event: "broadcast", payload: { type: "broadcast", event } });
          expect([...new Uint8Array(message.payload.payload)]).toEqual([...sent]);
        });
      }),
      { seed, numRuns: 300 },
    );
  });
});
