import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { defaultBusiness } from "../../server/messaging/business.js";
import { createDispatch, type Dispatch } from "../../server/messaging/dispatch.js";
import { after, append } from "../../server/messaging/head.js";
import type { Outbound } from "../../server/messaging/outbound.js";
import type { Line, Taken } from "../../server/messaging/platforms.js";
import { StoreError } from "../../server/messaging/store.js";
import { Telemetry } from "../../server/telemetry.js";
import { openEmbeddedUnderTest } from "../support/embedded-under-test.js";
import { FakeClock } from "../support/fake-clock.js";
import { headOf } from "../support/heads.js";
import { interceptedStore, soon } from "../support/intercepted-store.js";
import { until } from "../support/until.js";

const idle: Outbound = { platform: "webhook", isOn: true, sent: 0, pieces: 0, due: 0, sender: null };

let under: Awaited<ReturnType<typeof openEmbeddedUnderTest>>;
let clock: FakeClock;
let dispatch: Dispatch;
/** What is being sent, until it is answered. */
let sending: { readonly text: string; readonly answer: (taken: Taken) => void; readonly signal: AbortSignal }[];
let sent: string[];

beforeEach(async () => {
  under = await openEmbeddedUnderTest();
  clock = new FakeClock();
  sending = [];
  sent = [];
});

afterEach(async () => {
  const stopped = dispatch.stop(0);
  clock.advance(1);
  await stopped;
  await under.dispose();
});

const line: Line = {
  piecesOf: ({ content }) => [content],
  send: ({ text }, signal) =>
    new Promise((resolve, reject) => {
      sent.push(text);
      sending.push({ text, answer: resolve, signal });
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    }),
};

function start({ store = under.store, gone = [] as readonly string[] } = {}): void {
  dispatch = createDispatch({
    ...{ store, clock, telemetry: new Telemetry<DeskEvents>(() => undefined), node: "us" },
    nodes: { isGone: (node) => gone.includes(node) },
    platforms: { lineOf: () => line },
    businessOf: (businessId) => defaultBusiness(businessId, "UTC"),
    onTaken: () => undefined,
    random: () => 0,
  });
}

/** A session in which something is to be sent. */
async function unsent(sessionId: string, texts: readonly string[], outbound: Partial<Outbound> = {}): Promise<void> {
  await under.store.createHead(headOf({ session: { sessionId }, outbound: { ...idle, ...outbound } }));
  for (const content of texts) {
    await under.store.changeSession(sessionId, (head) => {
      const metadata = { source: "webhook" } as const;
      const said = { messageId: `${sessionId}-${content}`, userId: "agent", content, type: "agent", metadata } as const;
      const stored = append(head, clock.now(), said);
      return { result: null, head: after(head, stored, {}), messages: [stored] };
    });
  }
}

const taken: Taken = { kind: "taken" };
const nowSending = (count: number) => until(`${count} are being sent`, () => sending.length >= count && sending);
const outboundOf = async (sessionId: string) => (await under.store.readHead(sessionId))!.outbound;

/** @param ms that pass meanwhile, again and again */
async function untilSent(sessionId: string, offset: number, ms = 100): Promise<void> {
  let found: Outbound | undefined;
  await until(`${offset} is noted`, () => {
    void outboundOf(sessionId).then((outbound) => (found = outbound));
    clock.advance(ms);
    return found?.sent === offset;
  });
}

/** A store in which those changes fail that are named by their number, from 1. */
function failing(isFailing: (change: number) => boolean, retryable = true) {
  const seen = { changes: 0 };
  const store = interceptedStore(under.store, (name, _given, call) => {
    if (name === "changeSession" && isFailing((seen.changes += 1)))
      return Promise.reject(new StoreError("changing a session", { retryable }));
    return call();
  });
  return { store, seen };
}

test("[M111] what has left is noted again until that is written, and does not leave again", async () => {
  await unsent("s1", ["one", "two"]);
  // The first change claims it.
  start(failing((change) => change === 2 || change === 3));
  dispatch.wake("s1");
  (await nowSending(1))[0]!.answer(taken);
  await until("two is being sent", () => {
    clock.advance(100);
    return sending.length > 1;
  });
  sending[1]!.answer(taken);
  await untilSent("s1", 2);
  expect(sent).toEqual(["one", "two"]);
  expect((await outboundOf("s1"))!.sender).toBeNull();
});

