import type { Frame } from "../../protocol/frame.js";

/** What carries frames to one peer. `transports/` implements it. */
export interface Transport {
  readonly kind: "websocket" | "longpoll" | "test";
  /** Frames leave in the order of the calls. After the end of the connection the call does nothing. */
  send(frame: Frame): void;
  /** Ends the connection; what was sent before goes first. */
  close(code: number, reason: string): void;
  /** Stops taking frames from the peer, until `resume`: how a slow handler slows its client down. */
  pause(): void;
  resume(): void;
}
