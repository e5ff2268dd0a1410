import type { Code } from "../../protocol/codes.js";
import type { ChatMessage } from "./model.js";

export type Locale = "ro" | "en";

/** What the server itself says to people, in their language. */
interface Texts {
  /** `message` of every error, for a client that shows it as it is. */
  readonly error: string;
  /** The `system` message that ends a turn without an answer. */
  readonly failed: Readonly<Partial<Record<Code, string>>> & { readonly agent_failed: string };
  /** The `system` message that ends what is open when a human ends the conversation. */
  readonly closing: string;
  /** The same when its user is blocked. */
  readonly blocked: string;
  /** Why a message was not taken, for its user to do something about it; of other codes nothing is said. */
  readonly refused: Readonly<Partial<Record<Code, string>>>;
  readonly command: CommandTexts;
  /** Of the steps that the server itself shows. */
  readonly steps: Readonly<Record<"processing", string>>;
  /** Of a chat that was given no title. */
  readonly chat: string;
}

/** The answers to commands. */
interface CommandTexts {
  readonly help: string;
  readonly new: string;
  readonly close: string;
  readonly human: string;
  /** In that language. */
  readonly language: string;
  readonly whichLanguage: string;
  readonly noHistory: string;
  readonly who: Readonly<Record<ChatMessage["type"], string>>;
}

const texts: Readonly<Record<Locale, Texts>> = {
  ro: {
    error: "Eroare la procesarea mesajului",
    failed: {
      agent_failed: "Îmi pare rău, nu am putut răspunde la acest mesaj. Te rog încearcă din nou.",
      agent_timeout: "Îmi pare rău, răspunsul durează prea mult. Te rog încearcă din nou.",
      agent_unavailable: "Îmi pare rău, acum nu este nimeni care să răspundă. Te rog încearcă mai târziu.",
      busy: "Îmi pare rău, sunt prea multe cereri acum. Te rog încearcă din nou peste puțin timp.",
      cancelled: "Am oprit răspunsul.",
    },
    closing: "Conversația a fost încheiată. Scrie-ne oricând.",
    blocked: "Conversația a fost încheiată. Nu mai primim mesaje de la tine.",
    refused: {
      message_too_long: "Mesajul este prea lung. Te rog trimite-l în mai multe bucăți.",
      quota_exceeded: "Ai trimis toate mesajele pe care le poți trimite azi. Te rog revino mâine.",
      blocked: "Nu mai primim mesaje de la tine.",
    },
    command: {
      help: [
        "/new: o conversație nouă",
        "/human: vorbește cu un om",
        "/history: ce s-a spus până acum",
        "/close: încheie conversația",
        "/lang ro, /lang en: limba",
      ].join("\n"),
      new: "Gata, începem o conversație nouă. Cu ce te pot ajuta?",
      close: "Am încheiat conversația. Scrie-ne oricând.",
      human: "Am anunțat un coleg. Îți va răspunde aici cât de curând.",
      language: "De acum vorbim în română.",
      whichLanguage: "Ce limbă? /lang ro sau /lang en",
      noHistory: "Încă nu s-a spus nimic în această conversație.",
      who: { user: "Tu", agent: "Asistent", coordinator: "Coleg", system: "Sistem" },
    },
    steps: { processing: "Mă gândesc" },
    chat: "Conversație nouă",
  },
  en: {
    error: "The message could not be processed",
    failed: {
      agent_failed: "Sorry, I could not answer this message. Please try again.",
      agent_timeout: "Sorry, the answer is taking too long. Please try again.",
      agent_unavailable: "Sorry, nobody is there to answer right now. Please try again later.",
      busy: "Sorry, there is too much to do right now. Please try again in a moment.",
      cancelled: "I have stopped the answer.",
    },
    closing: "The conversation was closed. Write to us at any time.",
    blocked: "The conversation was ended. We take no more messages from you.",
    refused: {
      message_too_long: "The message is too long. Please send it in several pieces.",
      quota_exceeded: "You have sent all the messages that you can send today. Please come back tomorrow.",
      blocked: "We take no more messages from you.",
    },
    command: {
      help: [
        "/new: a new conversation",
        "/human: talk to a human",
        "/history: what was said so far",
        "/close: end the conversation",
        "/lang ro, /lang en: the language",
      ].join("\n"),
      new: "Done, this is a new conversation. How can I help you?",
      close: "The conversation is closed. Write to us at any time.",
      human: "I have told a colleague, who will answer you here as soon as possible.",
      language: "From now on we speak English.",
      whichLanguage: "Which language? /lang ro or /lang en",
      noHistory: "Nothing has been said in this conversation yet.",
      who: { user: "You", agent: "Assistant", coordinator: "Colleague", system: "System" },
    },
    steps: { processing: "Thinking" },
    chat: "New chat",
  },
};

export function errorText(locale: Locale): string {
  return texts[locale].error;
}

/** What a user is told of a message that was not taken; null: nothing. */
export function refusalText(locale: Locale, code: Code): string | null {
  return texts[locale].refused[code] ?? null;
}

export function failureText(locale: Locale, code: Code): string {
  const { failed } = texts[locale];
  return failed[code] ?? failed.agent_failed;
}

export function closingText(locale: Locale): string {
  return texts[locale].closing;
}

export function blockedText(locale: Locale): string {
  return texts[locale].blocked;
}

export function commandTexts(locale: Locale): CommandTexts {
  return texts[locale].command;
}

export function stepText(locale: Locale, step: keyof Texts["steps"]): string {
  return texts[locale].steps[step];
}

export function chatTitle(locale: Locale): string {
  return texts[locale].chat;
}
