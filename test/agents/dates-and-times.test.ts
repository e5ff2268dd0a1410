import { describe, expect, test } from "@jest/globals";
import { DateTime } from "luxon";
import { hearParameters } from "../../server/agents/assistant/parameters.js";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import { checkTimes } from "../../server/agents/assistant/checks.js";
import { fold } from "../../server/agents/assistant/words.js";
import {
  type Business,
  type BusinessIntent,
  defaultBusiness,
  type IntentParameter,
} from "../../server/messaging/business.js";
import { createTalk, dentist } from "./turns.js";

/** A Wednesday, ten in the morning in Bucharest. */
const now = DateTime.fromISO("2026-08-05T10:00", { zone: "Europe/Bucharest" });

const date: IntentParameter = { name: "date", question: "?", required: true, type: "date" };
const time: IntentParameter = { name: "time", question: "?", required: true, type: "time" };
const visit = intentOf([date, time]);

function intentOf(parameters: readonly IntentParameter[]): BusinessIntent {
  return { name: "visit", title: "Visit", phrases: ["visit"], opening: "", confirmation: "", parameters };
}

/** A value, or the kind of doubt with a question mark, or null: nothing was said of it. */
type Heard = string | null;

const anyBusiness = defaultBusiness("B1", "Europe/Bucharest");

interface HearingOptions {
  readonly intent?: BusinessIntent;
  readonly known?: Readonly<Record<string, string>>;
  readonly business?: Business;
}

/** What a message says of a date and a time, when it is asked for one of them, or for neither. */
function heard(
  text: string,
  asked: IntentParameter | null = null,
  { intent = visit, known = {}, business = anyBusiness }: HearingOptions = {},
): Readonly<Record<string, Heard>> {
  const values = new Map(Object.entries(known));
  const { values: taken, doubts } = hearParameters(text, { intent, business, asked, values, now });
  const of = ({ name }: IntentParameter) => taken.get(name) ?? (doubts.has(name) ? `?${doubts.get(name)!.kind}` : null);
  return Object.fromEntries(intent.parameters.map((parameter) => [parameter.name, of(parameter)]));
}

