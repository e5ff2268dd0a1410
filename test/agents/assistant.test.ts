import { beforeAll, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import type { AgentAnswer } from "../../server/messaging/agent.js";
import { type Business, businessSchema } from "../../server/messaging/business.js";
import { answerOf, createTalk, dentist, eventsOf, turnOf } from "./turns.js";

const assistant = createAssistant();
let business: Business;
beforeAll(async () => {
  business = await dentist();
});

const talk = () => createTalk(assistant, { business });
const say = (message: string, more = {}) => answerOf(assistant, turnOf(message, { business, ...more }));

const first = "Ce tip de serviciu dorești?";
const confirmed =
  "Programarea a fost înregistrată: Detartraj, vineri, 7 august 2026, ora 10:30, pe numele Ana Pop, telefon 0722123456. Te așteptăm!";
const parameters = { serviciu: "Detartraj", data: "2026-08-07", ora: "10:30", nume: "Ana Pop", telefon: "0722123456" };

describe("one answer", () => {
  test("[A1] ends with exactly one answer, after thinking steps that are started and done", async () => {
    const events = await eventsOf(assistant, turnOf("Vreau să fac o programare", { business }));
    const shown = events.map((event) => (event.type === "thinking" ? `${event.step} ${event.status}` : event.type));
    const steps = ["intent", "retrieval", "parameters", "response"];
    const stages = steps.flatMap((name) => [`${name} started`, `${name} done`]);
    expect(shown).toEqual([...stages, "component", "answer"]);
  });

  test("[A1] the same turn gets the same answer", async () => {
    const turn = turnOf("Vreau un detartraj mâine la 10", { business });
    expect(await answerOf(assistant, turn)).toEqual(await answerOf(assistant, turn));
  });

  test("[A1] says nothing once the turn was stopped", async () => {
    const stopped = AbortSignal.abort(new Error("cancelled"));
    await expect(eventsOf(assistant, turnOf("Salut", { business }), stopped)).rejects.toThrow("cancelled");
  });

  test.each([
    "",
    "?",
    "\0",
    "🦷🦷",
    "a".repeat(8_192),
    "0 ".repeat(4_000),
    "a@".repeat(4_000),
    "{data}",
    "constructor",
  ])("[A1] answers %j", async (message) => {
    expect((await say(message)).message).not.toBe("");
  });
});

describe("greeting", () => {
  test("[A2] opens the first answer, to the letter", async () => {
    const { message, actions } = await say("Vreau să fac o programare", { isFirstContact: true });
    expect(message).toBe("Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?");
    expect(actions).toEqual([]);
  });

  test("[A2] is not said to a user who was answered before", async () => {
    expect((await say("Vreau să fac o programare")).message).toBe(`Te ajut să faci o programare. ${first}`);
  });

  test.each([
    ["Bună ziua", "Bună! Cu ce te pot ajuta?"],
    ["Aveți wifi?", "Bună! Nu am găsit răspunsul la întrebarea ta. Un coleg din recepție te poate ajuta."],
    ["mulțumesc mult", "Bună! Cu plăcere!"],
    ["nu vreau o programare", "Bună! Cu ce te pot ajuta?"],
  ])("[A2] opens whatever the first answer to %j is", async (message, answer) => {
    expect((await say(message, { isFirstContact: true })).message).toBe(answer);
  });
});

describe("a conversation", () => {
  test("[A4] asks for one thing after the other and confirms", async () => {
    const answer = talk();
    const conversation: [string, string][] = [
      ["Vreau să fac o programare", `Te ajut să faci o programare. ${first}`],
      ["detartraj", "În ce zi ai vrea să vii?"],
      ["vineri", "La ce oră îți este bine?"],
      ["10:30", "Pe ce nume facem programarea?"],
      ["mă numesc Ana Pop", "La ce număr de telefon te putem suna?"],
      ["0722 123 456", confirmed],
    ];
    const said: AgentAnswer[] = [];
    for (const [message] of conversation) said.push(await answer(message));
    expect(said.map(({ message }) => message)).toEqual(conversation.map(([, expected]) => expected));
    expect(said.map(({ isComplete }) => isComplete)).toEqual([false, false, false, false, false, true]);
    expect(said[1]!.intent).toMatchObject({ status: "active", missing: ["data", "ora", "nume", "telefon"] });
    expect(said[1]!.intent!.intentId).toBe(said[0]!.intent!.intentId);
    expect(said.at(-1)).toMatchObject({
      intent: { ...said[4]!.intent, status: "completed", missing: [], parameters },
      toolCalls: [{ name: "programare", parameters }],
    });
  });

  test("[A4] takes everything from one sentence", async () => {
    const { message, intent, isComplete } = await say(
      "Vreau o programare la detartraj vineri la 10:30, mă numesc Ana Pop, 0722.123.456",
    );
    expect({ message, status: intent?.status, isComplete }).toEqual({
      message: confirmed,
      status: "completed",
      isComplete: true,
    });
  });

  test("[A4] takes several parameters at once and asks for the rest", async () => {
    const { message, intent } = await say("vreau sa fac o porgramare la detartaj pt maine la ora 17");
    expect(message).toBe("Te ajut să faci o programare. Pe ce nume facem programarea?");
    expect(intent).toEqual({
      intentId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      businessId: "B0100001",
      userId: "user_123",
      sessionId: "session_1",
      name: "programare",
      status: "active",
      parameters: { serviciu: "Detartraj", data: "2026-08-06", ora: "17:00" },
      missing: ["nume", "telefon"],
      createdAt: "2026-08-05T07:00:00.000Z",
      updatedAt: "2026-08-05T07:00:00.000Z",
    });
  });

  test("[A3] a wish for a service begins the intent that asks for it", async () => {
    const { message, intent } = await say("Aș vrea un detartraj mâine");
    expect(message).toBe("Te ajut să faci o programare. La ce oră îți este bine?");
    expect(intent?.parameters).toEqual({ serviciu: "Detartraj", data: "2026-08-06" });
  });

  test("[A4] keeps to the business's time zone", async () => {
    const justAfterMidnightThere = Date.parse("2026-08-05T21:30:00.000Z");
    const { intent } = await say("Vreau o programare mâine", { now: justAfterMidnightThere });
    expect(intent?.parameters).toEqual({ data: "2026-08-07" });
  });

  test("[A4] a date or time said again replaces the one before, and is not taken for a name", async () => {
    const answer = talk();
    await answer("Vreau o programare la albire mâine la 17");
    const { message, intent } = await answer("mai bine vineri la 11");
    expect(message).toBe("Pe ce nume facem programarea?");
    expect(intent?.parameters).toEqual({ serviciu: "Albire", data: "2026-08-07", ora: "11:00" });
  });
});

describe("values that cannot be", () => {
  const week =
    "luni–joi: 09:00–13:00, 14:00–20:00; vineri: 09:00–13:00, 14:00–18:00; sâmbătă: 10:00–14:00; duminică: închis";
  const date = "Nu am înțeles data. Scrie, te rog, ziua și luna (de exemplu 14.08), „mâine” sau o zi a săptămânii.";
  const phone =
    "Nu pare un număr de telefon. Scrie, te rog, cele 10 cifre (de exemplu 0722 123 456) sau numărul cu prefixul țării.";
  const askDate = "În ce zi ai vrea să vii?";
  const askTime = "La ce oră îți este bine?";
  const cases: [before: string[], message: string, answer: string][] = [
    [["albire"], "31.02", `${date} ${askDate}`],
    [["albire"], "nu știu încă", `${date} ${askDate}`],
    [["albire"], "04.08.2026", `Momentul acesta a trecut deja. ${askDate}`],
    [["albire"], "duminică", `Duminică, 9 august 2026: este închis. Programul este ${week}. ${askDate}`],
    [["albire", "vineri"], "cândva", `Nu am înțeles ora. Scrie, te rog, ora ca 10 sau 10:30. ${askTime}`],
    [
      ["albire", "vineri"],
      "13:30",
      `La ora aceasta este închis. Vineri, 7 august 2026: 09:00–13:00, 14:00–18:00. ${askTime}`,
    ],
    [
      ["albire", "vineri"],
      "18",
      `La ora aceasta este închis. Vineri, 7 august 2026: 09:00–13:00, 14:00–18:00. ${askTime}`,
    ],
    [["albire", "azi"], "9:30", `Momentul acesta a trecut deja. ${askTime}`],
    [
      ["albire", "vineri", "10"],
      "12345",
      "Scrie, te rog, numele cu litere, de exemplu Ana Popescu. Pe ce nume facem programarea?",
    ],
    [["albire", "vineri", "10", "Ana"], "0722 12", `${phone} La ce număr de telefon te putem suna?`],
  ];

  test.each(cases)(
    "[A4] after %j, %j is asked for again, saying what is expected",
    async (before, message, expected) => {
      const answer = talk();
      for (const each of ["Vreau o programare", ...before]) await answer(each);
      const said = await answer(message);
      expect(said.message).toBe(expected);
      expect(said.isComplete).toBe(false);
    },
  );

  test("[A4] what is no option is answered with the options", async () => {
    const answer = talk();
    await answer("Vreau o programare");
    const { message, actions } = await answer("masaj");
    expect(message).toMatch(
      /^Nu am găsit această opțiune\. Poți alege: Consultație, Detartraj, .*\. Ce tip de serviciu dorești\?$/,
    );
    expect(actions).toContainEqual({ type: "choice", label: "Albire", value: "Albire" });
  });

  test("[A4] on a day that is over by its last opening hour, today cannot be chosen", async () => {
    const evening = Date.parse("2026-08-05T18:00:00.000Z");
    expect((await say("Vreau o programare azi", { now: evening })).message).toBe(
      `Te ajut să faci o programare. Momentul acesta a trecut deja. ${first}`,
    );
  });
});

describe("in the middle of a task", () => {
  test("[A5] a question is answered, and the open question asked again", async () => {
    const answer = talk();
    await answer("Vreau o programare la detartraj");
    const aside = await answer("Aveți parcare?");
    expect(aside.message).toMatch(/^Da, la Zâmbet Titan avem 6 locuri .* În ce zi ai vrea să vii\?$/);
    expect(aside).toMatchObject({ sources: ["Aveți loc de parcare?"], isComplete: false });
    expect((await answer("vineri")).message).toBe("La ce oră îți este bine?");
  });

  test("[A5] a question that names an option is a question, not a choice", async () => {
    const answer = talk();
    await answer("Vreau o programare");
    expect((await answer("Cât costă detartrajul?")).message).toMatch(
      /^Detartraj: 250 lei, 45 de minute\. .*dorești\?$/,
    );
  });

  test.each(["nu mai vreau", "Renunț", "anulează", "anulează programarea", "m-am răzgândit", "stop"])(
    "[A7] %j abandons it",
    async (message) => {
      const answer = talk();
      await answer("Vreau o programare la albire");
      expect(await answer(message)).toMatchObject({
        message: "Am renunțat. Cu ce altceva te pot ajuta?",
        intent: { status: "abandoned", parameters: { serviciu: "Albire" } },
        isComplete: true,
      });
    },
  );

  test("[A7] an option that sounds like giving up is still an option", async () => {
    const answer = talk();
    await answer("Vreau să anulez programarea");
    expect((await answer("anulare")).intent?.parameters).toEqual({ actiune: "anulare" });
  });

  test("[A3] another intent that is plainly begun takes its place", async () => {
    const answer = talk();
    const booking = await answer("Vreau o programare la albire mâine la 10");
    const { message, intent } = await answer("Vreau să vorbesc cu un om");
    expect(message).toBe("Te pun în legătură cu un coleg. Despre ce este vorba?");
    expect(intent).toMatchObject({ name: "coleg", parameters: {} });
    expect(booking.intent?.name).toBe("programare");
  });

  test.each(["completed", "abandoned"] as const)("[A3] an intent that is %s is not gone on with", async (status) => {
    const { intent } = await say("Vreau o programare");
    expect((await say("vineri", { intent: { ...intent!, status } })).message).toBe("Cu ce te pot ajuta?");
  });

  test("[A3] an intent that the business no longer has is not gone on with", async () => {
    const { intent } = await say("Vreau o programare");
    expect((await say("bună", { intent: { ...intent!, name: "gone" } })).message).toBe("Cu ce te pot ajuta?");
  });
});

test("[A4] speaks the language of the business", async () => {
  const garage = businessSchema.parse({
    businessId: "G1",
    name: "Garage",
    locale: "en",
    timeZone: "Europe/London",
    openingHours: { friday: ["08:00-16:00"] },
    intents: [
      {
        name: "repair",
        title: "Repair",
        phrases: ["I want to book a repair"],
        opening: "Let us find a day.",
        parameters: [{ name: "day", question: "Which day suits you?", type: "date" }],
        confirmation: "See you on {day}.",
      },
    ],
  });
  const answer = createTalk(assistant, { business: garage });
  const said = [];
  for (const message of ["I'd like to book a repair for tomorrow", "14.8"]) said.push((await answer(message)).message);
  expect(said).toEqual([
    "Let us find a day. Thursday, 6 August 2026: closed. We are open Monday–Thursday: closed; Friday: 08:00–16:00; " +
      "Saturday–Sunday: closed. Which day suits you?",
    "See you on Friday, 14 August 2026.",
  ]);
});
