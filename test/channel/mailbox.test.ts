import { expect, test } from "@jest/globals";
import { Mailbox } from "../../server/channel/mailbox.js";
import { deferred, settle } from "../support/scripted-channel.js";

/** A mailbox of numbers; the odd ones wait until they are told. */
function recorder(): {
  readonly mailbox: Mailbox<number>;
  readonly log: string[];
  readonly finish: (item: number) => Promise<void>;
} {
  const log: string[] = [];
  const gates = new Map<number, () => void>();
  const mailbox = new Mailbox<number>({
    run: (item) => {
      log.push(`start ${item}`);
      if (item % 2 === 0) return;
      const gate = deferred();
      gates.set(item, () => gate.resolve());
      return gate.promise.then(() => void log.push(`end ${item}`));
    },
    idle: () => log.push("idle"),
  });
  const finish = (item: number) => {
    gates.get(item)!();
    return settle();
  };
  return { mailbox, log, finish };
}

test("[C1] an item whose work ends at once is run at once", () => {
  const { mailbox, log } = recorder();
  mailbox.post(2);
  mailbox.post(4);
  expect(log).toEqual(["start 2", "start 4"]);
  expect(mailbox.length).toBe(0);
});

test("[C1] items that wait and items that do not run one at a time, in the order of arrival", async () => {
  const { mailbox, log, finish } = recorder();
  for (const item of [2, 1, 4, 3, 6, 8, 5]) mailbox.post(item);
  expect(log).toEqual(["start 2", "start 1"]);
  expect(mailbox.length).toBe(5);
  await finish(1);
  expect(log.slice(2)).toEqual(["end 1", "start 4", "start 3"]);
  await finish(3);
  expect(log.slice(5)).toEqual(["end 3", "start 6", "start 8", "start 5"]);
  expect(mailbox.length).toBe(0);
  await finish(5);
  expect(log.slice(9)).toEqual(["end 5", "idle"]);
});

test("[C1] what is posted while another waits comes after it, even when it would end at once", async () => {
  const { mailbox, log, finish } = recorder();
  mailbox.post(1);
  await settle();
  mailbox.post(2);
  await settle();
  expect(log).toEqual(["start 1"]);
  await finish(1);
  mailbox.post(4);
  expect(log).toEqual(["start 1", "end 1", "start 2", "idle", "start 4"]);
});

test("[C1] an item that posts others does not run them inside itself", () => {
  const log: string[] = [];
  const mailbox: Mailbox<number> = new Mailbox({
    run: (item) => {
      log.push(`start ${item}`);
      if (item < 3) {
        mailbox.post(item + 1);
        mailbox.post(item + 10);
      }
      log.push(`end ${item}`);
    },
    idle: () => log.push("idle"),
  });
  mailbox.post(1);
  const order = [1, 2, 11, 3, 12];
  expect(log).toEqual([...order.flatMap((item) => [`start ${item}`, `end ${item}`]), "idle"]);
});

test("[C1] a chain of 100,000 items that each post the next keeps the stack flat", () => {
  let last = 0;
  const mailbox: Mailbox<number> = new Mailbox({
    run: (item) => {
      last = item;
      if (item < 100_000) mailbox.post(item + 1);
    },
    idle: () => undefined,
  });
  mailbox.post(1);
  expect(last).toBe(100_000);
});

test("[C1] 100,000 items that wait for one keep the stack flat", async () => {
  const gate = deferred();
  let sum = 0;
  const mailbox = new Mailbox<number>({
    run: (item) => {
      sum += 1;
      if (item === 0) return gate.promise;
    },
    idle: () => undefined,
  });
  for (let item = 0; item < 100_000; item += 1) mailbox.post(item);
  gate.resolve();
  await settle();
  expect(sum).toBe(100_000);
});

test("[R7] a closed mailbox forgets what waits and takes nothing", async () => {
  const { mailbox, log, finish } = recorder();
  mailbox.post(1);
  mailbox.post(2);
  mailbox.close();
  mailbox.post(4);
  expect(mailbox.length).toBe(0);
  await finish(1);
  mailbox.post(6);
  expect(log).toEqual(["start 1", "end 1", "idle"]);
});

test("[R7] an item may close its own mailbox", () => {
  const log: number[] = [];
  const mailbox: Mailbox<number> = new Mailbox({
    run: (item) => {
      log.push(item);
      mailbox.post(item + 1);
      mailbox.close();
    },
    idle: () => undefined,
  });
  mailbox.post(1);
  mailbox.post(5);
  expect(log).toEqual([1]);
});

test("[L9] tells when nothing waits any more, after something has", async () => {
  const { mailbox, log, finish } = recorder();
  mailbox.post(2);
  expect(log).not.toContain("idle");
  mailbox.post(1);
  mailbox.post(3);
  await finish(1);
  expect(log).not.toContain("idle");
  await finish(3);
  expect(log.filter((entry) => entry === "idle")).toHaveLength(1);
});
