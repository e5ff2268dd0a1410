import { type Channel, type Push, Socket, type SocketConnectOption } from "phoenix";
import { ChatError, readError } from "./chat-error.js";
import { type Clock, systemClock } from "./clock.js";
import type { ConnectionOptions, ConnectionStatus, TokenReason } from "./connection.js";
import { asRecord, optional } from "./fields.js";
import { limits, retryDelayMs } from "./limits.js";

const online = { state: "online" } as const;

const nowhere = { getItem: () => null, setItem: () => undefined };

/** What the channel is for: its owner's side of it. */
export interface ChannelOwner {
  /** Names, and what `connect` tells of its user. */
  readonly params: object;
  readonly handlers: Readonly<Record<string, (payload: unknown) => void>>;
  joinPayload(): object;
  /** Told before the status becomes `online`. */
  joined(reply: unknown, channel: Channel): void;
  /** What was in flight is lost. */
  lost(): void;
  statusChanged(): void;
  /** The channel goes on with a new token. */
  renewed?(): void;
  failed(error: ChatError): void;
}

/** One channel `messages:<businessId>` on a socket of its own, kept joined over lost connections and tokens that end. */
export class DeskChannel {
  readonly #options: ConnectionOptions;
  readonly #owner: ChannelOwner;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #calls = new Map<Push, (error: ChatError) => void>();
  #channel: Channel | null = null;
  #status: ConnectionStatus | typeof online = { state: "idle" };
  #token: string | null = null;
  /** Grows with every `connect`, `sleep` and `leave`: what was begun before the last of them is not gone on with. */
  #attempt = 0;
  #failures = 0;
  #hasOpened = false;
  #cancelRetry: () => void = () => undefined;

  constructor(options: ConnectionOptions, owner: ChannelOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#clock = options.clock ?? systemClock;
    this.#socket = new Socket(options.url, this.#socketOptions());
    this.#socket.onOpen(() => void (this.#hasOpened = true));
    this.#socket.onClose(() => this.#disconnected());
  }

  get status(): ConnectionStatus | typeof online {
    return this.#status;
  }

  get isOnline(): boolean {
    return this.#status.state === "online";
  }

