import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { SignJWT } from "jose";
import { type Code, codes } from "../../protocol/codes.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { frame, RawSocket } from "../support/raw-socket.js";
import { joined, newMessage, topic, unhurried, Witness } from "../support/witness.js";
import { WireClient } from "../support/wire.js";

const inRomanian = "Eroare la procesarea mesajului";
const fields = ["businessId", "locationId", "userId", "message"] as const;
const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"];

let app: TestApp;
let witness: Witness;
let mallory: WireClient;
let userId: string;
let userCount = 0;

beforeAll(async () => {
  app = await startTestApp({ ...unhurried });
  witness = await Witness.of(app);
});

// Each test has a user of its own, so that what it stored is told from what others did.
beforeEach(async () => {
  userId = `mallory_${(userCount += 1)}`;
  mallory = await joined(await WireClient.connect(app.url), userId);
});

afterEach(async () => {
  expect(mallory.closed).toBeNull();
  await mallory.heartbeat();
  await witness.seesNoHarm();
  expect({}).not.toHaveProperty("polluted");
  mallory.close();
});

afterAll(async () => {
  await app.dispose();
});

/** The payload is refused, by the reply and by the event. */
async function refused(payload: unknown, code: Code, error: string = codes[code], told: object = {}): Promise<void> {
  const words = { code, message: inRomanian, error, ...told };
  expect(await mallory.call(topic, "new_message", payload)).toEqual({
    status: "error",
    response: { ...words, reason: code },
  });
  expect(await mallory.event("error")).toEqual([null, null, topic, "error", words]);
}

/** The payload is stored, and answered; the next check of the witness expects it. */
async function accepted(
  payload: unknown,
): Promise<{ reply: Record<string, unknown>; messages: Record<string, unknown>[] }> {
  const before = (await witness.history(userId)).length;
  const { status, response } = await mallory.call(topic, "new_message", payload);
  expect([status, response.offset]).toEqual(["ok", before + 1]);
  await mallory.event("new_message");
  witness.storedOf(userId, before + 2);
  return { reply: response, messages: await witness.history(userId) };
}

/** A frame as text, for JSON that `JSON.stringify` would not write. */
function sendText(text: string): void {
  mallory.ws.send(text);
}

describe("fields that are missing", () => {
  const subsets = Array.from({ length: 15 }, (_, bits) => fields.filter((_name, index) => ((bits + 1) >> index) & 1));

  test.each([
    ["absent", undefined],
    ["null", null],
    ["empty", ""],
    ["white space", " \t\r\n\u00a0"],
  ])("[M13] C-11 names what is %s, in their order", async (_name, value) => {
    for (const subset of subsets) {
      const changes = Object.fromEntries(subset.map((name) => [name, value]));
      await refused(
        newMessage(userId, changes),
        "missing_parameters",
        `Missing required parameters: ${subset.join(", ")}`,
      );
    }
  });

  test("[M13] C-11 says the whole sentence when all are missing", async () => {
    const sentence = "Missing required parameters: businessId, locationId, userId, message";
    await refused({}, "missing_parameters", sentence);
    await refused({ message: null, locationId: " ", clientMessageId: "c1" }, "missing_parameters", sentence, {
      clientMessageId: "c1",
    });
  });

  test.each<unknown>([null, 5, "x", true, [], [{}]])("[M13] C-11 refuses the payload %j", async (payload) => {
    await refused(payload, "invalid_payload", "The payload is not an object");
  });

  test("[M13] W-13 refuses a payload of bytes", async () => {
    // An empty join_ref of a binary frame is not null, so the channel's own is given.
    const parts = ["c1", "9", topic, "new_message"];
    const header = Buffer.from([0, ...parts.map((part) => part.length)]);
    mallory.ws.send(Buffer.concat([header, Buffer.from(parts.join("")), Buffer.from([1, 2, 3])]));
    const error = await mallory.event("error");
    expect(error[4]).toMatchObject({ code: "invalid_payload", error: "The payload is not an object" });
  });
});

