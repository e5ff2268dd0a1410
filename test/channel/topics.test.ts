import { expect, test } from "@jest/globals";
import type { Channel } from "../../server/channel/channel.js";
import { Topics } from "../../server/channel/topics.js";

const factories = { lobby: factory(), "room:*": factory(), "room:vip": factory(), "*:x": factory(), "a*b*": factory() };
const topics = new Topics(factories);

function factory(): () => Channel {
  return () => {
    throw new Error("never made");
  };
}

test.each<[topic: unknown, pattern: keyof typeof factories | null]>([
  ["lobby", "lobby"],
  ["lobby:1", null],
  ["Lobby", null],
  ["room:1", "room:*"],
  ["room:", "room:*"],
  ["room:1:2", "room:*"],
  ["room:*", "room:*"],
  ["room:\n", "room:*"],
  ["room", null],
  [" room:1", null],
  // The first pattern that matches wins.
  ["room:vip", "room:*"],
  // A star means something only at the end.
  ["*:x", "*:x"],
  ["y:x", null],
  ["a*bc", "a*b*"],
  ["aabc", null],
  ["", null],
  ["__proto__", null],
  ["constructor", null],
  [null, null],
  [undefined, null],
  [5, null],
  [["lobby"], null],
  [{ toString: () => "lobby" }, null],
])("[R2] the topic %j is for %s", (topic, pattern) => {
  expect(topics.match(topic)).toBe(pattern === null ? null : factories[pattern]);
});

test("[R2] a star alone takes every topic, and no pattern takes none", () => {
  const every = factory();
  expect(new Topics({ "*": every }).match("")).toBe(every);
  expect(new Topics({}).match("lobby")).toBeNull();
});
