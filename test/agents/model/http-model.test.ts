import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { ChatModel, ModelEvent, ModelRequest } from "../../../server/agents/model/chat-model.js";
import { createHttpModel, type HttpModelOptions } from "../../../server/agents/model/http-model.js";
import { AgentError } from "../../../server/messaging/agent.js";
import { FakeClock } from "../../support/fake-clock.js";
import {
  type Behaviour,
  calls,
  chunk,
  cuts,
  data,
  done,
  FakeModel,
  hangs,
  refuses,
  repeats,
  says,
  sends,
  stalls,
  streams,
  used,
} from "../../support/fake-model.js";
import { until } from "../../support/until.js";

const maxAnswerBytes = 16_384;
const beginMs = 20_000;
const idleMs = 10_000;
const apiKey = "sk-of-the-test";

let fake: FakeModel;
let clock: FakeClock;
/** How long was waited for something, each time that it began. */
let waits: number[];

beforeEach(async () => {
  fake = await FakeModel.start();
  clock = new FakeClock();
  waits = [];
  const after = clock.after.bind(clock);
  clock.after = (ms, callback) => {
    waits.push(ms);
    return after(ms, callback);
  };
});

afterEach(() => fake.stop());

function model(more: Partial<HttpModelOptions> = {}): ChatModel {
  return createHttpModel({ url: fake.url, modelName: "test-model", apiKey, clock, maxAnswerBytes, ...more });
}

const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Cât costă?" },
] as const;

interface Said {
  readonly events: readonly ModelEvent[];
  readonly error: unknown;
}

/** Everything that is said, and why it ended. */
async function said(asked = model(), more: Partial<ModelRequest> = {}): Promise<Said> {
  const events: ModelEvent[] = [];
  try {
    const signal = new AbortController().signal;
    for await (const event of asked.complete({ messages, tools: [], beginMs, reservedBytes: 0, signal, ...more }))
      events.push(event);
    return { events, error: null };
  } catch (error) {
    return { events, error };
  }
}

const textOf = (events: readonly ModelEvent[]) =>
  events.map((each) => (each.type === "delta" ? each.text : "")).join("");
const isLeft = () => until("the connection is closed", () => fake.calls.at(-1)!.isLeft);

describe("[A30] what the model is sent", () => {
  const tool = { name: "book", description: "Books", parameters: { type: "object", properties: {} } };

  test("is the messages and the tools, with the key as a bearer token", async () => {
    await said(model(), { tools: [tool] });
    const { method, path, headers, body } = fake.calls[0]!;
    expect([method, path]).toEqual(["POST", "/v1/chat/completions"]);
    expect(body).toEqual({
      model: "test-model",
      messages,
      stream: true,
      stream_options: { include_usage: true },
      tools: [{ type: "function", function: tool }],
    });
    expect(headers).toMatchObject({ authorization: `Bearer ${apiKey}`, "accept-encoding": "identity" });
  });

  test("has no tools where there are none, and no token where there is no key", async () => {
    await said(model({ apiKey: undefined }));
    expect(fake.calls[0]!.body).not.toHaveProperty("tools");
    expect(fake.calls[0]!.headers).not.toHaveProperty("authorization");
  });

  const variables = {
    OPENAI_API_KEY: "k",
    OPENAI_ORG_ID: "o",
    OPENAI_CUSTOM_HEADERS: "x-more: 1",
    LANGSMITH_API_KEY: "l",
  };

  test("owes nothing to the environment of other programs", async () => {
    await said();
    Object.assign(process.env, variables);
    try {
      await said();
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
    }
    expect(fake.calls[1]!.headers).toEqual(fake.calls[0]!.headers);
  });

  test.each([
    ["", "/v1/chat/completions"],
    ["/", "/v1/chat/completions"],
    ["/v1/", "/v1/chat/completions"],
    ["/openai/deployments/x", "/openai/deployments/x/chat/completions"],
    ["/v2/chat/completions", "/v2/chat/completions"],
    ["/v1?api-version=2", "/v1/chat/completions?api-version=2"],
  ])("goes to the API below MODEL_URL: %j", async (suffix, path) => {
    await said(model({ url: new URL(fake.url).origin + suffix }));
    expect(fake.calls[0]!.path).toBe(path);
  });

  test("names neither key nor password of the address in logs", () => {
    const { name } = model({ url: "https://u:pass@models.example/v1" });
    expect(name).toBe("test-model at models.example");
  });
});

