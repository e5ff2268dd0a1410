import { describe, expect, test } from "@jest/globals";
import type { ChatMessage } from "../../server/messaging/model.js";
import { answerCommand, type Command, parseCommand } from "../../server/messaging/steps/command.js";
import { commandTexts } from "../../server/messaging/texts.js";

describe("[M43] what is a command", () => {
  test.each<[string, Command | null]>([
    ["/help", { name: "help" }],
    ["  /HELP \n", { name: "help" }],
    ["/new", { name: "new" }],
    ["/human", { name: "human" }],
    ["/history", { name: "history" }],
    ["/close", { name: "close" }],
    ["/lang ro", { name: "lang", locale: "ro" }],
    ["/Lang EN", { name: "lang", locale: "en" }],
    ["/lang", { name: "lang", locale: null }],
    ["/lang de", { name: "lang", locale: null }],
    ["/start", { name: "start" }],
    ["/stop", null],
    ["/helpme", null],
    ["/help me", null],
    ["/new appointment", null],
    ["/ help", null],
    ["help", null],
    ["please /help", null],
    ["/help\n/close", null],
    ["/constructor", null],
    ["/", null],
    ["", null],
  ])("%j", (text, command) => {
    expect(parseCommand(text)).toEqual(command);
  });
});

describe("[M43] what a command comes to", () => {
  const said = (type: ChatMessage["type"], content: string) => ({ type, content }) as ChatMessage;

  test.each<[Command, object]>([
    [{ name: "help" }, {}],
    [{ name: "new" }, { status: "closed" }],
    [{ name: "close" }, { status: "closed" }],
    [{ name: "human" }, { wantsHuman: true }],
    [{ name: "lang", locale: null }, {}],
    [{ name: "lang", locale: "en" }, { locale: "en" }],
    [{ name: "history" }, {}],
  ])("%j: a text in each language, and what it does", (command, does) => {
    const [ro, en] = (["ro", "en"] as const).map((locale) => answerCommand(command, { locale, greeting: "Hi!" }, []));
    const { content, ...rest } = ro!;
    expect([content.length > 0, rest]).toEqual([true, does]);
    const saysTheSame = command.name === "lang" && command.locale !== null;
    expect(en!.content === content).toBe(saysTheSame);
  });

  test("a language is answered in that language", () => {
    expect(answerCommand({ name: "lang", locale: "ro" }, { locale: "en", greeting: "Hi!" }, []).content).toBe(
      commandTexts("ro").language,
    );
  });

  test("the history names who said what, in one line each, not longer than one can read", () => {
    const history = [said("user", "Bună\n  ziua"), said("agent", "x".repeat(500)), said("coordinator", "da")];
    const lines = answerCommand({ name: "history" }, { locale: "ro", greeting: "Hi!" }, history).content.split("\n");
    expect(lines).toEqual(["Tu: Bună ziua", `Asistent: ${"x".repeat(200)}…`, "Coleg: da"]);
  });

  test("a line is never cut inside a character", () => {
    const [line] = answerCommand({ name: "history" }, { locale: "en", greeting: "Hi!" }, [
      said("user", `${"x".repeat(199)}🚗`),
    ]).content.split("\n");
    expect(line).toBe(line!.toWellFormed());
  });
});
