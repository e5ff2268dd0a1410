import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Channel, Endpoint, type HandleResult, type JoinResult, ok } from "../../server/bennu.js";

export type Payload = Readonly<Record<string, unknown>>;

/** What a scripted answer may do besides returning its reply. */
export interface Line {
  push(event: string, payload: Payload): void;
  stop(reason: unknown): void;
}

/** A desk that does what the test tells it, for what a real one does only when something is broken. */
export class ScriptedDesk {
  readonly joins: Payload[] = [];
  readonly pushes: { readonly event: string; readonly payload: Payload }[] = [];
  onJoin: (payload: Payload, line: Line) => JoinResult = () =>
    ok({ sessionId: null, offset: 0, epoch: "e1", messages: [], recovered: true });
  onPush: (event: string, payload: Payload, line: Line) => HandleResult = () => undefined;
  line: Line | null = null;
  readonly #server = createServer();
  readonly #endpoint = new Endpoint({
    mounts: {
      "/socket": {
        channels: { "messages:*": () => new ScriptedChannel(this) },
        connect: () => ({ id: null }),
        checkOrigin: false,
        authToken: true,
      },
    },
  });

  /** @returns the address for a client */
  async start(): Promise<string> {
    this.#endpoint.attach(this.#server);
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/socket`;
  }

  /** Breaks every connection, as a network does. */
  breakConnections(): void {
    this.#endpoint.terminate();
  }

  async stop(): Promise<void> {
    this.#endpoint.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class ScriptedChannel extends Channel {
  readonly #desk: ScriptedDesk;
  readonly #line: Line;

  constructor(desk: ScriptedDesk) {
    super();
    this.#desk = desk;
    this.#line = { push: (event, payload) => this.push(event, payload), stop: (reason) => this.stop(reason) };
  }

  override join(payload: unknown): JoinResult {
    this.#desk.joins.push(payload as Payload);
    this.#desk.line = this.#line;
    return this.#desk.onJoin(payload as Payload, this.#line);
  }

  override handleIn(event: string, payload: unknown): HandleResult {
    this.#desk.pushes.push({ event, payload: payload as Payload });
    return this.#desk.onPush(event, payload as Payload, this.#line);
  }
}