describe("fields of the wrong type", () => {
  test.each(fields)("[M13] C-11 refuses a %s that is no string", async (name) => {
    for (const value of [5, 0, {}, [], ["x"], true, false]) {
      await refused(newMessage(userId, { [name]: value }), "invalid_payload", `${name} is not a string`);
    }
  });

  const optional: [name: string, values: unknown[], error: string][] = [
    ["sessionId", [5, {}, [], true], "sessionId is not a string"],
    ["clientMessageId", [5, {}, [], true, "", "x".repeat(129)], "clientMessageId is not a string of 1 to 128 bytes"],
    ["chatId", [5, {}, [], true, "", "x".repeat(129)], "chatId is not a string of 1 to 128 bytes"],
    ["context", [5, [], true, "x"], "context is not an object"],
  ];

  test.each(optional)("[M13] C-11 refuses a %s of the wrong kind", async (name, values, error) => {
    for (const value of values) {
      await refused(newMessage(userId, { [name]: value }), "invalid_payload", error);
    }
  });
});

describe("fields that are too long", () => {
  test("[L10] C-11 counts the bytes of a message", async () => {
    const error = "The message is longer than this server takes: 8192 bytes";
    for (const message of ["a".repeat(8193), "ă".repeat(4097), "😀".repeat(2049), "\ud800".repeat(2731)]) {
      await refused(newMessage(userId, { message }), "message_too_long", error);
    }
    await accepted(newMessage(userId, { message: "ă".repeat(4096) }));
  });

  test("[M11] C-11 counts the bytes of a location", async () => {
    for (const locationId of ["L".repeat(129), "ț".repeat(65)]) {
      await refused(newMessage(userId, { locationId }), "invalid_payload", "locationId is longer than 128 bytes");
    }
    await accepted(newMessage(userId, { locationId: "ț".repeat(64) }));
  });
});

describe("what is somebody else's", () => {
  test.each(["witness", "Mallory", "mallory_0", ...names])("[X3] C-12 may not speak for %s", async (other) => {
    await refused(newMessage(userId, { userId: other }), "forbidden");
  });

  test.each(["B0100002", "b0100001", "B0100001 ", "../B0100001", "Ｂ0100001", ...names])(
    "[X3] C-12 may not speak to the business %s",
    async (businessId) => {
      await refused(newMessage(userId, { businessId }), "forbidden");
    },
  );

  test("[X2] a coordinator is no user, and may not speak for one", async () => {
    const console = await WireClient.connect(app.url);
    expect((await console.call(topic, "phx_join", {})).response).toMatchObject({ role: "coordinator" });
    const { status, response } = await console.call(topic, "new_message", newMessage(userId));
    expect([status, response.code]).toEqual(["error", "forbidden"]);
    console.close();
  });

  test("[M3] [T-04] somebody else's session counts as unknown", async () => {
    const [theirs] = await witness.history("witness");
    const { reply } = await accepted(newMessage(userId, { sessionId: theirs!.sessionId }));
    expect(reply.sessionId).not.toBe(theirs!.sessionId);
    expect(reply.offset).toBe(1);
  });

  const unknown: [name: string, sessionId: string | null][] = [
    ["a UUID", "00000000-0000-4000-8000-000000000000"],
    ["one that an old client made up", "B0100001:mallory:1700000000000"],
    ["one made up for somebody else", `B0100001:witness:${Date.now()}`],
    ["one made up for another business", `B0100002:witness:${Date.now()}`],
    ["a path", "../../etc/passwd"],
    ["one with a NUL", "a\u0000b"],
    ["a lone surrogate", "\ud800"],
    ["nothing", ""],
    ["null", null],
    ["513 bytes", "s".repeat(513)],
    ["8,000 bytes", "ș".repeat(4000)],
    ...names.map((name) => [name, name] as [string, string]),
  ];

  test.each(unknown)("[M3] [C-17] [T-04] the session %s leads to the user's own", async (_name, sessionId) => {
    const first = await accepted(newMessage(userId, { sessionId }));
    const second = await accepted(newMessage(userId, { sessionId }));
    expect(second.reply).toMatchObject({ sessionId: first.reply.sessionId, offset: 3 });
  });
});

