import { Chat, type ChatStatus } from "../chat.js";
import { ChatError } from "../chat-error.js";
import type { ChatEntry } from "../entry.js";
import { History } from "../history.js";
import { Conversation } from "./conversation.js";
import { labelsFor } from "./labels.js";
import { visitorOf } from "./visitor.js";

/** An answer that takes longer is not announced any more: a person may be writing it. */
const waitingMaxMs = 60_000;

const labels = labelsFor(navigator.language);
const visitor = visitorOf(location.search);
const chat = new Chat({ ...visitor, url: "/socket", storage: sessionStorage });
const input = part("text", HTMLTextAreaElement);
const conversation = new Conversation({ scroll: part("scroll"), log: part("log") }, labels, { say, retry });
let history: History | null = null;
let waitingTimer: ReturnType<typeof setTimeout> | undefined;

label();
chat.onMessage(showMessage);
chat.onStatus(showStatus);
chat.onError((error) => {
  // A turn that failed says so in the conversation too.
  if (error.messageId === undefined) showFailure(error);
});
chat.messages.forEach(showMessage);
chat.connect();

part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  sendInput();
});
input.addEventListener("keydown", (event) => {
  // While a word is being composed, Enter chooses it; held down, it would send again and again.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.repeat) return;
  event.preventDefault();
  sendInput();
});
part("earlier").addEventListener("click", () => void showEarlier());

function sendInput(): void {
  const text = input.value.trim();
  input.focus();
  if (text === "") return;
  input.value = "";
  say(text);
}

function say(text: string): void {
  showError("");
  chat.send(text).catch(showFailure);
}

function retry({ content, clientMessageId }: ChatEntry): void {
  if (clientMessageId === undefined) return;
  showError("");
  chat.send(content, { clientMessageId }).catch(showFailure);
}

function showFailure(cause: unknown): void {
  showError(cause instanceof ChatError ? (labels.failures[cause.code] ?? cause.message) : String(cause));
}

function showMessage(entry: ChatEntry): void {
  part("empty").hidden = true;
  conversation.show(entry, chat.messages);
  showWaiting();
}

function showStatus(status: ChatStatus): void {
  const line = part("status");
  line.dataset.state = status.state;
  line.textContent = labels[status.state];
  if (status.state === "closed") line.append(" ", continueHere());
  if (status.state === "refused") showFailure(status.error);
  if (status.state === "online") void afterJoin(status);
}

async function afterJoin(status: Extract<ChatStatus, { state: "online" }>): Promise<void> {
  showError("");
  if (status.sessionId !== null && (status.first || !status.recovered)) {
    history = new History({ ...visitor, baseUrl: "", sessionId: status.sessionId });
    const isShown = alreadyShown();
    await readHistory(status.first ? () => history!.older() : () => history!.since(isShown));
    if (status.first) conversation.toEnd();
  }
  part("empty").hidden = chat.messages.length > 0;
}

async function showEarlier(): Promise<void> {
  const button = part("earlier", HTMLButtonElement);
  button.disabled = true;
  await readHistory(() => history!.older());
  button.disabled = false;
}

async function readHistory(read: () => Promise<readonly ChatEntry[]>): Promise<void> {
  try {
    const entries = await read();
    conversation.keepingPlace(() => chat.merge(entries));
  } catch {
    showError(labels.historyFailed);
  }
  part("earlier").hidden = !(history?.hasMore ?? false);
}

// As of now: what is pushed while the gap is read lies behind it and must not end the reading.
function alreadyShown(): (entry: ChatEntry) => boolean {
  const shown = new Set(chat.messages.map(({ messageId }) => messageId));
  return ({ messageId }) => shown.has(messageId);
}

// The last word is the user's, it is stored, and it is fresh: somebody is writing an answer.
function showWaiting(): void {
  clearTimeout(waitingTimer);
  const last = chat.messages.at(-1);
  const restMs =
    last?.from === "user" && last.state === "stored" ? waitingMaxMs - (Date.now() - Date.parse(last.timestamp)) : 0;
  part("waiting").hidden = !(restMs > 0);
  if (restMs > 0) waitingTimer = setTimeout(showWaiting, Math.min(restMs, waitingMaxMs));
}

function continueHere(): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = labels.here;
  button.addEventListener("click", () => chat.connect());
  return button;
}

function showError(text: string): void {
  part("error").textContent = text;
  part("error").hidden = text === "";
}

function label(): void {
  document.documentElement.lang = labels.lang;
  document.title = labels.title;
  part("title").textContent = labels.title;
  part("log").setAttribute("aria-label", labels.log);
  part("label").textContent = labels.message;
  input.placeholder = labels.placeholder;
  part("send").textContent = labels.send;
  part("earlier").textContent = labels.earlier;
  part("empty").textContent = labels.empty;
  part("waiting-text").textContent = labels.waiting;
}

function part<Kind extends HTMLElement = HTMLElement>(id: string, kind?: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof (kind ?? HTMLElement)) return found as Kind;
  throw new Error(`index.html has no #${id}`);
}
