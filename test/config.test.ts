import { describe, expect, test } from "@jest/globals";
import { ConfigError, isLoopback, listConfig, readConfig } from "../server/config.js";

const secret = "a secret of more than thirty-two bytes";

test("[L] what is not set has its stated default", () => {
  expect(readConfig({})).toMatchObject({
    PORT: 3001,
    HOST: "127.0.0.1",
    DATA_DIR: "./data",
    STORE: "embedded",
    DYNAMODB_ENDPOINT: undefined,
    DYNAMODB_TABLE_PREFIX: "bennu-",
    AWS_REGION: undefined,
    DYNAMODB_TIMEOUT_MS: 1500,
    SESSION_IDLE_HOURS: 24,
    INTENT_IDLE_MINUTES: 30,
    RETENTION_DAYS: 30,
    METRICS_PORT: undefined,
    AUTH_SECRET: undefined,
    AUTH_JWKS_URL: undefined,
    ALLOWED_ORIGINS: [],
    AGENT: "assistant",
    MODEL_URL: undefined,
    MODEL_NAME: "gpt-4o-mini",
    MODEL_API_KEY: undefined,
    AGENT_TIMEOUT_MS: 30_000,
    AGENT_CONCURRENCY: 64,
    BUSINESSES_DIR: "./businesses",
    DEFAULT_TIME_ZONE: "UTC",
    LOG_LEVEL: "info",
    DRAIN_TIMEOUT_MS: 25_000,
    MAX_FRAME_BYTES: 65_536,
    MAX_MESSAGE_BYTES: 8192,
    MAX_JSON_DEPTH: 32,
    MAX_TOPIC_BYTES: 255,
    MAX_EVENT_BYTES: 64,
    MAX_CHANNELS_PER_SOCKET: 100,
    MAX_SEND_QUEUE_BYTES: 1_048_576,
    IDLE_TIMEOUT_MS: 90_000,
    MAX_SOCKETS: 10_000,
    MAX_HISTORY_PAGE: 200,
    MAX_ANSWER_BYTES: 262_144,
    MAX_BACKLOG: 1000,
    MAX_BACKLOG_PER_BUSINESS: 100,
    MAX_BACKLOG_PER_USER: 20,
    isOpen: true,
  });
});

test("[L] an empty value is one that is not set, and names that are not ours are ignored", () => {
  expect(readConfig({ PORT: "", AGENT: "", AUTH_SECRET: "", PATH: "/bin", port: "x" })).toEqual(readConfig({}));
});

test("[L] what is set is taken", () => {
  const config = readConfig({
    PORT: "0",
    AGENT: "echo",
    DEFAULT_TIME_ZONE: "Europe/Bucharest",
    AUTH_SECRET: secret,
    ALLOWED_ORIGINS: " https://a.example ,, https://b.example",
    MAX_FRAME_BYTES: "0",
    IDLE_TIMEOUT_MS: "5",
  });
  expect(config).toMatchObject({
    PORT: 0,
    AGENT: "echo",
    DEFAULT_TIME_ZONE: "Europe/Bucharest",
    ALLOWED_ORIGINS: ["https://a.example", "https://b.example"],
    MAX_FRAME_BYTES: 0,
    IDLE_TIMEOUT_MS: 5,
  });
});

test("[L] it cannot be changed afterwards", () => {
  const config = readConfig({}) as { PORT: number };
  expect(() => (config.PORT = 1)).toThrow(TypeError);
});

