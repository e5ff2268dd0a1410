import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { closeFrame, frame, opcode, RawSocket, upgradeRequest } from "../support/raw-socket.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { topic, unhurried, Witness } from "../support/witness.js";

const heartbeat = JSON.stringify([null, "h", "phoenix", "heartbeat", {}]);
const join = JSON.stringify(["1", "1", topic, "phx_join", { userId: "mallory" }]);
const heartbeatReply = [null, "h", "phoenix", "phx_reply", { status: "ok", response: {} }];

let app: TestApp;
let witness: Witness;

beforeAll(async () => {
  app = await startTestApp({ ...unhurried });
  witness = await Witness.of(app);
});

afterEach(async () => {
  await until("the sockets to be gone", () => app.endpoint.socketCount === 1);
  await witness.seesNoHarm();
});

afterAll(async () => {
  await app.dispose();
});

/** The code that answers some bytes, sent on a socket that has said nothing yet and on one that has joined. */
async function codesFor(bytes: Uint8Array, path?: string): Promise<number[]> {
  const fresh = await RawSocket.open(app.port, path === undefined ? {} : { path });
  fresh.write(bytes);
  const veteran = await RawSocket.open(app.port);
  veteran.sendText(join);
  await veteran.message((message) => Array.isArray(message) && message[3] === "phx_reply");
  veteran.write(path === undefined ? bytes : frame("{oops"));
  const codes = await Promise.all([fresh.closeCode(), veteran.closeCode()]);
  expect([fresh.closeCodes.length, veteran.closeCodes.length]).toEqual([1, 1]);
  await Promise.all([fresh.finish(), veteran.finish()]);
  return codes;
}

describe("frames that are no message", () => {
  const deep = (text: string) => "[".repeat(20_000) + text + "]".repeat(20_000);
  const texts: [name: string, text: string][] = [
    ["an object that is cut off", "{oops"],
    ["nothing", ""],
    ["white space", " \n"],
    ["a number", "5"],
    ["null", "null"],
    ["a string", '"x"'],
    ["an object", '{"topic":"a"}'],
    ["four elements", '[null,"1","phoenix","heartbeat"]'],
    ["a byte order mark", `\ufeff${heartbeat}`],
    ["something after the message", `${heartbeat}x`],
    ["two messages", `${heartbeat}${heartbeat}`],
    ["a single quote", "['1','1','phoenix','heartbeat',{}]"],
    ["a comma too many", '[null,"1","phoenix","heartbeat",{},]'],
    ["NaN", '[null,NaN,"phoenix","heartbeat",{}]'],
    ["a control character in a string", '[null,"\u0001","phoenix","heartbeat",{}]'],
    ["brackets without end", "[".repeat(60_000)],
    ["a topic of 20,000 levels", `["1","1",${deep("")},"phx_join",{}]`],
  ];

  test.each(texts)("[W7] W-04 closes 1011 for %s", async (_name, text) => {
    expect(await codesFor(frame(text))).toEqual([1011, 1011]);
  });

  test.each([
    ["nothing", ""],
    ["an array", heartbeat],
    ["no payload", '{"topic":"phoenix","event":"heartbeat","ref":"1"}'],
    ["no ref", '{"topic":"phoenix","event":"heartbeat","payload":{}}'],
    ["null", "null"],
  ])("[W7] W-04 closes a version 1 socket with 1011 for %s", async (_name, text) => {
    expect(await codesFor(frame(text), "/socket/websocket")).toEqual([1011, 1011]);
  });

  const binaries: [name: string, hex: string][] = [
    ["nothing", ""],
    ["a kind alone", "00"],
    ["a header that is cut off", "00010106"],
    ["lengths that lead out of it", "00ffffffff010203"],
    ["a reply", "0101010101414141410a"],
    ["a broadcast", "0201014141"],
    ["a kind that there is not", "0900000000"],
    ["a topic that is not UTF-8", "000001020541ff41ff41"],
    ["rubbish", "deadbeefdeadbeefdeadbeefdeadbeef"],
  ];

  test.each(binaries)("[W7] W-13 closes 1011 for a binary frame of %s", async (_name, hex) => {
    expect(await codesFor(frame(Buffer.from(hex, "hex"), { opcode: opcode.binary }))).toEqual([1011, 1011]);
  });

  test("[W7] W-13 closes 1011 for a binary message that is cut off anywhere in its fields", async () => {
    const fields = ["1", "2", topic, "new_message"];
    const header = Buffer.from([0, ...fields.map((field) => field.length)]);
    const whole = Buffer.concat([header, Buffer.from(fields.join(""))]);
    for (let length = 0; length < whole.length; length += 1) {
      const raw = await RawSocket.open(app.port);
      raw.write(frame(whole.subarray(0, length), { opcode: opcode.binary }));
      expect(await raw.closeCode()).toBe(1011);
      raw.reset();
    }
  });

  test("[R8] W-03 a message that cannot be answered costs its own connection, also when it waited for a join", async () => {
    const raw = await RawSocket.open(app.port);
    raw.write(frame(join), frame(`[null,"9",${deep("")},"x",{}]`), frame(heartbeat));
    expect(await raw.closeCode()).toBe(1011);
    await raw.finish();
  });
});

