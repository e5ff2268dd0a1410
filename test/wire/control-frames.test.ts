import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { FakeClock } from "../support/fake-clock.js";
import { frame, opcode, RawSocket } from "../support/raw-socket.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";
import { unhurried, Witness } from "../support/witness.js";

const peers = 500;
const flood = 10_000;
const pingsMax = 100;
const ping = frame(Buffer.alloc(125, "p"), { opcode: opcode.ping });
const pings = (count: number) => Buffer.concat(Array.from({ length: count }, () => ping));
const pongsOf = ({ frames }: RawSocket) => frames.filter((received) => received.opcode === opcode.pong);

let app: TestApp;
let clock: FakeClock;
let witness: Witness;

beforeAll(async () => {
  clock = new FakeClock();
  app = await startTestApp({ ...unhurried, IDLE_TIMEOUT_MS: "0" }, { clock });
  witness = await Witness.of(app);
});

afterEach(async () => {
  await until("the sockets to be gone", () => app.endpoint.socketCount === 1);
  await witness.seesNoHarm();
});

afterAll(() => app.dispose());

/** How many sockets the metrics say went without an answer to our close frame. */
async function unanswered(): Promise<number> {
  const text = await (await fetch(app.metricsUrl!)).text();
  return Number(/^bennu_sockets_closed_total\{code="1006"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

test(`[W11] W-18 ${peers} peers that never answer our close frame are disconnected after a while, and counted`, async () => {
  const before = await unanswered();
  const raws: RawSocket[] = [];
  for (let index = 0; index < peers; index += 1) raws.push(await RawSocket.open(app.port));
  for (const raw of raws) raw.sendText("{oops");
  for (const raw of raws) await until("the end", () => raw.ended);
  expect(raws.map(({ closeCodes }) => closeCodes)).toEqual(raws.map(() => [1011]));
  await until("the sockets to be gone", () => app.endpoint.socketCount === 1);
  expect((await unanswered()) - before).toBe(peers);
});

test(`[L31] W-19 of ${flood} pings of one who reads nothing as many are answered as may be in a second, and then it is closed`, async () => {
  const raw = await RawSocket.open(app.port);
  raw.pause();
  raw.write(pings(flood));
  await until("the server to have closed it", () => app.endpoint.socketCount === 1);
  raw.resume();
  expect(await raw.closeCode()).toBe(1008);
  await until("the end", () => raw.ended);
  // ws has answered the one that was too many, too. All that ever waited to be sent are these.
  expect(pongsOf(raw)).toHaveLength(pingsMax + 1);
  expect(pongsOf(raw)[0]!.payload).toHaveLength(125);
});

test("[L31] W-19 so many a second are answered, second after second", async () => {
  const raw = await RawSocket.open(app.port);
  for (let second = 1; second <= 3; second += 1) {
    raw.write(pings(pingsMax));
    await until("the answers", () => pongsOf(raw).length === second * pingsMax);
    clock.advance(1000);
  }
  raw.write(pings(pingsMax));
  await until("the answers", () => pongsOf(raw).length === 4 * pingsMax);
  clock.advance(999);
  raw.write(ping);
  expect(await raw.closeCode()).toBe(1008);
  await raw.finish();
});
