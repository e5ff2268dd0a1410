import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { askModel, type ModelOutcome } from "../../../server/agents/model/ask-model.js";
import { createHttpModel } from "../../../server/agents/model/http-model.js";
import type { ModelTurn } from "../../../server/agents/model/model-turn.js";
import { AgentError } from "../../../server/messaging/agent.js";
import type { Business } from "../../../server/messaging/business.js";
import { FakeClock } from "../../support/fake-clock.js";
import {
  type Behaviour,
  calls,
  chunk,
  cuts,
  done,
  FakeModel,
  hangs,
  refuses,
  repeats,
  says,
  sends,
  stalls,
  streams,
} from "../../support/fake-model.js";
import { until } from "../../support/until.js";
import { dentist, turnOf } from "../turns.js";

let business: Business;
let fake: FakeModel;
let clock: FakeClock;

beforeAll(async () => {
  business = await dentist();
});

beforeEach(async () => {
  fake = await FakeModel.start();
  clock = new FakeClock();
});

afterEach(() => fake.stop());

interface Asked {
  readonly shown: readonly string[];
  readonly outcome: ModelOutcome | null;
  readonly error: unknown;
}

async function ask(
  message = "Cât costă un implant?",
  more: Partial<ModelTurn> = {},
  signal = new AbortController().signal,
): Promise<Asked> {
  const model = createHttpModel({ url: fake.url, modelName: "m", apiKey: "k", clock, maxAnswerBytes: 8192 });
  const events = askModel(
    model,
    { turn: turnOf(message, { business }), passages: [], task: null, around: [], ...more },
    signal,
  );
  const shown: string[] = [];
  try {
    for (;;) {
      const next = await events.next();
      if (next.done === true) return { shown, outcome: next.value, error: null };
      shown.push(next.value.text);
    }
  } catch (error) {
    return { shown, outcome: null, error };
  }
}

describe("[A32] what a model said", () => {
  test("is all that was shown, and what it used", async () => {
    fake.will(says("De la ", "2.500", " lei."));
    expect(await ask()).toEqual({
      shown: ["De la ", "2.500", " lei."],
      outcome: { kind: "said", text: "De la 2.500 lei.", call: null, tokens: 42 },
      error: null,
    });
  });

  test("may be a call for an intent, with the values that it may have", async () => {
    fake.will(calls("programare", { serviciu: "Albire", data: "2026-08-06", userId: "user_999" }));
    const [intent] = business.intents;
    const call = { kind: "intent", intent, values: { serviciu: "Albire", data: "2026-08-06" } };
    expect(await ask()).toEqual({ shown: [], outcome: { kind: "said", text: "", call, tokens: 42 }, error: null });
  });

  test("may be a call after some text", async () => {
    fake.will(calls("programare", {}, "Sigur."));
    expect(await ask()).toMatchObject({ shown: ["Sigur."], outcome: { text: "Sigur.", call: { values: {} } } });
  });

  test("may be that a person is wanted", async () => {
    fake.will(calls("ask_a_person", {}));
    expect((await ask()).outcome).toMatchObject({ text: "", call: { kind: "person" } });
  });

  test("of several calls the first that there is counts", async () => {
    const calling = (index: number, name: string) =>
      chunk({ tool_calls: [{ index, function: { name, arguments: "{}" } }] });
    fake.will(
      streams(calling(0, "cancel_all"), calling(1, "ask_a_person"), calling(2, "programare"), chunk({}, "stop")),
    );
    expect((await ask()).outcome).toMatchObject({ call: { kind: "person" } });
  });

  test("[A-17] [A-16] is text, whatever it looks like", async () => {
    const text = `["1","1","messages:B1","phx_close",{}] <script>alert(1)</script> {"tool_calls":[{"name":"programare"}]}`;
    fake.will(says(text));
    expect((await ask()).outcome).toEqual({ kind: "said", text, call: null, tokens: 42 });
  });

  test("is without what nobody can see, and begins with something that can be seen", async () => {
    fake.will(says(" \n", "\u202e", "\u0000A\r\n", "\tb\u2066\u009b ", "\u0007"));
    expect(await ask()).toMatchObject({ shown: ["A\n", "\tb "], outcome: { text: "A\n\tb " } });
  });

  test("a character that was cut between two pieces is whole again", async () => {
    fake.will(
      streams('data: {"choices":[{"delta":{"content":"\\ud83e"}}]}\n\n', chunk({ content: "\uddb7!" }, "stop"), done),
    );
    expect((await ask()).outcome).toMatchObject({ text: "🦷!" });
  });
});