describe("frames that are too big", () => {
  const claims: [name: string, length: bigint][] = [
    ["one byte over the limit", 65_537n],
    ["2^32 bytes", 2n ** 32n],
    ["2^53 - 1 bytes", 2n ** 53n - 1n],
    ["2^53 bytes", 2n ** 53n],
    ["2^63 bytes", 2n ** 63n],
  ];

  test.each(claims)("[L1] W-07 closes 1009 at the header that claims %s", async (_name, length) => {
    expect(await codesFor(frame("", { length, headerBytes: 10 }))).toEqual([1009, 1009]);
  });

  test("[L1] W-07 closes 1009 for fragments that are too big together", async () => {
    const part = Buffer.alloc(8000, "a");
    const parts = Array.from({ length: 9 }, (_, index) =>
      frame(part, { fin: false, opcode: index === 0 ? opcode.text : opcode.continuation }),
    );
    expect(await codesFor(Buffer.concat(parts))).toEqual([1009, 1009]);
  });

  test("[L1] W-07 takes a frame of exactly the limit", async () => {
    const raw = await RawSocket.open(app.port);
    raw.sendText(heartbeat.padEnd(65_536, " "));
    expect(await raw.message(() => true)).toEqual(heartbeatReply);
    raw.reset();
  });

  test("[L1] W-08 takes a frame of the limit in 32-byte pieces", async () => {
    const raw = await RawSocket.open(app.port);
    const bytes = frame(heartbeat.padEnd(65_536, " "));
    await raw.writeSlowly(
      Array.from({ length: Math.ceil(bytes.length / 32) }, (_, at) => bytes.subarray(at * 32, at * 32 + 32)),
    );
    expect(await raw.message(() => true)).toEqual(heartbeatReply);
    raw.reset();
  });

  test.each([
    ["one byte", "a"],
    ["nothing", ""],
  ])("[W11] W-08 closes 1008 for 129 fragments of %s", async (_name, part) => {
    const parts = Array.from({ length: 129 }, (_, index) =>
      frame(part, { fin: false, opcode: index === 0 ? opcode.text : opcode.continuation }),
    );
    expect(await codesFor(Buffer.concat(parts))).toEqual([1008, 1008]);
  });
});

