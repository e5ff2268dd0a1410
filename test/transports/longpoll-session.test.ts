import { describe, expect, test } from "@jest/globals";
import { Channel, ok, PubSub, Telemetry } from "../../server/bennu.js";
import { v2 } from "../../protocol/v2.js";
import { phoenixLimits } from "../../server/channel/limits.js";
import { Topics } from "../../server/channel/topics.js";
import { LongPollSession } from "../../server/transports/longpoll-session.js";
import { defaultLongPoll, type LongPollOptions } from "../../server/transports/mount.js";
import { FakeClock } from "../support/fake-clock.js";

const topic = "room:1";
const windowMs = 1000;

class Room extends Channel {
  static release: () => void = () => undefined;
  static ended = 0;

  override async join(payload: unknown) {
    if ((payload as { slow?: boolean }).slow === true) {
      await new Promise<void>((resolve) => (Room.release = resolve));
    }
    return ok();
  }

  override handleIn(_event: string, payload: unknown) {
    return ok(payload);
  }

  override terminate() {
    Room.ended += 1;
  }
}

function open(more: Partial<LongPollOptions> = {}, limits = {}) {
  const clock = new FakeClock();
  const pubsub = new PubSub();
  const closed: number[] = [];
  const session = new LongPollSession({
    token: "t",
    authToken: null,
    options: { ...defaultLongPoll, windowMs, ...more },
    maxBodyBytes: defaultLongPoll.maxBodyBytes,
    clock,
    context: {
      mount: "/socket",
      topics: new Topics({ "room:*": Room }),
      limits: { ...phoenixLimits, ...limits },
      pubsub,
      telemetry: new Telemetry(),
      clock,
    },
    serializer: v2,
    identity: { id: "user:1", assigns: {} },
    onError: (cause) => expect(cause).toBeUndefined(),
    onClosed: (_session, code) => void closed.push(code),
  });
  return { clock, pubsub, closed, session };
}

const text = (message: unknown) => ({ isText: true, bytes: Buffer.from(JSON.stringify(message)) });
const join = (payload: unknown = {}) => text(["1", "1", topic, "phx_join", payload]);
const push = (ref: string, payload: unknown = {}) => text(["1", ref, topic, "echo", payload]);

/** A poll that remembers how it was answered. */
function poll(session: LongPollSession) {
  const answers: unknown[][] = [];
  const giveUp = session.poll(
    (frames) => void answers.push(frames.map((frame) => JSON.parse(frame as string) as unknown)),
  );
  return { answers, giveUp };
}

