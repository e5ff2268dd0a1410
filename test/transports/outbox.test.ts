import { describe, expect, test } from "@jest/globals";
import { Frame } from "../../protocol/frame.js";
import { Batch, type Flushable, flushSoon } from "../../server/transports/outbox.js";
import { webSocketFrame } from "../../server/transports/websocket-frame.js";
import { settle } from "../support/scripted-channel.js";

const frames = ["a", "bb", "ccc"].map((text) => new Frame(text));
const [a, b, c] = frames as [Frame, Frame, Frame];
const joined = (...parts: readonly Frame[]) => Buffer.concat(parts.map(({ data }) => webSocketFrame(data)));
const batchOf = (...parts: readonly Frame[]) => parts.reduce((batch, frame) => batch.append(frame), Batch.empty);

describe("Batch", () => {
  test.each([[[a]], [[a, b]], [[b, a]], [[a, b, c]], [[c, b, a, a, c]]])(
    "[R9] holds its frames in the order of the calls, case %#",
    (parts) => {
      const batch = batchOf(...parts);
      expect(Buffer.from(batch.bytes())).toEqual(joined(...parts));
      expect(batch.length).toBe(joined(...parts).length);
    },
  );

  test("[R9] the same frames in the same order are one buffer for all", () => {
    const [one, other] = [batchOf(a, b, c), batchOf(a, b, c)];
    expect(other).toBe(one);
    expect(other.bytes()).toBe(one.bytes());
  });

  test("[R9] a frame alone is the bytes of the frame, not a copy", () => {
    expect(batchOf(a).bytes()).toBe(a.wire);
    expect(batchOf(a).bytes()).toBe(batchOf(a).bytes());
  });

  test("[R9] connections that part ways after a common beginning keep their own order", () => {
    const common = batchOf(a, b);
    const [one, other] = [common.append(c), common.append(a)];
    expect(Buffer.from(one.bytes())).toEqual(joined(a, b, c));
    expect(Buffer.from(other.bytes())).toEqual(joined(a, b, a));
    expect(Buffer.from(common.bytes())).toEqual(joined(a, b));
    // Only the latest branch is shared: the one before is built again, with the same bytes.
    expect(Buffer.from(common.append(c).bytes())).toEqual(joined(a, b, c));
  });

  test("[R9] three connections with interleaved frames of their own", () => {
    const own = [new Frame("1"), new Frame("2"), new Frame("3")];
    let batches = own.map(() => Batch.empty);
    batches = batches.map((batch) => batch.append(a));
    batches = batches.map((batch, index) => (index === 1 ? batch.append(own[1]!) : batch));
    batches = batches.map((batch) => batch.append(b));
    batches = batches.map((batch, index) => (index === 2 ? batch.append(own[2]!) : batch));
    batches = batches.map((batch) => batch.append(c));
    expect(batches.map((batch) => Buffer.from(batch.bytes()))).toEqual([
      joined(a, b, c),
      joined(a, own[1]!, b, c),
      joined(a, b, own[2]!, c),
    ]);
  });

  test("[R9] the same text in another frame is another frame", () => {
    const twin = new Frame("a");
    const [one, other] = [Batch.empty.append(a), Batch.empty.append(twin)];
    expect(other).not.toBe(one);
    expect(Buffer.from(other.bytes())).toEqual(Buffer.from(one.bytes()));
  });

  test("[R9] bytes asked for early do not change when more follows", () => {
    const begun = batchOf(a, b);
    const early = begun.bytes();
    const whole = begun.append(c);
    expect(Buffer.from(whole.bytes())).toEqual(joined(a, b, c));
    expect(begun.bytes()).toBe(early);
    expect(Buffer.from(early)).toEqual(joined(a, b));
  });

  test("[R9] an empty frame has its place", () => {
    const nothing = new Frame("");
    expect(Buffer.from(batchOf(nothing, a, nothing).bytes())).toEqual(joined(nothing, a, nothing));
  });

  test("[R9] 10,000 frames of text and bytes in one batch", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => new Frame(n % 2 === 0 ? `ț${n}` : Uint8Array.of(n % 256)));
    expect(Buffer.from(batchOf(...many).bytes()).equals(joined(...many))).toBe(true);
  });

  test("[R9] what is forgotten is built anew", () => {
    const before = Batch.empty.append(a);
    Batch.empty.forget();
    const after = Batch.empty.append(a);
    expect(after).not.toBe(before);
    expect(after.bytes()).toBe(before.bytes());
  });
});

describe("flushSoon", () => {
  test("[R9] flushes at the end of the turn, in the order of the calls, once", async () => {
    const log: string[] = [];
    const connection = (name: string): Flushable => ({ flush: () => log.push(name) });
    flushSoon(connection("a"));
    flushSoon(connection("b"));
    await Promise.resolve();
    expect(log).toEqual([]);
    await settle();
    expect(log).toEqual(["a", "b"]);
    await settle();
    expect(log).toEqual(["a", "b"]);
  });

  test("[R9] what asks while others are flushed has its turn in the next", async () => {
    const log: string[] = [];
    flushSoon({
      flush: () => {
        log.push("a");
        flushSoon({ flush: () => log.push("c") });
      },
    });
    flushSoon({ flush: () => log.push("b") });
    while (log.length < 3) await settle();
    expect(log).toEqual(["a", "b", "c"]);
  });
});
