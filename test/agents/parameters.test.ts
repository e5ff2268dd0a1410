import { describe, expect, test } from "@jest/globals";
import { DateTime } from "luxon";
import { takeEmail, takeNumber, takePhone } from "../../server/agents/assistant/contacts.js";
import { takeDate } from "../../server/agents/assistant/dates.js";
import { readParameters } from "../../server/agents/assistant/parameters.js";
import { hear } from "../../server/agents/assistant/said.js";
import { takeTime } from "../../server/agents/assistant/times.js";
import { type BusinessIntent, defaultBusiness, type IntentParameter } from "../../server/messaging/business.js";

const today = DateTime.fromISO("2026-08-05T10:00", { zone: "Europe/Bucharest" });

describe("dates", () => {
  const cases: [text: string, date: string | null][] = [
    ["14.08", "2026-08-14"],
    ["14/8", "2026-08-14"],
    ["pe 14.08.2026 la 10:30", "2026-08-14"],
    ["14-08-2026", "2026-08-14"],
    ["14.08.26", "2026-08-14"],
    ["2026-08-14", "2026-08-14"],
    ["5.08", "2026-08-05"],
    ["4.08", "2027-08-04"],
    ["04.08.2026", "2026-08-04"],
    ["29.02", "2028-02-29"],
    ["31.02", null],
    ["29.02.2027", null],
    ["10.30", null],
    ["14 august", "2026-08-14"],
    ["14 aug. 2027", "2027-08-14"],
    ["August 14th, 2027", "2027-08-14"],
    ["1 Mai", "2027-05-01"],
    ["azi", "2026-08-05"],
    ["astăzi", "2026-08-05"],
    ["Mâine dimineață", "2026-08-06"],
    ["maine", "2026-08-06"],
    ["poimâine", "2026-08-07"],
    ["the day after tomorrow", "2026-08-07"],
    ["vineri", "2026-08-07"],
    ["Miercuri", "2026-08-12"],
    ["lunea viitoare", "2026-08-10"],
    ["sâmbătă", "2026-08-08"],
    ["next Tuesday", "2026-08-11"],
    ["peste 2 luni", null],
    ["0722.123.456", null],
    ["07.11.12.34.56", null],
    ["nu știu", null],
  ];

  test.each(cases)("[A4] %j is %j", (text, date) => {
    expect(takeDate(hear(text), { today })?.value ?? null).toBe(date);
  });
});

describe("times", () => {
  const cases: [text: string, told: string | null, asked: string | null][] = [
    ["10", null, "10:00"],
    ["10.15", null, "10:15"],
    ["10:30", "10:30", "10:30"],
    ["9:05", "09:05", "09:05"],
    ["la 10", "10:00", "10:00"],
    ["la ora 10.30", "10:30", "10:30"],
    ["ora 14", "14:00", "14:00"],
    ["la 10 și jumătate", "10:30", "10:30"],
    ["5 seara", "17:00", "17:00"],
    ["3 după-amiază", "15:00", "15:00"],
    ["2:30 pm", "14:30", "14:30"],
    ["12 am", "00:00", "00:00"],
    ["14h", "14:00", "14:00"],
    ["at 9", "09:00", "09:00"],
    ["25", null, null],
    ["la 25:00", null, null],
    ["0722123456", null, null],
    ["14.08.2026", null, null],
    ["oricând", null, null],
  ];

  test.each(cases)("[A4] %j told by itself is %j, when asked for %j", (text, told, asked) => {
    expect(takeTime(hear(text))?.value ?? null).toBe(told);
    expect(takeTime(hear(text), { isAsked: true })?.value ?? null).toBe(asked);
  });
});

describe("contacts", () => {
  test.each([
    ["0722123456", "0722123456"],
    ["sună-mă la 0722.123.456, te rog", "0722123456"],
    ["0722 123-456", "0722123456"],
    ["+40 722 123 456", "+40722123456"],
    ["0040722123456", "+40722123456"],
    ["(021) 555 01 01", "0215550101"],
    ["021 555 01 01", "0215550101"],
    ["12345", null],
    ["1722123456", null],
    ["0722 12", null],
  ])("[A4] the phone number in %j is %j", (text, phone) => {
    expect(takePhone(hear(text), "ro")?.value ?? null).toBe(phone);
  });

  test.each([
    ["scrie-mi la Ana.Pop@Exemplu.ro.", "ana.pop@exemplu.ro"],
    ["ana@exemplu", null],
    ["@", null],
  ])("[A4] the e-mail address in %j is %j", (text, email) => {
    expect(takeEmail(hear(text))?.value ?? null).toBe(email);
  });

  test.each([
    ["2 persoane", "2"],
    ["1,5", "1.5"],
    ["-3", "-3"],
    ["două", null],
    ["1e9", null],
    ["1E-9", null],
    ["25.11.2026", null],
    ["cam 12, poate 13", "12"],
    ["10km", "10"],
  ])("[A4] the number in %j is %j", (text, number) => {
    expect(takeNumber(hear(text))?.value ?? null).toBe(number);
  });
});

describe("a message", () => {
  const parameter = (name: string, type: IntentParameter["type"], options: string[] = []): IntentParameter =>
    type === "choice"
      ? { name, question: "?", required: true, type, options }
      : { name, question: "?", required: true, type };
  const parameters = [
    parameter("choice", "choice", ["red wine", "white wine", "no"]),
    parameter("date", "date"),
    parameter("time", "time"),
    parameter("people", "number"),
    parameter("name", "text"),
    parameter("phone", "phone"),
    parameter("email", "email"),
    parameter("note", "text"),
  ];
  const intent: BusinessIntent = {
    name: "table",
    title: "Table",
    phrases: ["table"],
    opening: "",
    confirmation: "",
    parameters,
  };
  const business = defaultBusiness("B1", "Europe/Bucharest");
  const cases: [asked: string | null, known: Record<string, string>, text: string, taken: Record<string, string>][] = [
    [null, {}, "tomorrow at 7 pm", { date: "2026-08-06", time: "19:00" }],
    [null, {}, "for 4 people", {}],
    ["people", {}, "for 4 people", { people: "4" }],
    ["choice", {}, "the white one", { choice: "white wine" }],
    ["choice", {}, "wine", {}],
    ["choice", {}, "no", { choice: "no" }],
    [null, {}, "red wine for Friday", { choice: "red wine", date: "2026-08-07" }],
    [
      "name",
      {},
      "Ann Smith, +44 20 7946 0000, ann@example.com",
      { name: "Ann Smith", phone: "+442079460000", email: "ann@example.com" },
    ],
    ["phone", {}, "my name is Ann Smith and my phone is +442079460000", { phone: "+442079460000", name: "Ann Smith" }],
    ["name", {}, "0722123456", { phone: "0722123456" }],
    ["name", { date: "2026-08-06" }, "make it Friday", { date: "2026-08-07" }],
    ["note", { name: "Ann", date: "x", time: "x" }, "a quiet corner, please!", { note: "a quiet corner, please!" }],
    ["note", {}, "ok", {}],
    ["time", { date: "2026-08-06" }, "10.10", { time: "10:10" }],
  ];

  test.each(cases)("[A4] asked for %j and knowing %j, %j holds %j", (asked, known, text, taken) => {
    const context = {
      intent,
      business,
      asked: parameters.find(({ name }) => name === asked) ?? null,
      values: new Map(Object.entries(known)),
      now: today,
    };
    expect(Object.fromEntries(readParameters(text, context))).toEqual(taken);
  });
});
