import { Chat } from "../chat.js";
import { ChatError } from "../chat-error.js";
import type { ChatStatus, ChatView } from "../chat-view.js";
import type { ChatEntry } from "../entry.js";
import { retryDelayMs } from "../limits.js";
import { Answers } from "./answers.js";
import { Arrivals, forms, prepare } from "./arrivals.js";
import type { BubbleHandlers } from "./bubble.js";
import { Conversation } from "./conversation.js";
import { button } from "./dom.js";
import type * as EarlierPart from "./earlier.js";
import { keepFocus } from "./focus.js";
import { type Labels, labelsFor } from "./labels.js";
import { Lazy } from "./load.js";
import { type Part, partsOf, type Place } from "./place.js";
import { sleepWhenQuiet } from "./quiet.js";
import type * as Trouble from "./trouble.js";
import { joined, session, type Visitor, visitorOf } from "./visitor.js";

const past = new Lazy<typeof EarlierPart>("./earlier.js");
const trouble = new Lazy<typeof Trouble>("./trouble.js");

/** So long without a connection, and one is offered to try at once. */
const awayMs = 8000;

/** What is being written when the page starts anew. */
const draftKey = "bennu.draft";

/** A customer's chat in the elements of index.html. */
export class ChatWindow {
  readonly labels: Labels;
  /** What is written before the server has said who is writing waits for it. */
  readonly started: Promise<Chat>;
  readonly #place: Place;
  readonly #part: Part;
  readonly #input: HTMLTextAreaElement;
  #chat: Chat | null = null;

  constructor(place: Place) {
    this.#place = place;
    this.#part = partsOf(place.root);
    this.labels = labelsFor(place.language);
    this.#input = this.#part("text", HTMLTextAreaElement);
    this.#label();
    this.#listen();
    this.started = this.#start();
  }

