import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { Holds } from "../../server/transports/holds.js";
import { FakeClock } from "../support/fake-clock.js";

class Connection extends EventEmitter {
  destroyed = false;

  constructor(readonly remoteAddress: string) {
    super();
  }

  close(): void {
    this.destroyed = true;
    this.emit("close");
  }

  get request(): IncomingMessage {
    return { socket: this } as never;
  }
}

function holding(max: number, perAddress: number) {
  const clock = new FakeClock();
  const addressOf = ({ socket }: IncomingMessage) => socket.remoteAddress ?? null;
  const holds = new Holds({ clock, max, perAddress: { max: perAddress, addressOf } });
  const answered: string[] = [];
  const ask = (connection: Connection, name: string) =>
    holds.wait(connection.request, 2000).then(() => void answered.push(name));
  return { clock, holds, answered, ask };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("[L23] requests without a session", () => {
  test("wait their time, one a connection: the rest is answered at once", async () => {
    const { clock, holds, answered, ask } = holding(10, 10);
    const connection = new Connection("192.0.2.1");
    const waiting = ask(connection, "first");
    await Promise.all([ask(connection, "second"), ask(connection, "third")]);
    expect([answered, holds.size, clock.timerCount]).toEqual([["second", "third"], 1, 1]);
    clock.advance(1999);
    await turn();
    expect(answered).toHaveLength(2);
    clock.advance(1);
    await waiting;
    expect([answered.at(-1), holds.size, connection.listenerCount("close")]).toEqual(["first", 0, 0]);
    void ask(connection, "again");
    expect(holds.size).toBe(1);
  });

  test("wait in numbers that have a limit, and of each address another one", async () => {
    const { clock, holds, answered, ask } = holding(3, 2);
    const from = (address: string) => new Connection(address);
    const waiting = [ask(from("192.0.2.1"), "a"), ask(from("192.0.2.1"), "b")];
    await ask(from("192.0.2.1"), "one more of the address");
    waiting.push(ask(from("192.0.2.2"), "c"));
    await ask(from("192.0.2.3"), "one more of all");
    expect([answered, holds.size]).toEqual([["one more of the address", "one more of all"], 3]);
    clock.advance(2000);
    await Promise.all(waiting);
    expect([holds.size, clock.timerCount]).toEqual([0, 0]);
    void ask(from("192.0.2.1"), "a");
    expect(holds.size).toBe(1);
  });

  test("wait no longer than their connection, and leave no timer behind", async () => {
    const { clock, holds, answered, ask } = holding(1, 1);
    const connection = new Connection("192.0.2.1");
    const waiting = ask(connection, "gone");
    connection.close();
    await waiting;
    expect([answered, holds.size, clock.timerCount]).toEqual([["gone"], 0, 0]);
    await ask(connection, "gone before");
    expect([holds.size, clock.timerCount]).toEqual([0, 0]);
    void ask(new Connection("192.0.2.1"), "next");
    expect(holds.size).toBe(1);
  });

  test("do not wait where none may", async () => {
    const { clock, ask, answered } = holding(0, 0);
    await ask(new Connection("192.0.2.1"), "at once");
    expect([answered, clock.timerCount]).toEqual([["at once"], 0]);
  });
});
