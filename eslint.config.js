import js from "@eslint/js";
import tseslint from "typescript-eslint";

// Who may import whom. A folder sees itself, the leaves, and what is listed; imports only point downward.
const leaves = ["protocol", "server/telemetry", "server/clock"];
const engine = ["server/pubsub", "server/channel", "server/presence", "server/transports"];
const layers = {
  protocol: [],
  "server/auth": leaves,
  "server/pubsub": leaves,
  "server/presence": [...leaves, "server/pubsub", "server/channel"],
  "server/channel": [...leaves, "server/pubsub"],
  "server/messaging": [...leaves, "server/auth", "server/pubsub", "server/presence", "server/channel"],
  "server/transports": [...leaves, "server/auth", "server/channel"],
  "server/stores": [...leaves, "server/messaging"],
  "server/agents": [...leaves, "server/messaging"],
  "server/platforms": [...leaves, "server/messaging", "server/agents"],
  "server/http": [...leaves, "server/auth", "server/presence", "server/messaging"],
  "server/observe": leaves,
  "server/conform": ["protocol"],
  client: ["protocol"],
};
const folders = ["protocol", "client", ...Object.keys(layers).filter((folder) => folder.startsWith("server/"))];

// Adapters alone may touch the outside: sockets, disks, processes and the libraries for them.
const outside = [
  "ws",
  "express",
  "pino",
  "pino-http",
  "lmdb",
  "jose",
  "helmet",
  "ioredis",
  "phoenix",
  "@aws-sdk/*",
  "@langchain/*",
];
const outsideNode = ["net", "http", "https", "fs", "fs/promises", "child_process", "dgram", "tls", "worker_threads"];
const adapters = ["transports", "stores", "agents", "platforms", "http", "observe", "conform"].map(
  (folder) => `server/${folder}`,
);

const importRules = Object.entries(layers).map(([folder, allowed]) => {
  const forbidden = folders.filter((other) => other !== folder && !allowed.includes(other));
  const patterns = forbidden.map((other) => ({
    regex: `^(\\.\\./)+${other.startsWith("server/") && folder.startsWith("server/") ? other.slice(7) : other}/`,
    message: `${folder} may not import ${other}: imports only point downward.`,
  }));
  if (folder.startsWith("server/")) {
    patterns.push({
      regex:
        "^(\\.\\./)+(app|main|cli|config|create-tables|endpoint|bennu|open-store|token-keys|desk-mount|listen|shut-down)\\.js$",
      message: "The entry files know the parts, never the other way round.",
    });
  } else {
    patterns.push({ regex: "^(\\.\\./)+server/", message: `${folder} may not import server.` });
  }
  if (engine.includes(folder)) {
    patterns.push({ regex: "^(\\.\\./)+desk-telemetry\\.js$", message: "The engine knows nothing of chats." });
  }
  if (!adapters.includes(folder) && folder !== "client") {
    const names = folder === "server/auth" ? outside.filter((name) => name !== "jose") : outside;
    patterns.push({
      group: [...names, ...outsideNode.map((name) => `node:${name}`)],
      message: "Only adapters touch the outside.",
    });
  }
  return {
    files: [`${folder}/**/*.ts`, `${folder}/**/*.tsx`],
    rules: { "no-restricted-imports": ["error", { patterns }] },
  };
});

export default tseslint.config(
  { ignores: ["dist/**", "coverage/**", "data/**", "test-artifacts/**", "test/browser/seed/**"] },
  js.configs.recommended,
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", URL: "readonly", AbortController: "readonly" },
    },
  },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.check.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/require-await": "error",
      "no-console": "error",
    },
  },
  { files: ["test/**/*.ts", "bench/**/*.ts"], rules: { "no-console": "off" } },
  ...importRules,
);
