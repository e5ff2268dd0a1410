import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import { Channel, Endpoint, error, type HandleResult, ok, Presence, refuse, stop } from "bennu";

/** What Supabase's client sends when it joins. Older ones leave some of it out. */
interface Config {
  readonly broadcast?: { readonly self?: unknown; readonly ack?: unknown };
  readonly presence?: { readonly key?: unknown };
  readonly private?: unknown;
}

export interface RealtimeOptions {
  /** Whether the holder of a token may be on a private channel, and stay on it. */
  readonly allows: (token: string | null, topic: string) => boolean;
}

/** A server for `@supabase/realtime-js`: broadcast and presence on any topic. There is no Postgres to listen to. */
export function createRealtimeServer({ allows }: RealtimeOptions): { server: Server; endpoint: Endpoint } {
  class Realtime extends Channel {
    #config: Config = {};
    #key = "";

    override join(payload: unknown) {
      const { config, access_token } = fieldsOf(payload);
      this.#config = fieldsOf(config);
      const { key } = fieldsOf(this.#config.presence);
      this.#key = typeof key === "string" && key !== "" ? key : randomUUID();
      if (!this.#mayStay(access_token)) return error({ reason: "Unauthorized: you may not read from this channel" });
      this.send("joined");
      return ok({ postgres_changes: [] });
    }

    // Also for a client that did not ask for presence: it sets every diff aside until it has had the state.
    override handleInfo() {
      this.push("presence_state", presence.list(this.topic));
    }

    override handleIn(event: string, payload: unknown): HandleResult {
      switch (event) {
        case "broadcast":
          return this.#broadcast(payload);
        case "presence":
          return this.#presence(fieldsOf(payload));
        case "access_token":
          return this.#refresh(fieldsOf(payload).access_token);
        default:
          return error({ reason: `unknown event ${event}` });
      }
    }

    // Only who asked for it is answered.
    #broadcast(payload: unknown): HandleResult {
      const { self, ack } = this.#config.broadcast ?? {};
      if (typeof fieldsOf(payload).event !== "string") return error({ reason: "a broadcast has an event" });
      if (self === true) this.broadcast("broadcast", payload);
      else this.broadcastFrom("broadcast", payload);
      return ack === true ? ok() : undefined;
    }

    #presence({ event, payload }: Record<string, unknown>): HandleResult {
      const meta = fieldsOf(payload);
      if (event === "untrack") presence.untrack(this, this.#key);
      else if (event !== "track") return error({ reason: "track or untrack" });
      else if (!presence.track(this, this.#key, meta).ok) presence.update(this, this.#key, meta);
      return ok();
    }

    #refresh(token: unknown): HandleResult {
      if (this.#mayStay(token)) return ok();
      const [channel, message] = [this.topic.slice("realtime:".length), "Token is no longer valid"];
      this.push("system", { status: "error", extension: "system", message, channel });
      return stop("normal", error({ reason: message }));
    }

    #mayStay(token: unknown): boolean {
      return this.#config.private !== true || allows(typeof token === "string" ? token : null, this.topic);
    }
  }

  const endpoint: Endpoint = new Endpoint({
    mounts: {
      "/realtime/v1": {
        dialect: "supabase",
        connect: ({ apikey }) => (typeof apikey === "string" ? { id: `apikey:${apikey}` } : refuse()),
        channels: { "realtime:*": Realtime },
      },
    },
  });
  const presence = new Presence(endpoint);
  const server = createServer((request, response) => void (endpoint.handle(request, response) || response.end()));
  endpoint.attach(server);
  return { server, endpoint };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  const isObject = typeof value === "object" && value !== null && !(value instanceof Uint8Array);
  return isObject ? (value as Record<string, unknown>) : {};
}
