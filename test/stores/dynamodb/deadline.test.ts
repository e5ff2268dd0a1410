import { expect, test } from "@jest/globals";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Head } from "../../../server/messaging/head.js";
import type { LeftOver } from "../../../server/messaging/store.js";
import { createIds } from "../../../server/messaging/ids.js";
import { type Item, Requests } from "../../../server/stores/dynamodb/requests.js";
import { SessionWriter } from "../../../server/stores/dynamodb/session-writer.js";
import { nextHead } from "../../../server/stores/dynamodb/stored-head.js";
import { tableNames } from "../../../server/stores/dynamodb/tables.js";
import type { ProcessedEvent } from "../../../server/messaging/model.js";
import { newHead } from "../../contract/store-acts.js";
import { FakeClock } from "../../support/fake-clock.js";
import { soon } from "../../support/intercepted-store.js";

const names = tableNames("t-");

interface Asked {
  readonly operation: string;
  readonly input: { readonly Item?: Item };
  readonly atMs: number;
  isAborted: boolean;
  answer(output: object): void;
  fail(error: Error): void;
}

/** A DynamoDB that answers only when it is told to, in time that moves only when it is told to. */
class SilentDynamo {
  readonly clock = new FakeClock();
  readonly asked: Asked[] = [];
  readonly requests: Requests;
  readonly told: LeftOver[] = [];
  readonly errors: unknown[] = [];
  readonly writer: SessionWriter;

  constructor() {
    const client = { send: (command: object, options: Options) => this.#ask(command, options) };
    this.requests = new Requests(client as unknown as DynamoDBDocumentClient, this.clock, () => Promise.resolve());
    const ids = createIds(this.clock);
    this.writer = new SessionWriter("s1", {
      ...{ requests: this.requests, names, clock: this.clock },
      ...{ newId: () => ids.random(), newCursor: () => ids.sortable() },
      findMessage: () => Promise.resolve(null),
      readEvent: ({ text }) => Promise.resolve("json" in text ? (JSON.parse(text.json) as ProcessedEvent) : null),
      onLeftOver: (outcome) => this.told.push(outcome),
      onError: (_operation, error) => this.errors.push(error),
    });
  }

  #ask(command: object, { abortSignal }: Options): Promise<object> {
    return new Promise((resolve, reject) => {
      const operation = command.constructor.name.replace("Command", "");
      const { input } = command as { readonly input: Asked["input"] };
      const asked: Asked = {
        ...{ operation, input, atMs: this.clock.monotonic(), isAborted: false },
        ...{ answer: resolve, fail: reject },
      };
      this.asked.push(asked);
      abortSignal.addEventListener("abort", () => {
        asked.isAborted = true;
        reject(Object.assign(new Error("aborted"), { name: "AbortError" }));
      });
    });
  }

  get log(): readonly string[] {
    return this.asked.map(({ operation, atMs }) => `${operation} at ${atMs}`);
  }

  /** Lets time pass, and what follows from it come to its end. */
  async pass(ms: number): Promise<void> {
    await soon();
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left));
      await soon();
    }
  }

  /** When it is refused, or that it is not. */
  change(day: string, event?: ProcessedEvent): { ended: string } {
    const outcome = { ended: "" };
    const changed = this.writer.change(
      (head: Head) => ({ result: null, head: { ...head, day }, ...(event === undefined ? {} : { events: [event] }) }),
      undefined,
    );
    changed.then(
      () => (outcome.ended = `ok at ${this.clock.monotonic()}`),
      (error: Error) => (outcome.ended = `${error.name} at ${this.clock.monotonic()}`),
    );
    return outcome;
  }

  read(): { ended: string } {
    const outcome = { ended: "" };
    this.requests.get(names.records, { id: "1" }).then(
      () => (outcome.ended = `ok at ${this.clock.monotonic()}`),
      (error: Error) => (outcome.ended = `${error.name} at ${this.clock.monotonic()}`),
    );
    return outcome;
  }

  /** The writer knows the head from now on, and DynamoDB says nothing more. */
  async knowHead(): Promise<void> {
    this.writer.observe(nextHead(null, { head: newHead("s1"), pending: [], write: "w0", now: this.clock.now() }));
    const known = this.read();
    await soon();
    this.asked.pop()!.answer({});
    await soon();
    expect(known.ended).toBe("ok at 0");
    await this.pass(1000);
  }
}

interface Options {
  readonly abortSignal: AbortSignal;
}

test("[S-02] a write that is not answered leaves time to find out, and is refused before 5 s in all", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  const change = dynamo.change("2026-03-03");
  await dynamo.pass(5000);
  expect(dynamo.log).toEqual(["Put at 1000", "Get at 4500"]);
  expect(dynamo.asked.map(({ isAborted }) => isAborted)).toEqual([true, true]);
  expect(change.ended).toBe("StoreError at 5800");
});

test("[S-01] [S-02] what is found out in that time counts: it was written", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  const change = dynamo.change("2026-03-03");
  await dynamo.pass(4000);
  dynamo.asked[1]!.answer({ Item: dynamo.asked[0]!.input.Item });
  await dynamo.pass(100);
  expect(change.ended).toBe("ok at 5000");
});

test("[S-02] changes behind it have their time from when they were handed in, and are not tried afterwards", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  const changes = [dynamo.change("2026-03-03")];
  for (let count = 0; count < 4; count += 1) {
    await dynamo.pass(500);
    changes.push(dynamo.change("2026-03-04"));
  }
  await dynamo.pass(20_000);
  for (const [index, { ended }] of changes.entries()) {
    const [name, at] = ended.split(" at ");
    expect(name).toBe("StoreError");
    expect(Number(at)).toBeLessThanOrEqual(1000 + 500 * index + 5000);
  }
  expect(dynamo.log.filter((line) => line.startsWith("Put"))).toEqual(["Put at 1000"]);
});

