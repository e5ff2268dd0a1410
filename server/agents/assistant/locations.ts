import type { AgentTurn } from "../../messaging/agent.js";
import type { Business, Location } from "../../messaging/business.js";
import { isQuestion } from "./recognise.js";
import { stems } from "./words.js";

/** The location that the user named for a task, last in what was said of it; null: none. (SPEC A21) */
export function locationOfTask({ message, history, business }: AgentTurn, intentId: string): Location | null {
  const ofTask = new Set(
    history.filter(({ metadata }) => metadata.intentId === intentId).map(({ metadata }) => metadata.inReplyTo),
  );
  const before = history.filter(({ type, messageId }) => type === "user" && ofTask.has(messageId));
  const said = [...before.map(({ content }) => content), message];
  return said.reduce<Location | null>((found, each) => locationIn(each, business) ?? found, null);
}

/** The one location that a text names, by what no other is called: "la Titan". What asks about one names none. */
export function locationIn(text: string, { name, locations }: Business): Location | null {
  if (isQuestion(text)) return null;
  const said = stems(text);
  const named = locations.filter((location) => {
    const others = locations.filter((each) => each !== location).map((each) => each.name);
    const shared = new Set(stems([name, ...others].join(" ")));
    const own = stems(location.name).filter((stem) => !shared.has(stem));
    return own.length > 0 && own.every((stem) => said.includes(stem));
  });
  return named.length === 1 ? named[0]! : null;
}
