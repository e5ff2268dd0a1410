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
    RETENTION_DAYS: 30,
    METRICS_PORT: undefined,
    AUTH_SECRET: undefined,
    AUTH_JWKS_URL: undefined,
    ALLOWED_ORIGINS: [],
    AGENT: "assistant",
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
    ["SESSION_IDLE_HOURS", "1d", whole],
    ["SESSION_IDLE_HOURS", "876001", "hours, 1 to 876000"],
    ["RETENTION_DAYS", "0", positive],
    ["RETENTION_DAYS", "36501", "days, 1 to 36500"],
    ["METRICS_PORT", "70000", "a port, 0 to 65535"],
    ["METRICS_PORT", "on", whole],
    ["AGENT", "magic", "assistant or echo"],
    ["AGENT", "Echo", "assistant or echo"],
    ["AGENT_TIMEOUT_MS", "0", positive],
    ["AGENT_TIMEOUT_MS", "30s", whole],
    ["AGENT_CONCURRENCY", "0", positive],
    ["DEFAULT_TIME_ZONE", "Bucharest", "an IANA time zone such as Europe/Bucharest"],
    ["LOG_LEVEL", "verbose", "a pino level"],
    ["AUTH_JWKS_URL", "keys.json", "a URL"],
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

  test("a secret is measured in bytes", () => {
    expect(readConfig({ AUTH_SECRET: "ă".repeat(16) }).AUTH_SECRET).toHaveLength(16);
    expect(() => readConfig({ AUTH_SECRET: "x".repeat(31) })).toThrow(ConfigError);
  });
});

describe("[L] the list of the whole configuration", () => {
  const lineOf = (name: string, environment: Record<string, string> = {}) =>
    listConfig(environment).find((line) => line.name === name);

  test("has every variable once, each with its value and where that comes from", () => {
    const names = listConfig({}).map(({ name }) => name);
    expect([...names, "isOpen"].sort()).toEqual(Object.keys(readConfig({})).sort());
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
