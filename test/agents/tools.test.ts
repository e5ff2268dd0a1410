import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createAssistant } from "../../server/agents/assistant/assistant.js";
import { secretOfBusiness } from "../../server/agents/http-request.js";
import type { AgentAnswer, AgentEvent, AgentTurn } from "../../server/messaging/agent.js";
import { type Business, businessSchema } from "../../server/messaging/business.js";
import type { Intent } from "../../server/messaging/model.js";
import { type Behaviour, FakeTool } from "../support/fake-tool.js";
import type { Cancel } from "../../server/clock.js";
import { FakeClock } from "../support/fake-clock.js";
import { until } from "../support/until.js";
import { answerOf, createTalk, eventsOf, turnOf } from "./turns.js";

const secret = "a secret of more than thirty-two bytes";
const undone =
  'I could not send your request just now, but I have kept all you told me. Write "try again" to send it again.';

/** Of the waits before a call is made again, with and without what the tool asks for. No limit of a call is as long. */
const passing: ReadonlySet<number> = new Set([250, 500, 1250, 20_250]);

/** Time that passes by itself where a call is waited with, and stands still while one is under way. */
class WaitingClock extends FakeClock {
  readonly waits: number[] = [];

  override after(ms: number, callback: () => void): Cancel {
    if (passing.has(ms)) {
      this.waits.push(ms);
      setImmediate(() => this.advance(ms));
    }
    return super.after(ms, callback);
  }
}

let tool: FakeTool;
let clock: WaitingClock;

beforeEach(async () => {
  tool = await FakeTool.start(secret);
  clock = new WaitingClock();
});

afterEach(() => tool.stop());