  /** Joins, or wakes; where the connection is lost it tries again at once. Calling it while it is at that changes nothing. */
  connect(): void {
    const { state } = this.#status;
    if (state === "offline") return this.#again();
    if (state === "connecting" || (this.#channel !== null && state !== "asleep")) return;
    this.#set({ state: "connecting" });
    this.#begin("connect");
  }

  /** Lets the connection go until `connect()`. Only one that is online can sleep. */
  sleep(): void {
    if (!this.isOnline) return;
    this.#attempt += 1;
    this.#set({ state: "asleep" });
    this.#drop();
    this.#socket.disconnect();
  }

  async leave(): Promise<void> {
    this.#attempt += 1;
    this.#cancelRetry();
    const channel = this.#channel;
    this.#set({ state: "left" });
    this.#drop();
    if (channel !== null)
      await new Promise<void>((done) => channel.leave().receive("ok", done).receive("timeout", done));
    await new Promise<void>((done) => this.#socket.disconnect(done));
  }

  /** To be used while it is online. */
  push(event: string, payload: object): Push {
    return this.#channel!.push(event, payload, limits.sendTimeoutMs);
  }

  /**
   * Asks the server something that is not repeated.
   * @returns its reply
   * @throws ChatError with the server's code; `offline`: nothing was asked; `undelivered`: whether it was done is not
   * known; `busy`: too much is being asked already
   */
  call(event: string, payload: object): Promise<Readonly<Record<string, unknown>>> {
    // While it closes, phoenix would keep the call for the next join, when nobody waits for it any more.
    if (!this.isOnline || !this.#socket.isConnected())
      return Promise.reject(new ChatError("offline", "There is no connection."));
    if (this.#calls.size >= limits.callsMax)
      return Promise.reject(new ChatError("busy", "Too much is being asked at once."));
    const push = this.push(event, payload);
    return new Promise((resolve, reject) => {
      this.#calls.set(push, reject);
      const settle = (then: () => void) => {
        if (this.#calls.delete(push)) then();
      };
      push
        .receive("ok", (reply) => settle(() => resolve(asRecord(reply))))
        .receive("error", (reply) => settle(() => reject(readError(reply))))
        .receive("timeout", () => settle(() => reject(unanswered())));
    });
  }

  // phoenix, and what waits for a token, would take their time.
  #again(): void {
    this.#set({ state: "connecting" });
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#cancelRetry();
    this.#socket.disconnect(() => {
      if (attempt === this.#attempt) this.#begin("connect");
    });
  }

  #begin(reason: TokenReason): void {
    this.#attempt += 1;
    this.#cancelRetry();
    void this.#open(this.#attempt, reason);
  }

  async #open(attempt: number, reason: TokenReason): Promise<void> {
    const isThere = this.#options.token === undefined || (await this.#askForToken(reason));
    if (attempt !== this.#attempt) return;
    // With one that was good before it is tried; one that was refused is not.
    if (!isThere && (this.#token === null || reason === "refused")) return this.#retry(reason);
    this.#socket.connect();
    this.#channel ??= this.#join();
  }

  // phoenix tries again by itself; this is for what it does not try again.
  #retry(reason: TokenReason): void {
    this.#set({ state: "offline" });
    this.#failures += 1;
    this.#cancelRetry = this.#clock.after(this.#waitMs(this.#failures), () => this.#begin(reason));
  }

  async #askForToken(reason: TokenReason): Promise<boolean> {
    try {
      this.#token = await this.#options.token!(reason);
      return true;
    } catch (cause) {
      this.#owner.failed(new ChatError("token_unavailable", String(cause)));
      return false;
    }
  }

  #join(): Channel {
    const channel = this.#socket.channel(`messages:${this.#options.businessId}`, () => this.#owner.joinPayload());
    for (const [event, handle] of Object.entries(this.#owner.handlers)) channel.on(event, handle);
    channel.on("token_expiring", () => void this.#renewToken(this.#attempt, 1));
    channel.onError(() => this.#lost());
    channel.onClose(() => this.#closed());
    channel
      .join()
      .receive("ok", (reply) => this.#joined(channel, reply))
      .receive("error", (reply) => this.#set({ state: "refused", error: readError(reply) }))
      .receive("timeout", () => this.#lost());
    return channel;
  }

  #joined(channel: Channel, reply: unknown): void {
    this.#failures = 0;
    // A call that the new join finds in flight was made before it: no reply comes any more.
    this.#drop();
    this.#status = online;
    this.#owner.joined(reply, channel);
    this.#owner.statusChanged();
  }

  // The server tells a minute before the end, and takes a new one until 25 s after it.
  async #renewToken(attempt: number, tries: number): Promise<void> {
    if (this.#options.token === undefined) return;
    const isThere = await this.#askForToken("expiring");
    if (attempt !== this.#attempt || !this.isOnline) return;
    if (isThere)
      return void this.call("access_token", { token: this.#token }).then(
        () => this.#owner.renewed?.(),
        (cause: unknown) => this.#owner.failed(cause as ChatError),
      );
    if (tries >= limits.renewalTriesMax) return;
    this.#cancelRetry = this.#clock.after(this.#waitMs(tries), () => void this.#renewToken(attempt, tries + 1));
  }

  // phoenix connects again by itself, and by then there should be a token that is good.
  #disconnected(): void {
    const hadOpened = this.#hasOpened;
    this.#hasOpened = false;
    const { state } = this.#status;
    // A channel that was lost before is not lost again with this one.
    if (state === "connecting" && this.#channel !== null) this.#set({ state: "offline" });
    if (this.#options.token === undefined || state === "left" || state === "asleep") return;
    if (this.#channel !== null) void this.#askForToken(hadOpened ? "connect" : "refused");
  }

  #lost(): void {
    this.#drop();
    const { state } = this.#status;
    if (state !== "left" && state !== "asleep") this.#set({ state: "offline" });
  }

  #closed(): void {
    this.#channel = null;
    this.#drop();
    const status = this.#status;
    if (status.state === "refused") {
      const isOver = status.error.code === "token_expired" && this.#options.token !== undefined;
      if (!isOver) return;
      // What a socket may is decided when it connects.
      this.#socket.disconnect();
      this.#retry("refused");
    } else if (status.state !== "left") this.#set({ state: "closed" });
  }

  #drop(): void {
    this.#owner.lost();
    for (const [push, reject] of [...this.#calls]) {
      cancelTimeout(push);
      this.#calls.delete(push);
      reject(unanswered());
    }
  }

  #set(status: ConnectionStatus): void {
    this.#status = status;
    this.#owner.statusChanged();
  }

  #waitMs(tries: number): number {
    return (this.#options.reconnectAfterMs ?? retryDelayMs)(tries);
  }

  #socketOptions(): Partial<SocketConnectOption> {
    const wait = (tries: number) => this.#waitMs(tries);
    const { token, transport } = this.#options;
    // phoenix takes a function here and asks it at every connect; its published types know only the string.
    const authToken = token === undefined ? undefined : ((() => this.#token ?? "") as unknown as string);
    return {
      params: this.#owner.params,
      reconnectAfterMs: wait,
      rejoinAfterMs: wait,
      // phoenix would look for the browser's, and a browser that forbids it throws; it is for its long-poll only.
      sessionStorage: nowhere,
      ...optional("transport", transport),
      ...optional("authToken", authToken),
    };
  }
}

/**
 * Nobody hears a forgotten push, but its timer would keep a Node process alive. phoenix has `cancelTimeout` in every
 * version; its published types leave it out.
 */
export function cancelTimeout(push: Push): void {
  (push as { cancelTimeout?(): void }).cancelTimeout?.();
}

function unanswered(): ChatError {
  return new ChatError("undelivered", "No answer came; whether it was done is not known.");
}
