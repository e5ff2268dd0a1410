// Answers one turn in a process of its own, which ends when nothing is left to be done: what traces it has sent them by
// then. `ours`: the built assistant; `bare`: a graph of LangGraph's as it comes.
const [, , which] = process.argv;

if (which === "ours") {
  const { createAssistant } = await import("../../dist/server/agents/assistant/assistant.js");
  const { defaultBusiness } = await import("../../dist/server/messaging/business.js");
  const ids = { businessId: "B1", locationId: "L1", userId: "u", sessionId: "s", messageId: "m", answerId: "a" };
  const turn = { ...ids, message: "a secret", history: [], business: defaultBusiness("B1", "UTC"), intent: null };
  const { signal } = new AbortController();
  const times = { now: Date.now(), deadline: Date.now() + 30_000 };
  const events = createAssistant().answer({ ...turn, ...times, context: {}, isFirstContact: false }, signal);
  for await (const { type } of events) if (type === "answer") console.log("answered");
} else {
  const { Annotation, END, START, StateGraph } = await import("@langchain/langgraph");
  const graph = new StateGraph(Annotation.Root({ said: Annotation() }))
    .addNode("answer", () => ({ said: "a secret" }))
    .addEdge(START, "answer")
    .addEdge("answer", END)
    .compile();
  await graph.invoke({ said: "hello" });
  console.log("answered");
}
