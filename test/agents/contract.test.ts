import { createAssistant } from "../../server/agents/assistant/assistant.js";
import { createChannelAgent } from "../../server/agents/channel.js";
import { createEcho } from "../../server/agents/echo.js";
import { createHttpAgent } from "../../server/agents/http.js";
import { createHttpModel } from "../../server/agents/model/http-model.js";
import { systemClock } from "../../server/clock.js";
import { createConnectedAgents } from "../../server/messaging/conversation/connected-agents.js";
import { agentContract } from "../contract/agent-contract.js";
import { FakeAgent } from "../support/fake-agent.js";
import { FakeModel, says } from "../support/fake-model.js";
import { dentist } from "./turns.js";

agentContract("echo", () => ({ agent: createEcho() }));

agentContract("assistant, of a business that nobody described", () => ({ agent: createAssistant() }));

agentContract(
  "assistant, of a dentist",
  async () => ({ agent: createAssistant(), turn: { business: await dentist() } }),
  { beginsIntent: "Vreau să fac o programare" },
);

agentContract(
  "assistant, of a dentist, with a model",
  async () => {
    const fake = await FakeModel.start();
    // It has no memory either: what it says is what it was told last.
    fake.always((response, call) => says("You said: ", call.body.messages.at(-1)!.content || "?")(response, call));
    const options = { url: fake.url, modelName: "m", clock: systemClock, maxAnswerBytes: 262_144 };
    const agent = createAssistant({ model: createHttpModel(options) });
    return { agent, turn: { business: await dentist() }, dispose: () => fake.stop() };
  },
  { beginsIntent: "Vreau să fac o programare" },
);

agentContract(
  "http",
  async () => {
    const fake = await FakeAgent.start();
    const agent = createHttpAgent({ url: fake.url, clock: systemClock, maxAnswerBytes: 262_144 });
    return { agent, dispose: () => fake.stop() };
  },
  { neverAnswered: "!hang" },
);

agentContract(
  "channel",
  () => {
    const connected = createConnectedAgents(systemClock);
    const name = { businessId: "B0100001", agentId: "one" };
    connected.enter(name, {
      ask: ({ messageId, message }) => {
        if (message === "!hang") return;
        // As it comes from a socket: later.
        setImmediate(() =>
          connected.answer(name, messageId, { content: `You said: ${message}`, toolCalls: undefined }),
        );
      },
      withdraw: () => undefined,
    });
    return { agent: createChannelAgent(connected, ["one"]) };
  },
  { neverAnswered: "!hang" },
);

agentContract("channel, with nobody there", () => ({
  agent: createChannelAgent(createConnectedAgents(systemClock), null),
}));
