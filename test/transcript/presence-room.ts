import { Channel, error, type HandleResult, type JoinResult, ok, type Presence } from "../../server/bennu.js";

interface Payload {
  readonly user?: unknown;
  readonly online_at?: unknown;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** The channel `presence:*` of the transcripts: who joins is present as `payload.user`. */
export class PresenceRoom extends Channel {
  readonly #presence: Presence;
  #user: unknown = null;

  constructor(presence: Presence) {
    super();
    this.#presence = presence;
  }

  override join(payload: unknown): JoinResult {
    this.#user = (payload as Payload).user ?? null;
    this.send(payload);
    return ok();
  }

  override handleInfo(joined: unknown): void {
    this.#presence.track(this, this.#user, metaOf(joined as Payload));
    this.push("presence_state", this.#presence.list(this.topic));
  }

  override handleIn(event: string, raw: unknown): HandleResult {
    const payload = raw as Payload;
    switch (event) {
      case "update":
        if (!this.#presence.update(this, this.#user, metaOf(payload)).ok) throw new Error("nobody to update");
        return ok();
      case "untrack":
        this.#presence.untrack(this, this.#user);
        return ok();
      case "track":
        return this.#presence.track(this, payload.user, metaOf(payload)).ok ? ok() : error();
      case "list":
        return ok(this.#presence.list(this.topic));
      default:
        throw new Error(`no handler for ${event}`);
    }
  }
}

function metaOf({ online_at = "t0", meta = {} }: Payload): Record<string, unknown> {
  return { online_at, ...meta };
}
