/** What an adapter gives back of another node's broadcast. */
export interface AdapterPort {
  /** Hands over what another node published. Never throws. */
  deliver(topic: string, event: string, payload: unknown): void;
  /** Tells that something went wrong: a message may be lost, and nobody else will say so. Never throws. */
  failed(error: unknown): void;
}

/**
 * Carries broadcasts between nodes. It is a wake-up, not a store: what it cannot carry now is lost.
 *
 * What is published on one node is delivered on every other that is started, at most once, and never on its own. What
 * one node publishes on one topic arrives in that order, unless it is lost; between nodes there is no order.
 * @see SPEC R11–R14
 */
export interface PubSubAdapter {
  /**
   * Resolves when what other nodes publish from now on is delivered. Does not take for ever: a stop waits for it.
   * @throws Error when it cannot be started; it may be started again
   */
  start(port: AdapterPort): Promise<void>;
  /**
   * Sends to all other nodes. Returns at once, and tells `failed` what goes wrong later. The payload is read before it
   * returns, so that it is the caller's again.
   * @param payload any JSON value, which arrives as JSON makes of it; or a `Uint8Array`, which arrives as one
   * @throws Error when the payload is neither: a mistake of the app
   */
  publish(topic: string, event: string, payload: unknown): void;
  /** Resolves when nothing is delivered any more, and nothing of it is left running. Stopping twice is fine. */
  stop(): Promise<void>;
}
