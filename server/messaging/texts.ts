import type { Code } from "../../protocol/codes.js";

export type Locale = "ro" | "en";

/** What the server itself says to people, in their language. */
interface Texts {
  /** `message` of every error, for a client that shows it as it is. */
  readonly error: string;
  /** The `system` message that ends a turn without an answer. */
  readonly failed: Readonly<Partial<Record<Code, string>>> & { readonly agent_failed: string };
}

const texts: Readonly<Record<Locale, Texts>> = {
  ro: {
    error: "Eroare la procesarea mesajului",
    failed: {
      agent_failed: "Îmi pare rău, nu am putut răspunde la acest mesaj. Te rog încearcă din nou.",
      agent_timeout: "Îmi pare rău, răspunsul durează prea mult. Te rog încearcă din nou.",
      agent_unavailable: "Îmi pare rău, acum nu este nimeni care să răspundă. Te rog încearcă mai târziu.",
      busy: "Îmi pare rău, sunt prea multe cereri acum. Te rog încearcă din nou peste puțin timp.",
    },
  },
  en: {
    error: "The message could not be processed",
    failed: {
      agent_failed: "Sorry, I could not answer this message. Please try again.",
      agent_timeout: "Sorry, the answer is taking too long. Please try again.",
      agent_unavailable: "Sorry, nobody is there to answer right now. Please try again later.",
      busy: "Sorry, there is too much to do right now. Please try again in a moment.",
    },
  },
};

export function errorText(locale: Locale): string {
  return texts[locale].error;
}

export function failureText(locale: Locale, code: Code): string {
  const { failed } = texts[locale];
  return failed[code] ?? failed.agent_failed;
}
