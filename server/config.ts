import { IANAZone } from "luxon";
import { z } from "zod";
import { isWebOrigin } from "./auth/origins.js";
import { isProxy } from "./auth/proxies.js";

/** A value that cannot be used: names the variable, the value and what was expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const whole = z
  .string()
  .regex(/^\d{1,12}$/, "a whole number, 0 or more")
  .transform(Number);
const positive = z
  .string()
  .regex(/^(?!0+$)\d{1,12}$/, "a whole number, 1 or more")
  .transform(Number);
/** More than this a timer does not take. */
const msMax = 2_147_483_647;
const ms = positive.refine((value) => value <= msMax, `ms, 1 to ${msMax}`);
const msOrOff = whole.refine((value) => value <= msMax, `ms, 0 to ${msMax}`);
const port = whole.refine((value) => value <= 65_535, "a port, 0 to 65535");
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);
const origins = list.refine(
  (items) => items.every(isWebOrigin),
  "origins as browsers send them, such as https://chat.example.com or http://localhost:5173: lower case, nothing behind " +
    "the host but a port that is not the default one, no user, no wildcard",
);
const proxies = list.refine(
  (items) => items.every(isProxy),
  "addresses such as 10.0.0.7, ranges such as 10.0.0.0/8, or loopback, linklocal, uniquelocal",
);
const word = z.string().min(1, "not empty");
const secret = z.string().refine((text) => Buffer.byteLength(text) >= 32, "at least 32 bytes");
// It goes into a header.
const apiKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,2000}$/, "1 to 2000 letters, digits and signs of ASCII, without spaces");
const httpUrl = z.string().refine(isHttpUrl, "a URL that begins with http:// or https://");
// DynamoDB takes these characters, and 255 of them with the table's own name.
const tablePrefix = z.string().regex(/^[A-Za-z0-9_.-]{1,200}$/, "1 to 200 letters, digits, _ . or -");
const region = z.string().regex(/^[a-z0-9-]{1,64}$/, "an AWS region such as eu-central-1");
const minutes = whole.refine((value) => value <= 525_600, "minutes, 0 to 525600");
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
  DYNAMODB_TIMEOUT_MS: [ms, "1500"],
  NODE_ENV: [z.string(), ""],
  AUTH_SECRET: [secret, undefined],
  /** Tokens signed with it are still taken, while others follow: no client is sent away because the secret changes. */
  AUTH_SECRET_PREVIOUS: [secret, undefined],
  AUTH_JWKS_URL: [httpUrl, undefined],
  AUTH_AUDIENCE: [word, undefined],
  /** Whose OpenID Connect tokens may have turns be run, as it stands in their `iss`. Not set: nobody's. */
  OIDC_ISSUER: [httpUrl, undefined],
  /** And for whom they must be. */
  OIDC_AUDIENCE: [word, undefined],
  /** Pages that may connect and call the API. None: those of the host that the request was sent to. (SPEC X13) */
  ALLOWED_ORIGINS: [origins, ""],
  /** Who is believed when he says for whom he asks, in X-Forwarded-For, -Proto and -Host. (SPEC X12) */
  TRUSTED_PROXIES: [proxies, ""],
  AGENT: [z.enum(["assistant", "http", "channel", "echo"], { error: "assistant, http, channel or echo" }), "assistant"],
  /** Where AGENT=http posts every turn. */
  AGENT_URL: [httpUrl, undefined],
  /** Signs what is posted to agents, so that they know who asks. */
  AGENT_SECRET: [secret, undefined],
  /** The base of an API like OpenAI's; its model writes the assistant's answers. Not set: there is no model. */
  MODEL_URL: [httpUrl, undefined],
  /** As that API calls it. */
  MODEL_NAME: [word, "gpt-4o-mini"],
  /** Sent to MODEL_URL as a bearer token, and to nobody else. */
  MODEL_API_KEY: [apiKey, undefined],
  /** Where the Bot API is by which users of Telegram are answered. */
  TELEGRAM_API_URL: [httpUrl, "https://api.telegram.org"],
  AGENT_TIMEOUT_MS: [ms, "30000"],
  AGENT_CONCURRENCY: [positive, "64"],
  BUSINESSES_DIR: [word, "./businesses"],
  DEFAULT_TIME_ZONE: [zone, "UTC"],
  /** Silence after which a session is abandoned; a message brings it back. */
  SESSION_IDLE_HOURS: [hours, "24"],
  /** Silence after which what the user was in the middle of is abandoned, to be gone on with later; 0: never. */
  INTENT_IDLE_MINUTES: [minutes, "30"],
  /** Days after its end at which a session is deleted with all its messages. */
  RETENTION_DAYS: [days, "30"],
  /** Metrics are served here and nowhere else. Not set: at PORT, on an open server only. */
  METRICS_PORT: [port, undefined],
  LONGPOLL: [z.enum(["on", "off"], { error: "on or off" }).transform((value) => value === "on"), "on"],
  LOG_LEVEL: [
    z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], { error: "a pino level" }),
    "info",
  ],
  DRAIN_TIMEOUT_MS: [ms, "25000"],

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
  IDLE_TIMEOUT_MS: [msOrOff, "90000"],
  /** One more is answered 503 before any work. */
  MAX_SOCKETS: [whole, "10000"],
  /** One more is answered 429 before any work. Those of this machine and of TRUSTED_PROXIES are not counted. */
  MAX_SOCKETS_PER_ADDRESS: [whole, "50"],
  /** Messages that a socket may send on and on, and at once before that. One more is answered `rate_limited`. */
  MESSAGES_PER_SECOND_PER_SOCKET: [whole, "5"],
  MESSAGES_BURST_PER_SOCKET: [whole, "20"],
  /** Of whatever a socket pushes, messages among it; 100 at once before that. One more is answered `rate_limited`. */
  EVENTS_PER_SECOND_PER_SOCKET: [whole, "20"],
  /** Of all sockets of a user on this node; a business may set its own. */
  MESSAGES_PER_MINUTE_PER_USER: [whole, "100"],
  /** Of all users of a business on this node; a business may set its own. */
  MESSAGES_PER_SECOND_PER_BUSINESS: [whole, "100"],
  /** Sockets of a user on this node that are joined to one business; one more parks the oldest with `phx_close`. */
  MAX_SOCKETS_PER_USER: [whole, "20"],
  /** Schedules of one user of a business; one more is refused. */
  MAX_SCHEDULES_PER_USER: [whole, "100"],
  /** Rows of one page of history. */
  MAX_HISTORY_PAGE: [positive, "200"],
  /** UTF-8 bytes of an answer; a longer one fails the turn. */
  MAX_ANSWER_BYTES: [positive, "262144"],
  /** Open turns of a node; one more message is answered `busy`, and not stored. */
  MAX_BACKLOG: [positive, "1000"],
  /** Open turns of one business on a node. */
  MAX_BACKLOG_PER_BUSINESS: [positive, "100"],
  /** Open turns of one user of a business on a node. */
  MAX_BACKLOG_PER_USER: [positive, "20"],
} as const;