describe("days in words", () => {
  const cases: [text: string, date: Heard][] = [
    // Days of the week, and their typing errors.
    ["joi", "2026-08-06"],
    ["joii", "2026-08-06"],
    ["mierucri", "2026-08-12"],
    ["vinerii", "2026-08-07"],
    ["sîmbătă", "2026-08-08"],
    ["dumineca", "2026-08-09"],
    ["Tuesdya", "2026-08-11"],
    ["on Wensday", "2026-08-12"],
    ["marţi", "2026-08-11"],
    ["martie", null],
    ["o perioadă lungă", null],
    ["peste două luni", null],
    ["de 10 luni mă doare", null],
    ["de câteva luni", null],
    ["programarea de luni", "2026-08-10"],
    // Weeks.
    ["vinerea viitoare", "2026-08-14"],
    ["vineri săptămâna viitoare", "2026-08-14"],
    ["săptămâna viitoare, joi", "2026-08-13"],
    ["next Friday", "2026-08-14"],
    ["Friday next week", "2026-08-14"],
    ["this Friday", "2026-08-07"],
    ["vinerea aceasta", "2026-08-07"],
    ["luni săptămâna asta", "2026-08-03"],
    ["marți în două săptămâni", "2026-08-18"],
    ["peste 2 săptămâni, marți", "2026-08-18"],
    ["Tuesday in two weeks", "2026-08-18"],
    ["miercuri peste o săptămână", "2026-08-12"],
    ["săptămâna viitoare", "?incomplete"],
    ["next week", "?incomplete"],
    ["peste două săptămâni", "?incomplete"],
    ["luna viitoare", "?incomplete"],
    ["în weekend", "?incomplete"],
    // Counted from today.
    ["peste 3 zile", "2026-08-08"],
    ["peste trei zile", "2026-08-08"],
    ["peste o zi", "2026-08-06"],
    ["peste 20 de zile", "2026-08-25"],
    ["in 3 days", "2026-08-08"],
    ["three days from now", "2026-08-08"],
    ["the day after tomorrow", "2026-08-07"],
    ["poimâine", "2026-08-07"],
    ["tommorow", "2026-08-06"],
    ["diseară", "2026-08-05"],
    ["ieri", "2026-08-04"],
    ["the day before yesterday", "2026-08-03"],
    // Dates.
    ["5 decembrie", "2026-12-05"],
    ["cinci decembrie", "2026-12-05"],
    ["douăzeci și cinci noiembrie", "2026-11-25"],
    ["întâi septembrie", "2026-09-01"],
    ["the fifth of December", "2026-12-05"],
    ["December 5th, 2027", "2027-12-05"],
    ["25/11", "2026-11-25"],
    ["pe 3", "2026-09-03"],
    ["pe data de 31", "2026-08-31"],
    ["on the 20th", "2026-08-20"],
    ["pe 3 persoane", null],
    ["masă pentru 4", null],
    ["am carii pe 2 dinți", null],
    ["on 2 teeth", null],
    ["pe 3, te rog", "2026-09-03"],
    ["pe 14 sau 15", "?incomplete"],
    ["14.08 sau 21.08.2026", "?several"],
    ["on 3rd", "2026-09-03"],
    ["the one that hurts", null],
    ["luni 24", "2026-08-24"],
    ["luni 25", "2026-08-10"],
    ["sâmbătă, 5 decembrie", "2026-12-05"],
    ["mâine, joi", "2026-08-06"],
    ["vineri 14.08.2026", "2026-08-14"],
    // A day of the week that the date does not fall on.
    ["5 decembrie, duminică", "?contradiction"],
    ["vineri, 5 decembrie 2026", "?contradiction"],
    ["Friday the 15th of August", "?contradiction"],
    ["azi, joi", "?contradiction"],
    // No such day.
    ["30 februarie", "?impossible"],
    ["pe 30 februarie", "?impossible"],
    ["February 30th", "?impossible"],
    ["31 iunie 2027", "?impossible"],
    // What is not meant.
    ["nu luni, ci marți", "2026-08-11"],
    ["nu pe luni, pe marți", "2026-08-11"],
    ["luni nu pot, marți da", "2026-08-11"],
    ["luni nu, marți", "2026-08-11"],
    ["marți, nu luni", "2026-08-11"],
    ["nu pot nici luni, nici marți, doar joi", "2026-08-06"],
    ["nu luni sau marți, ci joi", "2026-08-06"],
    ["în loc de luni, marți", "2026-08-11"],
    ["de luni pe marți", "2026-08-11"],
    ["not Monday, Tuesday", "2026-08-11"],
    ["Monday doesn't work, Tuesday please", "2026-08-11"],
    ["instead of Monday, Tuesday", "2026-08-11"],
    ["luni, de fapt marți", "2026-08-11"],
    ["Monday, actually Tuesday", "2026-08-11"],
    ["nu luni", "?refused"],
    // Several.
    ["luni sau marți", "?several"],
    ["mâine ori poimâine", "?several"],
    ["Monday or Tuesday", "?several"],
    ["14.08 sau 21.08", "?several"],
    ["mâine sau luni", "?several"],
    ["5-7 decembrie", "?incomplete"],
    ["5 sau 6 decembrie", "?incomplete"],
  ];

  test.each(cases)("[A4] %j is %j", (text, expected) => {
    expect(heard(text).date).toBe(expected);
    expect(heard(fold(text)).date).toBe(expected);
  });

  test.each([
    ["15", "2026-08-15"],
    ["3.", "2026-09-03"],
    ["32", null],
  ])("[A4] %j is %j when a date was asked for", (text, expected) => {
    expect(heard(text, date).date).toBe(expected);
    expect(heard(text).date).toBeNull();
  });

  test("[A4] two dates that are wanted are taken in their order, and a choice of two is none", () => {
    const stay = intentOf([
      { ...date, name: "from" },
      { ...date, name: "to" },
    ]);
    expect(heard("vineri 14.08 - duminică 16.08", null, { intent: stay })).toEqual({
      from: "2026-08-14",
      to: "2026-08-16",
    });
    expect(heard("luni sau marți", null, { intent: stay })).toEqual({ from: "?several", to: null });
  });
});