function practice(url = tool.url, timeoutMs?: number): Business {
  const business = businessSchema.parse({
    businessId: "B1",
    name: "Practice",
    locale: "en",
    timeZone: "Europe/London",
    intents: [
      {
        name: "booking",
        title: "Booking",
        phrases: ["I want an appointment"],
        opening: "Let us find a day.",
        parameters: [
          { name: "day", question: "Which day suits you?", type: "date" },
          { name: "phone", question: "Which number can we call?", type: "phone" },
        ],
        confirmation: "See you on {day}.",
        tool: { kind: "webhook", url, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
      },
    ],
  });
  return { ...business, origin: "file" };
}

const assistantOf = () => createAssistant({ clock, secret, random: () => 0.5 });

// What is loaded and learnt once is no part of a turn's time.
beforeAll(() => createAssistant().warm(), 60_000);

/** The same business, as if it had been stored by somebody who does not run the server. */
function stored({ origin: _file, ...business }: Business): Business {
  return business;
}

/** Says all that the intent needs in one message. */
const whole = "I want an appointment on 14.08, my number is 0207 946 0000";

const answered = (turn: AgentTurn, assistant = assistantOf()): Promise<AgentAnswer> => answerOf(assistant, turn);

/** It says nothing until the time of the call is over. */
const silent =
  (ms = 9000): Behaviour =>
  () =>
    clock.advance(ms);

const say = (more: Partial<AgentTurn> = {}) => answered(turnOf(whole, { business: practice(), ...more }));

describe("a tool that does what it is asked", () => {
  test("[A21] is sent what was settled, signed, under the id of the intent, and once", async () => {
    const answer = await say({ sessionId: "s7", userId: "ana", locationId: "L2" });
    expect(answer).toMatchObject({ message: "See you on Friday, 14 August 2026.", isComplete: true });
    const { intentId, status } = answer.intent!;
    expect(status).toBe("completed");
    expect(tool.hits).toHaveLength(1);
    const [{ key, isSigned, headers, body }] = tool.hits as [(typeof tool.hits)[0]];
    expect({ key, isSigned, type: headers["content-type"] }).toEqual({
      key: intentId,
      isSigned: true,
      type: "application/json",
    });
    expect(body).toEqual({
      businessId: "B0100001",
      locationId: "L2",
      userId: "ana",
      sessionId: "s7",
      intentId,
      intent: "booking",
      parameters: { day: "2026-08-14", phone: "02079460000" },
      locale: "en",
      timestamp: "2026-08-05T07:00:00.000Z",
    });
    expect(answer.toolCalls).toEqual([
      { name: "booking", intentId, parameters: body.parameters, status: "done", result: {} },
    ]);
  });

  test("[A21] is not called before everything is known", async () => {
    const answer = await say({ message: "I want an appointment on 14.08" });
    expect(answer).toMatchObject({ message: expect.stringContaining("Which number can we call?"), isComplete: false });
    expect(tool.hits).toEqual([]);
  });

  const replies: [what: string, Behaviour, message: string, result: object][] = [
    ["a message of its own", { status: 200, body: { message: "All set." } }, "All set.", {}],
    [
      "values to be told",
      { status: 201, body: { message: "{day} at {hour}, number {n}, {none}.", parameters: { hour: "10:30", n: 7 } } },
      "Friday, 14 August 2026 at 10:30, number 7, {none}.",
      { hour: "10:30", n: "7" },
    ],
    ["nothing", { status: 204 }, "See you on Friday, 14 August 2026.", {}],
    [
      "what is not as it should be",
      { status: 200, body: { message: 7, parameters: "no", more: true } },
      "See you on Friday, 14 August 2026.",
      {},
    ],
    ["a blank message", { status: 200, body: { message: "  " } }, "See you on Friday, 14 August 2026.", {}],
  ];

  test.each(replies)("[A22] may answer %s", async (_what, behaviour, message, result) => {
    tool.next(behaviour);
    const answer = await say();
    expect(answer).toMatchObject({ message, isComplete: true, intent: { status: "completed" } });
    expect(answer.toolCalls).toEqual([expect.objectContaining({ status: "done", result })]);
  });

  test("[A21] a turn that is run again calls it under the same key: it is done once", async () => {
    const [first, again] = [await say(), await say()];
    expect(again).toEqual(first);
    expect(tool.hits.map(({ key }) => key)).toEqual([first.intent!.intentId, first.intent!.intentId]);
    expect(tool.done).toEqual([first.intent!.intentId]);
    await say({ messageId: "message_2" });
    expect(tool.done).toHaveLength(2);
  });

  test("[A20] shows that it is called", async () => {
    const events = await eventsOf(assistantOf(), turnOf(whole, { business: practice() }));
    expect(stepsOf(events)).toEqual(["started", "done"]);
  });
});

describe("a tool that says no", () => {
  test.each([409, 422])("[A22] with %i keeps the task, and what it names is asked for again", async (status) => {
    tool.next({ status, body: { message: "We are full that day.", invalid: ["day", "other"] } });
    const assistant = assistantOf();
    const refused = await answered(turnOf(whole, { business: practice() }), assistant);
    expect(refused).toMatchObject({
      message: "We are full that day. Which day suits you?",
      isComplete: false,
      intent: { status: "active", parameters: { phone: "02079460000" }, missing: ["day"] },
      toolCalls: [{ name: "booking", status: "refused", invalid: ["day", "other"] }],
    });
    const next = turnOf("17.08", { business: practice(), intent: refused.intent!, messageId: "message_2" });
    expect(await answered(next, assistant)).toMatchObject({
      message: "See you on Monday, 17 August 2026.",
      intent: { status: "completed" },
    });
    expect(tool.hits.map(({ key }) => key)).toEqual([refused.intent!.intentId, refused.intent!.intentId]);
  });

  test.each([
    ["and why", { message: "You owe us money." }, "You owe us money."],
    ["and no more", {}, "I am afraid that is not possible."],
  ])("[A22] %s keeps all, and offers a person", async (_what, body, message) => {
    tool.next({ status: 409, body });
    expect(await say()).toMatchObject({
      message,
      isComplete: false,
      actions: [{ type: "human", label: "Talk to a person" }],
      intent: { status: "active", parameters: { day: "2026-08-14", phone: "02079460000" }, missing: [] },
    });
    expect(tool.hits).toHaveLength(1);
  });
});

describe("a tool that does not do it", () => {
  const brief: [what: string, Behaviour][] = [
    ["500", { status: 500 }],
    ["503", { status: 503 }],
    ["429", { status: 429, headers: { "retry-after": "1" } }],
    ["a broken connection", (response) => response.destroy()],
    [
      "half an answer",
      (response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
        response.write("{", () => response.destroy());
      },
    ],
    ["no answer", silent()],
  ];

  test.each(brief)("[A22] after %s it is called again, with the same key", async (_what, behaviour) => {
    tool.next(behaviour);
    const answer = await say();
    expect(answer).toMatchObject({ message: "See you on Friday, 14 August 2026.", isComplete: true });
    expect(new Set(tool.hits.map(({ key }) => key))).toEqual(new Set([answer.intent!.intentId]));
    expect(tool.hits).toHaveLength(2);
    expect(tool.done).toEqual([answer.intent!.intentId]);
  });

  test.each([
    ["with jitter, the second time longer", [{ status: 500 }, { status: 500 }], [250, 500]],
    ["not before it said it may be", [{ status: 503, headers: { "retry-after": "20" } }], [20_250]],
  ])("[A22] %s", async (_what, behaviours, waits) => {
    tool.next(...behaviours);
    expect(await say()).toMatchObject({ isComplete: true });
    expect(clock.waits).toEqual(waits);
  });

  const lasting: [what: string, Behaviour, calls: number, code: string][] = [
    ["500", { status: 500 }, 3, "status_500"],
    ["no answer", silent(), 3, "timeout"],
    ["later than there is time", { status: 503, headers: { "retry-after": "60" } }, 1, "status_503"],
    ["404", { status: 404 }, 1, "status_404"],
    ["a redirect", { status: 307, headers: { location: "/elsewhere" } }, 1, "status_307"],
    ["a page", { status: 200, body: {}, headers: { "content-type": "text/html" } }, 1, "content_type"],
    ["packed", { status: 200, body: {}, headers: { "content-encoding": "gzip" } }, 1, "encoded_answer"],
    ["a list", { status: 200, body: [] }, 1, "not_json"],
    ["far too much", { status: 200, body: { message: "x".repeat(20_000) } }, 1, "answer_too_long"],
    ["too much of a no", { status: 409, body: { message: "x".repeat(20_000) } }, 1, "answer_too_long"],
  ];

  test.each(lasting)(
    "[A22] %s, always: the user is told, and nothing is lost",
    async (_what, behaviour, calls, code) => {
      tool.usually(behaviour);
      const answer = await say();
      expect(answer).toMatchObject({
        message: undone,
        isComplete: false,
        actions: [{ type: "human", label: "Talk to a person" }],
        intent: { status: "active", parameters: { day: "2026-08-14", phone: "02079460000" }, missing: [] },
        toolCalls: [{ name: "booking", status: "failed", code }],
      });
      expect(tool.hits).toHaveLength(calls);
      expect(clock.monotonic()).toBeLessThan(30_000);
    },
  );

  test.each(["try again", "încearcă din nou", "yes", "ok?"])(
    "[A22] %j calls it again, under the same key",
    async (word) => {
      tool.usually({ status: 500 });
      const business = practice();
      const { intent } = await say();
      tool.usually({ status: 200, body: {} });
      const answer = await answered(turnOf(word, { business, intent: intent!, messageId: "message_2" }));
      expect(answer).toMatchObject({ message: "See you on Friday, 14 August 2026.", intent: { status: "completed" } });
      expect(new Set(tool.hits.map(({ key }) => key))).toEqual(new Set([intent!.intentId]));
    },
  );

  test("[A7] and can be given up then", async () => {
    tool.usually({ status: 500 });
    const { intent } = await say();
    const answer = await answered(turnOf("never mind", { business: practice(), intent: intent! }));
    expect(answer).toMatchObject({ intent: { status: "abandoned" }, isComplete: true });
    expect(tool.hits).toHaveLength(3);
  });

  test("[A20] is shown as failed", async () => {
    tool.usually({ status: 404 });
    const events = await eventsOf(assistantOf(), turnOf(whole, { business: practice() }));
    expect(stepsOf(events)).toEqual(["started", "failed"]);
  });

  test("[T-05] that answered while we stood still has answered", async () => {
    tool.next((response) => {
      clock.skip(20_000);
      clock.advance(0);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    expect((await say()).toolCalls).toMatchObject([{ status: "done" }]);
    expect(tool.hits).toHaveLength(1);
  });

  test("[A21] has as long for a call as the business says", async () => {
    tool.usually(silent(400));
    expect((await say({ business: practice(tool.url, 400) })).toolCalls).toMatchObject([{ code: "timeout" }]);
    expect(tool.hits).toHaveLength(3);
  });
});

test("[A1] whoever does not want the answer any more stops the call", async () => {
  tool.usually("hang");
  const controller = new AbortController();
  const events = eventsOf(assistantOf(), turnOf(whole, { business: practice() }), controller.signal);
  const hit = await tool.hit(1);
  controller.abort(new Error("cancelled"));
  await expect(events).rejects.toThrow("cancelled");
  await until("the connection is closed", () => hit.isLeft);
  expect(tool.hits).toHaveLength(1);
});

test("[A1] a reader that leaves in the middle of a call stops it", async () => {
  tool.usually("hang");
  const events = assistantOf().answer(turnOf(whole, { business: practice() }), new AbortController().signal);
  for await (const event of events) {
    if (event.type !== "thinking" || event.step !== "tool") continue;
    await tool.hit(1);
    break;
  }
  await until("the connection is closed", () => tool.hits[0]!.isLeft);
  expect(tool.hits).toHaveLength(1);
});

describe("an address that a business stored", () => {
  test.each([
    ["an address of this machine", () => tool.url],
    ["a name of this machine", () => tool.url.replace("127.0.0.1", "localhost")],
    ["a number that is one", () => tool.url.replace("127.0.0.1", "2130706433")],
    ["one in octal", () => tool.url.replace("127.0.0.1", "0177.1")],
    ["IPv6", () => tool.url.replace("127.0.0.1", "[::1]")],
    ["IPv4 in IPv6", () => tool.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")],
    ["no address at all", () => tool.url.replace("127.0.0.1", "0.0.0.0")],
  ])("[A23] is not called where it is %s", async (_what, url) => {
    const answer = await answered(turnOf(whole, { business: stored(practice(url())) }), assistantOf());
    expect(answer).toMatchObject({ message: undone, toolCalls: [{ status: "failed", code: "forbidden_address" }] });
    expect(tool.hits).toEqual([]);
  });

  test("[A12] is sent a signature that is good for that business alone", async () => {
    const anywhere = createAssistant({ clock, secret, random: () => 0.5, mayConnectTo: () => true });
    await answered(turnOf(whole, { business: stored(practice()) }), anywhere);
    const own = await FakeTool.start(secretOfBusiness(secret, "B0100001"));
    await answered(turnOf(whole, { business: stored(practice(own.url)) }), anywhere);
    expect([...tool.hits, ...own.hits].map(({ isSigned }) => isSigned)).toEqual([false, true]);
    await own.stop();
  });

  test("[A23] a connection to a private address that the operator's business made serves no other", async () => {
    const assistant = assistantOf();
    const business = practice(tool.url.replace("127.0.0.1", "localhost"));
    await answered(turnOf(whole, { business }), assistant);
    await answered(turnOf(whole, { business: stored(business) }), assistant);
    expect(tool.hits).toHaveLength(1);
  });
});

test("[A22] in a talk, all is told in order", async () => {
  tool.next({ status: 422, body: { message: "That number is not from here.", invalid: ["phone"] } });
  const talk = createTalk(assistantOf(), { business: practice() });
  const said: [string, string][] = [
    ["I want an appointment", "Let us find a day. Which day suits you?"],
    ["14.08", "Which number can we call?"],
    ["0207 946 0000", "That number is not from here. Which number can we call?"],
    ["0207 946 0001", "See you on Friday, 14 August 2026."],
  ];
  for (const [message, answer] of said) expect((await talk(message)).message).toBe(answer);
  expect(tool.hits.map(({ body }) => (body.parameters as Intent["parameters"]).phone)).toEqual([
    "02079460000",
    "02079460001",
  ]);
});

function stepsOf(events: readonly AgentEvent[]): string[] {
  return events.flatMap((event) => (event.type === "thinking" && event.step === "tool" ? [event.status] : []));
}