describe("[L] a value that cannot be used stops the start, with its name, the value and what was expected", () => {
  const whole = "a whole number, 0 or more";
  const positive = "a whole number, 1 or more";
  const cases: [string, string, string][] = [
    ["PORT", "http", whole],
    ["PORT", "65536", "a port, 0 to 65535"],
    ["PORT", "-1", whole],
    ["PORT", " 80", whole],
    ["PORT", "80.0", whole],
    ["PORT", "0x50", whole],
    ["STORE", "mongodb", "embedded or dynamodb"],
    ["STORE", "DynamoDB", "embedded or dynamodb"],
    ["DYNAMODB_ENDPOINT", "localhost:8000", "a URL that begins with http:// or https://"],
    ["DYNAMODB_ENDPOINT", "dynamodb", "a URL that begins with http:// or https://"],
    ["DYNAMODB_TABLE_PREFIX", "desk/", "1 to 200 letters, digits, _ . or -"],
    ["DYNAMODB_TABLE_PREFIX", "mesaj ", "1 to 200 letters, digits, _ . or -"],
    ["DYNAMODB_TABLE_PREFIX", "x".repeat(201), "1 to 200 letters, digits, _ . or -"],
    ["DYNAMODB_TIMEOUT_MS", "0", positive],
    ["AWS_REGION", "EU central", "an AWS region such as eu-central-1"],
    ["SESSION_IDLE_HOURS", "0", positive],
    ["SESSION_IDLE_HOURS", "1d", positive],
    ["SESSION_IDLE_HOURS", "876001", "hours, 1 to 876000"],
    ["INTENT_IDLE_MINUTES", "-1", whole],
    ["INTENT_IDLE_MINUTES", "525601", "minutes, 0 to 525600"],
    ["RETENTION_DAYS", "0", positive],
    ["RETENTION_DAYS", "36501", "days, 1 to 36500"],
    ["METRICS_PORT", "70000", "a port, 0 to 65535"],
    ["METRICS_PORT", "on", whole],
    ["AGENT", "magic", "assistant, http, channel or echo"],
    ["AGENT", "Echo", "assistant, http, channel or echo"],
    ["MODEL_URL", "api.openai.com/v1", "a URL that begins with http:// or https://"],
    ["MODEL_URL", "file:///v1", "a URL that begins with http:// or https://"],
    ["AGENT_TIMEOUT_MS", "0", positive],
    ["DYNAMODB_TIMEOUT_MS", "3000000000", "ms, 1 to 2147483647"],
    ["IDLE_TIMEOUT_MS", "3000000000", "ms, 0 to 2147483647"],
    ["AGENT_TIMEOUT_MS", "30s", positive],
    ["AGENT_CONCURRENCY", "0", positive],
    ["DEFAULT_TIME_ZONE", "Bucharest", "an IANA time zone such as Europe/Bucharest"],
    ["LOG_LEVEL", "verbose", "a pino level"],
    ["AUTH_JWKS_URL", "keys.json", "a URL that begins with http:// or https://"],
    ["DRAIN_TIMEOUT_MS", "0", positive],
    ["MAX_FRAME_BYTES", "64k", whole],
    ["MAX_FRAME_BYTES", "1e6", whole],
    ["MAX_FRAME_BYTES", "1234567890123", whole],
    ["MAX_HISTORY_PAGE", "0", positive],
    ["MAX_ANSWER_BYTES", "0", positive],
    ["MAX_BACKLOG", "0", positive],
    ["IDLE_TIMEOUT_MS", "NaN", whole],
  ];

  test.each(cases)("%s=%s", (name, value, expected) => {
    const message = `${name} is ${JSON.stringify(value)}; expected ${expected}`;
    expect(() => readConfig({ [name]: value })).toThrow(new ConfigError(message));
  });

  test("a secret is never shown", () => {
    const short = "too short a secret";
    const read = () => readConfig({ AUTH_SECRET: short });
    expect(read).toThrow(new ConfigError("AUTH_SECRET is (secret); expected at least 32 bytes"));
    expect(messageOf(read)).not.toContain(short);
  });

  test("an agent elsewhere needs its address", () => {
    expect(messageOf(() => readConfig({ AGENT: "http" }))).toMatch(/^AGENT=http .*AGENT_URL/);
    const AGENT_URL = "https://agent.example/turns";
    expect(readConfig({ AGENT: "http", AGENT_URL })).toMatchObject({ AGENT: "http", AGENT_URL });
    expect(messageOf(() => readConfig({ AGENT: "http", AGENT_URL: "agent.example" }))).toContain("http://");
    expect(messageOf(() => readConfig({ AGENT_SECRET: "too short" }))).toBe(
      "AGENT_SECRET is (secret); expected at least 32 bytes",
    );
  });

  test("the key of a model needs its address, goes into a header, and is never shown", () => {
    const MODEL_URL = "https://models.example/v1";
    const MODEL_API_KEY = "sk-0123456789";
    expect(readConfig({ MODEL_URL, MODEL_API_KEY })).toMatchObject({ MODEL_URL, MODEL_API_KEY });
    expect(messageOf(() => readConfig({ MODEL_API_KEY }))).toMatch(/^MODEL_API_KEY .*MODEL_URL/);
    for (const broken of ["two words", "line\r\nx-more: 1", "cheie-ă"]) {
      expect(messageOf(() => readConfig({ MODEL_URL, MODEL_API_KEY: broken }))).toBe(
        "MODEL_API_KEY is (secret); expected 1 to 2000 letters, digits and signs of ASCII, without spaces",
      );
    }
    const lines = listConfig({ MODEL_URL: "https://me:pass@models.example/v1", MODEL_API_KEY });
    expect(lines.find(({ name }) => name === "MODEL_API_KEY")).toMatchObject({ value: "(secret)" });
    expect(lines.find(({ name }) => name === "MODEL_URL")!.value).toBe("https://(secret)@models.example/v1");
    expect(JSON.stringify(lines)).not.toContain(MODEL_API_KEY);
  });

  test("a secret is measured in bytes", () => {
    expect(readConfig({ AUTH_SECRET: "ă".repeat(16) }).AUTH_SECRET).toHaveLength(16);
    expect(() => readConfig({ AUTH_SECRET: "x".repeat(31) })).toThrow(ConfigError);
  });
});

