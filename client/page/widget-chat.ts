// What the widget opens: the chat page, in the shadow root of another one.
import type { Chat } from "../chat.js";
import { ChatWindow } from "./chat-window.js";
import { adopt, element } from "./dom.js";
import html from "./index.html";
import css from "./page.css";
import type { Place } from "./place.js";
import { storageOf } from "./storage.js";

export interface WidgetChat {
  /** The panel is seen now. */
  opened(): void;
}

interface WidgetPlace extends Omit<Place, "root" | "userId"> {
  readonly root: ShadowRoot;
  readonly panel: HTMLElement;
  /** Of the panel: where the chat is drawn. */
  readonly body: HTMLElement;
  showUnread(count: number): void;
}

/** Where a site takes no text for markup, it has to allow the policy `bennu`. (Trusted Types) */
interface TrustedTypes {
  createPolicy(name: string, rules: { createHTML(html: string): string }): { createHTML(html: string): string };
}

const seen = storageOf("localStorage");

export function showChat(place: WidgetPlace): WidgetChat {
  const { root, panel, body, businessId } = place;
  adopt(root, css);
  body.replaceChildren(drawPage());
  const input = root.getElementById("text")!;
  const { started } = new ChatWindow({ ...place, userId: null });
  const key = `bennu.seen:${businessId}`;
  void started.then((chat) => {
    const look = () => {
      if (!panel.hidden) seen.setItem(key, lastOf(chat));
      place.showUnread(unreadOf(chat, seen.getItem(key) ?? ""));
    };
    chat.onChange(look);
    new MutationObserver(look).observe(panel, { attributeFilter: ["hidden"] });
  });
  return { opened: () => input.focus() };
}

function drawPage(): Node {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const trusted = trustedTypes?.createPolicy("bennu", { createHTML: (own) => own }).createHTML(html) ?? html;
  const main = new DOMParser().parseFromString(trusted, "text/html").querySelector("main")!;
  // A page has one main part, and it is the site's.
  const drawn = element("section", main.className);
  drawn.id = main.id;
  drawn.append(...main.childNodes);
  return drawn;
}

function lastOf({ messages }: Chat): string {
  return messages.at(-1)?.timestamp ?? "";
}

function unreadOf({ messages }: Chat, seenUntil: string): number {
  return messages.filter(({ from, timestamp }) => from !== "user" && timestamp > seenUntil).length;
}
