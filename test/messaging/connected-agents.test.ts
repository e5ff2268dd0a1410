import { beforeEach, describe, expect, test } from "@jest/globals";
import type { AgentTurn } from "../../server/messaging/agent.js";
import {
  type AgentLine,
  type ConnectedAgents,
  createConnectedAgents,
} from "../../server/messaging/conversation/connected-agents.js";
import { TurnWithdrawn } from "../../server/messaging/steps/agent-failure.js";
import { FakeClock } from "../support/fake-clock.js";
import { soon } from "../support/intercepted-store.js";

const returnMs = 5000;
const businessId = "B1";
const said = { content: "hi", toolCalls: undefined };

let clock: FakeClock;
let connected: ConnectedAgents;
let aborting: AbortController;
let asked: string[];

beforeEach(() => {
  clock = new FakeClock();
  connected = createConnectedAgents(clock);
  aborting = new AbortController();
  asked = [];
});

describe("[A41] an agent that went", () => {
  test.each([null, ["one"]])("is asked again when it is back in time (agents: %j)", async (agentIds) => {
    const { answer } = await askedAndGone(agentIds);
    clock.advance(returnMs - 1);
    enter("one");
    await soon();
    expect(asked).toEqual(["one: m1", "one: m1"]);
    expect(connected.answer({ businessId, agentId: "one" }, "m1", said)).toBe(true);
    expect(await answer).toEqual(said);
    expect(clock.timerCount).toBe(0);
  });

  test("is not waited for any longer, and then nobody is there", async () => {
    const { answer } = await askedAndGone(["one"]);
    clock.advance(returnMs);
    expect(await answer).toBeNull();
  });

  test.each([
    ["another agent", businessId, "two"],
    ["an agent of another business", "B2", "one"],
  ])("is waited for also when %s comes", async (_whose, of, agentId) => {
    const { answer } = await askedAndGone(["one"]);
    enter(agentId, of);
    await soon();
    enter("one");
    await soon();
    connected.answer({ businessId, agentId: "one" }, "m1", said);
    expect(await answer).toEqual(said);
  });

  test("is not waited for when nobody wants its answer any more", async () => {
    const { answer } = await askedAndGone(["one"]);
    aborting.abort(new Error("cancelled"));
    await expect(answer).rejects.toThrow("cancelled");
    expect(clock.timerCount).toBe(0);
  });

  test("[M20] is not waited for as the server stops: the turn stays open", async () => {
    const { answer } = await askedAndGone(["one"]);
    connected.close();
    await expect(answer).rejects.toThrow(TurnWithdrawn);
    const leave = enter("one");
    const other = ask(null);
    leave();
    await expect(other).rejects.toThrow(TurnWithdrawn);
  });

  test("is not waited for with what is asked of others, or much later", async () => {
    enter("one")();
    expect(await ask(["two"])).toBeNull();
    clock.advance(returnMs);
    expect(await ask(["one"])).toBeNull();
  });
});

describe("[A41] what was asked before the server started", () => {
  test("waits for the agents, who were there then", async () => {
    const answer = ask(null, -1);
    await soon();
    enter("one");
    await soon();
    connected.answer({ businessId, agentId: "one" }, "m1", said);
    expect(await answer).toEqual(said);
  });

  test("and not for ever", async () => {
    clock.advance(returnMs);
    expect(await ask(null, -1 - returnMs)).toBeNull();
  });

  test("what is asked now with nobody there waits for nobody", async () => {
    expect(await ask(null)).toBeNull();
  });
});

/** @returns what has it leave */
function enter(agentId: string, of = businessId): () => void {
  const line: AgentLine = {
    ask: ({ messageId }) => void asked.push(`${agentId}: ${messageId}`),
    withdraw: () => undefined,
  };
  return connected.enter({ businessId: of, agentId }, line);
}

/** @param atMs when it was asked, from now */
function ask(agentIds: readonly string[] | null, atMs = 0) {
  const timestamp = new Date(clock.now() + atMs).toISOString();
  const turn = { businessId, messageId: "m1", sessionId: "s1", timestamp } as AgentTurn;
  return connected.ask(agentIds, turn, aborting.signal);
}

async function askedAndGone(agentIds: readonly string[] | null) {
  const leave = enter("one");
  const answer = ask(agentIds);
  expect(asked).toEqual(["one: m1"]);
  leave();
  await soon();
  return { answer };
}
