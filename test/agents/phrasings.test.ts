import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import { textsOf } from "../../server/agents/assistant/texts.js";
import type { AgentAnswer } from "../../server/messaging/agent.js";
import { type Business, businessSchema } from "../../server/messaging/business.js";
import { answerOf, dentist, turnOf } from "./turns.js";

interface Phrasing {
  readonly text: string;
  readonly intent?: string;
  readonly source?: string;
  readonly contains?: string;
}

type Judge = (answer: AgentAnswer, phrasing: Phrasing) => boolean;

let business: Business;
beforeAll(async () => {
  business = await dentist();
});

const beginsIntent: Judge = ({ intent }, phrasing) => intent?.name === phrasing.intent;

const namesSource: Judge = ({ message, sources, intent }, { source = "", contains = "" }) =>
  intent === undefined && sources?.length === 1 && sources[0] === titleOf(source) && message.includes(contains);

const admitsIgnorance: Judge = ({ message, actions, intent }) =>
  intent === undefined && message === business.fallback && actions?.some(({ type }) => type === "human") === true;

/** Opening hours have no name of their own in the file. */
function titleOf(source: string): string {
  return source === "openingHours" ? textsOf(business.locale).titles.hours : source;
}

async function wrongOf(list: string, judge: Judge): Promise<string[]> {
  const assistant = createAssistant();
  const wrong: string[] = [];
  for (const phrasing of read(list)) {
    const answer = await answerOf(assistant, turnOf(phrasing.text, { business }));
    if (!judge(answer, phrasing)) wrong.push(`${phrasing.text} → ${answer.intent?.name ?? answer.message}`);
  }
  return wrong;
}

function read(list: string): readonly Phrasing[] {
  return parse(readFileSync(`test/fixtures/assistant/${list}.yaml`, "utf8")) as Phrasing[];
}

describe("phrasings that the assistant was tuned with", () => {
  test.each([
    ["A3", "intents-ro", 30, 3, beginsIntent],
    ["A3", "intents-en", 30, 3, beginsIntent],
    ["A5", "questions-ro", 20, 2, namesSource],
    ["A6", "unknown-ro", 20, 0, admitsIgnorance],
    ["A3", "fresh-intents-ro", 30, 3, beginsIntent],
    ["A3", "fresh-intents-en", 30, 3, beginsIntent],
    ["A5", "fresh-questions-ro", 20, 2, namesSource],
    ["A6", "fresh-unknown-ro", 20, 0, admitsIgnorance],
  ] as const)("[%s] of %s, %i texts, at most %i go wrong", async (_rule, list, count, wrongMax, judge) => {
    const wrong = await wrongOf(list, judge);
    expect(read(list)).toHaveLength(count);
    // The texts are shown by what fails: a list that is longer than allowed is compared with its beginning.
    expect(wrong).toEqual(wrong.slice(0, wrongMax));
  });
});

// Only counted, not shown: what is looked at gets fitted to.
describe("phrasings that it is not tuned by", () => {
  test.each([
    ["A3", "held-out-intents-ro", 30, 3, beginsIntent],
    ["A3", "held-out-intents-en", 30, 3, beginsIntent],
    ["A5", "held-out-questions-ro", 20, 2, namesSource],
    ["A6", "held-out-unknown-ro", 20, 0, admitsIgnorance],
    ["A3", "later-intents-ro", 30, 3, beginsIntent],
    ["A3", "later-intents-en", 30, 3, beginsIntent],
    ["A5", "later-questions-ro", 20, 2, namesSource],
    ["A6", "later-unknown-ro", 20, 0, admitsIgnorance],
  ] as const)("[%s] of %s, %i texts, at most %i go wrong", async (_rule, list, count, wrongMax, judge) => {
    expect(read(list)).toHaveLength(count);
    expect((await wrongOf(list, judge)).length).toBeLessThanOrEqual(wrongMax);
  });
});

describe("a business of another field, with two or three phrases for each intent", () => {
  test("[A3] [A5] [A6] begins, answers and admits what it must, with at most 3 of 30 going wrong", async () => {
    const carService = businessSchema.parse(parse(readFileSync("test/fixtures/assistant/car-service.yaml", "utf8")));
    const assistant = createAssistant();
    const wrong: string[] = [];
    for (const phrasing of read("car-service-phrasings")) {
      const answer = await answerOf(assistant, turnOf(phrasing.text, { business: carService }));
      if (!judgeOf(phrasing, carService)(answer, phrasing)) wrong.push(phrasing.text);
    }
    expect(read("car-service-phrasings")).toHaveLength(30);
    expect(wrong).toEqual(wrong.slice(0, 3));
  });

  function judgeOf({ intent, source }: Phrasing, { fallback }: Business): Judge {
    if (intent !== undefined) return beginsIntent;
    if (source !== undefined) return namesSource;
    return (answer) => answer.intent === undefined && answer.message === fallback;
  }
});
