import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { LongPollClient } from "../support/longpoll-client.js";
import { RawHttp } from "../support/served-endpoint.js";
import { TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";
import { WireClient } from "../support/wire.js";

const count = 200;
/** Of which there are three kinds. */
const third = Math.ceil(count / 3);
/** Far more than the server gives them, and than Node would by itself give their headers. */
const patience = 120_000;

let server: TestServer;
let connections: RawHttp[];

beforeEach(async () => {
  connections = [];
  server = await TestServer.create();
  await server.start();
});

afterEach(async () => {
  for (const connection of connections) connection.destroy();
  await server.dispose();
});

/** Connections that say the beginning of something, and then a byte a second, until they are answered. */
function open(beginning: string): RawHttp[] {
  const opened = Array.from({ length: third }, () => new RawHttp(Number(new URL(server.url).port)));
  for (const connection of opened) connection.write(beginning);
  connections.push(...opened);
  return opened;
}

test(
  `[H-07] [W-09] [L29] ${count} requests that never end are ended with 408: headers first, then bodies; others are served`,
  async () => {
    const poller = await LongPollClient.open({ port: Number(new URL(server.url).port) });
    const witness = await WireClient.connect(server.url);
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\nx-user-id: ana\r\nx-business-id: B1\r\ncontent-length: 10000\r\n`;
    // Those that have come later are ended earlier.
    const inBody = open(`${head("/api/messages")}content-type: application/json\r\n\r\n[`);
    const inPost = open(`${head(poller.path())}\r\n[`);
    const inHeaders = open(head("/api/messages"));
    const ended: number[] = [];
    const dripping = setInterval(() => {
      for (const connection of connections) connection.write("x");
    }, 1000);
    try {
      const bodies = [...inBody, ...inPost];
      const atHeaders = async () => {
        await until("the headers are given up", () => inHeaders.every(({ isEnded }) => isEnded), patience);
        ended.push(bodies.filter(({ isEnded }) => isEnded).length);
      };
      await atHeaders();
      while (bodies.some(({ isEnded }) => !isEnded)) {
        await witness.heartbeat();
        expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(ended).toEqual([0]);
      for (const { text } of connections) expect(text).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(dripping);
      witness.close();
      poller.close();
    }
  },
  patience,
);
