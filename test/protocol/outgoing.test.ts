import { runInNewContext } from "node:vm";
import { describe, expect, test } from "@jest/globals";
import { EncodeError } from "../../protocol/errors.js";
import type { Serializer } from "../../protocol/serializer.js";
import { supabase, supabaseV1 } from "../../protocol/supabase.js";
import { v1 } from "../../protocol/v1.js";
import { v2 } from "../../protocol/v2.js";

const serializers: [string, Serializer][] = [
  ["1.0.0", v1],
  ["2.0.0", v2],
  ["1.0.0+supabase", supabaseV1],
  ["2.0.0+supabase", supabase],
];
const push = { joinRef: "1", ref: null, topic: "room:1", event: "news" };
const reply = { joinRef: "1", ref: "2", topic: "room:1", status: "ok" };
const both = (serializer: Serializer, payload: unknown) => [
  () => serializer.encodePush({ ...push, payload }),
  () => serializer.encodeBroadcast({ ...push, payload }),
  () => serializer.encodePayload(payload),
];

class Point {
  readonly #x = 1;
  get x(): number {
    return this.#x;
  }
}

/** What no version carries: JSON leaves it out, or makes something else of it without a word. */
const none: [name: string, payload: unknown][] = [
  ["undefined", undefined],
  ["a function", () => 1],
  ["a symbol", Symbol("x")],
  ["toJSON that gives nothing", { toJSON: () => undefined }],
  ["a map", new Map([[1, 2]])],
  ["a set", new Set([1])],
  ["an ArrayBuffer", new ArrayBuffer(2)],
  ["a DataView", new DataView(new ArrayBuffer(2))],
  ["a promise that nobody waited for", Promise.resolve({})],
  ["an error", new Error("x")],
  ["a map of another realm", runInNewContext("new Map([[1, 2]])")],
];

/** What version 1 carries, as Phoenix does, and version 2 does not. */
const noObjects: [name: string, payload: unknown][] = [
  ["a text", "x}"],
  ["a text that ends like an object", '{"a":1}'],
  ["a number", 5],
  ["null", null],
  ["a list", [{}]],
  ["a date", new Date(0)],
  ["toJSON that gives a number", { toJSON: () => 5 }],
];

const objects: [name: string, payload: unknown][] = [
  ["empty", {}],
  ["with fields", { a: 1, b: [{}] }],
  ["without a prototype", Object.create(null)],
  ["of a class", new Point()],
  ["of another realm", runInNewContext("({})")],
  ["toJSON that gives an object", { toJSON: () => ({ a: 1 }) }],
  ["with holes", { a: undefined, b: () => 1 }],
];

describe.each(serializers)("version %s", (name, serializer) => {
  test.each(none)("[W6] pushes and broadcasts no %s", (_name, payload) => {
    for (const encode of both(serializer, payload)) expect(encode).toThrow(EncodeError);
  });

  test.each(noObjects)("[W6] %s is carried by version 1 alone", (_name, payload) => {
    for (const encode of both(serializer, payload)) {
      if (name.startsWith("2")) expect(encode).toThrow(EncodeError);
      else expect(encode).not.toThrow();
    }
  });

  test.each(objects)("[W6] an object %s is", (_name, payload) => {
    const expected = JSON.parse(JSON.stringify(payload)) as unknown;
    const [pushed, told, alone] = both(serializer, payload).map((encode) => JSON.parse(encode() as string) as unknown);
    expect(alone).toEqual(expected);
    for (const frame of [pushed, told]) {
      expect(Array.isArray(frame) ? frame[4] : (frame as { payload: unknown }).payload).toEqual(expected);
      if (!Array.isArray(frame)) expect(Object.keys(frame as object)).toEqual(["topic", "event", "payload", "ref"]);
    }
  });

  test.each(none.slice(0, 4))("[C5] [W3] a reply has a response: not %s", (_name, response) => {
    expect(() => serializer.encodeReply({ ...reply, response })).toThrow(EncodeError);
  });

  test("[C5] a reply carries any JSON", () => {
    for (const response of ["x", 5, null, [1], {}, new Date(0), { toJSON: () => 5 }])
      expect(() => serializer.encodeReply({ ...reply, response })).not.toThrow();
  });

  test.each(["phx_close", "phx_error", "phx_reply"])("[W6] %s of an app is an event like any other", (event) => {
    expect(serializer.encodePush({ ...push, event, payload: {} })).toContain(event);
    expect(serializer.encodeBroadcast({ ...push, event, payload: {} })).toContain(event);
  });

  test("[W6] a payload that was written already leaves as the same frame", () => {
    const payload = { a: "ț", b: [1] };
    const json = serializer.encodePayload(payload);
    expect(serializer.encodeBroadcast({ ...push, payload, json })).toBe(
      serializer.encodeBroadcast({ ...push, payload }),
    );
  });
});
