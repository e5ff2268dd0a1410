import { describe, expect, test } from "@jest/globals";
import { isBusinessId, isUserId, parseJoin, parseNewMessage } from "../../protocol/payloads.js";

describe("ids", () => {
  test.each<[value: unknown, business: boolean, user: boolean]>([
    ["B0100001", true, true],
    ["a.b_c-D", true, true],
    ["B".repeat(64), true, true],
    ["B".repeat(65), false, true],
    ["B".repeat(128), false, true],
    ["B".repeat(129), false, false],
    ["ana@example.org", false, true],
    ["auth0|5f", false, true],
    ["+40:21", false, true],
    ["__proto__", true, true],
    ["..", true, true],
    ["", false, false],
    [" B1", false, false],
    ["B1\n", false, false],
    ["B1/2", false, false],
    ["B1%00", false, false],
    ["Ana Pop", false, false],
    ["ăna", false, false],
    ["Ｂ1", false, false],
    [1, false, false],
    [null, false, false],
    [["B1"], false, false],
  ])("[M11] %j", (value, business, user) => {
    expect([isBusinessId(value), isUserId(value)]).toEqual([business, user]);
  });
});

describe("join", () => {
  const nothing = { userId: null, isCoordinator: false, chatId: null, resume: null };

  test.each<[payload: unknown, request: object]>([
    [{}, {}],
    [null, {}],
    [undefined, {}],
    [{ userId: "u1" }, { userId: "u1" }],
    [{ userId: null, role: null, chatId: null, resume: null }, {}],
    [{ role: "coordinator" }, { isCoordinator: true }],
    [{ role: "Coordinator" }, {}],
    [{ role: "user", userId: "u1" }, { userId: "u1" }],
    [{ role: "" }, {}],
    [{ chatId: "c".repeat(128) }, { chatId: "c".repeat(128) }],
    [{ resume: { sessionId: "s", offset: 0 } }, { resume: { sessionId: "s", offset: 0, epoch: null } }],
    [{ resume: { sessionId: "s", offset: 7, epoch: "e" } }, { resume: { sessionId: "s", offset: 7, epoch: "e" } }],
    [{ resume: { sessionId: "s", offset: 7, epoch: null } }, { resume: { sessionId: "s", offset: 7, epoch: null } }],
    [{ resume: { cursor: "c" } }, { resume: { cursor: "c" } }],
    [{ resume: { cursor: "c", sessionId: 5 } }, { resume: { cursor: "c" } }],
    [{ userId: "u1", token: "x", vsn: 2, deep: { a: [] } }, { userId: "u1" }],
  ])("[M12] takes %j", (payload, request) => {
    expect(parseJoin(payload)).toEqual({ ok: true, value: { ...nothing, ...request } });
  });

  test.each<unknown>([
    [],
    "x",
    5,
    true,
    Uint8Array.of(123, 125),
    { userId: 5 },
    { userId: "" },
    { userId: "a b" },
    { userId: "u".repeat(129) },
    { userId: ["u1"] },
    { role: 5 },
    { role: {} },
    { chatId: "" },
    { chatId: 5 },
    { chatId: "ț".repeat(65) },
    { resume: "s" },
    { resume: [] },
    { resume: {} },
    { resume: { sessionId: "s" } },
    { resume: { sessionId: "", offset: 0 } },
    { resume: { sessionId: "s".repeat(513), offset: 0 } },
    { resume: { sessionId: "s", offset: -1 } },
    { resume: { sessionId: "s", offset: 1.5 } },
    { resume: { sessionId: "s", offset: 2 ** 53 } },
    { resume: { sessionId: "s", offset: "1" } },
    { resume: { sessionId: "s", offset: 1, epoch: 5 } },
    { resume: { cursor: "" } },
    { resume: { cursor: 5 } },
    { resume: { cursor: "c".repeat(513) } },
  ])("[M12] refuses %j", (payload) => {
    expect(parseJoin(payload)).toEqual({ ok: false, reason: "invalid_payload" });
  });
});