/** Lets what is to be written at the end of this turn be written. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("LongPollSession", () => {
  test("[T13] what a poll took is known to be taken when the next one comes, and not before", async () => {
    const { session } = open();
    await session.receive(join());
    const told: string[] = [];
    session.socket.fence(() => told.push("one"));
    expect([poll(session).answers.length, told]).toEqual([1, []]);
    const waiting = poll(session);
    expect(told).toEqual(["one"]);
    await session.receive(push("2"));
    session.socket.fence(() => told.push("two"));
    await turn();
    expect([waiting.answers.length, told]).toEqual([1, ["one"]]);
    poll(session);
    expect(told).toEqual(["one", "two"]);
    session.socket.fence(() => told.push("three"));
    session.close(1012, "");
    poll(session);
    expect(told).toEqual(["one", "two"]);
  });

  test("[T7] a poll gets what is unread at once, and nothing of it twice", async () => {
    const { session } = open();
    expect(await session.receive(join())).toBe("taken");
    expect(await session.receive(push("2"))).toBe("taken");
    expect(poll(session).answers[0]).toHaveLength(2);
    expect(poll(session).answers).toEqual([]);
  });

  test("[T7] a poll that waits gets all that is sent in one turn, in one answer", async () => {
    const { session, pubsub } = open();
    await session.receive(join());
    poll(session);
    const { answers } = poll(session);
    pubsub.broadcast(topic, "news", { n: 1 });
    pubsub.broadcast(topic, "news", { n: 2 });
    expect(answers).toEqual([]);
    await turn();
    expect(answers).toEqual([
      [
        [null, null, topic, "news", { n: 1 }],
        [null, null, topic, "news", { n: 2 }],
      ],
    ]);
  });

  test("[T7] a poll for which nothing comes is answered with nothing at the end of the window", () => {
    const { session, clock } = open();
    const { answers } = poll(session);
    clock.advance(windowMs - 1);
    expect(answers).toEqual([]);
    clock.advance(1);
    expect(answers).toEqual([[]]);
  });

  test("[T7] of two polls the later gets what comes, and the first waits for its window", async () => {
    const { session, clock, pubsub } = open();
    await session.receive(join());
    session.poll(() => undefined);
    const first = poll(session);
    const second = poll(session);
    pubsub.broadcast(topic, "news", {});
    await turn();
    expect(second.answers).toHaveLength(1);
    expect(first.answers).toEqual([]);
    clock.advance(windowMs);
    expect(first.answers).toEqual([[]]);
  });

  test("[T7] of three polls the first is answered with nothing", () => {
    const { session } = open();
    const polls = [poll(session), poll(session), poll(session)];
    expect(polls.map(({ answers }) => answers)).toEqual([[[]], [], []]);
  });

  test("[T7] what comes after a poll was given up waits for the next", async () => {
    const { session, pubsub } = open();
    await session.receive(join());
    session.poll(() => undefined);
    const gone = poll(session);
    gone.giveUp();
    pubsub.broadcast(topic, "news", {});
    await turn();
    expect(gone.answers).toEqual([]);
    expect(poll(session).answers[0]).toHaveLength(1);
  });

  test("[T9] a session that nobody polls for one and a half windows ends", () => {
    const { session, clock, closed } = open();
    clock.advance(windowMs * 1.5 - 1);
    expect(closed).toEqual([]);
    const { answers } = poll(session);
    clock.advance(windowMs);
    expect(answers).toEqual([[]]);
    clock.advance(windowMs * 1.5 - 1);
    expect(closed).toEqual([]);
    clock.advance(1);
    expect(closed).toEqual([1002]);
    expect(clock.timerCount).toBe(0);
  });

  test("[T-05] [T9] a session is not ended for the time in which we stood still: the poll that came meanwhile is read", () => {
    const { session, clock, closed } = open();
    clock.skip(windowMs * 10);
    clock.advance(0);
    const { answers } = poll(session);
    clock.advance(windowMs);
    expect([answers, closed]).toEqual([[[]], []]);
    clock.skip(windowMs * 10);
    clock.advance(0);
    expect(closed).toEqual([]);
    clock.advance(windowMs);
    expect(closed).toEqual([1002]);
  });

  test("[T9] a poll that was given up does not keep the session", () => {
    const { session, clock, closed } = open();
    poll(session).giveUp();
    clock.advance(windowMs * 1.5);
    expect(closed).toEqual([1002]);
  });

  test("[C9] the end of a session ends its channels, subscriptions and timers", async () => {
    const { session, pubsub, clock, closed } = open();
    await session.receive(join());
    const before = Room.ended;
    session.close(1012, "");
    session.close(1001, "");
    expect(closed).toEqual([1012]);
    expect(Room.ended).toBe(before + 1);
    expect(pubsub.topicCount).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  test("[T9] polls that wait are answered when the session ends", () => {
    const { session, pubsub, closed } = open();
    const polls = [poll(session), poll(session)];
    pubsub.broadcast("user:1", "disconnect", {});
    expect(polls.map(({ answers }) => answers)).toEqual([[[]], [[]]]);
    expect(closed).toEqual([1001]);
  });

  test("[T10] a session whose client does not read enough ends", async () => {
    const { session, pubsub, closed } = open({ maxBufferBytes: 200 });
    await session.receive(join());
    pubsub.broadcast(topic, "news", { text: "x".repeat(60) });
    expect(closed).toEqual([]);
    pubsub.broadcast(topic, "news", { text: "x".repeat(60) });
    expect(closed).toEqual([1013]);
  });

  test("[T10] a client that reads takes any number of bytes in one turn", async () => {
    const { session, pubsub, closed } = open({ maxBufferBytes: 200 });
    await session.receive(join());
    poll(session);
    const { answers } = poll(session);
    pubsub.broadcast(topic, "news", { text: "x".repeat(100) });
    pubsub.broadcast(topic, "news", { text: "x".repeat(100) });
    expect(answers).toHaveLength(1);
    expect(closed).toEqual([]);
  });

  test("[R8] a message is acknowledged when no join holds it up any more", async () => {
    const { session } = open();
    const acknowledged: string[] = [];
    const joined = session.receive(join({ slow: true })).then((taking) => acknowledged.push(`join ${taking}`));
    const pushed = session.receive(push("2")).then((taking) => acknowledged.push(`push ${taking}`));
    await turn();
    expect(acknowledged).toEqual([]);
    Room.release();
    await Promise.all([joined, pushed]);
    expect(acknowledged).toEqual(["join taken", "push taken"]);
    expect(poll(session).answers[0]).toHaveLength(2);
  });

  test("[T8] a join that takes longer than the window is not acknowledged, but answered by poll", async () => {
    const { session, clock } = open();
    const { answers } = poll(session);
    const received = session.receive(join({ slow: true }));
    clock.advance(windowMs);
    expect(await received).toBe("late");
    expect(answers).toEqual([[]]);
    const later = poll(session);
    Room.release();
    await turn();
    await turn();
    expect(later.answers).toEqual([[["1", "1", topic, "phx_reply", { status: "ok", response: {} }]]]);
  });

  test.each([
    ["text that is no message", { isText: true, bytes: Buffer.from("{") }],
    ["text that is not UTF-8", { isText: true, bytes: Buffer.from([0x5b, 0xff, 0x5d]) }],
    [
      "a text with a byte order mark",
      { isText: true, bytes: Buffer.from('\ufeff[null,null,"phoenix","heartbeat",{}]') },
    ],
    ["an empty binary frame", { isText: false, bytes: Buffer.alloc(0) }],
  ])("[W7] %s ends the session, and nobody waits for it any more", async (_name, entry) => {
    const { session, clock, closed } = open();
    expect([await session.receive(entry), closed, clock.timerCount]).toEqual(["ended", [1011], 0]);
    expect([await session.readable(), await session.receive(push("3")), clock.timerCount]).toEqual([
      "ended",
      "ended",
      0,
    ]);
  });

  test("[T8] a session that ends keeps no timer of those who waited to be read", async () => {
    const { session, clock } = open({}, { maxWaitingFrames: 1 });
    void session.receive(join({ slow: true }));
    const waiting = [session.receive(push("2")), session.readable(), session.readable()];
    session.close(1012, "");
    expect(await Promise.all(waiting)).toEqual(["ended", "ended", "ended"]);
    clock.advance(60_000);
    expect(clock.timerCount).toBe(0);
  });

  test("[L9] nothing is read while a join holds up too much", async () => {
    const { session, clock } = open({}, { maxWaitingFrames: 2 });
    void session.receive(join({ slow: true }));
    void session.receive(push("2"));
    expect(await session.readable()).toBe("taken");
    void session.receive(push("3"));
    const tooLong = session.readable();
    clock.advance(windowMs);
    expect(await tooLong).toBe("late");
    const soon = session.readable();
    Room.release();
    expect(await soon).toBe("taken");
  });
});
