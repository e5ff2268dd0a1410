import { Channel, error, type HandleResult, type JoinResult, Killed, ok, stop } from "../../server/bennu.js";

type Payload = Record<string, unknown>;

/** The channel of the transcripts: each event does one thing that a Phoenix channel can do. */
export class Room extends Channel {
  override readonly intercepts = ["intercepted"];
  #counter = 0;
  #params: Payload = {};

  override join(raw: unknown): JoinResult | Promise<JoinResult> {
    const payload = isObject(raw) ? raw : {};
    this.#params = payload;
    if (payload.deny === true) return error({ reason: "unauthorized" });
    if (payload.deny !== undefined) return error({ reason: payload.deny });
    if (payload.crash === true) throw new Error("join crashed on purpose");
    if (payload.exit === true) throw new Killed("ended in join");
    if (payload.bad_return === true) return "nonsense" as unknown as JoinResult;
    return typeof payload.sleep === "number"
      ? sleep(payload.sleep).then(() => this.#accept(payload))
      : this.#accept(payload);
  }

  #accept(payload: Payload): JoinResult {
    if (payload.push_in_join === true) this.push("too_early", {});
    if (payload.after_join === true) this.send("after_join");
    if (payload.whoami === true) return ok(this.#whoAmI({}));
    return "reply" in payload ? ok(payload.reply) : ok();
  }

  override handleInfo(message: unknown): void {
    if (message === "after_join") this.push("after_join", { topic: this.topic });
  }

  override handleOut(event: string, payload: unknown): void {
    const { uid = null } = this.socket.assigns;
    if (isObject(payload) && !payload.drop) this.push(event, { ...payload, seen_by: uid });
  }

  override handleIn(event: string, payload: unknown, ref: unknown): HandleResult | Promise<HandleResult> {
    const handler = handlers[event];
    if (handler === undefined) throw new Error(`no handler for ${event}`);
    return handler(this.#tools, payload, ref);
  }

  override terminate(reason: unknown): void {
    if (this.#params.bye === true) this.push("you_left", { message: "bye!" });
    const { notify } = this.#params;
    if (typeof notify === "string") this.#tools.to(notify, "terminated", { topic: this.topic, reason: termOf(reason) });
  }

  #whoAmI(more: Payload): Payload {
    const { uid = null, params = {}, auth_token = null } = this.socket.assigns;
    return {
      topic: this.topic,
      topic_in_socket: this.topic,
      join_ref: this.joinRef,
      uid,
      params,
      auth_token,
      from_route: this.topic.startsWith("assigned:") ? "yes" : null,
      transport: this.socket.transport,
      ...more,
    };
  }

  // Made when they are first needed, so that a room where nothing happens stays small.
  #madeTools: Tools | null = null;

  get #tools(): Tools {
    return (this.#madeTools ??= this.#makeTools());
  }

  #makeTools(): Tools {
    return {
      push: (event, payload) => this.push(event, payload),
      broadcast: (event, payload) => this.broadcast(event, payload),
      broadcastFrom: (event, payload) => this.broadcastFrom(event, payload),
      reply: (ref, answer) => this.reply(ref, answer),
      to: (topic, event, payload) =>
        (this.socket.assigns.endpoint as { broadcast: Tools["to"] }).broadcast(topic, event, payload),
      count: () => (this.#counter += 1),
      info: () => (this.socket.assigns.info as Payload | null) ?? {},
      whoAmI: (ref) => {
        const { topic, join_ref, uid } = this.#whoAmI({});
        return { topic, join_ref, ref, uid };
      },
    };
  }
}

interface Tools {
  push(event: string, payload: unknown): void;
  broadcast(event: string, payload: unknown): void;
  broadcastFrom(event: string, payload: unknown): void;
  reply(ref: unknown, answer: ReturnType<typeof ok>): void;
  to(topic: string, event: string, payload: unknown): void;
  count(): number;
  info(): Payload;
  whoAmI(ref: unknown): Payload;
}

type Handler = (room: Tools, payload: unknown, ref: unknown) => HandleResult | Promise<HandleResult>;

const boom: Handler = () => {
  throw new Error("crashed on purpose");
};

const handlers: Record<string, Handler> = {
  __proto__: null as never,
  echo: (_room, payload) => ok(payload),
  echo_error: (_room, payload) => error(payload),
  noreply: () => undefined,
  reply_ok_only: () => ok(),
  reply_error_only: () => error(),
  reply_custom: (_room, payload) => ({ status: "custom_status", response: payload }),
  async_reply: (room, payload, ref) => void setTimeout(() => room.reply(ref, ok(payload)), 50),
  incr: (room) => ok({ counter: room.count() }),
  whoami: (room, _payload, ref) => ok(room.whoAmI(ref)),
  info: (room) => ok(room.info()),
  sleep_echo: async (_room, payload) => {
    await sleep((payload as { ms: number }).ms);
    return ok(payload);
  },
  shout: (room, payload) => room.broadcast("shout", payload),
  shout_reply: (room, payload) => {
    room.broadcast("shout", payload);
    return ok(payload);
  },
  shout_from: (room, payload) => room.broadcastFrom("shout", payload),
  push_me: (room, payload) => room.push("push_me", payload),
  multi: (room, payload) => {
    room.push("multi_push_1", payload);
    room.broadcast("multi_broadcast", payload);
    room.push("multi_push_2", payload);
    return ok(payload);
  },
  intercept_me: (room, payload) => room.broadcast("intercepted", payload),
  to_topic: (room, payload) => {
    const { topic, event, payload: inner } = payload as { topic: string; event: string; payload: unknown };
    room.to(topic, event, inner);
    return ok();
  },
  crash: boom,
  throw: boom,
  exit_normal: boom,
  exit_shutdown: boom,
  kill: () => {
    throw new Killed("killed on purpose");
  },
  bad_return: () => "nonsense" as unknown as HandleResult,
  bad_reply: () => ({ status: 5 }) as unknown as HandleResult,
  bad_push: (room) => room.push("bad_push", "not an object"),
  stop: () => stop(),
  stop_shutdown: () => stop("shutdown"),
  stop_shutdown_tuple: () => stop("shutdown"),
  stop_error: () => stop("boom"),
  stop_reply: (_room, payload) => stop("normal", ok(payload)),
  stop_error_reply: (_room, payload) => stop("boom", error(payload)),
  binary_echo: (_room, payload) => ok(payload),
  binary_echo_error: (_room, payload) => error(payload),
  binary_push: (room, payload) => room.push("binary_push", payload),
  binary_shout: (room, payload) => room.broadcast("binary_shout", payload),
  binary_shout_from: (room, payload) => room.broadcastFrom("binary_shout_from", payload),
  to_binary: (_room, payload) => ok(Buffer.from((payload as { text: string }).text)),
  binary_size: (_room, payload) => ok({ size: (payload as Uint8Array).length }),
};

/** Why a channel ended, in the words of the transcripts where they mean the same. (SPEC D2) */
function termOf(reason: unknown): string {
  if (reason instanceof Error) return "RuntimeError";
  return terms[String(reason)] ?? String(reason);
}

const terms: Readonly<Record<string, string>> = {
  normal: ":normal",
  shutdown: ":shutdown",
  boom: ":boom",
  left: "{:shutdown, :left}",
  "duplicate join": "{:shutdown, :duplicate_join}",
  closed: "{:shutdown, :closed}",
};

function isObject(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
