import { type Component, withoutQuestions } from "../component.js";
import type { ChatAction, ChatEntry } from "../entry.js";
import { button, element, link } from "./dom.js";
import type { Labels } from "./labels.js";
import { showAnswer, showText } from "./text.js";

export interface BubbleHandlers {
  say(text: string): void;
  /** Puts there what can be done about a message that was not sent. */
  remedy(entry: ChatEntry, foot: HTMLElement): void;
  /**
   * Puts a form, or choices, where they belong.
   * @param text what is said above them
   * @param shown told whether they are there: while they are not, the text has to ask
   */
  offer(component: Component, place: { into: HTMLElement; text: string }, shown: (isThere: boolean) => void): void;
}

/**
 * Draws what a bubble holds.
 * @param isOver the conversation went on: what was offered is no more, and its questions stand in the text
 */
export function drawBubble(
  bubble: HTMLElement,
  entry: ChatEntry,
  { labels, handlers, isOver }: { labels: Labels; handlers: BubbleHandlers; isOver: boolean },
): void {
  const { from, state, content, components, actions } = entry;
  bubble.className = `bubble ${from} ${state}`;
  bubble.dataset.id = entry.id;
  const said = element("div", "content");
  const text = withoutQuestions(content, components);
  const show = (isAsking: boolean) => (from === "agent" ? showAnswer : showText)(isAsking ? content : text, said);
  show(isOver);
  const sender = element("span", "sender", labels[from === "user" ? "you" : from]);
  // Above what is offered, which comes a moment later and would push it down.
  bubble.replaceChildren(sender, said, drawFoot(entry, labels, handlers));
  if (!isOver) {
    if (actions.length > 0) bubble.append(drawActions(actions, handlers));
    for (const component of components) {
      const into = element("div", "component");
      bubble.append(into);
      handlers.offer(component, { into, text }, (isThere) => show(!isThere));
    }
  }
}

function drawFoot(entry: ChatEntry, labels: Labels, handlers: BubbleHandlers): HTMLElement {
  const foot = element("p", "foot");
  const { state, from, timestamp } = entry;
  if (state === "stored") {
    const time = element("time", "", clockTime(timestamp, labels.lang));
    time.dateTime = timestamp;
    foot.append(time);
    if (from === "user") foot.append(drawMark(entry, labels));
  } else {
    foot.append(element("span", "state", labels[state]));
  }
  if (state === "failed") handlers.remedy(entry, foot);
  return foot;
}

function drawMark({ isRead }: ChatEntry, labels: Labels): HTMLElement {
  return isRead ? element("span", "mark read", labels.read) : element("span", "mark", labels.stored);
}

function drawActions(actions: readonly ChatAction[], handlers: BubbleHandlers): HTMLElement {
  const row = element("div", "actions");
  for (const { url, label, value } of actions) {
    const isElsewhere = url !== undefined && /^https?:\/\//i.test(url);
    // Only the web: `javascript:` and the like come from an agent that was talked into it.
    row.append(isElsewhere ? link("action", label, url) : button("action", label, () => handlers.say(value ?? label)));
  }
  return row;
}

function clockTime(timestamp: string, lang: string): string {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleTimeString(lang, { timeStyle: "short" });
}
