import type { Business } from "./business.js";
import type { ChatMessage } from "./model.js";
import type { Platform } from "./outbound.js";

/** What a platform said to a piece. */
export type Taken =
  | { readonly kind: "taken" }
  /** It never will take it, and may take what comes next. */
  | { readonly kind: "refused"; readonly code: string }
  /** It may in a moment, or once somebody has put something right. */
  | { readonly kind: "failed"; readonly code: string; readonly retryAfterMs: number | null };

/** The way to the users of a business on one platform. */
export interface Line {
  /** The texts in which a message leaves, one after the other; at least one. */
  piecesOf(message: ChatMessage): readonly string[];
  /** Sends one of them. Rejects with nothing but the signal's reason. */
  send(piece: Piece, signal: AbortSignal): Promise<Taken>;
}

export interface Piece {
  readonly text: string;
  readonly message: ChatMessage;
  /** To whom. */
  readonly userId: string;
}

export interface Platforms {
  /** Null: the business is not there, or not any more. */
  lineOf(business: Business, platform: Platform): Line | null;
}