describe("new_message", () => {
  const payload = { businessId: "B1", locationId: "L1", userId: "u1", message: "Hi" };
  const parsed = {
    ...payload,
    sessionId: null,
    clientMessageId: null,
    clientTimestamp: null,
    chatId: null,
    context: {},
  };

  test.each<[changes: object, expected: object]>([
    [{}, {}],
    [{ sessionId: null, clientMessageId: null, chatId: null, context: null, timestamp: null }, {}],
    [{ message: "  Hi " }, { message: "  Hi " }],
    [{ message: "a\ud800b" }, { message: "a\ufffdb" }],
    [{ message: "😀" }, { message: "😀" }],
    [{ locationId: "default" }, { locationId: "default" }],
    [{ locationId: "l\udc00" }, { locationId: "l\ufffd" }],
    [{ locationId: "ț".repeat(64) }, { locationId: "ț".repeat(64) }],
    // Whether the ids are right is decided where the socket is known.
    [
      { businessId: "no such id", userId: "a b" },
      { businessId: "no such id", userId: "a b" },
    ],
    [{ sessionId: "s1" }, { sessionId: "s1" }],
    [{ sessionId: "" }, {}],
    [{ sessionId: "s".repeat(512) }, { sessionId: "s".repeat(512) }],
    [{ sessionId: "s".repeat(513) }, {}],
    [{ clientMessageId: "c\ud800" }, { clientMessageId: "c\ufffd" }],
    [{ clientMessageId: "c".repeat(128) }, { clientMessageId: "c".repeat(128) }],
    [{ chatId: "ț".repeat(64) }, { chatId: "ț".repeat(64) }],
    [{ timestamp: "1970-01-01T00:00:00Z" }, { clientTimestamp: "1970-01-01T00:00:00Z" }],
    [{ timestamp: "t".repeat(64) }, { clientTimestamp: "t".repeat(64) }],
    [{ timestamp: "t".repeat(65) }, {}],
    [{ timestamp: "" }, {}],
    [{ timestamp: 5 }, {}],
    [{ timestamp: {} }, {}],
    [{ context: { a: [1] } }, { context: { a: [1] } }],
    [
      { type: "agent", role: "coordinator", messageId: "m", offset: 5, metadata: { source: "cron" }, from: "system" },
      {},
    ],
  ])("[M13] takes %j", (changes, expected) => {
    expect(parseNewMessage({ ...payload, ...changes }, 100)).toEqual({ ok: true, value: { ...parsed, ...expected } });
  });

  test.each<unknown>([null, undefined, 5, "x", true, [], Uint8Array.of(1)])("[M13] refuses %p", (odd) => {
    const reason = { code: "invalid_payload", error: "The payload is not an object" };
    expect(parseNewMessage(odd, 100)).toEqual({ ok: false, reason });
  });

  const names = ["businessId", "locationId", "userId", "message"] as const;

  test.each<[value: unknown]>([[undefined], [null], [""], [" "], ["\t\r\n\u00a0\u2003\ufeff"]])(
    "[M13] C-11 a field of %j is missing, and is named in the order of the fields",
    (value) => {
      for (let bits = 1; bits < 16; bits += 1) {
        const missing = names.filter((_name, index) => (bits >> index) & 1);
        const odd = { ...payload, ...Object.fromEntries(missing.reverse().map((name) => [name, value])) };
        const error = `Missing required parameters: ${names.filter((name) => missing.includes(name)).join(", ")}`;
        expect(parseNewMessage(odd, 100)).toEqual({ ok: false, reason: { code: "missing_parameters", error } });
      }
    },
  );

  test("[M13] C-17 what an object has by itself is not a field", () => {
    expect(
      parseNewMessage(
        JSON.parse('{"__proto__":{"businessId":"B1","locationId":"L1","userId":"u1","message":"Hi"}}'),
        100,
      ),
    ).toMatchObject({ ok: false, reason: { code: "missing_parameters" } });
  });

  test.each<[changes: object, code: string, error: string]>([
    [{ businessId: 5 }, "invalid_payload", "businessId is not a string"],
    [{ locationId: {} }, "invalid_payload", "locationId is not a string"],
    [{ userId: [] }, "invalid_payload", "userId is not a string"],
    [{ message: false }, "invalid_payload", "message is not a string"],
    [{ message: 0, userId: 0 }, "invalid_payload", "userId is not a string"],
    [{ businessId: 5, message: "" }, "missing_parameters", "Missing required parameters: message"],
    [{ message: "a".repeat(101) }, "message_too_long", "The message is longer than this server takes: 100 bytes"],
    [{ message: "ț".repeat(51) }, "message_too_long", "The message is longer than this server takes: 100 bytes"],
    // U+FFFD takes three bytes, and is what would be stored.
    [{ message: "\ud800".repeat(34) }, "message_too_long", "The message is longer than this server takes: 100 bytes"],
    [{ locationId: "L".repeat(129) }, "invalid_payload", "locationId is longer than 128 bytes"],
    [{ clientMessageId: "" }, "invalid_payload", "clientMessageId is not a string of 1 to 128 bytes"],
    [{ clientMessageId: 5 }, "invalid_payload", "clientMessageId is not a string of 1 to 128 bytes"],
    [{ clientMessageId: "ț".repeat(65) }, "invalid_payload", "clientMessageId is not a string of 1 to 128 bytes"],
    [{ chatId: [] }, "invalid_payload", "chatId is not a string of 1 to 128 bytes"],
    [{ chatId: "c".repeat(129) }, "invalid_payload", "chatId is not a string of 1 to 128 bytes"],
    [{ sessionId: 5 }, "invalid_payload", "sessionId is not a string"],
    [{ context: [] }, "invalid_payload", "context is not an object"],
    [{ context: "x" }, "invalid_payload", "context is not an object"],
  ])("[M10] [M13] C-11 %j", (changes, code, error) => {
    expect(parseNewMessage({ ...payload, ...changes }, 100)).toEqual({ ok: false, reason: { code, error } });
  });

  test("[L10] 0 takes a message of any length, and the limit itself is taken", () => {
    const long = { ...payload, message: "a".repeat(100_000) };
    expect(parseNewMessage(long, 0)).toMatchObject({ ok: true });
    expect(parseNewMessage(long, 100_000)).toMatchObject({ ok: true });
    expect(parseNewMessage(long, 99_999)).toMatchObject({ ok: false });
  });
});