describe("times in words", () => {
  const cases: [text: string, told: Heard, asked: Heard][] = [
    ["9 și un sfert", "09:15", "09:15"],
    ["9 și sfert", "09:15", "09:15"],
    ["10 fără un sfert", "09:45", "09:45"],
    ["la zece fără zece", "09:50", "09:50"],
    ["9 și jumătate", "09:30", "09:30"],
    ["nouă jumate", "09:30", "09:30"],
    ["la nouă și jumătate", "09:30", "09:30"],
    ["4 și jumătate după-amiaza", "16:30", "16:30"],
    ["seara la 7 și jumătate", "19:30", "19:30"],
    ["9 și 20", "09:20", "09:20"],
    ["la zece", "10:00", "10:00"],
    ["zece", null, "10:00"],
    ["la noua adresă", null, null],
    ["half past nine", "09:30", "09:30"],
    ["quarter to ten", "09:45", "09:45"],
    ["a quarter past ten", "10:15", "10:15"],
    ["ten to nine", "08:50", "08:50"],
    ["half nine", "09:30", "09:30"],
    ["nine o'clock", "09:00", "09:00"],
    ["at half past four in the afternoon", "16:30", "16:30"],
    ["at noon", "12:00", "12:00"],
    ["midnight", "00:00", "00:00"],
    ["9h30", "09:30", "09:30"],
    ["ora 9 30", "09:30", "09:30"],
    ["ora 9 fix", "09:00", "09:00"],
    ["12:30 noaptea", "00:30", "00:30"],
    ["12 noaptea", "00:00", "00:00"],
    ["la 3 noaptea", "03:00", "03:00"],
    ["la 11 noaptea", "23:00", "23:00"],
    ["12 la prânz", "12:00", "12:00"],
    ["la 1 la prânz", "13:00", "13:00"],
    ["după-amiaza la 4", "16:00", "16:00"],
    ["la 4 dupa masa", "16:00", "16:00"],
    ["dimineața la 9", "09:00", "09:00"],
    ["5 p.m.", "17:00", "17:00"],
    ["12 am", "00:00", "00:00"],
    // Somebody greets.
    ["Bună seara, la 10", "10:00", "10:00"],
    ["Good evening, at 9", "09:00", "09:00"],
    ["Bună dimineața!", null, null],
    // A part of the day without its hour.
    ["dimineața", "?incomplete", "?incomplete"],
    ["la amiază", "?incomplete", "?incomplete"],
    ["seara", "?incomplete", "?incomplete"],
    ["in the afternoon", "?incomplete", "?incomplete"],
    // What is not meant, and what is open.
    ["nu la 10, la 11", "11:00", "11:00"],
    ["la 10, de fapt la 11", "11:00", "11:00"],
    ["10 sau 11", null, "?several"],
    ["la 10 sau 11", "?several", "?several"],
    ["10 sau la 11", "?several", "?several"],
    ["at 10 or 11", "?several", "?several"],
    ["10-11", null, "?incomplete"],
    ["între 10 și 12", "?incomplete", "?incomplete"],
    ["de la 10 la 12", "?incomplete", "?incomplete"],
    ["from 10 to 12", "?incomplete", "?incomplete"],
    ["la 2 persoane", null, null],
    ["la 25", null, null],
  ];

  test.each(cases)("[A4] %j told by itself is %j, when asked for %j", (text, told, asked) => {
    for (const each of [text, fold(text)]) {
      expect(heard(each, null).time).toBe(told);
      expect(heard(each, time, { known: { date: "2026-08-07" } }).time).toBe(asked);
    }
  });
});

test.each([
  ["25/11 10.30", "2026-11-25", "10:30"],
  ["pe 3 la 4 după-amiaza", "2026-09-03", "16:00"],
  ["diseară la 8", "2026-08-05", "20:00"],
  ["tonight at 8", "2026-08-05", "20:00"],
  ["mâine dimineață la 9", "2026-08-06", "09:00"],
  ["mâine dimineață", "2026-08-06", "?incomplete"],
  ["la 9 mâine dimineață", "2026-08-06", "09:00"],
  ["vineri la 10 sau 11", "2026-08-07", "?several"],
  ["luni la 10 sau marți la 11", "?several", "?several"],
  ["next Friday at half past nine", "2026-08-14", "09:30"],
  ["joi, 13 august, ora 14", "2026-08-13", "14:00"],
  ["vineri seara la 6", "2026-08-07", "18:00"],
  ["săptămâna viitoare dimineața", "?incomplete", "?incomplete"],
])("[A4] %j is %j at %j", (text, day, at) => {
  expect(heard(text)).toEqual({ date: day, time: at });
  expect(heard(fold(text))).toEqual({ date: day, time: at });
});

