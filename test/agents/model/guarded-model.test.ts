import { beforeEach, describe, expect, test } from "@jest/globals";
import type { ChatModel, ModelEvent } from "../../../server/agents/model/chat-model.js";
import { guardedModel } from "../../../server/agents/model/guarded-model.js";
import { AgentError } from "../../../server/messaging/agent.js";
import { AgentFailure } from "../../../server/messaging/steps/agent-failure.js";
import { FakeClock } from "../../support/fake-clock.js";

const broken = new AgentError("model_status_500");
const refused = new AgentError("model_status_400", { isThere: true });
const busy = (retryAfterMs: number | null) => new AgentError("model_status_429", { isRetryable: true, retryAfterMs });

let clock: FakeClock;
let outcome: Error | null;
let callCount: number;
let failures: string[];
let circuit: boolean[];
let model: ChatModel;

beforeEach(() => {
  clock = new FakeClock();
  outcome = null;
  callCount = 0;
  failures = [];
  circuit = [];
  model = guardedModel({ name: "m", complete }, clock, {
    onFailure: (_model, { code }) => void failures.push(code),
    onCircuit: (_model, isOpen) => void circuit.push(isOpen),
  });
});

// eslint-disable-next-line @typescript-eslint/require-await -- what it stands for waits for a network
async function* complete(): AsyncGenerator<ModelEvent> {
  callCount += 1;
  if (outcome !== null) throw outcome;
  yield { type: "end", tokens: 1 };
}

/** @returns the code of the failure, or "end" */
async function call(next: Error | null, signal = new AbortController().signal): Promise<string> {
  outcome = next;
  let last = "nothing";
  try {
    for await (const { type } of model.complete({ messages: [], tools: [], beginMs: 1000, reservedBytes: 0, signal }))
      last = type;
    return last;
  } catch (error) {
    return error instanceof AgentError ? error.code : String(error);
  }
}

async function fail(times: number, error: Error): Promise<void> {
  for (let n = 0; n < times; n += 1) await call(error);
}

describe("[A33] a model", () => {
  test("that failed five times in a row is left alone, but for a probe every five seconds", async () => {
    await fail(5, broken);
    expect(circuit).toEqual([true]);
    expect(await call(null)).toBe("model_resting");
    clock.advance(4999);
    expect(await call(null)).toBe("model_resting");
    clock.advance(1);
    expect(await call(broken)).toBe("model_status_500");
    expect(await call(null)).toBe("model_resting");
    clock.advance(5000);
    expect([await call(null), await call(null)]).toEqual(["end", "end"]);
    expect(circuit).toEqual([true, false]);
    expect(callCount).toBe(8);
  });

  test("that answers now and then, or refuses what it was asked, is asked on", async () => {
    await fail(4, broken);
    await call(null);
    await fail(4, broken);
    await fail(10, refused);
    expect(await call(null)).toBe("end");
    expect(circuit).toEqual([]);
  });

  test("[A-03] that says when it may be asked again is not asked before, once it said so", async () => {
    await call(busy(7000));
    clock.advance(6999);
    expect(await call(null)).toBe("model_resting");
    clock.advance(1);
    expect(await call(null)).toBe("end");
    await call(busy(null));
    expect(await call(null)).toBe("end");
  });

  test("[A-03] that wants to be left alone for a day is asked again in a minute", async () => {
    await call(busy(86_400_000));
    clock.advance(59_999);
    expect(await call(null)).toBe("model_resting");
    clock.advance(1);
    expect(await call(null)).toBe("end");
  });

  test("is not to blame for turns that were stopped", async () => {
    const stopped = AbortSignal.abort(new Error("stopped"));
    for (let n = 0; n < 10; n += 1) await call(broken, stopped);
    expect(await call(null)).toBe("end");
    expect(failures).toEqual([]);
  });

  test("is to blame for turns whose time it used up", async () => {
    const over = AbortSignal.abort(new AgentFailure("agent_timeout"));
    for (let n = 0; n < 5; n += 1) await call(broken, over);
    expect(circuit).toEqual([true]);
    expect(await call(null)).toBe("model_resting");
    expect(failures).toEqual(Array.from({ length: 5 }, () => "model_timeout"));
  });

  test("tells of each call that failed, and of none that was not made", async () => {
    await fail(5, broken);
    await call(null);
    clock.advance(5000);
    await call(refused);
    expect(failures).toEqual([...Array.from({ length: 5 }, () => "model_status_500"), "model_status_400"]);
  });
});
