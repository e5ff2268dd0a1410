export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
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
  maxWorkers: 2,
  testTimeout: 20000,
};
