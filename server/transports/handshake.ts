import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Serializer, serializerFor } from "../../protocol/serializer.js";
import type { SocketIdentity } from "../channel/socket.js";
import { checkAnswer } from "./http-answer.js";
import type { Accepted, ConnectInfo, HttpAnswer, MountOptions, Refused } from "./mount.js";
import { isOriginAllowed, type Origin } from "./origin.js";
import { splitUrl } from "./paths.js";
import { type Params, parseQuery, QueryError } from "./query.js";
import { type Soon, then } from "./soon.js";

/** Who is let in, and on which terms. */
export interface Decided {
  readonly identity: SocketIdentity;
  /** Null: what the mount says. */
  readonly maxFrameBytes: number | null;
}

/** What a request to connect comes to. */
export type Handshake =
  | (Decided & { readonly accepted: true; readonly serializer: Serializer; readonly protocol: string | null })
  | { readonly accepted: false; readonly answer: HttpAnswer };

export interface HandshakeRequest {
  readonly request: IncomingMessage;
  readonly transport: "websocket" | "longpoll";
  readonly mount: MountOptions;
  readonly subprotocols: readonly string[];
  readonly pathParams: Readonly<Record<string, string>>;
  /** The endpoint's own host name, for `checkOrigin: true`. */
  readonly host: string;
}

/** A subprotocol that claims to be an auth token, and is no base64. */
class AuthTokenError extends Error {
  override readonly name = "AuthTokenError";
}

const forbidden: HttpAnswer = { status: 403 };
const bearerPrefix = "base64url.bearer.phx.";

/**
 * Decides on a connection as Phoenix does: origin, subprotocol, version, then the app's `connect`. Never throws: what
 * `connect` throws is a 500.
 * @see SPEC T1–T5, W2
 */
export function shakeHands(options: HandshakeRequest, onError: (cause: unknown) => void): Soon<Handshake> {
  try {
    const handshake = decideHandshake(options);
    return handshake instanceof Promise ? handshake.catch((cause) => failed(cause, onError)) : handshake;
  } catch (cause) {
    return failed(cause, onError);
  }
}

function failed(cause: unknown, onError: (cause: unknown) => void): Handshake {
  if (cause instanceof QueryError) return { accepted: false, answer: { status: 400 } };
  // Phoenix has no other word for it than its own mistake. It is the client's, so nobody here is told of a crash.
  if (!(cause instanceof AuthTokenError)) onError(cause);
  return { accepted: false, answer: { status: 500 } };
}

function decideHandshake(options: HandshakeRequest): Soon<Handshake> {
  const { mount } = options;
  const params = paramsOf(options);
  if (!mayCome(options)) return { accepted: false, answer: forbidden };
  const protocols = subprotocol(options);
  if (protocols === null) return { accepted: false, answer: forbidden };
  const serializer = serializerFor(params.vsn, mount.dialect);
  if (serializer === null) return { accepted: false, answer: forbidden };
  return then(decide(mount, params, new RequestInfo(options, protocols.token)), (decision): Handshake => {
    if (!isRefused(decision)) return { accepted: true, serializer, ...decision, protocol: protocols.echo };
    const tells = options.transport === "websocket" && decision.refused !== undefined;
    const answer = tells ? mount.onRefused?.(decision.refused) : undefined;
    return { accepted: false, answer: answer ? checkAnswer(answer) : forbidden };
  });
}

/** Whether the request asks for a name of ours, and the page that sends it, if any, may. (SPEC T3, T12) */
export function mayCome({ request, mount, host }: HandshakeRequest): boolean {
  const { checkHost, checkOrigin = "conn" } = mount;
  if (checkHost?.(request.headers.host) === false) return false;
  const { origin } = request.headers;
  if (checkOrigin === false || origin === undefined) return true;
  return isOriginAllowed(checkOrigin, origin, { host, target: targetOf(request), request });
}

/**
 * Asks the app who connects.
 * @throws TypeError for an answer that is neither: whoever is not refused is in, so nothing is taken for a yes
 */
export function decide(
  { connect }: Pick<MountOptions, "connect">,
  params: Params,
  info: ConnectInfo,
): Soon<Decided | Refused> {
  if (connect === undefined) return nobody;
  const decision = connect(params, info);
  // Resolved, because a library's promise may be of another kind.
  return then(isThenable(decision) ? Promise.resolve(decision) : decision, checked);
}

const nobody: Decided = { identity: { id: null, assigns: {} }, maxFrameBytes: null };

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | undefined | null)?.then === "function";
}

const acceptedKeys = ["id", "assigns", "maxFrameBytes"];

