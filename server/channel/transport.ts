import type { Frame } from "../../protocol/frame.js";

/** What carries frames to one peer. `transports/` implements it. */
export interface Transport {
  readonly kind: "websocket" | "longpoll" | "test";
  /** Frames leave in the order of the calls. After the end of the connection the call does nothing. */
  send(frame: Frame): void;
  /**
   * Calls back once the peer has taken all that was sent until now, and never when the connection ends before. It says
   * nothing of the program behind the peer's network. (SPEC T13)
   */
  fence(done: () => void): void;
  /**
   * Forgets what was sent under a topic and is not on its way yet. Left out where nothing waits for longer than a tick.
   * @returns whether there was anything
   */
  dropUnsent?(topic: unknown): boolean;
  /** Ends the connection; what was sent before goes first. */
  close(code: number, reason: string): void;
  /** Stops taking frames from the peer, until `resume`: how a slow handler slows its client down. */
  pause(): void;
  resume(): void;
}
