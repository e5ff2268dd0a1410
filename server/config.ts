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
const zone = z.string().refine((text) => IANAZone.isValidZone(text), "an IANA time zone such as Europe/Bucharest");

/** Every environment variable that is read: what it must look like, and what it is when it is not set. */
const variables = {
  PORT: [port, "3001"],
  HOST: [word, "127.0.0.1"],
  DATA_DIR: [word, "./data"],
  STORE: [z.enum(["embedded"], { error: "embedded" }), "embedded"],
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
  const [schema, fallback] = variables[name];
  const text = given === undefined || given === "" ? fallback : given;
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  const shown = secrets.has(name) ? "(secret)" : JSON.stringify(text);
  throw new ConfigError(`${name} is ${shown}; expected ${parsed.error.issues[0]?.message ?? "another value"}`);
}

const secrets: ReadonlySet<Name> = new Set<Name>(["AUTH_SECRET"]);
const loopback: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"]);

// An open server must not be reachable from elsewhere, and production is never meant to be open.
function refuseOpenToOthers({ HOST, NODE_ENV }: Values): void {
  const remedy = "set AUTH_SECRET (32 bytes or more) or AUTH_JWKS_URL";
  if (NODE_ENV === "production") throw new ConfigError(`NODE_ENV=production needs to know who is who: ${remedy}`);
  if (!loopback.has(HOST))
    throw new ConfigError(`HOST=${HOST} is open to other machines: ${remedy}, or set HOST=127.0.0.1`);
}
