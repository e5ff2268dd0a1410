import { describe, expect, test } from "@jest/globals";
import { type Idle, IdleSweep } from "../../server/transports/idle.js";
import { FakeClock } from "../support/fake-clock.js";

/** A connection that leaves the sweep when it is found idle, and says when. */
class Connection implements Idle {
  heardAt = -1;
  readonly idleAt: number[] = [];

  constructor(
    readonly clock: FakeClock,
    readonly sweep: IdleSweep,
  ) {
    sweep.add(this);
  }

  hear(): void {
    this.heardAt = this.sweep.current;
  }

  idle(): void {
    this.idleAt.push(this.clock.monotonic());
    this.sweep.remove(this);
  }
}

function start(timeoutMs: number): { clock: FakeClock; sweep: IdleSweep; connect: () => Connection } {
  const clock = new FakeClock();
  const sweep = new IdleSweep(clock, timeoutMs);
  return { clock, sweep, connect: () => new Connection(clock, sweep) };
}

describe("a silent peer", () => {
  test.each([150, 1500, 15_000, 60_000, 90_000])(
    "[T6] [L7] is closed after %i ms, and a tenth at most",
    (timeoutMs) => {
      const { clock, connect } = start(timeoutMs);
      const connection = connect();
      clock.advance(timeoutMs);
      expect(connection.idleAt).toEqual([]);
      clock.advance(timeoutMs * 0.1);
      expect(connection.idleAt).toHaveLength(1);
    },
  );

  test("[T6] C-18 counts from the last that was heard, whenever between two sweeps that was", () => {
    for (const moment of [0, 1, 250, 500, 999, 1000, 1001]) {
      const { clock, connect } = start(60_000);
      const connection = connect();
      clock.advance(30_000 + moment);
      connection.hear();
      const heardAt = clock.monotonic();
      clock.advance(70_000);
      expect(connection.idleAt[0]! - heardAt).toBeGreaterThanOrEqual(60_000);
      expect(connection.idleAt[0]! - heardAt).toBeLessThanOrEqual(66_000);
    }
  });

  test("[T6] one that joins in the middle has the whole time", () => {
    const { clock, connect } = start(60_000);
    connect();
    clock.advance(59_500);
    const late = connect();
    clock.advance(60_000);
    expect(late.idleAt).toEqual([]);
    clock.advance(6000);
    expect(late.idleAt).toHaveLength(1);
  });
});

test("[T6] C-18 a peer that is heard often enough stays", () => {
  const { clock, connect } = start(60_000);
  const [good, silent] = [connect(), connect()];
  for (let minute = 0; minute < 60; minute += 1) {
    clock.advance(59_000);
    good.hear();
  }
  expect([good.idleAt.length, silent.idleAt.length]).toEqual([0, 1]);
});

test("[T6] a jump of the wall clock closes nobody", () => {
  const { clock, connect } = start(60_000);
  const connection = connect();
  clock.jumpTo(clock.now() + 3_600_000);
  clock.advance(1000);
  expect(connection.idleAt).toEqual([]);
});

test("[L7] 0 never closes", () => {
  const { clock, connect } = start(0);
  const connection = connect();
  clock.advance(24 * 60 * 60 * 1000);
  expect(connection.idleAt).toEqual([]);
});

test("[C9] one timer serves all connections, and none stays when they are gone", () => {
  const { clock, sweep, connect } = start(60_000);
  expect(clock.timerCount).toBe(0);
  const connections = Array.from({ length: 1000 }, connect);
  expect(clock.timerCount).toBe(1);
  for (const connection of connections) sweep.remove(connection);
  expect(clock.timerCount).toBe(0);
  const again = connect();
  expect(clock.timerCount).toBe(1);
  clock.advance(66_000);
  expect([again.idleAt.length, clock.timerCount]).toEqual([1, 0]);
});

test("[C9] one that is removed is not closed, and may be removed again", () => {
  const { clock, sweep, connect } = start(60_000);
  const connection = connect();
  sweep.remove(connection);
  sweep.remove(connection);
  clock.advance(120_000);
  expect(connection.idleAt).toEqual([]);
});
