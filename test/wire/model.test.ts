import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import { Telemetry } from "../../server/telemetry.js";
import { DeskWindow } from "../support/desk-window.js";
import { FakeClock } from "../support/fake-clock.js";
import {
  type Behaviour,
  calls,
  chunk,
  cuts,
  done,
  FakeModel,
  refuses,
  says,
  sends,
  stalls,
  streams,
} from "../support/fake-model.js";
import type { Payload } from "../support/phoenix.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

const businessId = "B0100001";
const question = "Cât costă o albire?";
/** The answer to it without a model: the practice's own words. */
const own = "Bună! Albire: 900 lei, 75 de minute. Albire profesională în cabinet, cu lampă; se face după un detartraj.";
const conversationMs = 60_000;
const stepShownAfterMs = 150;

let model: FakeModel;
let clock: FakeClock;
let app: TestApp;
let failures: string[];
let windows: DeskWindow[];
let ana: DeskWindow;
let console: DeskWindow;

beforeEach(async () => {
  model = await FakeModel.start();
  // Monday, noon in Bucharest.
  clock = new FakeClock(Date.parse("2026-03-02T10:00:00.000Z"));
  failures = [];
  const telemetry = new Telemetry<DeskEvents>(() => undefined);
  telemetry.attach("model.failed", ({ code }) => void failures.push(code));
  const environment = { AGENT: "assistant", MODEL_URL: model.url, MODEL_NAME: "m", MODEL_API_KEY: "sk-1" };
  app = await startTestApp({ ...environment, IDLE_TIMEOUT_MS: "0" }, { clock, telemetry });
  windows = [];
  ana = await opened({ userId: "ana" });
  console = await opened({});
});

afterEach(async () => {
  for (const window of windows) await window.close();
  await app.dispose();
  await model.stop();
});

async function opened(payload: Payload): Promise<DeskWindow> {
  const window = await DeskWindow.open(app.url, businessId, payload);
  windows.push(window);
  return window;
}

/** One turn. @returns its outcome */
async function ask(message: string, who = ana): Promise<Payload> {
  return who.answerTo(await who.say(message));
}

async function history(sessionId: unknown): Promise<readonly ChatMessage[]> {
  const response = await fetch(`${app.url}/api/sessions/${String(sessionId)}/messages`);
  return ((await response.json()) as { readonly messages: readonly ChatMessage[] }).messages;
}

const shown = (who = ana) => who.heard("message_delta").map(({ at, text }) => [at, text]);

test(
  "[A32] [M41] what a model writes is shown as it comes, then is the answer, whole",
  async () => {
    let response: ServerResponse | undefined;
    model.will((held) => void (response = held));
    const reply = await ana.say(question);
    const stream = await until("the model is asked", () => response);
    clock.advance(stepShownAfterMs);
    await ana.hears("thinking", ({ step, status }) => step === "response" && status === "started");
    await stalls(chunk({ role: "assistant", content: "" }), chunk({ content: "Albirea " }))(stream, model.calls[0]!);
    await ana.hears("message_delta", () => true);
    expect(shown()).toEqual([[0, "Bună! Albirea "]]);
    expect(ana.heard("new_message")).toEqual([]);
    stream.end(chunk({ content: "costă 900 lei." }) + chunk({}, "stop") + done);
    const answer = await ana.answerTo(reply);
    expect(answer).toMatchObject({ message: "Bună! Albirea costă 900 lei.", from: "agent", isComplete: true });
    const { responseId, sessionId } = answer;
    for (const delta of ana.heard("message_delta")) expect(delta.responseId).toBe(responseId);
    const names = ana.eventsAbout(reply.messageId);
    expect(names.at(-1)).toBe("new_message");
    expect(names.lastIndexOf("thinking")).toBeLessThan(names.indexOf("message_delta"));
    expect((await history(sessionId)).map(({ content }) => content)).toEqual([question, answer.message]);
    const [told] = await until("it is told", () => [console.heard("message_processed")].find(({ length }) => length));
    expect(told).toMatchObject({ answer: answer.message, status: "answered", responseId });
  },
  conversationMs,
);

