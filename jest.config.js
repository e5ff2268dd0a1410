const shared = {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  setupFiles: ["<rootDir>/test/support/quiet.ts"],
  // The fault cases take minutes; `npm run test:faults` runs them.
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/test/fault/"],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: {
    "^(\\.{1,2}/.*)\\.js$": "$1",
    "^bennu$": "<rootDir>/server/bennu.ts",
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

export default {
  projects: [
    { ...shared, displayName: "embedded", testMatch: ["**/*.test.ts"] },
    // What goes through the whole desk must be the same on both stores. (test/support/start-app.ts)
    {
      ...shared,
      displayName: "dynamodb",
      globals: { BENNU_STORE: "dynamodb" },
      setupFilesAfterEnv: ["<rootDir>/test/support/slow-store.ts"],
      testMatch: [
        "<rootDir>/test/app.test.ts",
        "**/test/client/chat.test.ts",
        "**/test/http/*.test.ts",
        "**/test/messaging/messages-channel.test.ts",
        "**/test/wire/{clients,hostile-messages,hostile,privacy,sessions}.test.ts",
      ],
    },
  ],
  maxWorkers: 2,
  testTimeout: 20000,
};
