import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { connectPhoenix, disconnected, settled } from "../support/phoenix.js";
import { TestServer } from "../support/server-process.js";
import { secret, tokenOf } from "../support/tokens.js";
import { until } from "../support/until.js";

const businessId = "B0100001";
const topic = `messages:${businessId}`;
const lifeSeconds = 4;
const graceMs = 25_000;

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.create({ AUTH_SECRET: secret });
  await server.start();
}, 300_000);

afterAll(() => server.dispose());

// In real time, with a real client: what the others of its kind show with a clock that is turned.
test("[X-12] [X9] a token that ends while its socket is open, and one that is renewed", async () => {
  const exp = Math.floor(Date.now() / 1000) + lifeSeconds;
  const [short, renewed] = [await join("ana", exp), await join("ana", exp)];
  const longer = await tokenOf({ sub: "ana", role: "user", businessId, exp: exp + 3600 });
  await until("both are told at once that it ends soon", () => short.told.length > 0 && renewed.told.length > 0);
  expect(short.told).toEqual([["token_expiring", { expiresAt: new Date(exp * 1000).toISOString() }]]);
  expect((await short.say("in time")).offset).toBe(1);
  await settled(renewed.channel.push("access_token", { token: longer }));

  await until("its end", () => Date.now() >= exp * 1000);
  await expect(short.say("too late")).rejects.toThrow('"code":"token_expired"');
  const { offset } = await renewed.say("with the new one");
  await until("the one that was renewed is answered", () => renewed.answers.length === 2);
  expect([offset, renewed.answers, short.answers]).toEqual([3, ["in time", "with the new one"], ["in time"]]);

  // phx_error, then a rejoin with the old token, which is refused for good.
  await until("it is closed", () => short.state() === "closed", graceMs + 10_000);
  const lateMs = short.erroredAt() - (exp * 1000 + graceMs);
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(5000);
  expect([renewed.state(), (await renewed.say("still here")).duplicate]).toEqual(["joined", undefined]);
  for (const { socket } of [short, renewed]) await disconnected(socket);
}, 300_000);

async function join(sub: string, exp: number) {
  const token = await tokenOf({ sub, role: "user", businessId, exp });
  const socket = await connectPhoenix("1.8.16", server.url, { token });
  const channel = socket.channel(topic, {});
  const told: [string, unknown][] = [];
  const answers: unknown[] = [];
  let erroredAt = 0;
  channel.onMessage = (event, payload) => {
    if (event === "token_expiring") told.push([event, payload]);
    if (event === "new_message") answers.push((payload as { readonly message: unknown }).message);
    if (event === "phx_error") erroredAt = Date.now();
    return payload;
  };
  await settled(channel.join());
  const say = (message: string) =>
    settled(channel.push("new_message", { businessId, userId: sub, locationId: "default", message }));
  const state = () => (channel as unknown as { readonly state: string }).state;
  return { socket, channel, told, answers, say, state, erroredAt: () => erroredAt };
}
