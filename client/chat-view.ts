import type { ConnectionOptions, ConnectionStatus } from "./connection.js";
import type { ChatEntry } from "./entry.js";
import type { KeyValueStorage } from "./outbox.js";
import type { RunningAnswer } from "./running.js";
import type { Holder, Intent } from "./session.js";

export interface ChatOptions extends ConnectionOptions {
  /** With a token: its `sub`. */
  readonly userId: string;
  /** Default: `default`, which counts as the first location of the business. */
  readonly locationId?: string;
  /** This window; made once and kept over reconnects. Default: a new one. */
  readonly chatId?: string;
  /** Where unsent messages survive a reload, and `leave()`, such as `sessionStorage`. Default: nowhere. */
  readonly storage?: KeyValueStorage;
}

export type ChatStatus =
  | ConnectionStatus
  /** `recovered` false: more was missed than the join could tell; read the session's history. */
  | {
      readonly state: "online";
      readonly sessionId: string | null;
      readonly recovered: boolean;
      readonly first: boolean;
      /** Whose chat it is, as customers call it; null where the server does not say. */
      readonly businessName: string | null;
      /** Of UTF-8 in one message; 0 where there is no limit, or the server does not say. */
      readonly maxMessageBytes: number;
    };

/** Who else writes at the moment. */
export type Typist = "agent" | "coordinator";

/** All there is to show, as it is now. The same object as long as nothing changes. */
export interface ChatView {
  /** In order, unsent ones at their end. */
  readonly messages: readonly ChatEntry[];
  /** Answers in the making. */
  readonly running: readonly RunningAnswer[];
  readonly typists: readonly Typist[];
  readonly status: ChatStatus;
  /** A human has the session in hand. */
  readonly holder: Holder | null;
  readonly intent: Intent | null;
}