function checked(decided: Accepted | Refused): Decided | Refused {
  const fault = faultOf(decided);
  if (fault !== null) {
    throw new TypeError(`connect must return { ${acceptedKeys.join("?, ")}? } or refuse(), and returned ${fault}`);
  }
  if (isRefused(decided)) return decided;
  const { id = null, assigns = {}, maxFrameBytes = null } = decided;
  return { identity: { id, assigns }, maxFrameBytes };
}

/** What is wrong with it, without a word of what it says. */
function faultOf(decided: unknown): string | null {
  if (typeof decided !== "object" || decided === null || Array.isArray(decided)) return kindOf(decided);
  if (isRefused(decided)) return null;
  for (const key in decided) if (!acceptedKeys.includes(key)) return `an object with the key ${key}`;
  const { id, assigns, maxFrameBytes = 0 } = decided as Readonly<Record<string, unknown>>;
  if (typeof id !== "string" && id !== undefined && id !== null) return `an id that is ${kindOf(id)}`;
  if (!Number.isSafeInteger(maxFrameBytes) || (maxFrameBytes as number) < 0) return "a maxFrameBytes that is none";
  const isPlain = assigns === undefined || (typeof assigns === "object" && !Array.isArray(assigns));
  return isPlain ? null : `assigns that are ${kindOf(assigns)}`;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null || typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

export function isRefused(decision: object): decision is Refused {
  return Object.hasOwn(decision, "refused");
}

/** @throws QueryError */
export function paramsOf({ request, pathParams }: HandshakeRequest): Params {
  const params = parseQuery(splitUrl(request.url ?? "").query);
  for (const name in pathParams) params[name] = pathParams[name];
  return params;
}

/** The auth token of a long-poll request, on a mount that takes one; null: there is none. (SPEC T7) */
export function authTokenOf({ request, mount }: Pick<HandshakeRequest, "request" | "mount">): string | null {
  const header = request.headers["x-phoenix-authtoken"];
  return mount.authToken === true && typeof header === "string" ? header : null;
}

/** Which subprotocol to answer, and the token that phoenix.js hides among them; null refuses. */
function subprotocol(options: HandshakeRequest): { echo: string | null; token: string | null } | null {
  const { request, mount, transport } = options;
  if (transport === "longpoll") return { echo: null, token: authTokenOf(options) };
  const takesToken = mount.authToken === true;
  const supported = takesToken ? ["phoenix", ...options.subprotocols] : options.subprotocols;
  const header = request.headers["sec-websocket-protocol"];
  if (supported.length === 0 || header === undefined) return { echo: null, token: null };
  const offered = header.split(",").map((name) => name.trim());
  const tokens = takesToken ? offered.filter((name) => name.startsWith(bearerPrefix)) : [];
  // Two tokens are none. A token that is alone stands for an offer of nothing at all.
  const token = tokens.length === 1 ? decodeToken(tokens[0]!) : null;
  if (token !== null && offered.length === 1) return { echo: null, token };
  const echo = supported.find((name) => offered.includes(name)) ?? null;
  return echo === null ? null : { echo, token };
}

function decodeToken(protocol: string): string {
  const encoded = protocol.slice(bearerPrefix.length);
  if (!/^[A-Za-z0-9+/]*$/.test(encoded) || encoded.length % 4 === 1)
    throw new AuthTokenError("the auth token is not base64");
  return Buffer.from(encoded, "base64").toString("utf8");
}

/** What most apps do not ask for is only worked out when they do: the peer's address costs a system call. */
class RequestInfo implements ConnectInfo {
  readonly transport: ConnectInfo["transport"];
  readonly #request: IncomingMessage;

  constructor(
    { request, transport }: HandshakeRequest,
    readonly authToken: string | null,
  ) {
    this.transport = transport;
    this.#request = request;
  }

  get peer(): ConnectInfo["peer"] {
    const { remoteAddress = "", remotePort = 0 } = this.#request.socket;
    return { address: remoteAddress, port: remotePort };
  }

  get uri(): ConnectInfo["uri"] {
    const { scheme, host, port } = targetOf(this.#request);
    return { scheme: scheme ?? "http", host: host ?? "", port, ...splitUrl(this.#request.url ?? "") };
  }

  get headers(): ConnectInfo["headers"] {
    return this.#request.headers;
  }
}

/** Where the request was sent to, by its Host header. */
function targetOf(request: IncomingMessage): Origin {
  const scheme = (request.socket as TLSSocket).encrypted ? "https" : "http";
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(request.headers.host ?? "");
  const port = match?.[2] === undefined ? (scheme === "https" ? 443 : 80) : Number(match[2]);
  return { scheme, host: match?.[1] ?? null, port };
}
