import type { Clock } from "./clock.js";
import { type Config, ConfigError } from "./config.js";
import type { Business } from "./messaging/business.js";
import type { BusinessProblem } from "./messaging/business-problems.js";
import type { Platforms } from "./messaging/platforms.js";
import { type Bot, createTelegram } from "./platforms/telegram.js";
import { createWebhook } from "./platforms/webhook.js";

/** Where users write beside our own channel. */
export interface MadePlatforms extends Platforms {
  /** Null: the business has none. */
  botOf(businessId: string): Bot | null;
}

/** As BotFather gives it: the bot's id and its key. */
const tokenForm = /^\d{1,20}:[A-Za-z0-9_-]{20,200}$/;
/** As `setWebhook` takes it; shorter ones are guessed. */
const secretForm = /^[A-Za-z0-9_-]{16,256}$/;

/** @throws ConfigError when a business file names a variable that is not as it must be */
export function makePlatforms(config: Config, clock: Clock, files: ReadonlyMap<string, Business>): MadePlatforms {
  const bots = new Map<string, Bot>();
  for (const { businessId, platforms } of files.values()) {
    if (platforms?.telegram === undefined) continue;
    const { tokenVariable, secretVariable } = platforms.telegram;
    bots.set(businessId, {
      token: valueOf(config, tokenVariable, tokenForm, "the token of a bot, such as 110201543:AAHdq…"),
      secret: valueOf(config, secretVariable, secretForm, "16 to 256 letters, digits, _ or -"),
    });
  }
  const telegram = createTelegram({ clock, apiUrl: config.TELEGRAM_API_URL });
  const webhook = createWebhook({ clock, secret: config.AGENT_SECRET });
  const botOf = (businessId: string) => bots.get(businessId) ?? null;
  return {
    botOf,
    lineOf(business, platform) {
      if (platform === "telegram") {
        const bot = botOf(business.businessId);
        return bot === null ? null : telegram(bot);
      }
      const url = business.platforms?.webhook?.url;
      return url === undefined ? null : webhook(business, url);
    },
  };
}

// The value is a secret, also where it is a wrong one.
function valueOf({ botVariables }: Config, name: string, form: RegExp, expected: string): string {
  const value = botVariables.get(name);
  if (value === undefined)
    throw new ConfigError(`${name} is not set, and a business file names it; expected ${expected}`);
  if (!form.test(value)) throw new ConfigError(`${name} is (secret); expected ${expected}`);
  return value;
}

/** A bot is the word of who runs the server: over HTTP a business could name the variable of another's. (SPEC B9) */
export function problemsOfPlatforms({ platforms }: Business): readonly BusinessProblem[] {
  return platforms?.telegram === undefined
    ? []
    : [{ path: ["platforms", "telegram"], message: "expected in the file of the business alone" }];
}
