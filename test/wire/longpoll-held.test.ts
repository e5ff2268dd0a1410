import { afterEach, describe, expect, test } from "@jest/globals";
import { Channel, type EndpointOptions, type LongPollOptions, type MountOptions, ok } from "../../server/bennu.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask } from "../support/plain-http.js";
import { RawHttp, serveEndpoint } from "../support/served-endpoint.js";
import { until } from "../support/until.js";

const path = "/socket/longpoll?vsn=2.0.0";
const invented = `${path}&token=${"A".repeat(32)}`;
const heartbeat = '[null,"1","phoenix","heartbeat",{}]';

const cleanups: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

class SlowRoom extends Channel {
  override async join() {
    await new Promise(() => undefined);
    return ok();
  }
}

async function serve(longpoll: Partial<LongPollOptions> = {}, mount: Partial<MountOptions> = {}) {
  const clock = new FakeClock();
  const addressOf: EndpointOptions["addressOf"] = ({ headers }) => (headers["x-from"] as string | undefined) ?? null;
  let requests = 0;
  const served = await serveEndpoint(
    { longpoll, ...mount },
    { clock, addressOf },
    (endpoint) => (request, response) => {
      requests += 1;
      endpoint.handle(request, response);
    },
  );
  cleanups.push(() => served.close());
  const post = (token: string, body: string) => {
    const answer = ask(served, `${path}&token=${token}`, { method: "POST", body });
    // One that a test which fails leaves behind ends with its server.
    answer.catch(() => undefined);
    return answer;
  };
  const open = async () => (JSON.parse((await ask(served, path)).text) as { readonly token: string }).token;
  return { ...served, clock, post, open, requestCount: () => requests };
}

const statusIn = ({ text }: { readonly text: string }) => (JSON.parse(text) as { readonly status: number }).status;

describe("[L23] long-poll requests whose session there is not", () => {
  test.each(["GET", "POST"])(
    "are held one a connection, however many %s are pipelined, and go with it",
    async (method) => {
      const { port, clock, endpoint, requestCount } = await serve();
      const connection = new RawHttp(port);
      connection.write(`${method} ${invented} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`.repeat(50));
      await until("all 50", () => requestCount() === 50);
      await until("those that are not held", () => method === "POST" || endpoint.socketCount === 49);
      // One that is held, and the sessions that the others were given.
      expect(clock.timerCount).toBe(1 + endpoint.socketCount);
      connection.destroy();
      await until("its end", () => clock.timerCount === endpoint.socketCount);
      clock.advance(2000);
      expect(endpoint.socketCount).toBe(method === "POST" ? 0 : 49);
    },
  );

  test("are answered in their order, when the one that is held is", async () => {
    const { port, clock, requestCount } = await serve();
    const connection = new RawHttp(port);
    cleanups.push(() => connection.destroy());
    connection.write(`POST ${invented} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`.repeat(3));
    await until("all of them", () => requestCount() === 3);
    expect(connection.text).toBe("");
    clock.advance(2000);
    await until("three answers", () => connection.text.split('{"status":410}').length === 4);
  });

  test("are held in numbers: the rest is answered at once", async () => {
    const served = await serve({ maxHeldRequests: 3, maxHeldPerAddress: 2 });
    const { clock } = served;
    const asking = (from: string) =>
      ask(served, invented, { method: "POST", headers: { "x-from": from }, body: heartbeat });
    const held = [asking("192.0.2.1"), asking("192.0.2.1")];
    await until("both wait", () => clock.timerCount === 2);
    expect(statusIn(await asking("192.0.2.1"))).toBe(410);
    held.push(asking("192.0.2.2"));
    await until("the third waits", () => clock.timerCount === 3);
    expect(statusIn(await asking("192.0.2.3"))).toBe(410);
    clock.advance(2000);
    expect((await Promise.all(held)).map(statusIn)).toEqual([410, 410, 410]);
    expect(clock.timerCount).toBe(0);
  });

  test("[T7] of which one that opens another is given it at once, then", async () => {
    const served = await serve({ maxHeldRequests: 0 });
    const { text } = await ask(served, invented);
    expect(JSON.parse(text)).toMatchObject({ status: 410, messages: [] });
    expect(served.endpoint.socketCount).toBe(1);
  });

  test("[T8] a POST that ended its session counts among them until the end of the window", async () => {
    const { clock, post, open, endpoint } = await serve({ maxHeldRequests: 1 });
    const [first, second] = [await open(), await open()];
    const held = post(first, "oops");
    await until("its session ends", () => endpoint.socketCount === 1);
    expect(statusIn(await post(second, "oops"))).toBe(408);
    expect(clock.timerCount).toBe(1);
    let isAnswered = false;
    void held.then(() => (isAnswered = true));
    clock.advance(9999);
    // Whoever asks after it is told at once, too.
    expect(statusIn(await post(second, heartbeat))).toBe(410);
    expect(isAnswered).toBe(false);
    clock.advance(1);
    expect(statusIn(await held)).toBe(408);
  });
});

test("[L23] of one session no more POSTs are under way than its limit", async () => {
  const { clock, post, open, endpoint } = await serve({ maxPosts: 2 }, { channels: { "room:*": SlowRoom } });
  const token = await open();
  const join = post(token, '["1","1","room:1","phx_join",{}]');
  const waiting = post(token, heartbeat);
  // The end of the session, and the windows of both.
  await until("both wait", () => clock.timerCount === 3);
  expect(statusIn(await post(token, heartbeat))).toBe(408);
  clock.advance(10_000);
  expect([await join, await waiting].map(statusIn)).toEqual([408, 408]);
  const next = post(token, heartbeat);
  await until("there is room again", () => clock.timerCount === 2);
  endpoint.terminate();
  await until("it is held", () => clock.timerCount > 1);
  clock.advance(10_000);
  expect(statusIn(await next)).toBe(408);
});
