import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Serializer, serializerFor } from "../../protocol/serializer.js";
import type { SocketIdentity } from "../channel/socket.js";
import type { ConnectInfo, HttpAnswer, MountOptions, Refused } from "./mount.js";
import { isOriginAllowed, type Origin } from "./origin.js";
import { type Params, parseQuery, QueryError } from "./query.js";

/** What a request to connect comes to. */
export type Handshake =
  | {
      readonly accepted: true;
      readonly serializer: Serializer;
      readonly identity: SocketIdentity;
      readonly protocol: string | null;
    }
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

const forbidden: HttpAnswer = { status: 403 };
const bearerPrefix = "base64url.bearer.phx.";

/**
 * Decides on a connection as Phoenix does: origin, subprotocol, version, then the app's `connect`. Never throws: what
 * `connect` throws is a 500.
 * @see SPEC T1–T5, W2
 */
export async function shakeHands(options: HandshakeRequest, onError: (cause: unknown) => void): Promise<Handshake> {
  const { request, mount } = options;
  try {
    if (!allowsOrigin(options)) return { accepted: false, answer: forbidden };
    const protocols = subprotocol(options);
    if (protocols === null) return { accepted: false, answer: forbidden };
    const params = paramsOf(options);
    const serializer = serializerFor(params.vsn, mount.dialect);
    if (serializer === null) return { accepted: false, answer: forbidden };
    const decision = await decide(mount, params, infoOf(options, targetOf(request), protocols.token));
    if (isRefused(decision)) {
      const answer =
        options.transport === "websocket" && decision.refused !== undefined
          ? mount.onRefused?.(decision.refused)
          : undefined;
      return { accepted: false, answer: answer ?? forbidden };
    }
    return { accepted: true, serializer, identity: decision, protocol: protocols.echo };
  } catch (cause) {
    if (cause instanceof QueryError) return { accepted: false, answer: { status: 400 } };
    onError(cause);
    return { accepted: false, answer: { status: 500 } };
  }
}

/** Whether the page that sends the request, if any, may. (SPEC T3) */
export function allowsOrigin({ request, mount, host }: HandshakeRequest): boolean {
  return isOriginAllowed(mount.checkOrigin ?? false, request.headers.origin, { host, request: targetOf(request) });
}

/** Asks the app who connects. */
export async function decide(
  { connect }: Pick<MountOptions, "connect">,
  params: Params,
  info: ConnectInfo,
): Promise<SocketIdentity | Refused> {
  const decision = await (connect?.(params, info) ?? {});
  if (isRefused(decision)) return decision;
  return { id: decision.id ?? null, assigns: decision.assigns ?? {} };
}

export function isRefused(decision: object): decision is Refused {
  return Object.hasOwn(decision, "refused");
}

/** @throws QueryError */
export function paramsOf({ request, pathParams }: HandshakeRequest): Params {
  return Object.assign(parseQuery(splitUrl(request).query), pathParams);
}

function splitUrl({ url = "" }: IncomingMessage): { path: string; query: string } {
  const question = url.indexOf("?");
  return question < 0 ? { path: url, query: "" } : { path: url.slice(0, question), query: url.slice(question + 1) };
}

/** Which subprotocol to answer, and the token that phoenix.js hides among them; null refuses. */
function subprotocol(options: HandshakeRequest): { echo: string | null; token: string | null } | null {
  const { request, mount, transport } = options;
  const takesToken = mount.authToken === true;
  if (transport === "longpoll") {
    const header = request.headers["x-phoenix-authtoken"];
    return { echo: null, token: takesToken && typeof header === "string" ? header : null };
  }
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
    throw new TypeError("the auth token is not base64");
  return Buffer.from(encoded, "base64").toString("utf8");
}

function infoOf({ request, transport }: HandshakeRequest, target: Origin, authToken: string | null): ConnectInfo {
  const { path, query } = splitUrl(request);
  return {
    transport,
    authToken,
    peer: { address: request.socket.remoteAddress ?? "", port: request.socket.remotePort ?? 0 },
    uri: { scheme: target.scheme ?? "http", host: target.host ?? "", port: target.port, path, query },
    headers: request.headers,
  };
}

/** Where the request was sent to, by its Host header. */
function targetOf(request: IncomingMessage): Origin {
  const scheme = (request.socket as TLSSocket).encrypted ? "https" : "http";
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(request.headers.host ?? "");
  const port = match?.[2] === undefined ? (scheme === "https" ? 443 : 80) : Number(match[2]);
  return { scheme, host: match?.[1] ?? null, port };
}
