import { describe, expect, test } from "@jest/globals";
import { DecodeError, EncodeError } from "../../protocol/errors.js";
import { v2 } from "../../protocol/v2.js";

describe("decoding", () => {
  test.each<[text: string, message: object]>([
    [
      '["1","2","room:1","ping",{"a":1}]',
      { joinRef: "1", ref: "2", topic: "room:1", event: "ping", payload: { a: 1 } },
    ],
    ['[null,null,"room:1","ping",null]', { joinRef: null, ref: null, topic: "room:1", event: "ping", payload: null }],
    ["[1,2,3,4,5,6,7]", { joinRef: 1, ref: 2, topic: 3, event: 4, payload: 5 }],
    ["[{},[],null,{},[]]", { joinRef: {}, ref: [], topic: null, event: {}, payload: [] }],
    [' [ "1" , 1.0 , "a","b" , "" ]\n', { joinRef: "1", ref: 1, topic: "a", event: "b", payload: "" }],
    ['["1","2","a","b",{"x":1,"x":2}]', { joinRef: "1", ref: "2", topic: "a", event: "b", payload: { x: 2 } }],
    ['["\\ud800","2","a","b",{}]', { joinRef: "\ud800", ref: "2", topic: "a", event: "b", payload: {} }],
  ])("[W4] [W5] [D1] %s", (text, message) => {
    expect(v2.decodeText(text)).toEqual(message);
  });

  test.each([
    "",
    " ",
    "{oops",
    "5",
    "null",
    "[]",
    "[1,2,3,4]",
    '{"0":1,"length":5}',
    "[1,2,3,4,5]]",
    "\ufeff[1,2,3,4,5]",
    "[1,2,3,4,5,]",
    "['1',2,3,4,5]",
    "[1,2,3,4,NaN]",
  ])("[W7] refuses %j", (text) => {
    expect(() => v2.decodeText(text)).toThrow(DecodeError);
  });

  test("[W4] a name of an object's own is only a key", () => {
    const { payload } = v2.decodeText('[null,"1","a","b",{"__proto__":{"polluted":true}}]');
    expect(Object.keys(payload as object)).toEqual(["__proto__"]);
    expect({}).not.toHaveProperty("polluted");
  });

  test("[L2] any depth can be decoded", () => {
    const deep = "[".repeat(30_000) + "]".repeat(30_000);
    expect(v2.decodeText(`[null,"1","a","b",${deep}]`)).toMatchObject({ ref: "1" });
  });
});

describe("encoding", () => {
  const push = { joinRef: "1", ref: null, topic: "room:1", event: "news", payload: { a: 1, b: "x y" } };

  test("[W6] without spaces", () => {
    expect(v2.encodePush(push)).toBe('["1",null,"room:1","news",{"a":1,"b":"x y"}]');
    expect(v2.encodeReply({ joinRef: null, ref: 7, topic: "room:1", status: "ok", response: [1, { a: null }] })).toBe(
      '[null,7,"room:1","phx_reply",{"status":"ok","response":[1,{"a":null}]}]',
    );
    expect(v2.encodeBroadcast(push)).toBe('[null,null,"room:1","news",{"a":1,"b":"x y"}]');
  });

  test.each<unknown>(["1", 1, null, "", 0, false, { a: 1 }, ["1"]])(
    "[W5] echoes the refs %j with their type",
    (ref) => {
      const reply = { joinRef: ref, ref, topic: "a", status: "ok", response: {} };
      expect(JSON.parse(v2.encodeReply(reply) as string)).toEqual([
        ref,
        ref,
        "a",
        "phx_reply",
        { status: "ok", response: {} },
      ]);
    },
  );

  test.each<unknown>(["x", 5, null, undefined, true, [], [{}]])(
    "[W6] the payload of a push or broadcast cannot be %j",
    (payload) => {
      expect(() => v2.encodePush({ ...push, payload })).toThrow(EncodeError);
      expect(() => v2.encodeBroadcast({ ...push, payload })).toThrow(EncodeError);
    },
  );

  test.each<unknown>(["x", 5, null, true, [], {}])("[C5] the response of a reply can be %j", (response) => {
    const text = v2.encodeReply({ joinRef: "1", ref: "2", topic: "a", status: "ok", response }) as string;
    expect((JSON.parse(text) as unknown[])[4]).toEqual({ status: "ok", response });
  });

  test("[W8] echoes a topic that is no string", () => {
    expect(v2.encodeReply({ joinRef: null, ref: "2", topic: { a: 1 }, status: "ok", response: {} })).toBe(
      '[null,"2",{"a":1},"phx_reply",{"status":"ok","response":{}}]',
    );
  });
});
