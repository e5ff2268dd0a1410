import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { TokenReason } from "bennu/client";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { Telemetry } from "../../server/telemetry.js";
import { ClientSeats, connected } from "../support/client-seats.js";
import { FakeClock } from "../support/fake-clock.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";
import { until } from "../support/until.js";

const businessId = "B0100001";
const minute = 60_000;

let clock: FakeClock;
let telemetry: Telemetry<DeskEvents>;
let app: TestApp;
let seats: ClientSeats;
let asked: TokenReason[];

beforeEach(async () => {
  clock = new FakeClock();
  asked = [];
  telemetry = new Telemetry<DeskEvents>(() => undefined);
  app = await startTestApp({ AUTH_SECRET: secret, IDLE_TIMEOUT_MS: "0" }, { clock, telemetry });
  seats = new ClientSeats(businessId, () => app.url);
});

afterEach(async () => {
  await seats.leaveAll();
  await app.dispose();
});

async function anasToken(reason: TokenReason): Promise<string> {
  const exp = (clock.now() + 10 * minute) / 1000;
  const token = await tokenOf({ sub: "ana", role: "user", businessId, iat: clock.now() / 1000, exp });
  asked.push(reason);
  return token;
}

test("[X9] a token is renewed in place before it ends, and nothing is noticed of it", async () => {
  const chat = await seats.online({ token: anasToken });
  const states: string[] = [];
  chat.onStatus(({ state }) => states.push(state));
  for (let renewals = 1; renewals <= 3; renewals += 1) {
    clock.advance(9 * minute);
    await until("the renewal", () => asked.length === renewals + 1);
    // Behind the renewal, on the same line.
    await expect(chat.cancel("nothing")).rejects.toMatchObject({ code: "not_found" });
  }
  await expect(chat.send("still here")).resolves.toMatchObject({ offset: 1 });
  expect(asked).toEqual(["connect", "expiring", "expiring", "expiring"]);
  expect(states).toEqual([]);
});

test("[X9] a token that could not be renewed in time is asked for again, and the chat goes on", async () => {
  let isDown = false;
  const token = (reason: TokenReason) => {
    if (!isDown) return anasToken(reason);
    asked.push(reason);
    throw new Error("the issuer is down");
  };
  const chat = await seats.online({ token });
  const errors: string[] = [];
  chat.onError(({ code }) => errors.push(code));
  isDown = true;
  clock.advance(9 * minute);
  await until("some tries", () => asked.length > 2);
  // Past its end and the time of grace.
  clock.advance(2 * minute);
  await until("the end", () => chat.status.state !== "online");
  isDown = false;
  await until("the return", () => chat.status.state === "online");
  await expect(chat.send("here again")).resolves.toMatchObject({ offset: 1 });
  expect(new Set(errors)).toEqual(new Set(["token_unavailable"]));
});

test("[X9] what is written while a token is late is not refused: it goes out with the new one, once", async () => {
  const refused: string[] = [];
  telemetry.attach("message.refused", ({ code }) => refused.push(code));
  const nothing = () => undefined;
  let renew: () => void = nothing;
  const token = async (reason: TokenReason) => {
    if (reason === "expiring") await new Promise<void>((done) => (renew = done));
    return anasToken(reason);
  };
  const chat = await seats.online({ token });
  const states: string[] = [];
  chat.onStatus(({ state }) => states.push(state));
  clock.advance(9 * minute);
  await until("it is told to renew it", () => renew !== nothing);
  clock.advance(minute + 5000);
  const sent = Promise.all([chat.send("one"), chat.send("two")]);
  await until("the refusal", () => refused.length > 0);
  expect(chat.messages.map(({ state }) => state)).toEqual(["sending", "sending"]);
  renew();
  await expect(sent).resolves.toMatchObject([{ offset: 1 }, expect.anything()]);
  expect(refused).toEqual(["token_expired"]);
  expect(states).toEqual([]);
});

test("[X9] where it comes later than the time of grace, what was written goes out after the return", async () => {
  let isDown = false;
  const chat = await seats.online({
    token: (reason) => (isDown ? Promise.reject(new Error("the issuer is down")) : anasToken(reason)),
  });
  isDown = true;
  clock.advance(10 * minute);
  const refused: string[] = [];
  telemetry.attach("message.refused", ({ code }) => refused.push(code));
  const sent = chat.send("hello");
  await until("the refusal", () => refused.includes("token_expired"));
  clock.advance(minute);
  await until("the end", () => chat.status.state !== "online");
  isDown = false;
  await expect(sent).resolves.toMatchObject({ offset: 1 });
  expect(chat.messages.filter(({ from }) => from === "user")).toHaveLength(1);
});

test("[X4] a first token that cannot be had is asked for until it can, and what was written waits for it", async () => {
  let failures = 3;
  const token = (reason: TokenReason) => {
    if (failures === 0) return anasToken(reason);
    failures -= 1;
    throw new Error("not yet");
  };
  const chat = seats.chat({ token });
  const sent = chat.send("hello");
  await connected(chat);
  await expect(sent).resolves.toMatchObject({ offset: 1 });
  expect(failures).toBe(0);
});

test("[X4] one that the server would not have is told from one that is missing", async () => {
  const reasons: TokenReason[] = [];
  const chat = seats.chat({
    token: (reason) => {
      reasons.push(reason);
      return reason === "refused" ? anasToken(reason) : "no.such.token";
    },
  });
  await connected(chat);
  expect(reasons[0]).toBe("connect");
  expect(reasons).toContain("refused");
});
