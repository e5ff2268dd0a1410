import { describe, expect, test } from "@jest/globals";
import { ConfigError, readConfig } from "../server/config.js";
import { makePlatforms, problemsOfPlatforms } from "../server/make-platforms.js";
import { type Business, businessSchema } from "../server/messaging/business.js";
import { FakeClock } from "./support/fake-clock.js";
import { botBusiness, botSecret, botToken, botVariables } from "./support/telegram-desk.js";

const business = businessSchema.parse(botBusiness);
const files = new Map<string, Business>([[business.businessId, { ...business, origin: "file" }]]);

function refusalOf(environment: Readonly<Record<string, string>>): string {
  try {
    makePlatforms(readConfig(environment), new FakeClock(), files);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("it was taken");
}

describe("[B9] the bot of a business", () => {
  test("is what the variables hold that its file names", () => {
    const platforms = makePlatforms(readConfig(botVariables), new FakeClock(), files);
    expect(platforms.botOf("T1")).toEqual({ token: botToken, secret: botSecret });
    expect(platforms.botOf("T2")).toBeNull();
    expect(platforms.lineOf(business, "telegram")).not.toBeNull();
    expect(platforms.lineOf({ ...business, businessId: "T2" }, "telegram")).toBeNull();
    expect(platforms.lineOf(business, "webhook")).toBeNull();
  });

  test.each([
    ["TELEGRAM_TOKEN_T1", "", "is not set, and a business file names it"],
    ["TELEGRAM_SECRET_T1", "", "is not set, and a business file names it"],
    ["TELEGRAM_TOKEN_T1", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "is (secret); expected the token of a bot"],
    ["TELEGRAM_TOKEN_T1", `${botToken}/x`, "is (secret); expected the token of a bot"],
    ["TELEGRAM_SECRET_T1", "too short", "is (secret); expected 16 to 256"],
  ])("is refused at the start, without saying it: %s=%j", (name, value, why) => {
    const message = refusalOf({ ...botVariables, [name]: value });
    expect(message).toMatch(new RegExp(`^${name} `));
    expect(message).toContain(why);
    if (value !== "") expect(message).not.toContain(value);
  });

  test.each(["AUTH_SECRET", "TELEGRAM_API_URL", "TELEGRAM_", "telegram_token", "TELEGRAM_A B"])(
    "is in no variable %s",
    (name) => {
      const platforms = { telegram: { tokenVariable: name, secretVariable: "TELEGRAM_SECRET_T1" } };
      expect(businessSchema.safeParse({ ...botBusiness, platforms }).success).toBe(false);
    },
  );

  test("is nobody's who wrote over HTTP", () => {
    expect(problemsOfPlatforms(business)).toMatchObject([{ path: ["platforms", "telegram"] }]);
    expect(problemsOfPlatforms({ ...business, platforms: { webhook: { url: "https://a.example" } } })).toEqual([]);
  });
});