describe("[A33] a model that fails before a word of it was shown", () => {
  const failing: [string, Behaviour, string][] = [
    ["[A-03] has no time", refuses(429), "model_status_429"],
    ["[A-05] sends what is no completion", sends("<html>Bad gateway</html>", "text/html"), "model_content_type"],
    ["[A-05] says nothing", says(), "model_empty"],
    ["[A-07] is cut", cuts(chunk({ role: "assistant", content: "" })), "model_answer_cut"],
  ];

  test.each(failing)(
    "is answered without: it %s",
    async (_what, behaviour, code) => {
      model.will(behaviour);
      expect(await ask(question)).toMatchObject({ message: own, from: "agent" });
      expect([model.calls.length, shown(), failures]).toEqual([1, [], [code]]);
      model.will(says("900 lei."));
      expect(await ask(question)).toMatchObject({ message: "900 lei." });
    },
    conversationMs,
  );

  test(
    "[A-03] is not asked before its Retry-After, and nobody waits for it",
    async () => {
      model.will(refuses(429, { "retry-after": "7" }), says("900 lei."));
      await ask(question);
      clock.advance(6999);
      expect(await ask(question)).toMatchObject({ message: own.replace("Bună! ", ""), from: "agent" });
      expect(model.calls).toHaveLength(1);
      clock.advance(1);
      expect(await ask(question)).toMatchObject({ message: "900 lei." });
    },
    conversationMs,
  );
});

describe("[A33] a model that fails in the middle of its text", () => {
  const half = chunk({ content: "Albirea " });
  const failing: [string, Behaviour, string][] = [
    ["[A-07] is cut", cuts(half), "model_answer_cut"],
    ["[A-05] goes on with nonsense", streams(half, "data: {}\n\n"), "model_nonsense"],
    ["[A-06] was not let finish", streams(half, chunk({}, "length"), done), "model_not_whole"],
  ];

  test.each(failing)(
    "fails the turn, whose outcome takes the place of what was shown: it %s",
    async (_what, behaviour, code) => {
      model.will(behaviour);
      const reply = await ana.say(question);
      const outcome = await ana.answerTo(reply);
      expect(outcome).toMatchObject({ from: "system", offset: 2 });
      expect(shown()).toEqual([[0, "Bună! Albirea "]]);
      expect(ana.heard("message_delta")[0]!.responseId).toBe(outcome.responseId);
      expect(await ana.hears("error", () => true)).toMatchObject({ code: "agent_failed", messageId: reply.messageId });
      expect([model.calls.length, failures]).toEqual([1, [code]]);
      expect((await history(outcome.sessionId)).map(({ type }) => type)).toEqual(["user", "system"]);
      expect(await console.hears("message_processed", () => true)).toMatchObject({ status: "failed" });
    },
    conversationMs,
  );
});

test(
  "[A31] of a session's words, no word of another session, and no note of a coordinator's, reaches the model",
  async () => {
    model.always(says("Da."));
    const ion = await opened({ userId: "ion" });
    await ask("/new");
    const { sessionId: first } = await ask("Aveți loc de joacă pentru cuvântul1?");
    await Promise.all([ask("Aveți loc de joacă pentru cuvântul2?"), ask("Aveți loc de joacă pentru cuvântul3?", ion)]);
    await console.push("note", { sessionId: first, message: "Aveți grijă, cuvântul4" });
    await ask("Aveți loc de joacă pentru cuvântul5?");
    await ana.push("close", { sessionId: first });
    await ask("Aveți loc de joacă pentru cuvântul6?");
    const words = model.calls.map(({ body }) => JSON.stringify(body).match(/cuvântul\d/g));
    expect(words.map((each) => each?.join(" ")).toSorted()).toEqual([
      "cuvântul1",
      "cuvântul1 cuvântul2",
      "cuvântul1 cuvântul2 cuvântul5",
      "cuvântul3",
      "cuvântul6",
    ]);
  },
  conversationMs,
);

test(
  "[A32] what a model calls for is begun, without what it made up, and then gone on with without it",
  async () => {
    const invented = { nume: "Maria Ionescu", telefon: "0733123456", userId: "ion" };
    model.will(calls("programare", { serviciu: "Albire", data: "2026-03-06", ora: "10:30", ...invented }));
    expect(await ask("Hai cu dinții albi ca zăpada: 6 martie, 10:30")).toMatchObject({
      message: "Bună! Te ajut să faci o programare. Pe ce nume facem programarea?",
      isComplete: false,
    });
    const parameters = { serviciu: "Albire", data: "2026-03-06", ora: "10:30" };
    const begun = await ana.hears("intent_updated", ({ status }) => status === "active");
    expect(begun).toMatchObject({ name: "programare", userId: "ana", parameters, missing: ["nume", "telefon"] });
    expect(await ask("Ana Pop, 0722 123 456")).toMatchObject({ isComplete: true });
    const completed = await ana.hears("intent_updated", ({ status }) => status === "completed");
    expect(completed).toMatchObject({ intentId: begun.intentId, parameters: { ...parameters, nume: "Ana Pop" } });
    expect(model.calls).toHaveLength(1);
  },
  conversationMs,
);
