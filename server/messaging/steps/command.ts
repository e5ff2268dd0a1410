import type { Business } from "../business.js";
import type { ChatMessage, SessionStatus, User } from "../model.js";
import { commandTexts, type Locale } from "../texts.js";

const names = ["start", "help", "new", "human", "history", "close", "lang"] as const;

/** What a user may say instead of asking the agent. (SPEC M43) */
export type Command =
  | { readonly name: Exclude<(typeof names)[number], "lang"> }
  /** Null: said without a language, or with one that there is none of. */
  | { readonly name: "lang"; readonly locale: Locale | null };

/** What a command comes to: its answer, and what it does. */
export interface CommandResult {
  readonly content: string;
  /** Of the session from then on. */
  readonly status?: SessionStatus;
  /** Of the user from then on. */
  readonly locale?: Locale;
  /** It holds the greeting, which is said once. */
  readonly greets?: boolean;
  /** The user asks for a human: coordinators see it. */
  readonly wantsHuman?: boolean;
}

/** How much of what was said `/history` shows. */
export const commandHistoryMax = 10;
const lineMax = 200;

/** Null for what is meant for the agent: also for a slash and a word that is no command. */
export function parseCommand(text: string): Command | null {
  const match = /^\/([a-z]{1,16})(?:\s+(\S{1,16}))?\s*$/i.exec(text.trim());
  const name = names.find((each) => each === match?.[1]?.toLowerCase());
  if (name === undefined || match === null) return null;
  const argument = match[2]?.toLowerCase();
  if (name === "lang") return { name, locale: argument === "ro" || argument === "en" ? argument : null };
  return argument === undefined ? { name } : null;
}

/**
 * Answers a command, in the user's language. Pure.
 * @param history what was said before it, oldest first
 */
export function answerCommand(
  command: Command,
  { locale, greeting }: Pick<Business, "locale" | "greeting">,
  history: readonly ChatMessage[],
): CommandResult {
  const texts = commandTexts(locale);
  switch (command.name) {
    case "start":
      return { content: `${greeting}\n\n${texts.help}`, greets: true };
    case "help":
      return { content: texts.help };
    case "new":
      return { content: texts.new, status: "closed" };
    case "close":
      return { content: texts.close, status: "closed" };
    case "human":
      return { content: texts.human, wantsHuman: true };
    case "history":
      return { content: historyText(history, texts) };
    case "lang":
      if (command.locale === null) return { content: texts.whichLanguage };
      return { content: commandTexts(command.locale).language, locale: command.locale };
  }
}

function historyText(history: readonly ChatMessage[], texts: ReturnType<typeof commandTexts>): string {
  if (history.length === 0) return texts.noHistory;
  return history.map(({ type, content }) => `${texts.who[type]}: ${shortened(content)}`).join("\n");
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= lineMax ? line : `${line.slice(0, lineMax).toWellFormed()}…`;
}

/** In which language somebody is spoken to: their own choice, else the business's. */
export function localeOf(user: Pick<User, "locale">, business: { readonly locale: Locale }): Locale {
  return user.locale ?? business.locale;
}