describe("[A30] what the model says", () => {
  const whole: [string, Behaviour, readonly ModelEvent[]][] = [
    [
      "text, streamed",
      says("De la ", "600 lei."),
      [
        { type: "delta", text: "De la " },
        { type: "delta", text: "600 lei." },
        { type: "end", tokens: 42 },
      ],
    ],
    [
      "a call whose arguments come in fragments",
      calls("book", { service: "Plombă", day: "2026-08-06" }),
      [
        { type: "tool_call", name: "book", arguments: { service: "Plombă", day: "2026-08-06" } },
        { type: "end", tokens: 42 },
      ],
    ],
    [
      "a call without arguments",
      calls("book", ""),
      [
        { type: "tool_call", name: "book", arguments: {} },
        { type: "end", tokens: 42 },
      ],
    ],
    [
      "text and several calls at once",
      streams(
        chunk({ content: "One moment." }),
        chunk({ tool_calls: [{ index: 0, function: { name: "a", arguments: "{}" } }] }),
        chunk({ tool_calls: [{ index: 1, function: { name: "b", arguments: '{"x":1}' } }] }),
        chunk({}, "stop"),
      ),
      [
        { type: "delta", text: "One moment." },
        { type: "tool_call", name: "a", arguments: {} },
        { type: "tool_call", name: "b", arguments: { x: 1 } },
        { type: "end", tokens: null },
      ],
    ],
    [
      "a whole call in one piece without an index, its name said twice",
      streams(
        chunk({ tool_calls: [{ function: { name: "a", arguments: "{" } }] }),
        chunk({ tool_calls: [{ function: { name: "a", arguments: "}" } }] }, "tool_calls"),
        done,
      ),
      [
        { type: "tool_call", name: "a", arguments: {} },
        { type: "end", tokens: null },
      ],
    ],
    [
      "text, in one piece, with the usage",
      sends({
        choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }],
        usage: { total_tokens: 7 },
      }),
      [
        { type: "delta", text: "Yes." },
        { type: "end", tokens: 7 },
      ],
    ],
    [
      "with fields that nobody knows, comments, and a first chunk without a choice",
      streams(
        ": thinking\n\n",
        data({ choices: [], prompt_filter_results: [1] }),
        chunk({ content: null, reasoning_content: "hm" }),
        chunk({ content: "Yes.", refusal: null, annotations: [] }),
        data({ choices: [{ delta: {}, finish_reason: "stop", logprobs: null }], usage: null, service_tier: "x" }),
        done,
      ),
      [
        { type: "delta", text: "Yes." },
        { type: "end", tokens: null },
      ],
    ],
    [
      "with a usage that is none",
      streams(chunk({ content: "Yes." }, "stop"), data({ choices: [], usage: { total_tokens: -1 } }), done),
      [
        { type: "delta", text: "Yes." },
        { type: "end", tokens: null },
      ],
    ],
  ];

  test.each(whole)("%s", async (_what, behaviour, events) => {
    fake.will(behaviour);
    expect(await said()).toEqual({ events, error: null });
    expect(clock.timerCount).toBe(0);
  });

  test("is over with [DONE], though the stream stays open", async () => {
    fake.will(stalls(chunk({ content: "Yes." }), chunk({}, "stop"), used(5), done));
    expect((await said()).events.at(-1)).toEqual({ type: "end", tokens: 5 });
    await isLeft();
  });

  test("[A-07] cut anywhere in its stream: what was shown is a beginning of it, and there is no end", async () => {
    const stream = [chunk({ content: "De la " }), chunk({ content: "600 lei." }), chunk({}, "stop")].join("");
    // The end of the last event is not needed: by then the model has said that it is done.
    for (let at = 0; at < stream.length - 1; at += 7) {
      fake.will(at % 2 === 0 ? cuts(stream.slice(0, at)) : streams(stream.slice(0, at)));
      const { events, error } = await said();
      expect((error as AgentError).code).toMatch(/^model_(answer_)?cut$/);
      expect("De la 600 lei.".startsWith(textOf(events))).toBe(true);
      expect(events.every(({ type }) => type === "delta")).toBe(true);
    }
  });
});

