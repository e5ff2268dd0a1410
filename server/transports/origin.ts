import type { IncomingMessage } from "node:http";

/**
 * Which pages may open a connection: every one, those on the endpoint's own host, those that the request itself was
 * sent to, those of a list (`https://example.com`, `//*.example.com`, `//example.com:8080`), or what a function says,
 * which is given the request as well.
 * A request without an Origin header does not come from a page and is always allowed. (SPEC T3)
 */
export type OriginPolicy =
  | boolean
  | "conn"
  | readonly string[]
  | ((origin: Origin & { readonly raw: string }, request: IncomingMessage) => boolean);

export interface Origin {
  /** The header as it was sent. */
  readonly raw?: string;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
}

const defaultPort: Readonly<Record<string, number>> = { http: 80, https: 443, ws: 80, wss: 443 };

/** What an Origin is compared with. */
export interface OwnHost {
  /** The endpoint's own. */
  readonly host: string;
  /** Where the request was sent to. */
  readonly target: Origin;
  readonly request: IncomingMessage;
}

/** @param header the Origin header */
export function isOriginAllowed(policy: OriginPolicy, header: string | undefined, own: OwnHost): boolean {
  if (policy === false || header === undefined) return true;
  const origin = parseOrigin(header);
  if (typeof policy === "function") return policy({ ...origin, raw: header }, own.request);
  if (origin.host === null) return false;
  if (policy === true) return origin.host === own.host;
  if (policy === "conn") {
    const { scheme, host, port } = own.target;
    return origin.scheme === scheme && origin.host === host && origin.port === port;
  }
  return policy.some((allowed) => matches(origin, parseOrigin(allowed)));
}

export function parseOrigin(text: string): Origin {
  const match = /^(?:([^:/?#]+):)?\/\/(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d{1,5}))?(?=[/?#]|$)/.exec(text);
  if (match === null) return { scheme: null, host: null, port: null };
  const scheme = match[1]?.toLowerCase() ?? null;
  const port = match[3] === undefined ? (defaultPort[scheme ?? ""] ?? null) : Number(match[3]);
  return { scheme, host: match[2] === "" ? null : match[2]!, port };
}

function matches(origin: Origin, allowed: Origin): boolean {
  if (allowed.scheme !== null && allowed.scheme !== origin.scheme) return false;
  if (allowed.port !== null && allowed.port !== origin.port) return false;
  if (allowed.host === null || origin.host === null) return false;
  if (!allowed.host.startsWith("*.")) return origin.host === allowed.host;
  // The dot belongs to what must match: `*.other.com` is not `another.com`.
  return origin.host === allowed.host.slice(2) || origin.host.endsWith(allowed.host.slice(1));
}
