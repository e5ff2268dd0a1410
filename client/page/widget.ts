// The chat on somebody else's page: a button, and the chat once it is asked for. It leaves nothing in that page but its
// own element, and takes nothing from it.
import css from "./widget.css";
import { adopt, button, element } from "./dom.js";
import { Lazy } from "./load.js";
import { isKnown } from "./visitor.js";
import { widgetLabelsFor } from "./widget-labels.js";
import type * as WidgetPart from "./widget-chat.js";

const tag = "bennu-chat";
const script = document.currentScript as HTMLScriptElement;
const { business: businessId = "B0100001", theme = "auto", locale } = script.dataset;
const baseUrl = new URL(script.src).origin;
const part = new Lazy<typeof WidgetPart>(`${baseUrl}/widget-chat.js`);

if (document.body === null) document.addEventListener("DOMContentLoaded", () => mount());
else mount();

function mount(): void {
  const language = locale ?? (document.documentElement.lang || navigator.language);
  const labels = widgetLabelsFor(language);
  const host = document.createElement(tag);
  host.dataset.theme = theme;
  const root = host.attachShadow({ mode: "open" });
  adopt(root, css);
  const panel = element("div", "panel");
  const back = button("close", "", close);
  const body = element("div", "body");
  const badge = element("span", "badge");
  const launcher = button("launcher", "", () => (panel.hidden ? void open() : close()));
  launcher.append(drawIcon(), badge);
  back.ariaLabel = labels.close;
  panel.append(back, body);
  Object.assign(panel, { role: "dialog", ariaLabel: labels.title, hidden: true });
  root.append(panel, launcher);
  document.body.append(host);
  let chat: Promise<WidgetPart.WidgetChat | null> | null = null;
  showUnread(0);
  setExpanded(false);
  for (const event of ["keydown", "keyup", "keypress"]) host.addEventListener(event, (key) => key.stopPropagation());
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Tab") keepFocus(event);
  });
  // Whoever has written here before may have an answer waiting.
  if (isKnown(businessId)) void fetchChat();

  async function open(): Promise<void> {
    panel.hidden = false;
    setExpanded(true);
    if (chat === null) body.textContent = labels.loading;
    (await fetchChat())?.opened();
  }

  function close(): void {
    panel.hidden = true;
    setExpanded(false);
    launcher.focus();
  }

  function fetchChat(): Promise<WidgetPart.WidgetChat | null> {
    const offline = () => (body.textContent = labels.offline);
    chat ??= part
      .load(offline, () => host.isConnected)
      .then(
        (shown) =>
          shown?.showChat({ root, panel, body, baseUrl, businessId, language, showUnread, named, anew }) ?? null,
      );
    return chat;
  }

  function named(name: string): void {
    panel.ariaLabel = name;
  }

  function anew(): void {
    host.remove();
    mount();
  }

  function showUnread(count: number): void {
    badge.textContent = count === 0 ? "" : String(Math.min(count, 99));
    badge.hidden = count === 0;
    launcher.ariaLabel = count === 0 ? labels.title : `${labels.title}, ${labels.unread(count)}`;
  }

  function setExpanded(isOpen: boolean): void {
    launcher.ariaExpanded = String(isOpen);
  }

  // Behind the last comes the first again, as long as it is open.
  function keepFocus(event: KeyboardEvent): void {
    const stops = [...panel.querySelectorAll<HTMLElement>("a[href], button, textarea, input, select, [tabindex='0']")];
    const shown = stops.filter((each) => each.checkVisibility() && !each.matches(":disabled"));
    const [first, last] = [shown[0], shown.at(-1)];
    if (root.activeElement !== (event.shiftKey ? first : last)) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }
}

function drawIcon(): SVGElement {
  const svg = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(svg, "svg");
  const path = document.createElementNS(svg, "path");
  icon.setAttribute("viewBox", "0 0 32 32");
  icon.ariaHidden = "true";
  path.setAttribute(
    "d",
    "M6 4h20a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H15l-7 6v-6H6a4 4 0 0 1-4-4V8a4 4 0 0 1 4-4zM9 12h14M9 17h9",
  );
  icon.append(path);
  return icon;
}