describe("[A30] what is no answer", () => {
  interface Failure {
    readonly code: string;
    readonly isThere?: boolean;
    readonly isRetryable?: boolean;
    readonly retryAfterMs?: number;
    readonly shown?: string;
  }
  const there = { isThere: true } as const;
  const away = { isRetryable: true } as const;
  const started = chunk({ content: "De la " });
  const failures: [string, Behaviour, Failure][] = [
    ["[A-03] 429", refuses(429), { code: "model_status_429", ...away }],
    [
      "[A-03] 429 with seconds",
      refuses(429, { "retry-after": "7" }),
      { code: "model_status_429", ...away, retryAfterMs: 7000 },
    ],
    [
      "[A-03] 503 with a date",
      refuses(503, { "retry-after": "Mon, 02 Mar 2026 10:00:30 GMT" }),
      { code: "model_status_503", ...away, retryAfterMs: 30_000 },
    ],
    ["[A-03] 429 with nonsense", refuses(429, { "retry-after": "soon" }), { code: "model_status_429", ...away }],
    ["[A-03] 500", refuses(500), { code: "model_status_500" }],
    ["[A-03] 401", refuses(401), { code: "model_status_401", ...there }],
    ["[A-03] 404", refuses(404), { code: "model_status_404", ...there }],
    ["[A-11] a redirect", refuses(302, { location: "http://127.0.0.1:9/" }), { code: "model_status_302", ...there }],
    ["[A-05] a page", sends("<html>502</html>", "text/html"), { code: "model_content_type", ...there }],
    ["[A-05] bytes", sends(Buffer.from([0xff, 0x00, 0x7b])), { code: "model_not_json", ...there }],
    ["[A-05] nothing", sends(""), { code: "model_not_json", ...there }],
    ["[A-05] a list", sends("[]"), { code: "model_not_json", ...there }],
    ["[A-05] no choices", sends({ object: "error" }), { code: "model_nonsense", ...there }],
    ["[A-05] an empty list of choices", sends({ choices: [] }), { code: "model_cut" }],
    ["[A-05] choices that are none", sends({ choices: [5] }), { code: "model_nonsense", ...there }],
    [
      "[A-05] a text that is none",
      sends({ choices: [{ message: { content: ["x"] } }] }),
      { code: "model_nonsense", ...there },
    ],
    ["[A-05] a stream that is no JSON", streams(data("oops")), { code: "model_not_json", ...there }],
    [
      "[A-05] an error in the middle",
      streams(started, data({ error: { message: "overloaded" } })),
      { code: "model_nonsense", ...there, shown: "De la " },
    ],
    ["[A-05] an empty stream", streams(), { code: "model_cut" }],
    ["[A-07] a stream without a reason for its end", streams(started, done), { code: "model_cut", shown: "De la " }],
    ["[A-07] a stream that is cut", cuts(started), { code: "model_answer_cut", shown: "De la " }],
    [
      "[A-07] a text cut at the model's own limit",
      streams(started, chunk({}, "length"), done),
      { code: "model_not_whole", ...there, shown: "De la " },
    ],
    ["a text that was filtered", streams(chunk({}, "content_filter"), done), { code: "model_not_whole", ...there }],
    ["arguments that are no JSON", calls("book", '{"day": '), { code: "model_not_json", ...there }],
    ["arguments that are no object", calls("book", "[1]"), { code: "model_not_json", ...there }],
    [
      "[A-06] arguments without end",
      calls("book", { x: "x".repeat(20_000) }),
      { code: "model_answer_too_long", ...there },
    ],
    [
      "more calls than there may be",
      streams(chunk({ tool_calls: Array.from({ length: 9 }, () => ({ function: { name: "a" } })) })),
      { code: "model_nonsense", ...there },
    ],
    [
      "a call with an index far away",
      streams(chunk({ tool_calls: [{ index: 1_000_000_000, function: { name: "a" } }] })),
      { code: "model_nonsense", ...there },
    ],
    [
      "[A-06] one byte more than an answer may have",
      sends({ choices: [{ message: { content: "x".repeat(maxAnswerBytes + 1) }, finish_reason: "stop" }] }),
      { code: "model_answer_too_long", ...there },
    ],
    ["[A-06] one event without end", repeats("data: " + "x".repeat(4096)), { code: "model_answer_too_long", ...there }],
    ["[A-06] a stream of nothing without end", repeats(chunk({})), { code: "model_answer_too_long", ...there }],
    ["[A-06] a body of JSON without end", sends(" ".repeat(1_000_000)), { code: "model_answer_too_long", ...there }],
  ];

  test.each(failures)("%s", async (_what, behaviour, { code, shown = "", ...flags }) => {
    fake.will(behaviour);
    const { events, error } = await said();
    expect(error).toBeInstanceOf(AgentError);
    const { isThere, isRetryable, retryAfterMs } = error as AgentError;
    expect({ code: (error as AgentError).code, isThere, isRetryable, retryAfterMs }).toEqual({
      code,
      ...{ isThere: false, isRetryable: false, retryAfterMs: null },
      ...flags,
    });
    expect(textOf(events)).toBe(shown);
    expect(events.every(({ type }) => type === "delta")).toBe(true);
    expect(fake.calls).toHaveLength(1);
    expect(clock.timerCount).toBe(0);
    await until("the connection is closed or free", () => fake.calls[0]!.isAnswered || fake.calls[0]!.isLeft);
  });

  test("[A-06] text without end is cut at the length of an answer, and the connection closed", async () => {
    fake.will(repeats(chunk({ content: "x".repeat(100) })));
    const { events, error } = await said();
    expect(error).toMatchObject({ code: "model_answer_too_long" });
    expect(textOf(events).length).toBeLessThanOrEqual(maxAnswerBytes);
    await isLeft();
  });

  test("[A-12] what is packed is not unpacked", async () => {
    const packed = gzipSync(`{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`);
    fake.will((response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(packed);
    });
    expect((await said()).error).toMatchObject({ code: "model_encoded_answer" });
  });

  test("nothing of an error quotes what was said", async () => {
    fake.will(streams(data("secret words{")));
    const { error } = await said();
    expect(JSON.stringify([error, String(error), (error as Error).cause ?? null])).not.toContain("secret");
  });

  test("[A-03] nobody is there", async () => {
    const gone = await FakeModel.start();
    const { url } = gone;
    await gone.stop();
    expect((await said(model({ url }))).error).toMatchObject({ code: "model_unreachable", isRetryable: true });
  });
});

