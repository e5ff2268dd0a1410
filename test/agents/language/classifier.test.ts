import { describe, expect, test } from "@jest/globals";
import { type Example, learn, type Likelihoods } from "../../../server/agents/assistant/language/classifier.js";
import { featuresOf } from "../../../server/agents/assistant/language/features.js";

const features = (text: string) => featuresOf(text.split(" ").map((word) => ({ word })));
const texts = {
  cold: ["ice and snow", "snow in winter", "winter ice"],
  warm: ["sun and sand", "sand in summer", "summer sun"],
};
const examples = Object.entries(texts).flatMap(([label, all]) =>
  all.map((text): Example<string> => ({ features: features(text), label })),
);

function likeliest(likelihoods: Likelihoods<string>): string {
  return [...likelihoods].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}

describe("the classifier", () => {
  test.each([
    ["snow and ice", "cold"],
    ["winter sand snow ice", "cold"],
    ["a sunny summer", "warm"],
    ["sumer sun", "warm"],
  ])("[A3] %j, which it has not seen, is %s", async (text, label) => {
    const classify = await learn(examples);
    expect(likeliest(classify(features(text)))).toBe(label);
  });

  test("[A3] likelihoods are 1 together, and of what it knows nothing all are alike", async () => {
    const classify = await learn(examples);
    const [cold, warm] = [...classify(features("qqqq")).values()];
    expect(cold! + warm!).toBeCloseTo(1);
    expect(Math.abs(cold! - warm!)).toBeLessThan(0.1);
  });

  test("[A3] it learns the same from the same", async () => {
    const [one, other] = await Promise.all([learn(examples), learn(examples)]);
    expect(one(features("ice in summer"))).toEqual(other(features("ice in summer")));
  });
});