  async #start(): Promise<Chat> {
    const { unsent = "", ...visitor } = await this.#untilWelcomed(1);
    this.#input.value = joined(unsent, session.getItem(draftKey) ?? "", this.#input.value);
    session.setItem(draftKey, "");
    const url = `${this.#place.baseUrl.replace(/^http/, "ws")}/socket`;
    const chat = new Chat({ ...visitor, url, storage: session });
    this.#run(chat, visitor);
    return chat;
  }

  async #untilWelcomed(tries: number): Promise<Visitor> {
    try {
      return await visitorOf({ ...this.#place, anew: () => this.#anew() });
    } catch {
      this.#showStatus({ state: "offline" }, null);
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs(tries)));
      return this.#untilWelcomed(tries + 1);
    }
  }

  // What is left has let go of its storage by the time that the next chat looks into it.
  #anew(): void {
    void this.started.then((chat) => {
      void chat.leave();
      session.setItem(draftKey, this.#input.value);
      this.#place.anew();
    });
  }

  #listen(): void {
    const input = this.#input;
    keepFocus(this.#place.root, this.#part("chat"), input, this.#part("scroll"));
    this.#part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendInput();
    });
    input.addEventListener("keydown", (event) => {
      // While a word is being composed, Enter chooses it; held down, it would send again and again.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.repeat) return;
      event.preventDefault();
      this.#sendInput();
    });
  }

  #run(chat: Chat, visitor: Visitor): void {
    this.#chat = chat;
    const { labels } = this;
    const { root } = this.#place;
    const [part, input] = [this.#part, this.#input];
    const newest = part("newest", HTMLButtonElement);
    const scroll = part("scroll");
    const onEnd = (isAtEnd: boolean) => {
      newest.hidden = isAtEnd;
      markRead();
    };
    const conversation = new Conversation({ scroll, log: part("log"), onEnd }, labels, this.#handlers(chat));
    const earlier = this.#earlier(chat, visitor, conversation);
    const stop = (messageId: string) => void chat.cancel(messageId).catch(() => undefined);
    const answers = new Answers(part("answers"), labels, stop);
    // A widget that is closed has no height; what comes then is not seen.
    const markRead = () => void (!document.hidden && scroll.clientHeight > 0 && conversation.isAtEnd && chat.read());
    // Twenty deltas a second are drawn as often as there is something to see.
    const drawSoon = soon(() => {
      this.#draw(chat);
      conversation.forget(chat.messages);
      answers.show(chat.view.running, arrivals.answered);
      markRead();
    });
    const arrivals = new Arrivals((entry) => {
      conversation.show(entry, chat.messages);
      // In the place of what was in the making stands the answer now, and nothing moves.
      answers.show(chat.view.running, arrivals.answered);
    });

    chat.onMessage((entry) => arrivals.add(entry));
    chat.onError(({ code }) => code !== "token_unavailable" && this.#showRefusal(code));
    chat.onStatus((status) => {
      if (status.state !== "online") return;
      this.#showError("");
      this.#showExcess();
      const { sessionId, first, recovered, businessName } = status;
      if (businessName !== null && businessName !== this.#place.businessId) this.#name(businessName);
      if (sessionId !== null && (first || !recovered)) void earlier(sessionId, first).then(drawSoon);
    });
    chat.onChange(drawSoon);
    newest.addEventListener("click", () => {
      // It is gone then, and its focus would be.
      scroll.focus();
      conversation.toEnd();
    });
    document.addEventListener("visibilitychange", markRead);
    for (const event of ["online", "offline"]) addEventListener(event, drawSoon);
    input.addEventListener("input", () => {
      chat.typing(input.value !== "");
      this.#showError("");
      this.#showExcess();
    });
    input.addEventListener("blur", () => chat.typing(false));
    sleepWhenQuiet(chat, root, input);
    for (const entry of chat.messages) conversation.show(entry, chat.messages);
    chat.connect();
  }

  #handlers(chat: Chat): BubbleHandlers {
    const offer: BubbleHandlers["offer"] = (component, { into, text }, shown) => {
      const submit = (values: Readonly<Record<string, unknown>>) => chat.submit(component.componentId, values);
      const failed = (cause: unknown) => this.#showFailure(cause);
      const place = { root: this.#place.root, lang: this.labels.lang, into, text };
      const draw = () => forms.now!.drawComponent(component, place, { submit, failed });
      if (forms.now !== null) return draw();
      const isWanted = () => into.isConnected;
      void forms
        .load(() => shown(false), isWanted)
        .then(() => {
          if (!isWanted()) return;
          draw();
          shown(true);
        });
    };
    const remedy = (entry: ChatEntry, foot: HTMLElement) => {
      const retry = () => this.#say(entry.content, { clientMessageId: entry.id });
      const edit = () => this.#edit(chat, entry);
      this.#inTrouble((part) => foot.append(part.remedyOf(entry, this.labels.lang, { retry, edit })));
    };
    return { say: (text) => this.#say(text), remedy, offer };
  }

  /** What was said before, which a first visitor does without. */
  #earlier(chat: Chat, visitor: Visitor, conversation: Conversation): EarlierPart.Earlier["joined"] {
    let earlier: EarlierPart.Earlier | null = null;
    const failed = () => this.#showError(this.labels.historyFailed);
    const { baseUrl } = this.#place;
    return async (sessionId, first) => {
      const part = await past.load(failed, () => chat.sessionId === sessionId);
      if (part === null || chat.sessionId !== sessionId) return;
      earlier ??= new part.Earlier(chat, visitor, { part: this.#part, baseUrl, conversation, prepare, failed });
      await earlier.joined(sessionId, first);
    };
  }

  #draw(chat: Chat): void {
    const { view } = chat;
    this.#showStatus(view.status, chat);
    this.#part("empty").hidden = view.status.state !== "online" || view.messages.length > 0;
    this.#showWriting(view);
  }

  // Said once, and not with every letter of what is written.
  #showWriting({ typists, running }: ChatView): void {
    const { labels } = this;
    const isTeam = typists.includes("coordinator");
    const isText = running.some(({ text, steps }) => text !== "" || steps.length > 0);
    const text = isTeam ? labels.teamWrites : typists.length > 0 || running.length > 0 ? labels.agentWrites : "";
    const shown = this.#part("waiting-text");
    if (shown.textContent !== text) shown.textContent = text;
    this.#part("waiting").classList.toggle("shown", text !== "" && (isTeam || !isText));
  }

  #sendInput(): void {
    const text = this.#input.value.trim();
    this.#input.focus();
    if (text === "") return;
    // What is described to whoever comes to the field is said to whoever tries to send.
    if (this.#showExcess()) return this.#inTrouble(() => this.#showError(this.#part("excess").textContent));
    this.#input.value = "";
    this.#say(text);
  }

  /** As the server counts. @returns whether there is too much */
  #showExcess(): boolean {
    const shown = this.#part("excess");
    const count = this.#chat?.excess(this.#input.value.trim()) ?? 0;
    const show = (text: string) => {
      shown.textContent = text;
      shown.hidden = text === "";
    };
    this.#input.ariaInvalid = String(count > 0);
    if (count === 0) show("");
    else this.#inTrouble((part) => this.#input.ariaInvalid === "true" && show(part.tooLong(count, this.labels.lang)));
    return count > 0;
  }

  #name(name: string): void {
    this.#part("title").textContent = name;
    this.#place.named(name);
  }

  #say(text: string, options?: { readonly clientMessageId: string }): void {
    this.#showError("");
    void this.started.then((chat) => chat.send(text, options)).catch((cause) => this.#showFailure(cause));
  }

  /** Back to where it was written, in front of what is being written by now. */
  #edit(chat: Chat, { id, content }: ChatEntry): void {
    chat.discard(id);
    this.#input.value = joined(content, this.#input.value);
    this.#input.focus();
    this.#showError("");
    this.#showExcess();
  }

  #showFailure(cause: unknown): void {
    if (cause instanceof ChatError) this.#showRefusal(cause.code, cause.message);
    else this.#showError(String(cause));
  }

  #showRefusal(code: string, message = ""): void {
    this.#inTrouble((part) => this.#showError(part.reasonOf(code, this.labels.lang, message)));
  }

  /** With what says so, as soon as that can be had. */
  #inTrouble(then: (part: typeof Trouble) => void): void {
    if (trouble.now !== null) return then(trouble.now);
    // Without a connection that cannot be had, and something has to be said.
    const failed = () => this.#showError(this.labels.offline);
    const part = trouble.load(failed, () => true);
    void part.then((part) => then(part!));
  }

  #showStatus(status: ChatStatus, chat: Chat | null): void {
    const { labels } = this;
    const line = this.#part("status");
    // The browser knows that the network is gone long before the connection does.
    const state = status.state === "online" && !navigator.onLine ? "offline" : status.state;
    const text = state === "online" && chat?.view.holder !== null ? labels.team : labels[state];
    if (line.dataset.state === state && line.dataset.text === text) return;
    Object.assign(line.dataset, { state, text });
    line.replaceChildren(text);
    if (state === "offline" && chat !== null) this.#offerToTry(line, chat);
    if (status.state === "closed") line.append(" ", button("here", labels.here, () => chat?.connect())); // prettier-ignore
    if (status.state === "refused") this.#showRefusal(status.error.code);
  }

  #offerToTry(line: HTMLElement, chat: Chat): void {
    const { labels } = this;
    const [said] = line.childNodes;
    const now = () => {
      line.replaceChildren(labels.offline);
      this.#offerToTry(line, chat);
      chat.connect();
    };
    setTimeout(() => line.firstChild === said && line.replaceChildren(labels.away, " ", button("here", labels.now, now)), awayMs); // prettier-ignore
  }

  #showError(text: string): void {
    this.#part("error").textContent = text;
    this.#part("error").hidden = text === "";
  }

  #label(): void {
    const { labels } = this;
    const part = this.#part;
    part("chat").lang = labels.lang;
    part("title").textContent = labels.title;
    part("log").ariaLabel = labels.log;
    part("answers").ariaLabel = labels.inTheMaking;
    part("label").textContent = labels.message;
    this.#input.placeholder = labels.placeholder;
    part("send").ariaLabel = labels.send;
    part("send").title = labels.send;
    part("earlier").textContent = labels.earlier;
    part("newest").textContent = labels.newest;
    part("empty-title").textContent = labels.emptyTitle;
    part("empty-text").textContent = labels.empty;
    this.#showStatus({ state: "connecting" }, null);
  }
}

/** @returns what runs it in the next frame, however often it is asked until then */
function soon(run: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      run();
    });
  };
}
