import { IANAZone } from "luxon";
import { z } from "zod";

/** A value that cannot be used: names the variable, the value and what was expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const whole = z
  .string()
  .regex(/^\d{1,12}$/, "a whole number, 0 or more")
  .transform(Number);
const positive = whole.refine((value) => value > 0, "a whole number, 1 or more");
const port = whole.refine((value) => value <= 65_535, "a port, 0 to 65535");
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);
const word = z.string().min(1, "not empty");
const url = z.string().refine((text) => URL.canParse(text), "a URL");
const httpUrl = z.string().refine(isHttpUrl, "a URL that begins with http:// or https://");
// DynamoDB takes these characters, and 255 of them with the table's own name.
const tablePrefix = z.string().regex(/^[A-Za-z0-9_.-]{1,200}$/, "1 to 200 letters, digits, _ . or -");
const region = z.string().regex(/^[a-z0-9-]{1,64}$/, "an AWS region such as eu-central-1");
const hours = positive.refine((value) => value <= 876_000, "hours, 1 to 876000");
const days = positive.refine((value) => value <= 36_500, "days, 1 to 36500");
const zone = z.string().refine((text) => IANAZone.isValidZone(text), "an IANA time zone such as Europe/Bucharest");

/** Every environment variable that is read: what it must look like, and what it is when it is not set. */
const variables = {
  PORT: [port, "3001"],
  HOST: [word, "127.0.0.1"],
  DATA_DIR: [word, "./data"],
  STORE: [z.enum(["embedded", "dynamodb"], { error: "embedded or dynamodb" }), "embedded"],
  /** Another DynamoDB than the one of the AWS region: a private endpoint, or one on this machine. */
  DYNAMODB_ENDPOINT: [httpUrl, undefined],
  DYNAMODB_TABLE_PREFIX: [tablePrefix, "bennu-"],
  AWS_REGION: [region, undefined],
  /** Of one attempt at a request to DynamoDB. Three of them stay below the 5 s that a client waits for its `ok`. */
  DYNAMODB_TIMEOUT_MS: [positive, "1500"],
  NODE_ENV: [z.string(), ""],
  AUTH_SECRET: [z.string().refine((text) => Buffer.byteLength(text) >= 32, "at least 32 bytes"), undefined],
  AUTH_JWKS_URL: [url, undefined],
  AUTH_AUDIENCE: [word, undefined],
  ALLOWED_ORIGINS: [list, ""],
  AGENT: [z.enum(["assistant", "echo"], { error: "assistant or echo" }), "assistant"],
  AGENT_TIMEOUT_MS: [positive, "30000"],
  AGENT_CONCURRENCY: [positive, "64"],
  BUSINESSES_DIR: [word, "./businesses"],
  DEFAULT_TIME_ZONE: [zone, "UTC"],
  /** Silence after which a session is abandoned; a message brings it back. */
  SESSION_IDLE_HOURS: [hours, "24"],
  /** Days after its end at which a session is deleted with all its messages. */
  RETENTION_DAYS: [days, "30"],
  /** Metrics are served here and nowhere else. Not set: at PORT, on an open server only. */
  METRICS_PORT: [port, undefined],
  LONGPOLL: [z.enum(["on", "off"], { error: "on or off" }).transform((value) => value === "on"), "on"],
  LOG_LEVEL: [
    z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], { error: "a pino level" }),
    "info",
  ],
  DRAIN_TIMEOUT_MS: [positive, "25000"],

  // Limits; 0 switches one off.
  /** Bytes of one WebSocket frame; a larger one closes the socket with 1009. */
  MAX_FRAME_BYTES: [whole, "65536"],
  /** UTF-8 bytes of a `message`; a longer one is answered `message_too_long`. */
  MAX_MESSAGE_BYTES: [whole, "8192"],
  /** Levels of JSON in a frame; deeper is answered `invalid_payload`. */
  MAX_JSON_DEPTH: [whole, "32"],
  /** UTF-8 bytes; a longer topic is unmatched. */
  MAX_TOPIC_BYTES: [whole, "255"],
  /** UTF-8 bytes; a longer event is refused. */
  MAX_EVENT_BYTES: [whole, "64"],
  /** One more is answered `too many channels joined`. */
  MAX_CHANNELS_PER_SOCKET: [whole, "100"],
  /** Bytes that the network has not taken; more closes the socket with 1013. */
  MAX_SEND_QUEUE_BYTES: [whole, "1048576"],
  /** Silence after which a socket is closed with 1002. Above Phoenix's 60 s, because background tabs are slow. */
  IDLE_TIMEOUT_MS: [whole, "90000"],
  /** One more is answered 503 before any work. */
  MAX_SOCKETS: [whole, "10000"],
  /** Rows of one page of history. */
  MAX_HISTORY_PAGE: [positive, "200"],
  /** UTF-8 bytes of an answer; a longer one fails the turn. */
  MAX_ANSWER_BYTES: [positive, "262144"],
  /** Open turns of a node; one more message is answered `busy`, and not stored. */
  MAX_BACKLOG: [positive, "1000"],
  /** Open turns of one business on a node. */
  MAX_BACKLOG_PER_BUSINESS: [positive, "100"],
} as const;

