import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { ChatError, ProcessedTurn, ReadReceipt } from "bennu/client";
import { WebSocket } from "ws";
import { error, ok } from "../../server/bennu.js";
import { ClientSeats } from "../support/client-seats.js";
import { type Payload, ScriptedDesk } from "../support/scripted-desk.js";
import { until } from "../support/until.js";

let desk: ScriptedDesk;
let seats: ClientSeats;

beforeEach(async () => {
  desk = new ScriptedDesk();
  const url = await desk.start();
  seats = new ClientSeats("B1", () => url.replace("ws", "http").replace(/\/socket$/, ""));
  desk.onJoin = () => ok({ role: "coordinator", connectionId: "socket", activeSessions: 3, cursor: "c1" });
  desk.onPush = (_event, { sessionId }) => ok({ session: { sessionId } });
});

afterEach(async () => {
  await seats.leaveAll();
  await desk.stop();
});

const events = () => desk.pushes.map(({ event, payload }) => `${event} ${String(payload.sessionId)}`);
const turn = (n: number): Payload => ({ cursor: `c${n}`, messageId: `m${n}`, sessionId: "s1" });

test("[M12] joins as a coordinator, and tells which socket it is and how many sessions are active", async () => {
  const console = await seats.consoleOnline();
  expect(desk.joins).toEqual([{ role: "coordinator" }]);
  expect(console.status).toEqual({ state: "online", activeSessions: 3 });
  expect([console.connectionId, console.cursor]).toEqual(["socket", "c1"]);
});

test("[M37] what was watched is watched again after a lost connection, and what is not there any more is not", async () => {
  const console = await seats.consoleOnline();
  const errors: ChatError[] = [];
  console.on("error", (cause) => errors.push(cause));
  for (const sessionId of ["s1", "s2", "s3"]) await console.watch(sessionId);
  await console.unwatch("s2");
  desk.onPush = (_event, { sessionId }) =>
    sessionId === "s3" ? error({ code: "session_not_found" }) : ok({ session: { sessionId } });
  desk.pushes.splice(0);
  desk.breakConnections();
  await until("both were asked for", () => desk.pushes.length === 2 && errors.length === 1);
  expect(events()).toEqual(["watch s1", "watch s3"]);
  desk.pushes.splice(0);
  desk.breakConnections();
  await until("one was asked for", () => desk.pushes.length === 1);
  await console.note("s1", "after it");
  expect(events()).toEqual(["watch s1", "note s1"]);
});

test("[M37] while the connection is lost it is tried at once when somebody wants it, however long the next try is away", async () => {
  let isAway = false;
  class Line extends WebSocket {
    constructor(url: string) {
      super(isAway ? "ws://127.0.0.1:1/" : url);
    }
  }
  const console = await seats.consoleOnline({ transport: Line, reconnectAfterMs: () => 86_400_000 });
  const states: string[] = [];
  console.on("status", ({ state }) => states.push(state));
  await console.watch("s1");
  isAway = true;
  desk.breakConnections();
  await until("it is lost", () => states.length === 1);
  console.connect();
  // While it is at that, another one changes nothing.
  console.connect();
  await until("it has failed", () => states.length === 3);
  isAway = false;
  console.connect();
  await until("it is online", () => states.length === 5);
  expect(states).toEqual(["offline", "connecting", "offline", "connecting", "online"]);
  await until("it is watched again", () => events().length === 2);
  expect(events()).toEqual(["watch s1", "watch s1"]);
  expect(desk.joins).toHaveLength(2);
});

test("[M37] who leaves while it is tried has left", async () => {
  const console = await seats.consoleOnline({ reconnectAfterMs: () => 86_400_000 });
  const states: string[] = [];
  console.on("status", ({ state }) => states.push(state));
  // The channel is lost and its socket is not: that is closed first.
  desk.line!.stop(new Error("it crashes"));
  await until("it is lost", () => states.length === 1);
  console.connect();
  await console.leave();
  await seats.consoleOnline();
  expect(states).toEqual(["offline", "connecting", "left"]);
  expect(desk.joins).toHaveLength(2);
});

test("[M12] a replay that breaks off is replayed again, and what came of it is told once", async () => {
  const console = await seats.consoleOnline();
  const told: string[] = [];
  console.on("processed", ({ messageId }: ProcessedTurn) => told.push(messageId));
  desk.line!.push("message_processed", turn(2));
  await until("the first", () => told.length === 1);
  // The replay breaks off after its first, and a new one has come already.
  desk.onPush = () => undefined;
  desk.onJoin = (_payload, line) => {
    queueMicrotask(() => [2, 9, 3].forEach((n) => line.push("message_processed", turn(n))));
    return ok({ cursor: "c9" });
  };
  desk.breakConnections();
  await until("what came", () => told.length === 3);
  desk.onPush = (_event, { sessionId }) => ok({ session: { sessionId } });
  desk.onJoin = (_payload, line) => {
    queueMicrotask(() => [2, 3, 4, 9].forEach((n) => line.push("message_processed", turn(n))));
    return ok({ cursor: "c9" });
  };
  desk.breakConnections();
  await until("the rest", () => told.length === 4);
  expect(told).toEqual(["m2", "m9", "m3", "m4"]);
  expect(desk.joins.map(({ resume }) => resume)).toEqual([undefined, { cursor: "c2" }, { cursor: "c2" }]);
  await until("the cursor moves on", () => console.cursor === "c9");
});

test("[M29] of receipts the highest marks count", async () => {
  const console = await seats.consoleOnline();
  const receipts: ReadReceipt[] = [];
  console.on("receipt", (receipt) => receipts.push(receipt));
  for (const [delivered, read] of [
    [3, 1],
    [2, 2],
    [1, 1],
    [4, 0],
  ])
    // prettier-ignore
    desk.line!.push("receipt", { sessionId: "s1", userId: "ana", delivered, read });
  await until("the last", () => receipts.at(-1)?.delivered === 4);
  expect(receipts.map(({ delivered, read }) => [delivered, read])).toEqual([[3, 1], [3, 2], [4, 2]]); // prettier-ignore
});
