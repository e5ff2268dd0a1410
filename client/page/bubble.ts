import type { ChatAction, ChatEntry } from "../entry.js";
import type { Labels } from "./labels.js";

export interface BubbleHandlers {
  say(text: string): void;
  retry(entry: ChatEntry): void;
}

/** Draws one message. Everything that was said goes in as text: markup in it is shown, never interpreted. */
export function drawBubble(entry: ChatEntry, labels: Labels, handlers: BubbleHandlers): HTMLElement {
  const bubble = element("article", `bubble ${entry.from} ${entry.state}`);
  bubble.dataset.id = entry.id;
  bubble.append(element("span", "sender", labels[entry.from === "user" ? "you" : entry.from]));
  bubble.append(element("p", "content", entry.content));
  bubble.append(drawFoot(entry, labels, handlers));
  if (entry.actions.length > 0) bubble.append(drawActions(entry.actions, handlers));
  return bubble;
}

function drawFoot(entry: ChatEntry, labels: Labels, handlers: BubbleHandlers): HTMLElement {
  const foot = element("p", "foot");
  if (entry.state === "stored") {
    const time = document.createElement("time");
    time.dateTime = entry.timestamp;
    time.textContent = clockTime(entry.timestamp, labels.lang);
    foot.append(time);
  } else {
    foot.append(element("span", "state", labels[entry.state]));
  }
  if (entry.state === "failed") foot.append(button("retry", labels.retry, () => handlers.retry(entry)));
  return foot;
}

function drawActions(actions: readonly ChatAction[], handlers: BubbleHandlers): HTMLElement {
  const row = element("div", "actions");
  for (const action of actions) {
    row.append(
      isWebAddress(action.url)
        ? link(action.label, action.url)
        : button("action", action.label, () => handlers.say(action.value ?? action.label)),
    );
  }
  return row;
}

function button(className: string, label: string, onClick: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.textContent = label;
  made.addEventListener("click", onClick);
  return made;
}

function link(label: string, url: string): HTMLAnchorElement {
  const made = document.createElement("a");
  made.className = "action";
  made.textContent = label;
  made.href = url;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  return made;
}

// Only the web: `javascript:` and the like come from an agent that was talked into it.
function isWebAddress(url: string | undefined): url is string {
  return url !== undefined && /^https?:\/\//i.test(url);
}

function element(tag: string, className: string, content?: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

function clockTime(timestamp: string, lang: string): string {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" }).format(date);
}