type Name = keyof typeof variables;
type Value<N extends Name> =
  z.output<(typeof variables)[N][0]> | ((typeof variables)[N][1] extends undefined ? undefined : never);
type Values = { readonly [N in Name]: Value<N> };

/** Everything that can be set, by the names of the environment variables. Frozen. */
export interface Config extends Values {
  /** Nobody is asked who he is: neither AUTH_SECRET nor AUTH_JWKS_URL is set. Only for this machine. (SPEC X1) */
  readonly isOpen: boolean;
  /** Tokens and secrets of bots, by the names of the variables that business files may name: TELEGRAM_… */
  readonly botVariables: ReadonlyMap<string, string>;
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
  refuseWithoutAgent(config);
  refuseWithoutModel(config);
  refuseHalfAnIssuer(config);
  const isOpen = config.AUTH_SECRET === undefined && config.AUTH_JWKS_URL === undefined;
  if (isOpen) {
    refuseWithoutTokens(config);
    refuseOpenToOthers(config);
  }
  return Object.freeze({ ...config, isOpen, botVariables: botVariablesOf(environment) });
}

function botVariablesOf(environment: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    /^TELEGRAM_/.test(name) && !Object.hasOwn(variables, name) && value !== undefined && value !== ""
      ? [[name, value] as const]
      : [],
  );
  return new Map(entries);
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
  const bots = [...botVariablesOf(environment).keys()].map((name): ConfigLine => ({
    name,
    value: "(secret)",
    source: "environment",
    expected: null,
  }));
  const known = (Object.keys(variables) as Name[]).map((name): ConfigLine => {
    const { text, isGiven, parsed } = parseVariable(name, environment[name]);
    return {
      name,
      value: text === undefined ? null : shown(name, text),
      source: isGiven ? "environment" : text === undefined ? "not set" : "default",
      expected: parsed === null || parsed.success ? null : expectation(parsed.error),
    };
  });
  return [...known, ...bots];
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

const secrets: ReadonlySet<Name> = new Set<Name>([
  "AUTH_SECRET",
  "AUTH_SECRET_PREVIOUS",
  "AGENT_SECRET",
  "MODEL_API_KEY",
]);

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

function refuseWithoutAgent({ AGENT, AGENT_URL }: Values): void {
  if (AGENT === "http" && AGENT_URL === undefined)
    throw new ConfigError("AGENT=http asks an agent elsewhere: set AGENT_URL to its http:// or https:// address");
}

// A key is for one address, and for no other that we would choose.
function refuseWithoutModel({ MODEL_URL, MODEL_API_KEY }: Values): void {
  if (MODEL_API_KEY !== undefined && MODEL_URL === undefined)
    throw new ConfigError(
      "MODEL_API_KEY is set, but no model is asked: set MODEL_URL to the http:// or https:// address of its API",
    );
}

// A token that the same issuer made for somebody else must not be good here.
function refuseHalfAnIssuer({ OIDC_ISSUER, OIDC_AUDIENCE }: Values): void {
  if ((OIDC_ISSUER === undefined) !== (OIDC_AUDIENCE === undefined))
    throw new ConfigError("OIDC_ISSUER and OIDC_AUDIENCE go together: set both, or neither");
}

// Whoever sets them means to be asked for tokens.
function refuseWithoutTokens(config: Values): void {
  for (const name of ["AUTH_SECRET_PREVIOUS", "AUTH_AUDIENCE"] as const) {
    if (config[name] !== undefined)
      throw new ConfigError(`${name} is set, but no tokens are asked for; set AUTH_SECRET`);
  }
}

// An open server must not be reachable from elsewhere, and production is never meant to be open.
function refuseOpenToOthers({ HOST, NODE_ENV }: Values): void {
  const remedy = "set AUTH_SECRET (32 bytes or more) or AUTH_JWKS_URL";
  if (NODE_ENV === "production") throw new ConfigError(`NODE_ENV=production needs to know who is who: ${remedy}`);
  if (!isLoopback(HOST))
    throw new ConfigError(`HOST=${HOST} is open to other machines: ${remedy}, or set HOST=127.0.0.1`);
}