describe("[L] the list of the whole configuration", () => {
  const lineOf = (name: string, environment: Record<string, string> = {}) =>
    listConfig(environment).find((line) => line.name === name);

  test("[B9] has what business files may name, masked; what is not set is not there", () => {
    const environment = {
      TELEGRAM_TOKEN_B1: "110201543:AAHd",
      TELEGRAM_NONE: "",
      TELEGRAM_API_URL: "http://localhost:1",
    };
    const bots = listConfig(environment).filter(({ name }) => /^TELEGRAM_/.test(name));
    expect(bots).toEqual([
      { name: "TELEGRAM_API_URL", value: "http://localhost:1", source: "environment", expected: null },
      { name: "TELEGRAM_TOKEN_B1", value: "(secret)", source: "environment", expected: null },
    ]);
    expect([...readConfig(environment).botVariables]).toEqual([["TELEGRAM_TOKEN_B1", "110201543:AAHd"]]);
  });

  test("has every variable once, each with its value and where that comes from", () => {
    const names = listConfig({}).map(({ name }) => name);
    expect([...names, "isOpen", "botVariables"].sort()).toEqual(Object.keys(readConfig({})).sort());
    expect(lineOf("PORT")).toEqual({ name: "PORT", value: "3001", source: "default", expected: null });
    expect(lineOf("PORT", { PORT: "80" })).toMatchObject({ value: "80", source: "environment" });
    expect(lineOf("PORT", { PORT: "" })).toMatchObject({ value: "3001", source: "default" });
    expect(lineOf("AWS_REGION")).toMatchObject({ value: null, source: "not set" });
  });

  test("tells what cannot be used, of all variables at once", () => {
    const lines = listConfig({ PORT: "http", STORE: "mongodb" }).filter(({ expected }) => expected !== null);
    expect(lines).toEqual([
      { name: "PORT", value: "http", source: "environment", expected: "a whole number, 0 or more" },
      { name: "STORE", value: "mongodb", source: "environment", expected: "embedded or dynamodb" },
    ]);
  });

  test("shows no secret, not even a wrong one, and no password of a URL", () => {
    expect(lineOf("AUTH_SECRET", { AUTH_SECRET: secret })?.value).toBe("(secret)");
    expect(lineOf("AUTH_SECRET", { AUTH_SECRET: "short" })).toMatchObject({
      value: "(secret)",
      expected: "at least 32 bytes",
    });
    expect(lineOf("AUTH_SECRET")?.value).toBeNull();
    const url = "https://someone:pass@keys.example/jwks.json";
    expect(lineOf("AUTH_JWKS_URL", { AUTH_JWKS_URL: url })?.value).toBe("https://(secret)@keys.example/jwks.json");
    const wrong = messageOf(() => readConfig({ DYNAMODB_ENDPOINT: "ftp://someone:pass@host" }));
    expect(wrong).toContain("(secret)@host");
    expect(wrong).not.toContain("pass@");
  });
});

test("[X1] the names of this machine, as a host and as in a URL", () => {
  expect(["127.0.0.1", "::1", "[::1]", "localhost"].every(isLoopback)).toBe(true);
  expect(["0.0.0.0", "127.0.0.1.evil.com", "", "::"].some(isLoopback)).toBe(false);
});

describe("[X1] a server that asks nobody who they are", () => {
  test.each(["127.0.0.1", "::1", "localhost"])("starts on %s", (HOST) => {
    expect(readConfig({ HOST }).isOpen).toBe(true);
  });

  test.each(["0.0.0.0", "::", "192.168.1.5", "127.0.0.2", "desk.example", "localhost.evil.com", "LOCALHOST", "*"])(
    "does not start on %s, and says what to set",
    (HOST) => {
      const message = messageOf(() => readConfig({ HOST }));
      expect(message).toContain(`HOST=${HOST}`);
      expect(message).toMatch(/AUTH_SECRET .*AUTH_JWKS_URL.*HOST=127\.0\.0\.1/);
    },
  );

  test("does not start in production, and says what to set", () => {
    const message = messageOf(() => readConfig({ NODE_ENV: "production" }));
    expect(message).toMatch(/^NODE_ENV=production .*AUTH_SECRET .*AUTH_JWKS_URL/);
  });

  test.each(["development", "test", ""])("starts with NODE_ENV=%j", (NODE_ENV) => {
    expect(readConfig({ NODE_ENV }).isOpen).toBe(true);
  });

  test.each([{ AUTH_SECRET: secret }, { AUTH_JWKS_URL: "https://keys.example/jwks.json" }])(
    "is not open, and starts anywhere, with %j",
    (environment) => {
      const config = readConfig({ ...environment, HOST: "0.0.0.0", NODE_ENV: "production" });
      expect([config.isOpen, config.HOST]).toEqual([false, "0.0.0.0"]);
    },
  );
});

function messageOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}
