import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { Channel, Endpoint, type HandleResult, ok, refuse, stop } from "bennu";
import { connect, ConnectRefused, type TestChannel, type TestSocket } from "bennu/testing";

/** Does what the client asks for. */
class Room extends Channel {
  override join(payload: unknown) {
    const { crash } = payload as { crash?: string };
    if (crash !== undefined) throw new Error(crash);
    return ok();
  }

  override handleIn(event: string, payload: unknown): HandleResult {
    if (event === "echo") return ok(payload);
    if (event === "kind") return ok({ kind: payload instanceof Uint8Array ? "bytes" : typeof payload });
    if (event === "push") this.push("said", payload);
    else if (event === "say") this.broadcast("said", payload);
    else if (event === "later") setImmediate(() => this.push("said", payload));
    else if (event === "stop") return stop();
    else if (event !== "silent") throw new Error(`no such thing as ${event}`);
  }
}

const quick = { patienceMs: 20 };

let endpoint: Endpoint;
let socket: TestSocket;
let room: TestChannel;

beforeEach(async () => {
  endpoint = new Endpoint({
    mounts: { "/socket": { channels: { "room:*": Room }, connect: ({ no }) => (no ? refuse(no) : { id: "me" }) } },
  });
  socket = await connect(endpoint, "/socket", {}, quick);
  room = await socket.join("room:1");
});

afterEach(() => endpoint.terminate());

async function failureOf(assertion: Promise<unknown>): Promise<Error> {
  const outcome = await assertion.then(
    () => null,
    (cause: unknown) => cause,
  );
  if (outcome instanceof Error) return outcome;
  throw new Error("the assertion held");
}

describe("why an assertion failed", () => {
  test("the error that a handler threw is its cause", async () => {
    const failure = await failureOf(room.assertReply(room.push("dance"), "ok"));
    expect(failure.message).toContain('"dance" on room:1 crashed: Error: no such thing as dance');
    expect(failure.cause).toEqual(new Error("no such thing as dance"));
  });

  test("so is what another client's handler threw on the same topic", async () => {
    const other = await (await connect(endpoint, "/socket")).join("room:1");
    other.push("dance");
    const { message, cause } = await failureOf(room.assertBroadcast("said"));
    expect(message).toContain("a broadcast of said did not come");
    expect(cause).toEqual(new Error("no such thing as dance"));
  });

  test("a crash of before the join is none", async () => {
    room.push("dance");
    await room.assertPush("phx_error");
    const again = await socket.join("room:1");
    expect(again.crash).toBeUndefined();
    expect((await failureOf(again.assertPush("said"))).cause).toBeUndefined();
  });

  test("a join that crashed says why", async () => {
    const crashed = await socket.join("room:2", { crash: "on purpose" });
    expect(crashed.reply).toEqual({ status: "error", response: { reason: "join crashed" } });
    expect(crashed.crash).toEqual(new Error("on purpose"));
  });

  test("it shows what was expected, and all that came", async () => {
    await room.assertReply(room.push("echo"), "ok");
    room.push("push", { text: "moin" });
    const { message } = await failureOf(room.assertPush("said", { text: "hello" }));
    expect(message).toContain('a push of said with {"text":"hello"} did not come');
    expect(message).toContain('push said {"text":"moin"}');
  });

  test("it says when the event came as a broadcast, or as a push", async () => {
    room.push("say", { text: "hello" });
    expect((await failureOf(room.assertPush("said"))).message).toContain("it came as a broadcast");
    await room.assertBroadcast("said");
    room.push("push", { text: "hello" });
    expect((await failureOf(room.assertBroadcast("said"))).message).toContain("it came as a push");
  });

  test("bytes and other things are readable in it", async () => {
    room.push("push", new Uint8Array([1, 255]));
    const { message } = await failureOf(room.assertPush("said", { a: expect.any(Number) }));
    expect(message).toContain("push said <01 ff>");
    expect(message).toContain('with {"a":Any<Number>}');
  });
});