describe("frames that violate RFC 6455", () => {
  const framing: [name: string, bytes: Buffer][] = [
    ["a frame without a mask", frame(heartbeat, { masked: false })],
    ["RSV1 without deflate", frame(heartbeat, { rsv: 4 })],
    ["RSV2", frame(heartbeat, { rsv: 2 })],
    ["RSV3", frame(heartbeat, { rsv: 1 })],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
      (code) => [`opcode ${code}`, frame(heartbeat, { opcode: code })] as [string, Buffer],
    ),
    ["a fragmented ping", frame("", { opcode: opcode.ping, fin: false })],
    ["a ping of 126 bytes", frame(Buffer.alloc(126), { opcode: opcode.ping })],
    ["a continuation of nothing", frame("a", { opcode: opcode.continuation })],
    ["a text inside fragments", Buffer.concat([frame("a", { fin: false }), frame("b")])],
    ["a close of one byte", frame("a", { opcode: opcode.close })],
    ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map(
      (code) => [`close code ${code}`, closeFrame(code)] as [string, Buffer],
    ),
  ];

  test.each(framing)("[W10] W-01 W-05 closes 1002 for %s", async (_name, bytes) => {
    expect(await codesFor(bytes)).toEqual([1002, 1002]);
  });

  const notUtf8: [name: string, hex: string][] = [
    ["an overlong form", "c080"],
    ["a surrogate", "eda080"],
    ["beyond U+10FFFF", "f4908080"],
    ["a character that is cut off", "e282"],
  ];

  test.each(notUtf8)("[W10] W-06 closes 1007 for text with %s", async (_name, hex) => {
    expect(await codesFor(frame(Buffer.from(hex, "hex")))).toEqual([1007, 1007]);
  });

  test("[W10] [D3] W-06 closes 1007 for a close whose reason is not UTF-8", async () => {
    expect(await codesFor(closeFrame(1000, Buffer.from([0xff])))).toEqual([1007, 1007]);
  });

  test("[W10] W-06 takes a character that is split over fragments", async () => {
    const raw = await RawSocket.open(app.port);
    const bytes = Buffer.from('[null,"€","phoenix","heartbeat",{}]');
    const middle = bytes.indexOf(0xe2) + 1;
    raw.write(
      frame(bytes.subarray(0, middle), { fin: false }),
      frame(bytes.subarray(middle), { opcode: opcode.continuation }),
    );
    expect(await raw.message(() => true)).toEqual([null, "€", "phoenix", "phx_reply", { status: "ok", response: {} }]);
    raw.reset();
  });

  test("[W10] W-01 what was answered before the violation arrives, and nothing after the close frame", async () => {
    const raw = await RawSocket.open(app.port);
    raw.write(frame(heartbeat), frame("hi", { masked: false }), frame(heartbeat));
    await raw.closeCode();
    await raw.finish();
    expect(raw.frames.map((received) => received.opcode)).toEqual([opcode.text, opcode.close]);
    expect(raw.closeCodes).toEqual([1002]);
  });

  test.each([1000, 1001, 1011, 1012, 3000, 4999])("[W11] answers a close with %i by 1000", async (code) => {
    const raw = await RawSocket.open(app.port);
    raw.write(closeFrame(code, "bye"));
    expect(await raw.closeCode()).toBe(1000);
    await raw.finish();
  });

  test("[W11] answers a close without a code by 1000", async () => {
    const raw = await RawSocket.open(app.port);
    raw.write(frame("", { opcode: opcode.close }));
    expect(await raw.closeCode()).toBe(1000);
    await raw.finish();
  });

  test("[W11] what came before a close is answered before it", async () => {
    const raw = await RawSocket.open(app.port);
    raw.write(frame(heartbeat), closeFrame(1000), frame(heartbeat));
    await raw.closeCode();
    await raw.finish();
    expect(raw.frames.map((received) => received.opcode)).toEqual([opcode.text, opcode.close]);
  });
});

