import type { Result } from "../../protocol/result.js";
import type { Identity } from "../auth/identity.js";
import type { Refusal } from "./admission.js";
import type { Business } from "./business.js";
import type { SocketRate } from "./rate-limits.js";

/** Who pushed an event, on which channel. */
export interface Speaker {
  readonly business: Business;
  readonly identity: Identity;
  readonly connectionId: string;
  readonly rate: SocketRate;
  /** To this socket alone. */
  push(event: string, payload: Readonly<Record<string, unknown>>): void;
  /** What is broadcast on an internal topic from now on goes to this socket, too, until the channel ends. */
  hear(topic: string): () => void;
  /** What it asked to hear, until it asks no more or the channel ends: the ends of that, by what it is. */
  readonly watching: Map<string, () => void>;
  /** What is left to do when the channel ends, by what it is. */
  readonly atEnd: Map<string, () => void>;
}

/** On an open server a coordinator has no id: there it is the socket that holds a session, and that is online. */
export function coordinatorOf({ identity, connectionId }: Pick<Speaker, "identity" | "connectionId">): string {
  return identity.userId ?? connectionId;
}

/** What is replied: `ok` with this, or an error with its code. It goes to `error` listeners, too. */
export type EventResult = Result<Readonly<Record<string, unknown>>, Refusal>;

/**
 * Handles one kind of event. Who may do it to what it names is asked here, by `may`: the channel knows only who speaks.
 * A StoreError that it throws is replied as `storage_unavailable`.
 */
export type EventHandler = (speaker: Speaker, payload: unknown) => EventResult | Promise<EventResult>;