test("[S-02] what waits behind a write that is slow is refused in time, though that one succeeds", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  const first = dynamo.change("2026-03-03");
  await dynamo.pass(3000);
  const second = dynamo.change("2026-03-04");
  await dynamo.pass(400);
  dynamo.asked[0]!.answer({});
  await dynamo.pass(0);
  expect(first.ended).toBe("ok at 4400");
  await dynamo.pass(5000);
  expect(dynamo.log).toEqual(["Put at 1000", "Put at 4400", "Get at 7900"]);
  expect(second.ended).toBe("StoreError at 8800");
});

test("[S-02] while nothing is answered, what comes is refused at once, but for one probe at a time", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  dynamo.asked.length = 0;
  const first = dynamo.read();
  await dynamo.pass(4800);
  expect(first.ended).toBe("StoreError at 5800");
  const behind = [dynamo.read(), dynamo.read(), dynamo.read()];
  await dynamo.pass(0);
  expect(behind.map(({ ended }) => ended)).toEqual(Array.from({ length: 3 }, () => "StoreError at 5800"));
  expect(dynamo.asked).toHaveLength(1);
  await dynamo.pass(1000);
  const later = [dynamo.read(), dynamo.read()];
  await dynamo.pass(0);
  expect(dynamo.asked).toHaveLength(2);
  expect(later.map(({ ended }) => ended)).toEqual(["", "StoreError at 6800"]);
  // A probe need not wait as long.
  await dynamo.pass(2000);
  expect(later[0]!.ended).toBe("StoreError at 8800");
  await dynamo.pass(1000);
  const probe = dynamo.read();
  await dynamo.pass(0);
  dynamo.asked[2]!.answer({});
  await dynamo.pass(0);
  expect(probe.ended).toBe("ok at 9800");
  expect(dynamo.requests.failure).toBeNull();
  dynamo.read();
  dynamo.read();
  await dynamo.pass(0);
  expect(dynamo.asked).toHaveLength(5);
});

test("[S-02] a write that was not even sent is refused at once: nothing has to be found out", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  dynamo.read();
  await dynamo.pass(4800);
  const change = dynamo.change("2026-03-03");
  await dynamo.pass(0);
  expect(change.ended).toBe("StoreError at 5800");
  expect(dynamo.log).toEqual(["Get at 1000"]);
});

test("[S-02] one request that times out while others are answered is no darkness", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  dynamo.asked.length = 0;
  const slow = dynamo.read();
  await dynamo.pass(4500);
  dynamo.read();
  await dynamo.pass(0);
  dynamo.asked[1]!.answer({});
  await dynamo.pass(300);
  expect(slow.ended).toBe("StoreError at 5800");
  dynamo.read();
  dynamo.read();
  await dynamo.pass(0);
  expect(dynamo.asked).toHaveLength(4);
});

test("[T-05] [S-02] a process that stood still has not found out that nothing is answered", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  dynamo.asked.length = 0;
  const before = dynamo.read();
  await dynamo.pass(1000);
  dynamo.clock.skip(20_000);
  await dynamo.pass(1);
  expect(before.ended).toBe("StoreError at 22001");
  const after = [dynamo.read(), dynamo.read()];
  await dynamo.pass(0);
  expect(dynamo.asked).toHaveLength(3);
  await dynamo.pass(4800);
  expect(after.map(({ ended }) => ended)).toEqual(Array.from({ length: 2 }, () => "StoreError at 26801"));
  dynamo.read();
  await dynamo.pass(0);
  expect(dynamo.asked).toHaveLength(3);
});

test("[S-02] a refusal of DynamoDB's is an answer: what comes next is asked", async () => {
  const dynamo = new SilentDynamo();
  dynamo.asked.length = 0;
  for (let count = 1; count <= 3; count += 1) {
    dynamo.read();
    await dynamo.pass(0);
    expect(dynamo.asked).toHaveLength(count);
    const answer = { name: "ThrottlingException", $metadata: { httpStatusCode: 400 } };
    dynamo.asked.at(-1)!.fail(Object.assign(new Error("slower"), answer));
    await dynamo.pass(1500);
  }
});

test("[M17] an outcome that was refused in the middle of its write, and is written after all, is told as left over", async () => {
  const dynamo = new SilentDynamo();
  await dynamo.knowHead();
  const before = dynamo.change("2026-03-03");
  await dynamo.pass(100);
  const cursor = createIds(dynamo.clock).sortable();
  const refused = dynamo.change("2026-03-04", { businessId: "B1", cursor, messageId: "m1" } as ProcessedEvent);
  await dynamo.pass(2900);
  const beside = dynamo.change("2026-03-05");
  await dynamo.pass(400);
  dynamo.asked[0]!.answer({});
  await dynamo.pass(2500);
  expect(refused.ended).toBe("StoreError at 5900");
  dynamo.asked[1]!.answer({});
  await dynamo.pass(0);
  expect([before.ended, beside.ended]).toEqual(["ok at 4400", "ok at 6900"]);
  expect(dynamo.told).toEqual([]);
  dynamo.asked[2]!.answer({});
  await dynamo.pass(0);
  expect(dynamo.log).toEqual(["Put at 1000", "Put at 4400", "BatchWrite at 6900"]);
  expect(dynamo.told.map(({ event }) => event.messageId)).toEqual(["m1"]);
});
