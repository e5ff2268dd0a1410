/**
 * What the code says about itself: names, ids and numbers, never a payload, a token or a text. Only `observe/` turns
 * them into log lines and metrics. The first group is named as Phoenix names it.
 */
export interface TelemetryEvents {
  socket_connected: { mount: string; transport: string; vsn: string; durationMs: number };
  socket_refused: { mount: string; transport: string; status: number };
  socket_closed: { mount: string; transport: string; code: number };
  /** Once a batch, before it is closed: how many of the `total` are in it, and how long the wait for the next one is. */
  socket_drain: { count: number; total: number; index: number; rounds: number; intervalMs: number };
  channel_joined: { topic: string; result: "ok" | "error"; durationMs: number };
  channel_handled_in: { topic: string; event: string; durationMs: number };
  channel_crashed: { topic: string; event: string; error: unknown };

  /** A handler of the event `name` has thrown. It is detached, and is not called again. */
  "telemetry.handler_failed": { name: keyof TelemetryEvents; error: unknown };
  "limit.reached": { limit: string };
  "pubsub.failed": { operation: string; error: unknown };
  "message.accepted": { businessId: string; sessionId: string; duplicate: boolean; durationMs: number };
  "message.refused": { businessId: string; code: string };
  "turn.answered": { businessId: string; sessionId: string; node: string; durationMs: number };
  "turn.failed": { businessId: string; sessionId: string; code: string; error: unknown };
  "turns.recovered": { sessions: number };
  "store.failed": { operation: string; error: unknown };
  "http.failed": { method: string; route: string; error: unknown };
}

type Handler<Name extends keyof TelemetryEvents> = (event: TelemetryEvents[Name]) => void;

export class Telemetry {
  readonly #handlers = new Map<keyof TelemetryEvents, Set<Handler<never>>>();

  /** True when somebody listens: ask before measuring what is only measured for telemetry. */
  listens(name: keyof TelemetryEvents): boolean {
    return this.#handlers.has(name);
  }

  emit<Name extends keyof TelemetryEvents>(name: Name, event: TelemetryEvents[Name]): void {
    const handlers = this.#handlers.get(name);
    if (handlers === undefined) return;
    for (const handler of handlers) {
      try {
        (handler as Handler<Name>)(event);
      } catch (error) {
        this.#failed(name, handler, error);
      }
    }
  }

  // Who watches must not harm what is watched, so one that fails is detached, as Elixir's telemetry does. (SPEC C12)
  #failed(name: keyof TelemetryEvents, handler: Handler<never>, error: unknown): void {
    this.#detach(name, handler);
    this.emit("telemetry.handler_failed", { name, error });
  }

  /** @param handler detached when it throws @returns a function that detaches it */
  attach<Name extends keyof TelemetryEvents>(name: Name, handler: Handler<Name>): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    handlers.add(handler);
    this.#handlers.set(name, handlers);
    return () => this.#detach(name, handler);
  }

  #detach(name: keyof TelemetryEvents, handler: Handler<never>): void {
    const handlers = this.#handlers.get(name);
    if (handlers?.delete(handler) === true && handlers.size === 0) this.#handlers.delete(name);
  }
}