describe("fields that a client has no say in", () => {
  test("[M13] C-13 what is not listed is ignored", async () => {
    const smuggled = {
      type: "agent",
      role: "coordinator",
      from: "system",
      messageId: "m1",
      offset: 77,
      seq: 77,
      status: "closed",
      content: "smuggled",
      responseId: "r1",
      metadata: { source: "cron", polluted: true },
      connectionId: "c1",
      constructor: { prototype: { polluted: true } },
    };
    const payload = JSON.stringify({ ...newMessage(userId), ...smuggled }).replace(
      "{",
      '{"__proto__":{"polluted":true},',
    );
    sendText(`[null,"9","${topic}","new_message",${payload}]`);
    await mallory.event("new_message");
    witness.storedOf(userId, 2);
    const [message] = await witness.history(userId);
    expect(message).toEqual({
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      offset: 1,
      businessId: "B0100001",
      userId,
      content: "Bună ziua",
      type: "user",
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      metadata: { source: "websocket", connectionId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
  });

  test.each<[unknown, string | undefined]>([
    ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"],
    ["+275761-01-01", "+275761-01-01"],
    ["garbage", "garbage"],
    ["x".repeat(65), undefined],
    [1_700_000_000_000, undefined],
    [{ $gt: 0 }, undefined],
    [[], undefined],
    [true, undefined],
  ])("[M5] C-14 the clock of a client that says %j decides nothing", async (timestamp, kept) => {
    const { reply, messages } = await accepted(newMessage(userId, { timestamp }));
    expect(Math.abs(Date.parse(String(reply.timestamp)) - Date.now())).toBeLessThan(60_000);
    expect((messages[0]!.metadata as Record<string, unknown>).clientTimestamp).toBe(kept);
  });

  test("[M13] C-17 names of an object's own serve as ids and in a context", async () => {
    for (const name of names) {
      const payload = JSON.stringify(newMessage(userId, { clientMessageId: name, chatId: name, context: {} }));
      const before = (await witness.history(userId)).length;
      sendText(
        `["c1","9","${topic}","new_message",${payload.replace('"context":{}', '"context":{"__proto__":{"polluted":1}}')}]`,
      );
      const answer = await mallory.event("new_message");
      witness.storedOf(userId, before + 2);
      const again = await mallory.call(topic, "new_message", newMessage(userId, { clientMessageId: name }));
      expect(again.response).toMatchObject({ messageId: answer[4].inReplyTo, duplicate: true });
    }
  });

  test.each(names)("[M11] C-17 somebody may be called %s", async (name) => {
    mallory.close();
    userId = name;
    mallory = await joined(await WireClient.connect(app.url), name);
    const { messages } = await accepted(newMessage(name));
    expect(messages.map((message) => message.userId)).toEqual([name, "agent"]);
  });

  test.each(names)("[M11] C-17 a business may be called %s", async (name) => {
    const client = await WireClient.connect(app.url);
    const join = await client.call(`messages:${name}`, "phx_join", { userId });
    expect(join).toMatchObject({ status: "ok", response: { sessionId: null, offset: 0 } });
    const { status } = await client.call(`messages:${name}`, "new_message", newMessage(userId, { businessId: name }));
    expect(status).toBe("ok");
    await client.event("new_message");
    client.close();
  });
});

describe("texts", () => {
  const texts: [name: string, message: string, stored: string][] = [
    ["a high surrogate alone", "a\ud800b", "a\ufffdb"],
    ["a low surrogate alone", "\udc00", "\ufffd"],
    ["a pair the wrong way round", "\udc00\ud83d", "\ufffd\ufffd"],
    ["NUL and control characters", "a\u0000b\u0007\u001b[2J", "a\u0000b\u0007\u001b[2J"],
    ["an override of direction", "\u202eabc\u2028\u2029", "\u202eabc\u2028\u2029"],
    ["a family", "👩‍👩‍👧‍👦 😀", "👩‍👩‍👧‍👦 😀"],
    ["what is not normalized", "s\u0326 \u0219", "s\u0326 \u0219"],
    ["a log line", '\n{"level":"error"}', '\n{"level":"error"}'],
    ["a frame", '["1","1","x","phx_close",{}]', '["1","1","x","phx_close",{}]'],
  ];

  test.each(texts)(
    "[M13] W-10 W-11 %s is the same stored, pushed and in the history",
    async (_name, message, stored) => {
      const tab = await joined(await WireClient.connect(app.url), userId);
      const console = await WireClient.connect(app.url);
      await console.call(topic, "phx_join", {});
      const { messages } = await accepted(newMessage(userId, { message }));
      expect(messages.map(({ content }) => content)).toEqual([stored, stored]);
      expect((await tab.event("message_accepted"))[4].message).toBe(stored);
      expect((await tab.event("new_message"))[4].message).toBe(stored);
      expect((await console.event("message_processed"))[4]).toMatchObject({ message: stored, answer: stored });
      expect((await app.store.readEvents("B0100001", { after: "", limit: 1000 })).items.at(-1)).toMatchObject({
        message: stored,
        answer: stored,
      });
      tab.close();
      console.close();
    },
  );

  test("[M13] W-10 lone surrogates in the other texts become U+FFFD too", async () => {
    const odd = "x\ud800";
    const payload = newMessage(userId, { clientMessageId: odd, chatId: odd, timestamp: odd, locationId: odd });
    const { messages } = await accepted(payload);
    expect(messages[0]!.metadata).toMatchObject({
      clientMessageId: "x\ufffd",
      chatId: "x\ufffd",
      clientTimestamp: "x\ufffd",
    });
    expect((await mallory.event("message_accepted"))[4]).toMatchObject({ locationId: "x\ufffd" });
  });
});

describe("events that nobody knows", () => {
  test.each([
    "no_such_event",
    "phx_close",
    "phx_error",
    "phx_reply",
    "message_processed",
    "message_accepted",
    "presence_state",
    "presence_diff",
    "error",
    "",
    "e".repeat(64),
    ...names,
  ])("[C4] C-08 C-09 C-17 the event %j is unknown, and the channel survives", async (event) => {
    const words = { code: "unknown_event", message: inRomanian, error: codes.unknown_event };
    expect(await mallory.call(topic, event, { response: {} })).toEqual({
      status: "error",
      response: { ...words, reason: "unknown_event" },
    });
    expect(await mallory.event("error")).toEqual([null, null, topic, "error", words]);
    await accepted(newMessage(userId));
  });

  test("[L4] an event over its limit is refused, and the channel survives", async () => {
    for (const event of ["e".repeat(65), "ă".repeat(33)]) {
      expect(await mallory.call(topic, event, {})).toEqual({ status: "error", response: { reason: "event too long" } });
    }
    await accepted(newMessage(userId));
  });

  test.each<unknown>([null, 5, {}, [], true])("[W8] C-10 the event %j crashes its channel alone", async (event) => {
    await mallory.call("messages:B9", "phx_join", { userId });
    mallory.send(null, "9", topic, event, {});
    expect(await mallory.event("phx_error")).toEqual(["c1", "c1", topic, "phx_error", { reason: "channel_crash" }]);
    expect(await mallory.call(topic, "new_message", newMessage(userId))).toEqual({
      status: "error",
      response: { reason: "unmatched topic" },
    });
    expect((await mallory.call("messages:B9", "no_such_event", {})).response.code).toBe("unknown_event");
    await joined(mallory, userId);
    await accepted(newMessage(userId));
  });
});

describe("topics", () => {
  const unmatched = { status: "error", response: { reason: "unmatched topic" } };

  test.each<unknown>([
    "nope:x",
    "messages",
    "",
    "phoenix",
    "MESSAGES:B0100001",
    " messages:B0100001",
    null,
    5,
    {},
    [],
    true,
  ])("[R2] [W8] C-01 C-16 there is no channel for %j", async (unknown) => {
    for (const event of ["phx_join", "new_message", "phx_reply"]) {
      mallory.send("7", "8", unknown, event, newMessage(userId));
      const reply = await mallory.next((frame) => frame[1] === "8");
      expect(reply).toEqual([null, "8", unknown, "phx_reply", unmatched]);
    }
    mallory.send("7", "9", unknown, "phx_leave", {});
    const left = await mallory.next((frame) => frame[1] === "9");
    expect(left).toEqual(["7", "9", unknown, "phx_reply", { status: "ok", response: {} }]);
  });

  test("[R2] C-01 a topic that was not joined takes nothing, whoever has joined it elsewhere", async () => {
    const stranger = await WireClient.connect(app.url, `&userId=${userId}`);
    for (const other of [topic, "messages:B0100002"]) {
      expect(await stranger.call(other, "new_message", newMessage(userId))).toEqual(unmatched);
    }
    stranger.close();
  });

  test.each([
    "messages:",
    "messages:*",
    "messages:B0100001:extra",
    "messages:B0100001 ",
    "messages: B0100001",
    "messages:B0100001\u0000",
    "messages:B0100001%00",
    "messages:B0100001/",
    "messages:Ｂ0100001",
    "messages:\ud800",
    `messages:${"B".repeat(65)}`,
    `messages:${"B".repeat(246)}`,
  ])("[M11] C-16 no business has the id of %j", async (odd) => {
    expect(await mallory.call(odd, "phx_join", { userId })).toEqual({
      status: "error",
      response: { reason: "not_found" },
    });
    expect(await mallory.call(odd, "new_message", newMessage(userId))).toEqual(unmatched);
  });

  test.each([`messages:${"B".repeat(247)}`, `messages:${"B".repeat(256)}`, `messages:${"ă".repeat(124)}`])(
    "[L3] C-16 a topic over its limit matches nothing",
    async (long) => {
      expect(await mallory.call(long, "phx_join", { userId })).toEqual(unmatched);
    },
  );

  test("[X7] C-16 what is not yours and what is not there are refused alike", async () => {
    const AUTH_SECRET = "0123456789abcdef0123456789abcdef";
    const closed = await startTestApp({ ...unhurried, AUTH_SECRET });
    const token = await new SignJWT({ role: "user", businessId: "B0100009" })
      .setProtectedHeader({ alg: "HS256" })
      .setSubject(userId)
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(AUTH_SECRET));
    const client = await WireClient.connect(closed.url, `&token=${token}`);
    for (const business of ["B0100001", "B0100009", "B0100002", "b0100001", "B0100001:extra", "", "*", "__proto__"]) {
      expect(await client.call(`messages:${business}`, "phx_join", { userId })).toEqual({
        status: "error",
        response: { reason: "not_found" },
      });
    }
    await closed.dispose();
  });

  test("[L5] C-01 the 101st channel is refused; a rejoin at the limit and a join after a leave work", async () => {
    for (let index = 2; index <= 100; index += 1) {
      expect((await mallory.call(`messages:N${index}`, "phx_join", { userId })).status).toBe("ok");
    }
    const tooMany = { status: "error", response: { reason: "too many channels joined" } };
    mallory.send("7", "8", "messages:N101", "phx_join", { userId });
    const refusal = await mallory.next((frame) => frame[1] === "8");
    expect(refusal).toEqual(["7", "8", "messages:N101", "phx_reply", tooMany]);
    expect((await mallory.call("messages:N50", "phx_join", { userId })).status).toBe("ok");
    expect((await mallory.call("messages:N2", "phx_leave", {})).status).toBe("ok");
    expect((await mallory.call("messages:N101", "phx_join", { userId })).status).toBe("ok");
    expect(await mallory.call("messages:N102", "phx_join", { userId })).toEqual(tooMany);
  });
});

describe("joins", () => {
  test.each<unknown>([
    [],
    "x",
    5,
    true,
    { userId: 5 },
    { userId: "" },
    { userId: "a b" },
    { userId: "u".repeat(129) },
    { userId: "ț" },
    { role: 5 },
    { chatId: "" },
    { chatId: {} },
    { resume: "x" },
    { resume: {} },
    { resume: { cursor: "" } },
    { resume: { cursor: "x".repeat(513) } },
    { resume: { sessionId: "x", offset: -1 } },
    { resume: { sessionId: "x", offset: 1.5 } },
    { resume: { sessionId: "x", offset: "1" } },
    { resume: { sessionId: 5, offset: 1 } },
    { resume: { sessionId: "x", offset: 1, epoch: 5 } },
  ])("[M12] a join with %j is refused", async (payload) => {
    const client = await WireClient.connect(app.url);
    expect(await client.call(topic, "phx_join", payload)).toEqual({
      status: "error",
      response: { reason: "invalid_payload" },
    });
    client.close();
  });

  test.each([...names, "\ud800", "s".repeat(512), "B0100001:witness:0"])(
    "[M12] X-09 a join that resumes the session %j recovers nothing",
    async (sessionId) => {
      const client = await WireClient.connect(app.url);
      const { response } = await client.call(topic, "phx_join", { userId, resume: { sessionId, offset: 0 } });
      expect(response).toMatchObject({ recovered: false, messages: [] });
      client.close();
    },
  );

  test("[M12] X-09 a join that resumes somebody else's session recovers nothing", async () => {
    const theirs = (await witness.history("witness")).at(-1)!;
    const client = await WireClient.connect(app.url);
    const resume = { sessionId: theirs.sessionId, offset: Number(theirs.offset) - 1 };
    const { response } = await client.call(topic, "phx_join", { userId, resume });
    expect(response).toMatchObject({ recovered: false, messages: [], sessionId: null });
    client.close();
  });

  test.each(["x", "\ud800", "9".repeat(512), "__proto__"])(
    "[M12] a coordinator who resumes at %j, which is nowhere, joins all the same",
    async (cursor) => {
      const client = await WireClient.connect(app.url);
      const { status, response } = await client.call(topic, "phx_join", { resume: { cursor } });
      expect([status, response.role]).toEqual(["ok", "coordinator"]);
      await client.heartbeat();
      client.close();
    },
  );
});

describe("JSON that is too deep", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const tooDeep = { status: "error", response: { reason: "invalid_payload" } };

  test("[L2] W-03 a join of 20,000 levels is refused, and the connection stays", async () => {
    sendText(`["7","8","messages:B9","phx_join",{"a":${nested(20_000)}}]`);
    const reply = await mallory.next((frame) => frame[1] === "8");
    expect(reply).toEqual(["7", "8", "messages:B9", "phx_reply", tooDeep]);
  });

  test.each(["message", "context", "metadata", "sessionId"])(
    "[L2] W-03 a new_message with a %s of 20,000 levels is refused, and the connection stays",
    async (name) => {
      const payload = JSON.stringify(newMessage(userId, { [name]: "here" })).replace('"here"', nested(20_000));
      sendText(`["c1","8","${topic}","new_message",${payload}]`);
      const reply = await mallory.next((frame) => frame[1] === "8");
      expect(reply).toEqual(["c1", "8", topic, "phx_reply", tooDeep]);
      await accepted(newMessage(userId));
    },
  );

  test("[L2] W-03 32 levels are taken, 33 are not", async () => {
    const context = (levels: number) => JSON.parse(`{"a":${nested(levels - 3)}}`) as object;
    await accepted(newMessage(userId, { context: context(32) }));
    expect(await mallory.call(topic, "new_message", newMessage(userId, { context: context(33) }))).toEqual(tooDeep);
  });
});

describe("frames of an earlier join", () => {
  test("[R4] C-04 a push and a leave with another join_ref are dropped", async () => {
    for (const joinRef of ["0", 1, "", "c2"]) {
      mallory.send(joinRef, "8", topic, "new_message", newMessage(userId));
      mallory.send(joinRef, "9", topic, "phx_leave", {});
    }
    await mallory.heartbeat();
    expect(mallory.frames.filter((frame) => frame[1] === "8" || frame[1] === "9")).toEqual([]);
    await accepted(newMessage(userId));
  });

  test("[R4] C-05 a push without a join_ref is for whichever channel there is", async () => {
    mallory.send(null, "8", topic, "new_message", newMessage(userId));
    const reply = await mallory.next((frame) => frame[1] === "8");
    expect(reply[4].status).toBe("ok");
    await mallory.event("new_message");
    witness.storedOf(userId, 2);
  });

  test("[R7] C-06 what comes in the packet of a leave is neither stored nor answered", async () => {
    const raw = await RawSocket.open(app.port);
    raw.sendJson(["1", "1", topic, "phx_join", { userId }]);
    await raw.message((message) => (message as unknown[])[1] === "1");
    const push = [topic, "new_message", newMessage(userId)];
    const packet = [
      ["1", "7", topic, "phx_leave", {}],
      ["1", "8", ...push],
      [null, "9", ...push],
    ];
    raw.write(...packet.map((message) => frame(JSON.stringify(message))));
    await raw.message((message) => (message as unknown[])[3] === "phx_close");
    raw.sendJson(["1", "10", ...push]);
    await raw.message((message) => (message as unknown[])[1] === "10");
    expect(raw.messages.slice(1)).toEqual([
      ["1", "7", topic, "phx_reply", { status: "ok", response: {} }],
      ["1", "1", topic, "phx_close", {}],
      [null, "10", topic, "phx_reply", { status: "error", response: { reason: "unmatched topic" } }],
    ]);
    raw.reset();
  });
});
