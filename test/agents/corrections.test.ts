import { beforeAll, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import type { Business } from "../../server/messaging/business.js";
import { Conversation, dentist } from "./turns.js";

const assistant = createAssistant();
let business: Business;
beforeAll(async () => {
  business = await dentist();
});

const known = { serviciu: "Detartraj", data: "2026-08-07", ora: "10:30", nume: "Ana Pop", telefon: "0722123456" };
type Known = Partial<typeof known>;
const askService = "Ce tip de serviciu dorești?";
const askDay = "În ce zi ai vrea să vii?";
const askTime = "La ce oră îți este bine?";
const askName = "Pe ce nume facem programarea?";
const askPhone = "La ce număr de telefon te putem suna?";

/** A booking of which the first so many values are known. */
async function booking(count: number): Promise<Conversation> {
  const talk = new Conversation(assistant, { business });
  await talk.say("Vreau să fac o programare");
  for (const said of ["Detartraj", "vineri", "10:30", "Ana Pop"].slice(0, count)) await talk.say(said);
  return talk;
}

function firstOf(count: number): Known {
  return Object.fromEntries(Object.entries(known).slice(0, count));
}

describe("[A4] what was said before is put right", () => {
  const cases: [known: number, said: string, changed: Known, asks: string][] = [
    [1, "nu, plombă", { serviciu: "Plombă" }, askDay],
    [1, "vreau plombă, nu detartraj", { serviciu: "Plombă" }, askDay],
    [1, "nu detartraj, ci plombă", { serviciu: "Plombă" }, askDay],
    [1, "no, a filling instead", { serviciu: "Plombă" }, askDay],
    [1, "a filling instead of the cleaning", { serviciu: "Plombă" }, askDay],
    [1, "nu plombă", { serviciu: "Plombă" }, askDay],
    [1, "nu mai vreau detartraj, vreau plombă", { serviciu: "Plombă" }, askDay],
    [1, "m-am răzgândit, vreau albire", { serviciu: "Albire" }, askDay],
    [3, "plombă", { serviciu: "Plombă" }, askName],
    [3, "nu, plombă", { serviciu: "Plombă" }, askName],
    [3, "de fapt vreau plombă sâmbătă la 11", { serviciu: "Plombă", data: "2026-08-08", ora: "11:00" }, askName],
    [2, "nu vineri, sâmbătă", { data: "2026-08-08" }, askTime],
    [3, "nu la 10:30, la 11", { ora: "11:00" }, askName],
    [3, "vreau altă zi, sâmbătă", { data: "2026-08-08" }, askName],
    [3, "aș vrea la altă oră, la 11", { ora: "11:00" }, askName],
    [3, "vreau să schimb ora la 11", { ora: "11:00" }, askName],
    [3, "change the time to 11:00 please", { ora: "11:00" }, askName],
    [3, "mut pe luni", { data: "2026-08-10" }, askName],
    [4, "de fapt mă numesc Maria Pop", { nume: "Maria Pop" }, askPhone],
    [4, "numele corect este Maria Pop", { nume: "Maria Pop" }, askPhone],
    [4, "nu pe numele Ana Pop, pe numele Maria Pop", { nume: "Maria Pop" }, askPhone],
    [4, "de fapt Maria Ionescu", { nume: "Maria Ionescu" }, askPhone],
    [4, "nu, Maria Ionescu", { nume: "Maria Ionescu" }, askPhone],
    [4, "actually my name is Mary Pop", { nume: "Mary Pop" }, askPhone],
  ];
  test.each(cases)("knowing the first %i, %j", async (count, said, changed, asks) => {
    const talk = await booking(count);
    const { intentId } = talk.intent!;
    const answer = await talk.say(said);
    const values: Known = { ...firstOf(count), ...changed };
    expect(answer.intent).toMatchObject({ name: "programare", intentId, status: "active" });
    expect(answer.intent!.parameters).toEqual(values);
    expect(answer.message).toBe(asks);
  });

  const again: [said: string, name: keyof Known, asks: string][] = [
    ["vreau în altă zi", "data", askDay],
    ["vreau la altă oră", "ora", askTime],
    ["am greșit ora", "ora", askTime],
    ["am greșit numele", "nume", askName],
    ["vreau alt serviciu", "serviciu", askService],
    ["change the date", "data", askDay],
    ["nu vreau detartraj", "serviciu", askService],
    ["nu mai pot vineri", "data", askDay],
    ["not at 10:30", "ora", askTime],
  ];

  test.each(again)("%j asks for it again", async (said, name, asks) => {
    const talk = await booking(4);
    const answer = await talk.say(said);
    expect(answer.message).toBe(asks);
    expect(answer.intent).toMatchObject({ name: "programare", status: "active" });
    expect(Object.keys(answer.intent!.parameters)).toEqual(
      ["serviciu", "data", "ora", "nume"].filter((each) => each !== name),
    );
  });

  test("one that is there already is another matter", async () => {
    const talk = await booking(3);
    expect((await talk.say("Am o programare și vreau să o mut")).intent).toMatchObject({ name: "modificare" });
  });

  test("one value is asked for again, and another is put right, by the same message", async () => {
    const talk = await booking(4);
    const { message, intent } = await talk.say("am greșit data, și numele e Maria Pop");
    expect(message).toBe(askDay);
    expect(intent!.parameters).toEqual({ serviciu: "Detartraj", ora: "10:30", nume: "Maria Pop" });
  });

  test("a question about two services chooses neither", async () => {
    const talk = await booking(0);
    const { message } = await talk.say("care este diferența dintre plombă și coroană?");
    expect(message.endsWith(askService)).toBe(true);
    expect(talk.intent!.parameters).toEqual({});
  });

  test("a number that is asked for is the answer, whatever else its words may mean", async () => {
    const talk = await booking(4);
    expect((await talk.say("my phone is 0722 123 456")).intent).toMatchObject({
      name: "programare",
      status: "completed",
    });
  });

  test("a service that is only denied is none", async () => {
    const talk = await booking(0);
    expect((await talk.say("nu detartraj")).message).toMatch(/Ce tip de serviciu dorești\?$/);
    expect(talk.intent).toMatchObject({ status: "active", parameters: {} });
  });
});

describe("[A26] in the middle of a task", () => {
  test.each(["de la capăt", "Start over", "hai să o luăm de la început"])("%j begins it anew", async (said) => {
    const talk = await booking(3);
    const { intentId } = talk.intent!;
    const { message, intent } = await talk.say(said);
    expect(message).toBe(`Te ajut să faci o programare. ${askService}`);
    expect(intent).toMatchObject({ status: "active", parameters: {} });
    expect(intent!.intentId).not.toBe(intentId);
  });

  test.each(["continuă", "hai să continuăm", "go on"])("%j asks the open question once more", async (said) => {
    const talk = await booking(3);
    const { message, intent } = await talk.say(said);
    expect(message).toBe(askName);
    expect(intent?.parameters).toEqual(firstOf(3));
  });
});

describe("[A4] several values at once", () => {
  const cases: [known: number, said: string, more: Known][] = [
    [
      0,
      "plombă vineri la 10:30, pe numele Ion Popescu telefon 0722123456",
      { serviciu: "Plombă", data: "2026-08-07", ora: "10:30", nume: "Ion Popescu", telefon: "0722123456" },
    ],
    [3, "pe numele Ion Popescu telefon 0722123456", { nume: "Ion Popescu", telefon: "0722123456" }],
    [3, "Ana Pop marți la 12", { nume: "Ana Pop", data: "2026-08-11", ora: "12:00" }],
    [1, "Ana Pop marți la 12", { nume: "Ana Pop", data: "2026-08-11", ora: "12:00" }],
    [1, "25/11 10.30", { data: "2026-11-25", ora: "10:30" }],
    [2, "25/11 10.30", { data: "2026-11-25", ora: "10:30" }],
    [1, "marți la 12, Titan", { data: "2026-08-11", ora: "12:00" }],
  ];

  test.each(cases)("knowing the first %i, %j", async (count, said, more) => {
    const talk = await booking(count);
    expect((await talk.say(said)).intent?.parameters).toEqual({ ...firstOf(count), ...more });
  });

  test("[A5] a question beside them is answered, and they are taken", async () => {
    const talk = await booking(1);
    const { message, intent, sources } = await talk.say("Vineri la 10:30. Aveți loc de parcare?");
    expect(message).toMatch(/^Da, la Zâmbet Titan avem 6 locuri .* Pe ce nume facem programarea\?$/);
    expect(intent?.parameters).toEqual(firstOf(3));
    expect(sources).toEqual(["Aveți loc de parcare?"]);
  });
});
