/** Suites that take long, and that `npm test` therefore leaves to `npm run test:faults`. */
export const long = [
  "**/test/agents/{openings,submitted-twice}.test.ts",
  "**/test/browser/console-{attention,crowd,faults,hands,list,states,together}.test.ts",
  "**/test/browser/page-{limits,live,still}.test.ts",
  "**/test/cli/store-commands.test.ts",
  "**/test/protocol/fuzz.test.ts",
  "**/test/stores/dynamodb/{contract,faults,half-done}.test.ts",
  "**/test/wire/{access-matrix,broken-requests,control-frames,hostile-messages,model}.test.ts",
];

/** What every project of the tests has. */
export const shared = {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  setupFiles: ["<rootDir>/test/support/quiet.ts"],
  setupFilesAfterEnv: ["<rootDir>/test/support/answers-as-described.ts"],
  // The fault cases take minutes; `npm run test:faults` runs them.
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/test/fault/"],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: {
    "^(\\.{1,2}/.*)\\.js$": "$1",
    "^bennu$": "<rootDir>/server/bennu.ts",
    "^bennu/client$": "<rootDir>/client/client.ts",
    "^bennu/testing$": "<rootDir>/server/testing.ts",
  },
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        sourceMaps: "inline",
        module: { type: "es6" },
        jsc: { target: "es2022", parser: { syntax: "typescript", decorators: false } },
      },
    ],
  },
};

/** What goes through the whole desk must be the same on both stores. (test/support/start-app.ts) */
export const onDynamoDb = (testMatch) => ({
  ...shared,
  displayName: "dynamodb",
  globals: { BENNU_STORE: "dynamodb" },
  setupFilesAfterEnv: [...shared.setupFilesAfterEnv, "<rootDir>/test/support/slow-store.ts"],
  testMatch,
});

/** How every run goes. */
export const run = {
  testSequencer: "<rootDir>/test/support/longest-first.mjs",
  maxWorkers: 2,
  // A worker keeps the modules of every suite it has run.
  workerIdleMemoryLimit: "1GB",
  testTimeout: 180_000,
};

export default {
  ...run,
  projects: [
    { ...shared, displayName: "embedded", testMatch: ["**/*.test.ts", ...long.map((suites) => `!${suites}`)] },
    // The others are in jest.faults.config.js, for time.
    onDynamoDb([
      "**/test/http/chats.test.ts",
      "**/test/messaging/messages-channel.test.ts",
      "**/test/wire/{channel-agents,clients,conversation-saving}.test.ts",
      "**/test/wire/{seed-000,seed-003,seed-004}.test.ts",
    ]),
  ],
};
