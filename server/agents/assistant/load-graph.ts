import { createRequire } from "node:module";
import type { AssistantGraph, GraphDeps } from "./graph.js";

/** With any of these LangGraph would tell a service elsewhere what was said, or print it. */
const tracingSwitches = [
  "LANGSMITH_TRACING",
  "LANGSMITH_TRACING_V2",
  "LANGCHAIN_TRACING",
  "LANGCHAIN_TRACING_V2",
  "LANGCHAIN_VERBOSE",
] as const;

/**
 * Loads LangGraph, an optional dependency, and compiles the graph. Nothing else of the server imports it.
 * @throws when it is not installed
 */
export async function loadGraph(deps: GraphDeps): Promise<AssistantGraph> {
  // Before it is loaded: whoever set them for another program has not agreed to show conversations anywhere.
  for (const name of tracingSwitches) process.env[name] = "false";
  const { createGraph } = await import("./graph.js");
  return createGraph(deps);
}

/** Whether the package is there; looked up, not loaded. */
export function isGraphInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve("@langchain/langgraph");
    return true;
  } catch {
    return false;
  }
}
