import { Frame } from "../../protocol/frame.js";
import type { OutBroadcast } from "../../protocol/message.js";
import type { Serializer } from "../../protocol/serializer.js";
import type { Telemetry } from "../telemetry.js";
import type { AdapterPort, PubSubAdapter } from "./adapter.js";

/** A socket on a topic. What it does not intercept reaches it on the fast lane: as a frame encoded once for all. */
export interface Subscriber {
  readonly serializer: Serializer;
  /** The topic under which broadcasts leave; with `socket.subscribe(topic, {as})` it is not the one they were sent to. */
  readonly wireTopic: string;
  readonly intercepts: readonly string[] | null;
  /** `broadcastFrom` leaves out the subscribers of this owner. */
  readonly owner: unknown;
  deliver(frame: Frame): void;
  intercept(broadcast: OutBroadcast): void;
}

/** Code that wants to know, in this process, what is broadcast. */
export type Listener = (broadcast: OutBroadcast) => void;

export type Unsubscribe = () => void;

export interface PubSubOptions {
  /** Carries broadcasts to the other nodes; without one there are none. */
  readonly adapter?: PubSubAdapter;
  /** Is told what the adapter could not do. */
  readonly telemetry?: Telemetry;
}

/**
 * Topics of one node, and with an adapter of all nodes. Delivery on a node is synchronous, so what one caller
 * broadcasts arrives in its order. (SPEC R9, R11)
 */
export class PubSub {
  readonly #topics = new Map<string, Topic>();
  readonly #adapter: PubSubAdapter | null;
  readonly #telemetry: Telemetry | null;
  #isStarted = false;
  /** The last start or stop that was asked for. They follow one another, whoever asks when. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ adapter, telemetry }: PubSubOptions = {}) {
    this.#adapter = adapter ?? null;
    this.#telemetry = telemetry ?? null;
  }

  /** Joins the other nodes. Until then, and without an adapter, a broadcast stays on this one. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isStarted) return;
      await this.#adapter?.start(this.#port);
      this.#isStarted = true;
    });
  }

  /** Leaves the other nodes. On this one broadcasts go on. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isStarted = false;
      await this.#adapter?.stop();
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Topics with at least one subscriber or listener. */
  get topicCount(): number {
    return this.#topics.size;
  }

  subscribe(topic: string, subscriber: Subscriber): Unsubscribe {
    const entry = this.#entry(topic);
    const lane = entry.lane(subscriber.serializer, subscriber.wireTopic);
    lane.subscribers.add(subscriber);
    return () => {
      lane.subscribers.delete(subscriber);
      if (lane.subscribers.size === 0) entry.lanes.delete(lane);
      this.#dropIfEmpty(topic, entry);
    };
  }

  listen(topic: string, listener: Listener): Unsubscribe {
    const entry = this.#entry(topic);
    entry.listeners.add(listener);
    return () => {
      entry.listeners.delete(listener);
      this.#dropIfEmpty(topic, entry);
    };
  }

  /**
   * Sends to the subscribers of this node, then to the other nodes.
   * @param payload an object, or bytes for version 2 clients
   * @param except an owner whose own subscribers do not get it; the owner is of this node, so on others nobody is left out
   * @throws EncodeError when the protocol version of a subscriber of this node cannot carry the payload
   */
  broadcast(topic: string, event: string, payload: unknown, except: unknown = nobody): void {
    this.broadcastLocally(topic, event, payload, except);
    if (this.#isStarted) this.#adapter?.publish(topic, event, payload);
  }

  /** Sends to the subscribers of this node alone. Parameters and errors are those of `broadcast`. */
  broadcastLocally(topic: string, event: string, payload: unknown, except: unknown = nobody): void {
    const entry = this.#topics.get(topic);
    if (entry === undefined) return;
    for (const lane of entry.lanes) lane.broadcast(event, payload, except);
    for (const listener of entry.listeners) listener({ topic, event, payload });
  }

  /** What the adapter brings was published already. A mistake in it has no caller to throw at, and must not cost a node. */
  readonly #port: AdapterPort = {
    deliver: (topic, event, payload) => {
      try {
        this.broadcastLocally(topic, event, payload);
      } catch (cause) {
        this.#failed("deliver", cause);
      }
    },
    failed: (cause) => this.#failed("adapter", cause),
  };

  #failed(operation: string, error: unknown): void {
    this.#telemetry?.emit("pubsub.failed", { operation, error });
  }

  #entry(topic: string): Topic {
    let entry = this.#topics.get(topic);
    if (entry === undefined) this.#topics.set(topic, (entry = new Topic()));
    return entry;
  }

  #dropIfEmpty(topic: string, entry: Topic): void {
    if (entry.lanes.size === 0 && entry.listeners.size === 0 && this.#topics.get(topic) === entry) {
      this.#topics.delete(topic);
    }
  }
}

const nobody = Symbol("nobody");

class Topic {
  readonly lanes = new Set<Lane>();
  readonly listeners = new Set<Listener>();

  lane(serializer: Serializer, wireTopic: string): Lane {
    for (const lane of this.lanes) {
      if (lane.serializer === serializer && lane.wireTopic === wireTopic) return lane;
    }
    const lane = new Lane(serializer, wireTopic);
    this.lanes.add(lane);
    return lane;
  }
}

/** The subscribers of a topic to whom a broadcast looks the same, byte for byte. */
class Lane {
  readonly subscribers = new Set<Subscriber>();

  constructor(
    readonly serializer: Serializer,
    readonly wireTopic: string,
  ) {}

  broadcast(event: string, payload: unknown, except: unknown): void {
    const broadcast = { topic: this.wireTopic, event, payload };
    // Encoded for the first who is to get it. Null: nobody here is told.
    let frame: Frame | null | undefined;
    for (const subscriber of this.subscribers) {
      if (subscriber.owner === except) continue;
      if (subscriber.intercepts !== null && subscriber.intercepts.includes(event)) {
        subscriber.intercept(broadcast);
      } else {
        if (frame === undefined) frame = this.#encode(broadcast);
        if (frame !== null) subscriber.deliver(frame);
      }
    }
  }

  #encode(broadcast: OutBroadcast): Frame | null {
    const encoded = this.serializer.encodeBroadcast(broadcast);
    return encoded === null ? null : new Frame(encoded);
  }
}