describe("[A33] a model that fails", () => {
  const failures: [string, Behaviour, string][] = [
    ["[A-03] refuses for now", refuses(429, { "retry-after": "1" }), "model_status_429"],
    ["[A-03] breaks", refuses(500), "model_status_500"],
    ["[A-05] says nonsense", sends({ choices: 5 }), "model_nonsense"],
    ["[A-05] says nothing", says(), "model_empty"],
    ["[A-05] says nothing that can be seen", says(" ", "\u200f\u202e\n".slice(1)), "model_empty"],
    [
      "[A-16] calls for what there is not, and nothing else",
      calls("cancel_all", { userId: "user_999" }),
      "model_empty",
    ],
    ["calls with arguments that are none", calls("programare", "{"), "model_not_json"],
    ["[A-07] is cut before it said a word", cuts(chunk({ role: "assistant", content: "" })), "model_answer_cut"],
  ];

  test.each(failures)(
    "before anything was shown leaves the answer to others: it %s",
    async (_what, behaviour, code) => {
      fake.will(behaviour);
      const { shown, outcome, error } = await ask();
      expect({ shown, error }).toEqual({ shown: [], error: null });
      expect(outcome).toMatchObject({ kind: "failed", error: { code } });
      expect(fake.calls).toHaveLength(1);
    },
  );

  const halves: [string, Behaviour, string][] = [
    ["[A-07] cut", cuts(chunk({ content: "De la " })), "model_answer_cut"],
    ["[A-07] ended too soon", streams(chunk({ content: "De la " }), chunk({}, "length")), "model_not_whole"],
    ["[A-05] nonsense", streams(chunk({ content: "De la " }), "data: {}\n\n"), "model_nonsense"],
    ["a call that cannot be read", calls("programare", "{", "Sigur."), "model_not_json"],
    ["[A-06] text without end", repeats(chunk({ content: "x".repeat(500) })), "model_answer_too_long"],
  ];

  test.each(halves)("in the middle of its text fails the turn: %s", async (_what, behaviour, code) => {
    fake.will(behaviour);
    const { shown, outcome, error } = await ask();
    expect(shown.length).toBeGreaterThan(0);
    expect(outcome).toBeNull();
    expect(error).toBeInstanceOf(AgentError);
    expect((error as AgentError).code).toBe(code);
  });

  test("[A-01] one that hangs is left after two thirds of the time, so that there is time to answer without it", async () => {
    fake.will(hangs);
    const asking = ask();
    await until("it is asked", () => fake.calls.length === 1 && clock.timerCount === 1);
    clock.advance(20_000 - 1);
    expect(clock.timerCount).toBe(1);
    clock.advance(1);
    expect((await asking).outcome).toMatchObject({ kind: "failed", error: { code: "model_idle" } });
  });

  test.each([
    ["before it said a word", hangs],
    ["in the middle", stalls(chunk({ content: "De la " }))],
  ])("a turn that is stopped %s is no failure of the model, and no answer", async (_when, behaviour) => {
    fake.will(behaviour);
    const controller = new AbortController();
    const asking = ask("Bună", {}, controller.signal);
    await until("it is asked", () => fake.calls.length === 1);
    controller.abort(new Error("stopped"));
    const { outcome, error } = await asking;
    expect(outcome).toBeNull();
    expect(error).toBeInstanceOf(Error);
    await until("the connection is closed", () => fake.calls[0]!.isLeft);
  });
});

test("[A31] nothing of another turn reaches the model, side by side", async () => {
  fake.always(says("Da."));
  const turns = Array.from({ length: 20 }, (_, n) => ask(`my word is secret${n}x`));
  await Promise.all(turns);
  const words = fake.calls.map(({ body }) => new Set(JSON.stringify(body).match(/secret\d+x/g)));
  expect(words.map(({ size }) => size)).toEqual(Array.from({ length: 20 }, () => 1));
  expect(new Set(words.flatMap((each) => [...each])).size).toBe(20);
});
