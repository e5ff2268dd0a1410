import type { ChatError } from "./chat-error.js";
import type { Clock } from "./clock.js";

/**
 * Why a token is asked for: to connect, because the present one ends within a minute, or because the server would not
 * have it, or could not be reached with it.
 */
export type TokenReason = "connect" | "expiring" | "refused";

/** @throws when there is none at the moment; it is asked again */
export type TokenSource = (reason: TokenReason) => string | Promise<string>;

export interface ConnectionOptions {
  /** The desk's mount: `/socket` in a page of the same server, `ws://host:port/socket` elsewhere. */
  readonly url: string;
  readonly businessId: string;
  /** Asked before every connect, and when the server says that the token is about to end. */
  readonly token?: TokenSource;
  /** A WebSocket class, for a runtime that has none of its own. */
  readonly transport?: new (endpoint: string) => object;
  /** Milliseconds to wait before reconnect number `tries`, counted from 1. */
  readonly reconnectAfterMs?: (tries: number) => number;
  readonly clock?: Clock;
}

export type ConnectionStatus =
  | { readonly state: "idle" | "connecting" | "left" }
  /** The connection is lost; it is tried again until it works. */
  | { readonly state: "offline" }
  /** Put to sleep by `sleep()`; `connect()` wakes it. */
  | { readonly state: "asleep" }
  /** The server does not let this client in. Unless that is for good, it is asked again from time to time. */
  | { readonly state: "refused"; readonly error: ChatError }
  /** The server ended this window's part, for example because of too many windows. `connect()` begins anew. */
  | { readonly state: "closed" };
