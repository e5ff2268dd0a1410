/**
 * What the engine says about itself: names, ids and numbers, never a payload or a token. An `error` is what code of the
 * app has thrown, as it was thrown. The first group is named as Phoenix names it.
 */
export interface TelemetryEvents {
  /** `durationMs` is what the handshake took, the app's `connect` in it. */
  socket_connected: { mount: string; transport: string; vsn: string; durationMs: number };
  socket_refused: { mount: string; transport: string; status: number };
  socket_closed: { mount: string; transport: string; code: number };
  /** Once a batch, before it is closed: how many of the `total` are in it, and how long the wait for the next one is. */
  socket_drain: { count: number; total: number; index: number; rounds: number; intervalMs: number };
  channel_joined: { topic: string; result: "ok" | "error"; durationMs: number };
  channel_handled_in: { topic: string; event: string; durationMs: number };
  /** A handler threw, also one that still ran when its channel had ended. `event` is what it handled, or `phx_join`. */
  channel_crashed: { topic: string; event: string; error: unknown };

  /** `connect` threw, or a mistake outside of all channels: it cost one connection. */
  socket_crashed: { mount: string; error: unknown };
  /** A handler of the event `name` has thrown. It is detached, and is not called again. */
  "telemetry.handler_failed": { name: string; error: unknown };
  /** Somebody was turned away, or a connection was ended, because of a limit. */
  "limit.reached": { limit: string };
  /** A broadcast may not have reached the other nodes, or not have come from one. */
  "pubsub.failed": { operation: string; error: unknown };
}

type Handler<Event> = (event: Event) => void;

/** Takes the events with an `error` that nobody listens to. */
export type Report = (name: string, event: { readonly error?: unknown }) => void;

/**
 * Who wants to know what happens attaches a handler to an event of this name. What nobody listens to is not measured,
 * but errors are never lost: one that nobody listens to is reported, on the console unless `report` does something
 * else with it. (SPEC C10, C12, C13)
 */
export class Telemetry<Events extends object = TelemetryEvents> {
  readonly #handlers = new Map<string, Set<Handler<never>>>();
  readonly #report: Report;

  constructor(report: Report = reportOnConsole) {
    this.#report = report;
  }

  /** True when somebody listens: ask before measuring what is only measured for telemetry. */
  listens(name: keyof Events & string): boolean {
    return this.#handlers.has(name);
  }

  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    const handlers = this.#handlers.get(name);
    if (handlers === undefined) {
      if (hasError(event)) this.#unheard(name, event);
      return;
    }
    for (const handler of handlers) {
      try {
        (handler as Handler<Events[Name]>)(event);
      } catch (error) {
        this.#failed(name, handler, error);
      }
    }
  }

  // Who watches must not harm what is watched, so one that fails is detached, as Elixir's telemetry does. (SPEC C12)
  #failed(name: string, handler: Handler<never>, error: unknown): void {
    this.#detach(name, handler);
    const told = this as unknown as Telemetry;
    told.emit("telemetry.handler_failed", { name, error });
  }

  #unheard(name: string, event: { readonly error: unknown }): void {
    try {
      this.#report(name, event);
    } catch {
      // Nobody is left who could be told.
    }
  }

  /** @param handler detached when it throws @returns a function that detaches it */
  attach<Name extends keyof Events & string>(name: Name, handler: (event: Events[Name]) => void): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    handlers.add(handler);
    this.#handlers.set(name, handlers);
    return () => this.#detach(name, handler);
  }

  #detach(name: string, handler: Handler<never>): void {
    const handlers = this.#handlers.get(name);
    if (handlers?.delete(handler) === true && handlers.size === 0) this.#handlers.delete(name);
  }
}

function hasError(event: unknown): event is { readonly error: unknown } {
  return typeof event === "object" && event !== null && "error" in event;
}

/** Topics and events are the client's words: of long ones the beginning is enough. */
const reportCharsMax = 500;

// As JSON, so that no client can forge a line of the log; and apart from the format, which they might contain.
function reportOnConsole(name: string, { error, ...where }: { readonly error?: unknown }): void {
  // eslint-disable-next-line no-console -- This is where errors end up in an app that has no other place for them.
  console.error("bennu:", name, JSON.stringify(where).slice(0, reportCharsMax), error);
}
