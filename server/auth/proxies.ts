import proxyAddr from "proxy-addr";
import { networkOf } from "./address.js";

/** A request, as far as it says where it comes from and where it was sent to. */
export interface Incoming {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean };
}

/** Where a client has sent its request to. */
export interface Target {
  /** Null when nobody knows who could: a proxy that is not trusted may have taken TLS off. */
  readonly scheme: "http" | "https" | null;
  /** As it stands in the header: with the port, if there is one. */
  readonly host: string | undefined;
}

/** What is believed of those who pass requests on. (SPEC X12) */
export interface Proxies {
  /** The address of the client, not that of the proxies before us; null when it is gone already. */
  readonly clientOf: (request: Incoming) => string | null;
  /** The address whose sockets are counted; null for this machine and for the proxies themselves. (SPEC L20) */
  readonly countedOf: (request: Incoming) => string | null;
  readonly targetOf: (request: Incoming) => Target;
}

const names: ReadonlySet<string> = new Set(["loopback", "linklocal", "uniquelocal"]);
// proxy-addr also takes numbers in other bases and in fewer parts: nobody who writes `1` or `010.0.0.1` means those.
const ipv4 = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})(?:\/\d{1,2})?$/;
const ipv6 = /^[0-9a-f:.]*:[0-9a-f:.]*(?:\/\d{1,3})?$/i;

/** Whether it names proxies: an address, a range of them such as `10.0.0.0/8`, or one of proxy-addr's names. */
export function isProxy(text: string): boolean {
  if (names.has(text)) return true;
  if (!ipv4.test(text) && !ipv6.test(text)) return false;
  try {
    proxyAddr.compile(text);
    return true;
  } catch {
    return false;
  }
}

/** @param trusted each as `isProxy` wants it */
export function createProxies(trusted: readonly string[]): Proxies {
  const trusts = trusted.length === 0 ? () => false : proxyAddr.compile([...trusted]);
  const trustsPeer = ({ socket: { remoteAddress } }: Incoming) =>
    remoteAddress !== undefined && trusts(remoteAddress, 0);
  const clientOf = (request: Incoming) => {
    const { remoteAddress } = request.socket;
    if (remoteAddress === undefined || !trusts(remoteAddress, 0)) return remoteAddress ?? null;
    return clientBehind(request, (address) => trusts(address, 0));
  };
  return {
    clientOf,
    countedOf: (request) => {
      const client = clientOf(request);
      return client === null || isLoopback(client, 0) || trusts(client, 0) ? null : client;
    },
    targetOf: (request) => targetOf(request, trusted.length > 0 && trustsPeer(request)),
  };
}

const isLoopback = proxyAddr.compile("loopback");

// From the right, where the last proxy has written. What is no address comes from none who could tell, so the one who
// said it is as far as we see.
function clientBehind(request: Incoming, trusts: (address: string) => boolean): string | null {
  const passed = proxyAddr.all(request as never, (address) => trusts(withoutPort(address))).map(withoutPort);
  return passed.findLast((address) => networkOf(address) !== null) ?? null;
}

/** Some proxies write the port of the client, too. */
function withoutPort(address: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
}

// Of a WebSocket some proxies say its own.
const schemes = new Map<string, "http" | "https">([
  ["http", "http"],
  ["ws", "http"],
  ["https", "https"],
  ["wss", "https"],
]);

function targetOf({ headers, socket }: Incoming, isTrusted: boolean): Target {
  const said = (name: string) => (isTrusted ? first(headers[name]) : undefined);
  const scheme = schemes.get(said("x-forwarded-proto")?.toLowerCase() ?? "");
  const host = said("x-forwarded-host") ?? first(headers.host);
  return { scheme: scheme ?? (socket.encrypted === true ? "https" : null), host };
}

/** The one that the client has talked to, where one proxy stands behind another. */
function first(header: string | readonly string[] | undefined): string | undefined {
  const text = typeof header === "string" ? header : header?.join();
  const word = text?.split(",", 1)[0]!.trim();
  return word === "" ? undefined : word;
}
