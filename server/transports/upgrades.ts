import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as TlsServer } from "node:tls";
import type { Duplex } from "node:stream";
import { refuseUpgrade } from "./http-answer.js";

/** Who takes upgrades to WebSockets of a server. */
export interface UpgradeTaker {
  /** It refuses who comes: another one is asked first. */
  readonly isDraining: boolean;
  /** Whether the path of the request is one of its own, whatever it is asked for there. */
  owns(request: IncomingMessage): boolean;
  /** Whether it is a request for one of its WebSockets. */
  takes(request: IncomingMessage): boolean;
  /** Answers a request that it takes. @returns false when it does not */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): boolean;
}

/** Newer versions of Node ask here whether a request with an Upgrade header is one. */
interface Asking {
  shouldUpgradeCallback?: ((request: IncomingMessage) => boolean) | undefined;
}

const upgradesOf = new WeakMap<Server, Upgrades>();

/** Has `taker` asked for the upgrades of `server`, after those that are asked already. */
export function takeUpgrades(server: Server, taker: UpgradeTaker): void {
  let upgrades = upgradesOf.get(server);
  if (upgrades === undefined) upgradesOf.set(server, (upgrades = new Upgrades(server)));
  upgrades.add(taker);
}

export function leaveUpgrades(server: Server, taker: UpgradeTaker): void {
  upgradesOf.get(server)?.delete(taker);
}

/** A request for a WebSocket, as RFC 6455 has it: any other that names a protocol may go on in HTTP. */
export function wantsWebSocket({ method, headers: { upgrade } }: IncomingMessage): boolean {
  return method === "GET" && (upgrade === "websocket" || upgrade?.toLowerCase() === "websocket");
}

/**
 * The one listener of all our endpoints for the upgrades of one server. What none of them takes is left to the other
 * listeners; without any it is an ordinary request, as it would be had nobody listened. (SPEC T11)
 */
class Upgrades {
  readonly #server: Server;
  readonly #takers = new Set<UpgradeTaker>();
  #unlisten: (() => void) | null = null;

  constructor(server: Server) {
    this.#server = server;
  }

  add(taker: UpgradeTaker): void {
    this.#takers.add(taker);
    this.#unlisten ??= this.#listen();
  }

  delete(taker: UpgradeTaker): void {
    if (!this.#takers.delete(taker) || this.#takers.size > 0) return;
    this.#unlisten?.();
    this.#unlisten = null;
  }

  #listen(): () => void {
    const server = this.#server;
    const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => this.#route(request, stream, head);
    server.on("upgrade", onUpgrade);
    const asking = server as Asking;
    const before = asking.shouldUpgradeCallback;
    if (before === undefined) return () => void server.off("upgrade", onUpgrade);
    const isUpgrade = (request: IncomingMessage) =>
      this.#some((taker) => taker.takes(request)) || (this.#isForeign(request) && before.call(server, request));
    asking.shouldUpgradeCallback = isUpgrade;
    return () => {
      server.off("upgrade", onUpgrade);
      if (asking.shouldUpgradeCallback === isUpgrade) asking.shouldUpgradeCallback = before;
    };
  }

  #route(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    for (const taker of this.#takers) if (!taker.isDraining && taker.upgrade(request, stream, head)) return;
    for (const taker of this.#takers) if (taker.isDraining && taker.upgrade(request, stream, head)) return;
    if (!this.#isForeign(request)) handBack(this.#server, request, stream, head);
  }

  /** Whether another listener may want a request that none of us takes. */
  #isForeign(request: IncomingMessage): boolean {
    return this.#server.listenerCount("upgrade") > 1 && !this.#some((taker) => taker.owns(request));
  }

  #some(holds: (taker: UpgradeTaker) => boolean): boolean {
    for (const taker of this.#takers) if (holds(taker)) return true;
    return false;
  }
}

/**
 * Has the server read a request again, without what made an upgrade of it. Node 20 takes its parser off a connection
 * before it tells of an upgrade, so the head is written anew, and the connection begins from there.
 */
function handBack(server: Server, request: IncomingMessage, stream: Duplex, head: Buffer): void {
  // A peer that resets meanwhile must not become an unhandled error.
  stream.on("error", destroy);
  if (stream !== request.socket) {
    refuseUpgrade(stream, { status: 404 });
    return;
  }
  whenAnswered(stream, () => {
    if (stream.destroyed || stream.writableEnded) return;
    stream.off("error", destroy);
    stream.unshift(Buffer.concat([headOf(request), head]));
    server.emit(server instanceof TlsServer ? "secureConnection" : "connection", stream);
  });
}

/** Calls back once the requests that came before on the connection have been answered. */
function whenAnswered(stream: Duplex, callback: () => void): void {
  const { _httpMessage: pending } = stream as { readonly _httpMessage?: ServerResponse | null };
  if (pending === undefined || pending === null) callback();
  else pending.once("finish", () => whenAnswered(stream, callback));
}

const upgradeHeaders = new Set(["upgrade", "http2-settings"]);

function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index]!, rawHeaders[index + 1]!];
    const lowerCase = name.toLowerCase();
    if (lowerCase === "connection") lines.push(`${name}: ${withoutUpgrade(value)}`);
    else if (!upgradeHeaders.has(lowerCase)) lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function withoutUpgrade(connection: string): string {
  return connection
    .split(",")
    .filter((option) => !upgradeHeaders.has(option.trim().toLowerCase()))
    .join();
}

function destroy(this: Duplex): void {
  this.destroy();
}