describe("[A30] waiting", () => {
  test("[A-01] one that never answers is left when it has not begun in time", async () => {
    fake.will(hangs);
    const waiting = said();
    await until("it is asked", () => fake.calls.length === 1 && clock.timerCount === 1);
    clock.advance(beginMs - 1);
    expect(clock.timerCount).toBe(1);
    clock.advance(1);
    expect((await waiting).error).toMatchObject({ code: "model_idle", isRetryable: false, isThere: false });
    await isLeft();
  });

  test("[A-01] a stream without a first piece has what is left of the same time", async () => {
    let begin = (): void => undefined;
    fake.will((response, call) => {
      begin = () => void stalls()(response, call);
    });
    const waiting = said();
    await until("it is asked", () => fake.calls.length === 1 && clock.timerCount === 1);
    clock.advance(12_000);
    begin();
    await until("the headers are here", () => waits.at(-1) === 8000);
    clock.advance(8000);
    expect((await waiting).error).toMatchObject({ code: "model_idle" });
    await isLeft();
  });

  test("[A-01] roles, reasoning and signs of life are no beginning", async () => {
    let write = (_piece: string): void => undefined;
    fake.will((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      write = (piece) => void response.write(piece);
      write(chunk({ role: "assistant", content: "" }));
    });
    const waiting = said();
    await until("its first chunk is here", () => waits.at(-1) === idleMs);
    for (const piece of [": processing\n\n", chunk({ reasoning_content: "Hm." })]) {
      const before = waits.length;
      clock.advance(idleMs - 1);
      write(piece);
      await until("it is here", () => waits.length > before);
    }
    clock.advance(beginMs - 2 * (idleMs - 1));
    expect(await waiting).toMatchObject({ events: [], error: { code: "model_idle" } });
    await isLeft();
  });

  test("[A-06] a stream that stops in the middle counts as broken off after ten seconds", async () => {
    fake.will(stalls(chunk({ content: "De la " })));
    const waiting = said();
    await until("it waits for more", () => waits.at(-1) === idleMs);
    clock.advance(idleMs);
    expect(await waiting).toMatchObject({ events: [{ text: "De la " }], error: { code: "model_idle" } });
    await isLeft();
  });

  test.each([
    ["before it answers", hangs],
    ["before its first piece", stalls()],
    ["in the middle", stalls(chunk({ content: "De la " }))],
  ])("one that is stopped %s ends at once, and its connection is closed", async (_when, behaviour) => {
    fake.will(behaviour);
    const controller = new AbortController();
    const waiting = said(model(), { signal: controller.signal });
    await until("it is asked", () => fake.calls.length === 1);
    controller.abort(new Error("stopped"));
    expect((await waiting).error).toBeInstanceOf(Error);
    await isLeft();
    expect(clock.timerCount).toBe(0);
  });

  test("one that is stopped before is not asked", async () => {
    expect((await said(model(), { signal: AbortSignal.abort(new Error("stopped")) })).error).toMatchObject({
      message: "stopped",
    });
    expect(fake.calls).toEqual([]);
  });

  test("who leaves early closes the connection", async () => {
    fake.will(stalls(chunk({ content: "De la " })));
    const signal = new AbortController().signal;
    for await (const event of model().complete({ messages, tools: [], beginMs, reservedBytes: 0, signal })) {
      expect(event).toEqual({ type: "delta", text: "De la " });
      break;
    }
    await isLeft();
    expect(clock.timerCount).toBe(0);
  });
});
