import { expect, test } from "@jest/globals";
import { endOf, hasArrived, type Words } from "../../../client/console/arrival.js";
import { entriesOf } from "../../../client/console/transcript.js";

const reply: Words = { kind: "reply", message: "On my way" };
const note: Words = { kind: "note", message: "On my way" };
const question = { messageId: "q", type: "user", content: "On my way", offset: 1 };
const earlier = { messageId: "r1", type: "coordinator", content: "On my way", offset: 2 };
const stored = { messageId: "r2", type: "coordinator", content: "On my way", offset: 3 };
const hung = { messageId: "n1", type: "note", content: "On my way", afterOffset: 2 };
const hungEarlier = { messageId: "n0", type: "note", content: "On my way", afterOffset: 1 };

test.each([
  ["a reply that is new", reply, [question], [question, earlier], true],
  ["a reply to nothing", reply, [], [earlier], true],
  ["a note that is new", note, [question, earlier], [question, earlier, hung], true],
  ["a note beside another that says the same", note, [question, earlier, hung], [earlier, hung, { ...hung, messageId: "n2" }], true],
  ["nothing new", reply, [question, earlier], [question, earlier], false],
  ["the same, said before: read again", reply, [question, earlier, stored], [stored], false],
  ["the same, said before: not read until now", reply, [stored], [earlier, stored], false],
  ["the same as a note, before: not read until now", note, [stored], [hungEarlier, stored], false],
  ["other words", reply, [question], [question, { ...earlier, content: "On my way!" }], false],
  ["the customer's words", reply, [], [question], false],
  ["a note where a reply was said", reply, [question, earlier], [question, earlier, hung], false],
  ["a reply where a note was said", note, [question, earlier], [question, earlier, stored], false],
] as const)("[console] [M31] [M51] words whose receipt was lost: %s", (_name, words, before, now, isThere) => {
  expect(hasArrived(words, endOf(entriesOf(before)), entriesOf(now))).toBe(isThere);
}); // prettier-ignore