test("[A4] days and hours are read in the first thousand characters, and nothing of the rest is lost", () => {
  const note: IntentParameter = { name: "note", question: "?", required: true, type: "text" };
  const intent = intentOf([date, note]);
  const long = "x".repeat(1000);
  expect(heard(`mâine ${long} vineri`, note, { intent })).toEqual({ date: "2026-08-06", note: `${long} vineri` });
  expect(heard(`${long} vineri`, note, { intent })).toEqual({ date: null, note: `${long} vineri` });
});

test("[A4] a part of the day says nothing against the hour that is known, a choice of two does", () => {
  const known = { date: "2026-08-07", time: "10:00" };
  expect(heard("dimineața", null, { known })).toEqual({ date: null, time: null });
  expect(heard("la 11 sau la 12", null, { known })).toEqual({ date: null, time: "?several" });
});

test.each([
  ["2026-03-29", "03:30", ["În acea noapte ceasul se dă înainte, iar ora aceasta nu există."]],
  ["2026-03-29", "04:00", []],
  ["2026-10-25", "03:30", []],
])("[A4] %s %s, where the clocks change, is refused with %j", (day, at, problems) => {
  const business = { ...defaultBusiness("B1", "Europe/Bucharest"), locale: "ro" } as const;
  const winter = DateTime.fromISO("2026-03-01T10:00", { zone: "Europe/Bucharest" });
  const given = new Map([
    ["date", day],
    ["time", at],
  ]);
  expect(checkTimes(visit, given, business, winter).problems).toEqual(problems);
});

test.each([
  ["la 3", "15:00"],
  ["la 5 și jumătate", "17:30"],
  ["la trei", "15:00"],
  // Nobody is there then either.
  ["la 2 noaptea", "02:00"],
  ["la 03:00", "03:00"],
  ["la 10", "10:00"],
])("[A4] %j, at a business that is open from nine to six, is %j", (text, at) => {
  const day = ["09:00-18:00"];
  const openingHours = {
    monday: day,
    tuesday: day,
    wednesday: day,
    thursday: day,
    friday: day,
    saturday: [],
    sunday: [],
  };
  const business = { ...anyBusiness, openingHours };
  for (const each of [text, fold(text)]) expect(heard(each, time, { business }).time).toBe(at);
});

describe("what is in doubt is asked, saying why", () => {
  const askDate = "În ce zi ai vrea să vii?";
  const askTime = "La ce oră îți este bine?";
  const cases: [before: string[], message: string, answer: string][] = [
    [["albire"], "săptămâna viitoare", `Am nevoie de o zi anume. ${askDate}`],
    [["albire"], "30 februarie", `Ziua aceasta nu există în calendar. ${askDate}`],
    [
      ["albire"],
      "vineri, 5 decembrie",
      `Ziua săptămânii nu se potrivește cu data, care este sâmbătă, 5 decembrie 2026. ${askDate}`,
    ],
    [
      ["albire"],
      "luni sau marți",
      `Alege, te rog, una dintre: luni, 10 august 2026; marți, 11 august 2026. ${askDate}`,
    ],
    [["albire"], "ieri", `Momentul acesta a trecut deja. ${askDate}`],
    [["albire", "vineri"], "10 sau 11", `Alege, te rog, una dintre: 10:00; 11:00. ${askTime}`],
    [["albire", "vineri"], "după-amiaza", `Am nevoie de o oră anume. ${askTime}`],
    // It is not known any more.
    [["albire", "vineri", "10"], "la 11 sau la 12", `Alege, te rog, una dintre: 11:00; 12:00. ${askTime}`],
    // What was asked before it comes first.
    [[], "luni sau marți", "Ce tip de serviciu dorești?"],
  ];

  test.each(cases)("[A4] after %j, %j", async (before, message, expected) => {
    const answer = createTalk(createAssistant(), { business: await dentist() });
    for (const each of ["Vreau o programare", ...before]) await answer(each);
    const said = await answer(message);
    expect(said.message).toBe(expected);
    expect(said.isComplete).toBe(false);
  });
});
