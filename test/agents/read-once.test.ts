import { expect, test } from "@jest/globals";
import { readInSlices, readOnce } from "../../server/agents/assistant/read-once.js";
import { type Business, defaultBusiness } from "../../server/messaging/business.js";

const questions = ["one", "two", "three"].map((question) => ({ question, answer: "yes" }));
const business: Business = { ...defaultBusiness("B1", "Europe/Bucharest"), questions };

/** What reads a business, and what it has read. */
function reader() {
  const log: string[] = [];
  const reading = readOnce(
    ({ questions }) => questions,
    ({ question }) => {
      log.push(question);
      return question.toUpperCase();
    },
  );
  return { reading, log };
}

test("[A1] each part of a business is read once, and anew when the business is another", () => {
  const { reading, log } = reader();
  expect(reading.next(business)).toBe(true);
  expect(reading.all(business)).toEqual(["ONE", "TWO", "THREE"]);
  expect(reading.all(business)).toBe(reading.all(business));
  expect(reading.next(business)).toBe(false);
  expect(log).toEqual(["one", "two", "three"]);
  expect(reading.all({ ...business })).toEqual(["ONE", "TWO", "THREE"]);
  expect(log).toHaveLength(6);
});

test("[A1] a business that was never asked is read in slices: whatever else is due comes in between", async () => {
  const { reading, log } = reader();
  let isRead = false;
  const others = (): void => {
    if (isRead) return;
    log.push("another");
    setImmediate(others);
  };
  setImmediate(others);
  await readInSlices(business, [reading]);
  isRead = true;
  expect(log.filter((each) => each !== "another")).toEqual(["one", "two", "three"]);
  for (const next of ["two", "three"]) expect(log[log.indexOf(next) - 1]).toBe("another");
});