describe("handshakes", () => {
  test("[C9] W-02 200 resets during the upgrade leave no socket behind", async () => {
    for (let round = 0; round < 200; round += 1) {
      const raw = await RawSocket.dial(app.port);
      raw.write(upgradeRequest(app.port), round % 2 === 0 ? "" : frame(join));
      // Before it was read, while connect decides, and after.
      for (let turn = 0; turn < round % 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      raw.reset();
    }
  });

  test("[W10] W-09 half a handshake and half a frame hold up nobody", async () => {
    const request = upgradeRequest(app.port);
    const halves = await Promise.all(Array.from({ length: 50 }, () => RawSocket.dial(app.port)));
    for (const half of halves) half.write(request.slice(0, request.length / 2));
    const stuck = await Promise.all(Array.from({ length: 50 }, () => RawSocket.open(app.port)));
    for (const raw of stuck) raw.write(frame(heartbeat).subarray(0, 12));
    await witness.seesNoHarm();
    expect(app.endpoint.socketCount).toBe(51);
    for (const raw of [...halves, ...stuck]) raw.reset();
  });

  const refusals: [name: string, status: number, path: string, headers: Record<string, string | null>][] = [
    ["W-17 vsn 9.0.0", 403, "/socket/websocket?vsn=9.0.0", {}],
    ["W-17 an empty vsn", 403, "/socket/websocket?vsn=", {}],
    ["W-17 a vsn that is a list", 403, "/socket/websocket?vsn[]=2.0.0", {}],
    ["W-17 a query that is not UTF-8", 400, "/socket/websocket?vsn=2.0.0&a=%ff", {}],
    ["a path that leads nowhere", 404, "/socket/websocket/more", {}],
    ["X-02 a foreign Origin", 403, "/socket/websocket?vsn=2.0.0", { origin: "https://evil.example" }],
    ["X-02 the Origin null", 403, "/socket/websocket?vsn=2.0.0", { origin: "null" }],
    ["X-02 an empty Origin", 403, "/socket/websocket?vsn=2.0.0", { origin: "" }],
    [
      "X-02 an Origin that begins like ours",
      403,
      "/socket/websocket?vsn=2.0.0",
      { origin: "http://localhost.evil.example" },
    ],
    ["X-02 an Origin that ends like ours", 403, "/socket/websocket?vsn=2.0.0", { origin: "http://evil-localhost" }],
    [
      "X-02 an Origin with a user in it",
      403,
      "/socket/websocket?vsn=2.0.0",
      { origin: "http://localhost@evil.example" },
    ],
    ["X-19 a foreign Host", 403, "/socket/websocket?vsn=2.0.0", { host: "evil.example" }],
    ["X-19 a Host that begins like ours", 403, "/socket/websocket?vsn=2.0.0", { host: "127.0.0.1.evil.example" }],
    ["X-19 no Host", 403, "/socket/websocket?vsn=2.0.0", { host: null }],
    ["W-16 version 12", 400, "/socket/websocket?vsn=2.0.0", { "sec-websocket-version": "12" }],
    ["W-16 no key", 400, "/socket/websocket?vsn=2.0.0", { "sec-websocket-key": null }],
    ["W-16 a short key", 400, "/socket/websocket?vsn=2.0.0", { "sec-websocket-key": "abc" }],
    ["W-16 another protocol", 400, "/socket/websocket?vsn=2.0.0", { upgrade: "h2c" }],
    [
      "W-16 a subprotocol that is none of ours",
      403,
      "/socket/websocket?vsn=2.0.0",
      { "sec-websocket-protocol": "mqtt" },
    ],
    ["W-16 20 KB of header", 431, "/socket/websocket?vsn=2.0.0", { cookie: "a".repeat(20_000) }],
  ];

  test.each(refusals)("[T2] [T3] [W2] [X5] refuses %s with %i", async (_name, status, path, headers) => {
    const raw = await RawSocket.upgrade(app.port, { path, headers });
    expect(raw.status).toBe(status);
    raw.reset();
  });

  test("[T3] W-16 a refused peer that keeps its half of the connection open does not keep the server from stopping", async () => {
    const other = await startTestApp();
    const raw = await RawSocket.upgrade(other.port, { headers: { origin: "https://evil.example" } });
    expect(raw.status).toBe(403);
    await other.dispose();
    raw.reset();
  });

  test.each([`http://localhost:5173`, "http://127.0.0.1", "https://[::1]:8443"])(
    "[X5] an open server takes a page of %s",
    async (origin) => {
      const raw = await RawSocket.open(app.port, { headers: { origin } });
      raw.sendText(heartbeat);
      expect(await raw.message(() => true)).toEqual(heartbeatReply);
      raw.reset();
    },
  );
});

describe("refs", () => {
  const odd: [name: string, json: string][] = [
    ["an object", "{}"],
    ["an array", "[]"],
    ["true", "true"],
    ["1e400", "1e400"],
    ["a fraction", "1.5"],
    ["2^53 + 1", "9007199254740993"],
    ["10,000 characters", JSON.stringify("r".repeat(10_000))],
    ["256 bytes", JSON.stringify("ă".repeat(128))],
  ];

  test.each(odd)("[L4] W-12 closes 1011 for a ref or a join_ref that is %s", async (_name, json) => {
    expect(await codesFor(frame(`[null,${json},"phoenix","heartbeat",{}]`))).toEqual([1011, 1011]);
    expect(await codesFor(frame(`[${json},"1","${topic}","phx_join",{}]`))).toEqual([1011, 1011]);
  });

  test.each<unknown>(["1", "", "ă\u0000", "__proto__", "r".repeat(255), null, 7, 0, -3, Number.MAX_SAFE_INTEGER])(
    "[W5] W-12 echoes the ref %j as it is",
    async (ref) => {
      const raw = await RawSocket.open(app.port);
      raw.sendJson([ref, ref, topic, "phx_join", { userId: "mallory" }]);
      expect(await raw.message(() => true)).toMatchObject([ref, ref, topic, "phx_reply", { status: "ok" }]);
      raw.sendJson([ref, ref, topic, "no_such_event", {}]);
      expect(await raw.message((message) => JSON.stringify(message).includes("unknown_event"))).toMatchObject([
        ref,
        ref,
        topic,
        "phx_reply",
        { status: "error" },
      ]);
      raw.reset();
    },
  );
});