test("[M111] who cannot write sends nothing, also what was theirs to send", async () => {
  await unsent("s1", ["one"], { sender: "us" });
  const failed = failing(() => true, false);
  start(failed);
  dispatch.wake("s1");
  await until("it has tried to", () => failed.seen.changes > 0);
  await soon();
  expect(sent).toEqual([]);
});

test("[M111] what another sends is left alone, and taken over once that one is gone", async () => {
  await unsent("s1", ["one"], { sender: "other" });
  await unsent("s2", ["two"], { sender: "gone" });
  start({ gone: ["gone"] });
  dispatch.wake("s1");
  dispatch.wake("s2");
  (await nowSending(1))[0]!.answer(taken);
  await untilSent("s2", 1);
  expect(sent).toEqual(["two"]);
  expect(await outboundOf("s1")).toMatchObject({ sender: "other", sent: 0 });
});

test("[M111] what is said while something is being sent leaves after it, and is not sent beside it", async () => {
  await unsent("s1", ["one"]);
  start();
  dispatch.wake("s1");
  await nowSending(1);
  await under.store.changeSession("s1", (head) => {
    const said = { messageId: "m2", userId: "agent", content: "two", type: "agent", metadata: { source: "webhook" } };
    const stored = append(head, clock.now(), said as Parameters<typeof append>[2]);
    return { result: null, head: after(head, stored, {}), messages: [stored] };
  });
  for (let wakes = 0; wakes < 3; wakes += 1) dispatch.wake("s1");
  sending[0]!.answer(taken);
  (await nowSending(2))[1]!.answer(taken);
  await untilSent("s1", 2);
  expect(sent).toEqual(["one", "two"]);
});

test("[M112] 16 are sent at once, and the others when there is room", async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `s${index}`);
  for (const id of ids) await unsent(id, [`of ${id}`]);
  let read = 0;
  const store = interceptedStore(under.store, async (name, _given, call) => {
    const result = await call();
    read += Number(name === "readMessages");
    return result;
  });
  start({ store });
  for (const id of ids) dispatch.wake(id);
  await until("all have what they send", () => read === ids.length);
  await soon();
  expect(sending).toHaveLength(16);
  for (const { answer } of sending.slice(0, 4)) answer(taken);
  await nowSending(20);
  for (const { answer } of sending.slice(4)) answer(taken);
  for (const id of ids) await untilSent(id, 1);
  expect(sent.toSorted()).toEqual(ids.map((id) => `of ${id}`).toSorted());
});

test("[M111] a server that stops waits a moment for what is being sent, and leaves the rest to the next", async () => {
  for (const id of ["s1", "s2"]) await unsent(id, [`one of ${id}`, `two of ${id}`]);
  start();
  dispatch.wake("s1");
  await nowSending(1);
  dispatch.wake("s2");
  await nowSending(2);
  const stopped = dispatch.stop(3000);
  dispatch.wake("s3");
  sending[0]!.answer(taken);
  await untilSent("s1", 1, 0);
  clock.advance(3000);
  await stopped;
  expect([sending[1]!.signal.aborted, sent]).toEqual([true, ["one of s1", "one of s2"]]);
  expect(await outboundOf("s2")).toMatchObject({ sent: 0 });
});

test.each([2_147_484, 9_007_199_254_740])(
  "[M112] a platform that asks for %i s is not asked again at once, and in a day what it did not take is too old",
  async (seconds) => {
    await unsent("s1", ["one"]);
    start();
    dispatch.wake("s1");
    await until("it is being sent", () => sending.length === 1);
    sending[0]!.answer({ kind: "failed", code: "http_429", retryAfterMs: seconds * 1000 });
    await soon();
    clock.advance(23 * 60 * 60_000);
    await soon();
    expect(sent).toEqual(["one"]);
    clock.advance(2 * 60 * 60_000);
    const isGivenUp = async () => (await under.store.readHead("s1"))?.outbound?.sent !== 0;
    while (!(await isGivenUp())) await soon();
    expect(sent).toEqual(["one"]);
  },
);
