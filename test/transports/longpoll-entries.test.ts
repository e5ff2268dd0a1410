import { describe, expect, test } from "@jest/globals";
import { entriesOf } from "../../server/transports/longpoll-entries.js";

const ndjson = "application/x-ndjson";

function read(body: string, contentType: string | undefined = ndjson, maxEntries = 100) {
  return [...entriesOf(Buffer.from(body), contentType, maxEntries)].map((entry) => {
    if (entry === null) return null;
    const text = Buffer.from(entry.bytes).toString();
    return entry.isText ? { text } : { binary: text };
  });
}

describe("entriesOf", () => {
  test.each([
    ["a line each", '["a"]\n["b"]', [{ text: '["a"]' }, { text: '["b"]' }]],
    ["lines that end with CR LF", '["a"]\r\n["b"]', [{ text: '["a"]' }, { text: '["b"]' }]],
    ["base64 where a line begins with something else", "aGk=\n[1]", [{ binary: "hi" }, { text: "[1]" }]],
    ["an empty frame after a trailing newline", "[1]\n", [{ text: "[1]" }, { binary: "" }]],
    ["an empty frame for an empty body", "", [{ binary: "" }]],
    ["a CR without LF as part of the line", "[1]\r", [{ text: "[1]\r" }]],
    ["nothing in what is not base64", "!!!", [null]],
    ["nothing in base64 without its padding", "aGk", [null]],
    ["nothing in base64 of the URL alphabet", "--__", [null]],
    ["nothing in base64 with a space", "aGk= ", [null]],
    ["nothing in an object of version 1", '{"topic":"t"}', [null]],
  ])("[T8] ndjson: finds %s", (_name, body, expected) => {
    expect(read(body)).toEqual(expected);
  });

  test.each(["application/json", "application/x-ndjson; charset=utf-8", "text/plain", ""])(
    "[T8] takes a body of type %j as one text",
    (contentType) => {
      expect(read("[1]\n[2]", contentType)).toEqual([{ text: "[1]\n[2]" }]);
    },
  );

  test("[T8] takes a body without a type as one text", () => {
    expect([...entriesOf(Buffer.from("[1]\n[2]"), undefined, 100)]).toHaveLength(1);
  });

  test("[T8] leaves what comes after the last entry that is allowed", () => {
    expect(read("[1]\n[2]\n[3]\n!!!", ndjson, 2)).toEqual([{ text: "[1]" }, { text: "[2]" }]);
  });
});
