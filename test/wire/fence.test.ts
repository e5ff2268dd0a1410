import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Channel, ok, type SocketHandle } from "../../server/bennu.js";
import { Fences } from "../../server/transports/fences.js";
import { frame, opcode, RawSocket, type ReceivedFrame } from "../support/raw-socket.js";
import { serveEndpoint, type Served } from "../support/served-endpoint.js";
import { until } from "../support/until.js";

const topic = "room:1";

let served: Served;
let sockets: SocketHandle[];
let taken: string[];

class Room extends Channel {
  override join(payload: unknown) {
    sockets.push(this.socket);
    if (payload === "early") this.socket.fence(() => taken.push("early"));
    return ok();
  }

  override handleIn(event: string) {
    this.push(event, {});
    this.socket.fence(() => taken.push(event));
  }
}

beforeEach(async () => {
  sockets = [];
  taken = [];
  served = await serveEndpoint({ channels: { "room:*": Room } });
});

afterEach(() => served.close());

describe("[T13] what was sent has been taken", () => {
  test("when the pong to the ping behind it comes; one ping is outstanding, what is asked meanwhile waits", async () => {
    const client = await RawSocket.upgrade(served.port, { path: "/socket/websocket?vsn=2.0.0" });
    say(client, "1", "phx_join");
    for (const event of ["one", "two", "three"]) say(client, "2", event);
    const first = await nextPing(client);
    // The first ping is behind what it was asked for, and there is no other.
    const sent = client.frames.map(({ opcode: code, payload }) => (code === opcode.ping ? "ping" : eventOf(payload)));
    expect(sent.indexOf("ping")).toBeGreaterThan(sent.indexOf("one"));
    say(client, null, "heartbeat", "phoenix");
    await client.message((message) => (message as unknown[])[2] === "phoenix");
    expect([pings(client), taken]).toEqual([1, []]);
    client.write(frame(first.payload, { opcode: opcode.pong }));
    await until("the second ping", () => pings(client) === 2);
    expect(taken).toEqual(["one"]);
    client.write(frame("something else", { opcode: opcode.pong }));
    client.write(frame(first.payload, { opcode: opcode.pong }));
    await until("the others are told", () => taken.length === 3);
    expect([taken, pings(client)]).toEqual([["one", "two", "three"], 2]);
    client.reset();
  });

  test("what is asked during a join is asked behind its reply", async () => {
    const client = await RawSocket.upgrade(served.port, { path: "/socket/websocket?vsn=2.0.0" });
    say(client, "1", "phx_join", topic, "early");
    const ping = await nextPing(client);
    expect(client.frames.map(({ opcode: code }) => code)).toEqual([opcode.text, opcode.ping]);
    client.write(frame(ping.payload, { opcode: opcode.pong }));
    await until("it is told", () => taken.length === 1);
    client.reset();
  });

  test("at the end of the connection nobody is told, and nothing is asked of one that has ended", async () => {
    const client = await RawSocket.upgrade(served.port, { path: "/socket/websocket?vsn=2.0.0" });
    say(client, "1", "phx_join");
    say(client, "2", "one");
    await nextPing(client);
    client.reset();
    await until("it is gone", () => served.endpoint.socketCount === 0);
    sockets[0]!.fence(() => taken.push("late"));
    expect(taken).toEqual([]);
  });

  test("a pong keeps nobody alive", async () => {
    await served.close();
    served = await serveEndpoint({ channels: { "room:*": Room }, websocket: { idleTimeoutMs: 1000 } });
    const client = await RawSocket.upgrade(served.port, { path: "/socket/websocket?vsn=2.0.0" });
    const timer = setInterval(() => client.write(frame("fence", { opcode: opcode.pong })), 100);
    await until("it is closed", () => client.frames.some(({ opcode: code }) => code === opcode.close));
    clearInterval(timer);
    client.reset();
  });
});

test("[T13] [O-13] of those who wait so many are kept, the latest", () => {
  const fences = new Fences();
  const told: number[] = [];
  for (let index = 0; index < 1000; index += 1) fences.add(() => told.push(index));
  expect(fences.answered()).toBe(true);
  expect(fences.answered()).toBe(false);
  expect([told.length, told[0], told.at(-1)]).toEqual([257, 0, 999]);
});

function say(client: RawSocket, ref: string | null, event: string, on = topic, payload: unknown = {}): void {
  const joinRef = on === "phoenix" ? null : "1";
  client.write(frame(JSON.stringify([joinRef, ref ?? "9", on, event, payload])));
}

function nextPing(client: RawSocket): Promise<ReceivedFrame> {
  return until("a ping", () => client.frames.find(({ opcode: code }) => code === opcode.ping));
}

function eventOf(payload: Buffer): unknown {
  return (JSON.parse(payload.toString()) as unknown[])[3];
}

function pings({ frames }: RawSocket): number {
  return frames.filter(({ opcode: code }) => code === opcode.ping).length;
}
