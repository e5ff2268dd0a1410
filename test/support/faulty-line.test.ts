import { createServer, type Socket } from "node:net";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { FaultyLine } from "./faulty-line.js";
import { until } from "./until.js";

/** One end of a connection: what it has heard, and whether it knows that the connection is gone. */
class End {
  heard = "";
  isGone = false;

  constructor(readonly socket: Socket) {
    socket.on("data", (bytes) => (this.heard += bytes.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => (this.isGone = true));
  }
}

const served: End[] = [];
const server = createServer((socket) => void served.push(new End(socket)));
let line: FaultyLine;

beforeEach(async () => {
  served.length = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  line = await FaultyLine.to((server.address() as AddressInfo).port);
});

afterEach(async () => {
  await line.close();
  for (const { socket } of served) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test("bytes pass both ways, and each end hears of the other's end", async () => {
  const [client, far] = await connected();
  client.socket.write("up");
  far.socket.write("down");
  await until("both have heard", () => far.heard === "up" && client.heard === "down");
  client.socket.destroy();
  await until("the server knows", () => far.isGone);
});

test("cut: both ends are told", async () => {
  const [client, far] = await connected();
  line.cut();
  await until("both know", () => client.isGone && far.isGone);
  expect(line.connectionCount).toBe(0);
});

test("half-open: the client is told, the server writes into nothing; the next connection is whole", async () => {
  const [client, far] = await connected();
  line.halfOpen();
  await until("the client knows", () => client.isGone);
  far.socket.write("into nothing");
  const [next, nextFar] = await connected();
  nextFar.socket.write("down");
  await until("it is heard", () => next.heard === "down");
  expect([client.heard, far.isGone]).toEqual(["", false]);
});

test("drop-down: nobody is told, what goes up arrives, and it is known when something was dropped", async () => {
  const [client, far] = await connected();
  const dropped = line.dropDown();
  client.socket.write("up");
  await until("it arrives", () => far.heard === "up");
  far.socket.write("down");
  await dropped;
  expect([client.heard, client.isGone, far.isGone]).toEqual(["", false, false]);
});

async function connected(): Promise<[client: End, far: End]> {
  const before = served.length;
  const client = new End(connect(Number(new URL(line.url).port), "127.0.0.1"));
  await until("the server has it", () => served.length > before);
  return [client, served.at(-1)!];
}