describe("bytes", () => {
  test.each([
    ["a Uint8Array", new Uint8Array([9, 8])],
    ["a Buffer", Buffer.from([9, 8])],
    ["an ArrayBuffer", new Uint8Array([9, 8]).buffer],
  ])("%s is pushed as bytes", async (_, bytes) => {
    await room.assertReply(room.push("kind", bytes), "ok", { kind: "bytes" });
    const reply = await room.assertReply(room.push("echo", bytes), "ok");
    expect(Buffer.from(reply as Uint8Array)).toEqual(Buffer.from([9, 8]));
  });

  test("are equal whatever their class", async () => {
    for (const expected of [new Uint8Array([9, 8]), Buffer.from([9, 8]), new Uint8Array([9, 8]).buffer]) {
      await room.assertReply(room.push("echo", new Uint8Array([9, 8])), "ok", expected);
    }
    await expect(room.assertReply(room.push("echo", new Uint8Array([9, 8])), "ok", Buffer.from([9]))).rejects.toThrow(
      "the reply to 5 is ok <09 08>, not ok <09>",
    );
    await expect(room.assertReply(room.push("echo", { a: 1 }), "ok", Buffer.from([9]))).rejects.toThrow("not ok");
  });
});

describe("what is expected", () => {
  const payload = { list: [1, { a: 1, b: 2 }], text: "hello", nothing: null };

  test.each([
    [undefined, true],
    [{}, true],
    [{ list: expect.any(Array) }, true],
    [{ list: expect.any(String) }, false],
    [expect.objectContaining({ text: "hello" }), true],
    [{ text: expect.stringMatching(/^he/) }, true],
    [{ list: [expect.any(Number), { a: 1 }] }, true],
    [{ list: [1] }, false],
    [{ list: [1, { a: 2 }] }, false],
    [{ list: [] }, false],
    [{ list: { 0: 1 } }, false],
    [{ nothing: null }, true],
    [{ nothing: {} }, false],
    [{ missing: undefined }, true],
    [{ text: "hell" }, false],
    ["hello", false],
  ])("%j", async (expected, holds) => {
    const reply = room.assertReply(room.push("echo", payload), "ok", expected);
    await (holds ? expect(reply).resolves.toEqual(payload) : expect(reply).rejects.toThrow("the reply to"));
  });
});

describe("patience", () => {
  test("is not jest's, so what does not come fails under a clock that stands still too", async () => {
    jest.useFakeTimers({ doNotFake: ["setImmediate", "queueMicrotask", "nextTick"] });
    try {
      await expect(room.assertPush("never")).rejects.toThrow("did not come");
    } finally {
      jest.useRealTimers();
    }
  });

  test("of one assertion can be longer or shorter than that of its client", async () => {
    const startedAt = performance.now();
    await failureOf(room.assertPush("never", undefined, { patienceMs: 100 }));
    await failureOf(room.assertReply("99", "ok", undefined, { patienceMs: 1 }));
    expect(performance.now() - startedAt).toBeGreaterThan(90);
  });

  test("is a second unless it is said", async () => {
    const patient = await (await connect(endpoint, "/socket")).join("room:1");
    const startedAt = performance.now();
    await failureOf(patient.assertPush("never"));
    expect(performance.now() - startedAt).toBeGreaterThan(900);
  });
});

describe("refute", () => {
  test("throws when it has come", async () => {
    room.push("say", { text: "hello" });
    expect(() => room.refute("said", { text: "hello" })).toThrow('unexpected broadcast said {"text":"hello"}');
    room.refute("said", { text: "moin" });
    await room.assertBroadcast("said");
    room.refute("said");
  });

  test("waits as long as it is told to", async () => {
    room.push("later", { text: "hello" });
    room.refute("said");
    await expect(room.refuteWithin(1000, "said", { text: "hello" })).rejects.toThrow("unexpected push said");
    await room.refuteWithin(10, "said", { text: "moin" });
    expect(room.received.map(({ event }) => event)).toEqual(["phx_reply", "said"]);
  });
});

