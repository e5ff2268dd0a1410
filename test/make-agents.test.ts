import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../server/clock.js";
import { readConfig } from "../server/config.js";
import { makeAgents } from "../server/make-agents.js";
import { type Business, type BusinessAgent, defaultBusiness } from "../server/messaging/business.js";
import { answerOf, turnOf } from "./agents/turns.js";
import { FakeAgent, plainAnswer } from "./support/fake-agent.js";
import { ScriptedAgent } from "./support/scripted-agent.js";

const secret = "a secret of more than thirty-two bytes";

function businessWith(agent?: BusinessAgent): Business {
  return { ...defaultBusiness("B1", "UTC"), origin: "file", ...(agent === undefined ? {} : { agent }) };
}

describe("who answers", () => {
  let ours: FakeAgent;
  let theirs: FakeAgent;

  beforeEach(async () => {
    ours = await FakeAgent.start(secret);
    theirs = await FakeAgent.start(secret);
  });

  afterEach(() => Promise.all([ours.stop(), theirs.stop()]));

  test("is what the server was started with, unless the business has its own", async () => {
    const config = readConfig({ AGENT: "http", AGENT_URL: ours.url, AGENT_SECRET: secret });
    const agents = makeAgents(config, systemClock, {});
    const own = businessWith({ kind: "http", url: theirs.url });
    const said = async (business: Business) => (await answerOf(agents.agentFor(business), turnOf("hello"))).message;
    expect(await said(businessWith())).toBe(plainAnswer("hello"));
    expect([ours.calls.length, theirs.calls.length]).toEqual([1, 0]);
    expect(await said(own)).toBe(plainAnswer("hello"));
    expect([ours.calls.length, theirs.calls.length]).toEqual([1, 1]);
    expect(await said(businessWith({ kind: "echo" }))).toBe("hello");
    expect([...ours.calls, ...theirs.calls].map(({ isSigned }) => isSigned)).toEqual([true, true]);
    // One agent for an address, so that what is known of it is known for all its businesses.
    expect(agents.agentFor(own)).toBe(agents.agentFor(businessWith({ kind: "http", url: theirs.url })));
  });

  test("a business may have an agent behind a URL where the server has none", () => {
    const agents = makeAgents(readConfig({ AGENT: "echo" }), systemClock);
    expect(agents.agentFor(businessWith({ kind: "http", url: theirs.url })).node).toBe("agent");
    expect(agents.agentFor(businessWith()).node).toBe("echo");
  });

  test("an agent that was handed in stands for all of its kind", () => {
    const http = new ScriptedAgent();
    const agents = makeAgents(readConfig({ AGENT: "echo" }), systemClock, { given: { http } });
    expect(agents.agentFor(businessWith({ kind: "http", url: theirs.url }))).toBe(http);
  });
});

test("[A23] what a business stored may not lead to a private address; what the operator wrote down may", async () => {
  const agent = await FakeAgent.start();
  const config = readConfig({ AGENT: "echo" });
  const trusted = businessWith({ kind: "http", url: agent.url });
  const agents = makeAgents(config, systemClock);
  const asked = (business: Business) => answerOf(agents.agentFor(business), turnOf("hello"));
  const stored: Business = { ...defaultBusiness("B1", "UTC"), agent: { kind: "http", url: agent.url } };
  await expect(asked(stored)).rejects.toMatchObject({ code: "forbidden_address", isRetryable: false });
  await expect(
    asked({ ...stored, agent: { kind: "http", url: agent.url.replace("127.0.0.1", "localhost") } }),
  ).rejects.toMatchObject({ code: "forbidden_address" });
  expect(agent.calls).toEqual([]);
  expect((await asked(trusted)).message).toBe(plainAnswer("hello"));
  await agent.stop();
});

test("[A40] a business whose agents connect has one agent, as long as it names the same; a conversation has its own", () => {
  const agents = makeAgents(readConfig({}), systemClock);
  const channel = (...agentIds: string[]) => agents.agentFor(businessWith({ kind: "channel", agentIds }));
  expect(channel("a1", "a2")).toBe(channel("a1", "a2"));
  expect(channel("a1")).not.toBe(channel("a1", "a2"));
  expect(agents.connectedAgent("B1", "a1")).toBe(agents.connectedAgent("B1", "a1"));
  expect(agents.connectedAgent("B1", "a1")).not.toBe(agents.connectedAgent("B2", "a1"));
});

describe("[B6] what a business cannot have", () => {
  const agents = makeAgents(readConfig({}), systemClock);
  const tool = (url: string) => ({ ...intent, tool: { kind: "webhook" as const, url } });
  const intent = { name: "a", title: "A", phrases: ["a"], opening: "A", parameters: [], confirmation: "A" };
  const own = (changes: Partial<Business>) => ({ ...defaultBusiness("B1", "UTC"), ...changes });
  const pathsOf = (changes: Partial<Business>) => agents.problemsOf(own(changes)).map(({ path }) => path.join("."));

  test("is a private address", () => {
    expect(pathsOf({ agent: { kind: "http", url: "http://127.1/" } })).toEqual(["agent.url"]);
    const intents = [tool("https://a.example/"), tool("http://10.0.0.1:8080/x"), intent, tool("http://[::1]/")];
    expect(pathsOf({ intents })).toEqual(["intents.1.tool.url", "intents.3.tool.url"]);
    expect(pathsOf({ agent: { kind: "http", url: "https://a.example/" } })).toEqual([]);
  });

  test("unless whoever runs the server wrote it down", () => {
    expect(pathsOf({ agent: { kind: "http", url: "http://127.1/" }, origin: "file" })).toEqual([]);
  });
});