type Name = keyof typeof variables;
type Value<N extends Name> =
  z.output<(typeof variables)[N][0]> | ((typeof variables)[N][1] extends undefined ? undefined : never);
type Values = { readonly [N in Name]: Value<N> };

/** Everything that can be set, by the names of the environment variables. Frozen. */
export interface Config extends Values {
  /** Nobody is asked who he is: neither AUTH_SECRET nor AUTH_JWKS_URL is set. Only for this machine. (SPEC X1) */
  readonly isOpen: boolean;
}

/**
 * Reads the configuration, once.
 * @throws ConfigError for a value that cannot be parsed, and for a server that would be open to others
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const values = Object.fromEntries(
    Object.keys(variables).map((name) => [name, readVariable(name as Name, environment[name])]),
  );
  const config = values as unknown as Values;
  const isOpen = config.AUTH_SECRET === undefined && config.AUTH_JWKS_URL === undefined;
  if (isOpen) refuseOpenToOthers(config);
  return Object.freeze({ ...config, isOpen });
}

function readVariable(name: Name, given: string | undefined): unknown {
  const { text, parsed } = parseVariable(name, given);
  if (parsed === null || parsed.success) return parsed?.data;
  const value = secrets.has(name) ? shown(name, text) : JSON.stringify(shown(name, text));
  throw new ConfigError(`${name} is ${value}; expected ${expectation(parsed.error)}`);
}

/** One line of the whole configuration. */
export interface ConfigLine {
  readonly name: string;
  /** As it was given, with secrets masked; null when there is none. */
  readonly value: string | null;
  readonly source: "environment" | "default" | "not set";
  /** What was expected, when the value cannot be used. */
  readonly expected: string | null;
}

/** Every variable that is read, with its value and where that comes from. What cannot be used is told, not thrown. */
export function listConfig(environment: Readonly<Record<string, string | undefined>>): readonly ConfigLine[] {
  return (Object.keys(variables) as Name[]).map((name) => {
    const { text, isGiven, parsed } = parseVariable(name, environment[name]);
    return {
      name,
      value: text === undefined ? null : shown(name, text),
      source: isGiven ? "environment" : text === undefined ? "not set" : "default",
      expected: parsed === null || parsed.success ? null : expectation(parsed.error),
    };
  });
}

function parseVariable(name: Name, given: string | undefined) {
  const [schema, fallback] = variables[name];
  const isGiven = given !== undefined && given !== "";
  const text: string | undefined = isGiven ? given : fallback;
  return { text, isGiven, parsed: text === undefined ? null : schema.safeParse(text) };
}

function expectation(error: z.ZodError): string {
  return error.issues[0]?.message ?? "another value";
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
}

const secrets: ReadonlySet<Name> = new Set<Name>(["AUTH_SECRET"]);

// A URL may carry a name and a password before its host.
function shown(name: Name, text: string | undefined): string {
  if (secrets.has(name)) return "(secret)";
  return (text ?? "").replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1(secret)@");
}

const loopback: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "[::1]", "localhost"]);

/** Whether a host name, as it stands in HOST or in a URL, is this machine. */
export function isLoopback(host: string): boolean {
  return loopback.has(host);
}

// An open server must not be reachable from elsewhere, and production is never meant to be open.
function refuseOpenToOthers({ HOST, NODE_ENV }: Values): void {
  const remedy = "set AUTH_SECRET (32 bytes or more) or AUTH_JWKS_URL";
  if (NODE_ENV === "production") throw new ConfigError(`NODE_ENV=production needs to know who is who: ${remedy}`);
  if (!isLoopback(HOST))
    throw new ConfigError(`HOST=${HOST} is open to other machines: ${remedy}, or set HOST=127.0.0.1`);
}