test("all that came can be looked at, whoever has asserted it", async () => {
  const other = await socket.join("room:2");
  await room.assertReply(room.push("echo", { n: 1 }), "ok");
  room.push("say", { n: 2 });
  other.push("say", { n: 3 });
  expect(room.received.map(({ kind, event, payload }) => [kind, event, payload])).toEqual([
    ["reply", "phx_reply", {}],
    ["reply", "phx_reply", { n: 1 }],
    ["broadcast", "said", { n: 2 }],
  ]);
  expect(socket.received).toHaveLength(5);
});

describe("the endpoint knows of a client without a network", () => {
  test("counts it, closes it when it drains, and refuses the next one", async () => {
    expect(endpoint.socketCount).toBe(1);
    await endpoint.drain();
    expect([socket.closeCode, endpoint.socketCount]).toEqual([1012, 0]);
    await expect(connect(endpoint, "/socket")).rejects.toThrow(ConnectRefused);
  });

  test("ends it when it terminates", () => {
    endpoint.terminate();
    expect([socket.closeCode, endpoint.socketCount, endpoint.pubsub.topicCount]).toEqual([1006, 0, 0]);
  });

  test("lets in no more than it has room for", async () => {
    const small = new Endpoint({ mounts: { "/socket": { channels: { "room:*": Room } } }, maxSockets: 1 });
    const first = await connect(small, "/socket");
    await expect(connect(small, "/socket")).rejects.toThrow("the connection to /socket was refused: 503");
    first.close();
    first.close();
    await connect(small, "/socket");
    small.terminate();
  });

  test("[C10] tells of it as of any other", async () => {
    const events: unknown[] = [];
    for (const name of ["socket_connected", "socket_refused", "socket_closed"] as const)
      endpoint.telemetry.attach(name, ({ transport }) => void events.push([name, transport]));
    (await connect(endpoint, "/socket")).close();
    await failureOf(connect(endpoint, "/socket", { no: "not you" }));
    expect(events).toEqual([
      ["socket_connected", "test"],
      ["socket_closed", "test"],
      ["socket_refused", "test"],
    ]);
  });

  test("a refusal says its reason", async () => {
    const refused = (await failureOf(connect(endpoint, "/socket", { no: "not you" }))) as ConnectRefused;
    expect(refused.reason).toBe("not you");
    expect(refused.message).toBe('the connection to /socket was refused: "not you"');
  });

  test("what connect throws is thrown", async () => {
    const failing = new Endpoint({
      mounts: {
        "/socket": {
          channels: { "room:*": Room },
          connect: () => {
            throw new Error("no database");
          },
        },
      },
    });
    await expect(connect(failing, "/socket")).rejects.toThrow("no database");
    expect(failing.socketCount).toBe(0);
    await expect(connect(failing, "/sockets")).rejects.toThrow("there is no mount /sockets; there are /socket");
  });
});

describe("a closed socket", () => {
  test("says so at once, to whoever waits and to whoever comes after", async () => {
    const waiting = failureOf(room.assertPush("never", undefined, { patienceMs: 10_000 }));
    room.push("push", { text: "before" });
    endpoint.broadcast("me", "disconnect", {});
    expect((await waiting).message).toContain("a push of never did not come: the socket was closed with 1001");
    await room.assertPush("said", { text: "before" });
    expect(() => room.push("echo")).toThrow("the socket was closed with 1001");
    await expect(socket.join("room:2")).rejects.toThrow("the socket was closed with 1001");
    expect((await failureOf(room.assertPush("never", undefined, { patienceMs: 10_000 }))).message).toContain("1001");
  });

  test("also when the client closed it", async () => {
    socket.close();
    expect([socket.closeCode, endpoint.socketCount]).toEqual([null, 0]);
    await expect(socket.join("room:2")).rejects.toThrow("the socket was closed by its client");
  });
});
