import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import type { Business } from "../../server/messaging/business.js";
import { FakeTool } from "../support/fake-tool.js";
import { Conversation, dentist } from "./turns.js";

let tool: FakeTool;
let business: Business;
beforeEach(async () => {
  tool = await FakeTool.start();
  const shipped = await dentist();
  const [booking, ...others] = shipped.intents;
  business = { ...shipped, intents: [{ ...booking!, tool: { kind: "webhook", url: tool.url } }, ...others] };
});

afterEach(() => tool.stop());

const rest = ["plombă", "vineri la 10:30", "Ana Pop", "0722123456"];

test.each<[what: string, said: readonly string[], locationId: string, told: string | null]>([
  ["named with the opening", ["Vreau o programare la Titan", ...rest], "L0100002", "Zâmbet Titan"],
  ["named on the way", ["Vreau o programare", "plombă, la Titan", ...rest.slice(1)], "L0100002", "Zâmbet Titan"],
  ["named again", ["Vreau o programare la Titan", "plombă, în Centru", ...rest.slice(1)], "L0100001", "Zâmbet Centru"],
  ["only asked about", ["Vreau o programare", "Aveți parcare la Titan?", ...rest], "L0100001", null],
  ["never named", ["Vreau o programare", ...rest], "L0100001", null],
])("[A21] a location that is %s", async (_what, said, locationId, told) => {
  const talk = new Conversation(createAssistant(), { business });
  const answers: string[] = [];
  for (const each of said) answers.push((await talk.say(each)).message);
  expect(tool.hits.map(({ body }) => body.locationId)).toEqual([locationId]);
  const named = answers.flatMap((answer) => answer.match(/(?<=Locația: )[^.]+/g) ?? []);
  expect(named.at(-1) ?? null).toBe(told);
  expect(answers.at(-1)).toMatch(told === null ? /Te așteptăm!$/ : new RegExp(`Te așteptăm! Locația: ${told}\\.$`));
});

test("[A21] of another task it counts for nothing", async () => {
  const talk = new Conversation(createAssistant(), { business });
  for (const each of ["Vreau o programare la Titan", "nu mai vreau", "Vreau o programare", ...rest])
    await talk.say(each);
  expect(tool.hits.map(({ body }) => body.locationId)).toEqual(["L0100001"]);
});
