import dns, { type LookupAddress } from "node:dns";
import http from "node:http";
import https from "node:https";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { type Clock, deadline } from "../clock.js";
import { AgentError } from "../messaging/agent.js";
import { isNetworkError } from "../network-errors.js";

export interface HttpClientOptions {
  readonly clock: Clock;
  /** Until there is a connection: its name looked up, and TLS agreed on. Default 5 s. */
  readonly connectMs?: number | undefined;
  /** Whether an IP address may be connected to. It is asked at each connection, of what the name means then. Default all. */
  readonly mayConnectTo?: ((address: string) => boolean) | undefined;
  /** Who is asked what a name means, where not all may be connected to. Default: the system's name servers. */
  readonly nameServers?: readonly string[] | undefined;
}

export interface Post {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | number>>;
  /** Closes the connection. */
  readonly signal: AbortSignal;
}

export interface HttpClient {
  /**
   * Resolves with the head of the response; whoever gets it reads its body, or destroys it.
   * @throws AgentError, or the signal's reason
   */
  post(target: URL, post: Post): Promise<http.IncomingMessage>;
}

/** Of one question to a name server, and how often it is asked, each time twice as long: less than `connectMs` in all. */
const nameServerMs = 1500;
const nameServerTries = 2;
/** Three attempts that hear nothing at all are over well before the default deadline of a turn. */
const connectMsDefault = 5000;
const headerBytesMax = 16_384;
/** Connections that are kept for the next call. How many there are at once is up to who calls. */
const spareConnectionsMax = 16;
/** Shorter than the 5 s after which many servers close: a call must not go out on a connection that is going. */
const spareMs = 4000;

/**
 * Node's own client, as it comes: it follows no redirect and unpacks nothing, and a connection is closed when its call
 * is stopped. Connections are kept for the next call, and shared with no other client.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { clock, connectMs = connectMsDefault, mayConnectTo, nameServers } = options;
  const settings = { keepAlive: true, maxFreeSockets: spareConnectionsMax, timeout: spareMs };
  const agents = { "http:": new http.Agent(settings), "https:": new https.Agent(settings) };
  const lookup = mayConnectTo === undefined ? {} : { lookup: lookupAmong(mayConnectTo, nameServers) };
  return { post };

  async function post(target: URL, { body, headers, signal }: Post): Promise<http.IncomingMessage> {
    refuseLiteral(target);
    const isSecure = target.protocol === "https:";
    const agent = isSecure ? agents["https:"] : agents["http:"];
    const options = { method: "POST", headers, agent, signal, maxHeaderSize: headerBytesMax, ...lookup };
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).request(target, options);
      request.once("socket", (socket) => {
        if (request.reusedSocket) return;
        // A call that is stopped just as its answer ends has handed its connection back: nobody else hears its error.
        socket.on("error", () => undefined);
        limitConnecting(request, socket, isSecure ? "secureConnect" : "connect");
      });
      // Stays when the promise is settled: a connection may break at any time.
      request.on("error", (cause) => reject(unreached(cause)));
      request.on("response", resolve);
      // It asks for another protocol, which is no answer either.
      request.on("upgrade", (_response, socket) => {
        socket.destroy();
        reject(new AgentError("status_101", { isThere: true }));
      });
      request.end(body);
    });
  }

  // An address that is written out is never looked up. The URL has brought it to its one form: no 0x7f.1, no 2130706433.
  function refuseLiteral({ hostname }: URL): void {
    const address = hostname.replace(/^\[|\]$/g, "");
    // No name server is asked for this machine.
    const literal = /^(?:.*\.)?localhost\.?$/i.test(address) ? "127.0.0.1" : address;
    if (mayConnectTo !== undefined && isIP(literal) !== 0 && !mayConnectTo(literal)) throw forbiddenAddress();
  }

  // Where packets vanish nobody ever says no.
  function limitConnecting(request: http.ClientRequest, socket: Socket, connected: "connect" | "secureConnect"): void {
    const cancel = deadline(connectMs, clock, () =>
      request.destroy(new AgentError("unreachable", { isRetryable: true })),
    );
    socket.once(connected, cancel);
    request.once("close", cancel);
  }
}

/** Looks a name up, and gives only what may all be connected to: another answer, a moment later, changes nothing. */
function lookupAmong(
  mayConnectTo: (address: string) => boolean,
  nameServers: readonly string[] | undefined,
): LookupFunction {
  return (hostname, { all }, callback) => {
    const give = (found: readonly LookupAddress[]) => {
      const [first] = found;
      const isAllowed = first !== undefined && found.every(({ address }) => mayConnectTo(address));
      if (!isAllowed) return callback(forbiddenAddress(), "");
      return all === true ? callback(null, [...found]) : callback(null, first.address, first.family);
    };
    addressesOf(hostname, nameServers).then(give, (cause: unknown) =>
      callback(new AgentError("unreachable", { isRetryable: true, cause }), ""),
    );
  };
}

/**
 * What the name servers say that a name means. Not by the system's own way, which waits in one of the few threads that
 * disks are written in too: names for which nobody answers would hold them all.
 */
async function addressesOf(hostname: string, servers: readonly string[] | undefined): Promise<LookupAddress[]> {
  const resolver = new dns.promises.Resolver({ timeout: nameServerMs, tries: nameServerTries });
  if (servers !== undefined) resolver.setServers(servers);
  const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  if (four.status === "rejected" && six.status === "rejected") throw four.reason;
  const found = (result: PromiseSettledResult<string[]>, family: 4 | 6) =>
    result.status === "fulfilled" ? result.value.map((address) => ({ address, family })) : [];
  return [...found(four, 4), ...found(six, 6)];
}

function forbiddenAddress(): AgentError {
  return new AgentError("forbidden_address");
}

/** Nothing was answered. Who could not be reached may be there in a moment. */
function unreached(cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause;
  const isRetryable = isNetworkError(cause);
  return new AgentError(isRetryable ? "unreachable" : "not_http", { isRetryable, cause });
}
