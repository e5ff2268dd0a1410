import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { ask, type HttpAnswer } from "./plain-http.js";

export const botToken = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
export const botSecret = "a-secret-of-the-webhook";

export const botVariables = { TELEGRAM_TOKEN_T1: botToken, TELEGRAM_SECRET_T1: botSecret };

/** A business with a bot, whose users its agent repeats. */
export const botBusiness = {
  ...{ businessId: "T1", name: "Cabinet", locale: "ro", timeZone: "Europe/Bucharest" },
  ...{ greeting: "Bun venit la Cabinet!", agent: { kind: "echo" } },
  platforms: { telegram: { tokenVariable: "TELEGRAM_TOKEN_T1", secretVariable: "TELEGRAM_SECRET_T1" } },
};

/** A folder of business files. */
export async function businessFolder(...businesses: readonly { readonly businessId: string }[]): Promise<{
  readonly path: string;
  readonly remove: () => Promise<void>;
}> {
  const path = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
  for (const each of businesses) await writeFile(join(path, `${each.businessId}.yaml`), stringify(each));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export const ana = { id: 4711, is_bot: false, first_name: "Ana", last_name: "Pop", language_code: "ro" };

/** An update, as Telegram brings what somebody says to a bot. */
export function updateOf(updateId: number, text: string, from: Readonly<Record<string, unknown>> = ana) {
  const chat = { id: from.id, type: "private", first_name: from.first_name };
  return { update_id: updateId, message: { message_id: updateId + 1000, date: 1_772_445_600, text, chat, from } };
}

/** Brings an update as Telegram does. */
export function bring(
  app: { readonly port: number },
  update: unknown,
  { to = "T1", secret = botSecret }: { readonly to?: string; readonly secret?: string | null } = {},
): Promise<HttpAnswer> {
  const headers = {
    "content-type": "application/json",
    ...(secret === null ? {} : { "x-telegram-bot-api-secret-token": secret }),
  };
  const body = typeof update === "string" ? update : JSON.stringify(update);
  return ask(app, `/api/webhooks/telegram/${to}`, { method: "POST", headers, body });
}
