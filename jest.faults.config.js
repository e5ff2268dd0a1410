import { long, onDynamoDb, run, shared } from "./jest.config.js";

// What takes minutes: the fault cases, and what `npm test` leaves out for time.
export default {
  ...run,
  projects: [
    {
      ...shared,
      displayName: "embedded",
      testPathIgnorePatterns: ["/node_modules/"],
      testMatch: ["**/test/fault/**/*.test.ts", ...long],
    },
    onDynamoDb([
      "<rootDir>/test/app.test.ts",
      "**/test/client/chat.test.ts",
      "**/test/http/{asides,businesses,idempotency,messages,quota,schedules}.test.ts",
      "**/test/http/{session-list,session,sessions,stats,telegram,telegram-answers,tokens,users}.test.ts",
      "**/test/wire/{appointment,components,delivery,feedback,hostile-messages,intents,privacy,sessions,suspended-intents}.test.ts",
    ]),
  ],
};
