import { Frame } from "../../protocol/frame.js";
import { encodeJson, encodeJsonObject } from "../../protocol/json.js";
import type { OutBroadcast } from "../../protocol/message.js";
import type { Serializer } from "../../protocol/serializer.js";
import { isBroadcastOfBytes } from "../../protocol/supabase.js";
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
  /** Asked at each broadcast whether it is for this subscriber; null: all are. */
  readonly filter: Filter | null;
  deliver(frame: Frame): void;
  /** @param broadcast whoever reads its payload gets one of its own */
  intercept(broadcast: OutBroadcast): void;
}

/** Whether a subscriber gets a broadcast, at this moment. The payload is everyone's: it is only to be read. */
export type Filter = (broadcast: OutBroadcast) => boolean;

/** Code that wants to know, in this process, what is broadcast. The payload is not its own: it is only to be read. */
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
  /** What was asked for last: nothing is published once a stop was, whatever is still under way. */
  #isWanted = false;
  /** The last start or stop that was asked for. They follow one another, whoever asks when. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ adapter, telemetry }: PubSubOptions = {}) {
    this.#adapter = adapter ?? null;
    this.#telemetry = telemetry ?? null;
  }

  /** Joins the other nodes. Until then, and without an adapter, a broadcast stays on this one. */
  start(): Promise<void> {
    this.#isWanted = true;
    return this.#inTurn(async () => {
      if (this.#isStarted) return;
      await this.#adapter?.start(this.#port);
      this.#isStarted = true;
    });
  }

  /** Leaves the other nodes. On this one broadcasts go on. */
  stop(): Promise<void> {
    this.#isWanted = false;
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

  /** How the engine sends to sockets. Code that wants to know what is broadcast listens. */
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

  /**
   * Calls back with what is broadcast on a topic, from whichever node, until it is unsubscribed. The payload is everyone's:
   * do not change it. In a channel, `this.listen` does the same and ends with the channel.
   */
  listen(topic: string, listener: Listener): Unsubscribe {
    const entry = this.#entry(topic);
    entry.listeners.add(listener);
    return () => {
      entry.listeners.delete(listener);
      this.#dropIfEmpty(topic, entry);
    };
  }

  /**
   * Sends to the subscribers of this node, then to the other nodes. What one of them cannot have, or does wrong, is told
   * as `pubsub.failed`, and harms no other.
   * @param payload an object, or bytes for version 2 clients
   * @param except an owner whose own subscribers do not get it; the owner is of this node, so on others nobody is left out
   * @param encode writes a payload that is no bytes, and says what is one: a sender's version may take more than objects
   * @throws EncodeError, or what JSON throws, when the payload is none, whoever listens; then nobody has heard it
   */
  broadcast(
    topic: string,
    event: string,
    payload: unknown,
    except: unknown = nobody,
    encode: (payload: unknown) => string = encodeJsonObject,
  ): void {
    this.broadcastLocally(topic, event, payload, except, encode);
    if (this.#adapter !== null && this.#isStarted && this.#isWanted) this.#publish(topic, event, payload);
  }

  /** Sends to the subscribers of this node alone. Parameters and errors are those of `broadcast`. */
  broadcastLocally(
    topic: string,
    event: string,
    payload: unknown,
    except: unknown = nobody,
    encode: (payload: unknown) => string = encodeJsonObject,
  ): void {
    // Written once for all, and before anybody hears it: whether it can be depends on nobody who listens.
    const told: Told = { topic, event, payload, json: isBytes(topic, event, payload) ? null : encode(payload) };
    const entry = this.#topics.get(topic);
    if (entry === undefined) return;
    for (const lane of entry.lanes) lane.broadcast(told, except, this.#cannotDeliver);
    if (entry.listeners.size > 0) this.#tell(entry.listeners, told);
  }

  readonly #cannotDeliver = (cause: unknown): void => this.#failed("deliver", cause);

  #tell(listeners: ReadonlySet<Listener>, broadcast: OutBroadcast): void {
    for (const listener of listeners) {
      try {
        listener(broadcast);
      } catch (cause) {
        this.#failed("listen", cause);
      }
    }
  }

  #publish(topic: string, event: string, payload: unknown): void {
    try {
      this.#adapter!.publish(topic, event, payload);
    } catch (cause) {
      this.#failed("publish", cause);
    }
  }

  /** What the adapter brings was published already. A mistake in it has no caller to throw at, and must not cost a node. */
  readonly #port: AdapterPort = {
    deliver: (topic, event, payload) => {
      try {
        // Any JSON, as a version 1 client of that node may have sent it.
        this.broadcastLocally(topic, event, payload, nobody, encodeJson);
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

  /** @param failed is told what those who speak this version cannot have */
  broadcast(told: Told, except: unknown, failed: (cause: unknown) => void): void {
    const { event } = told;
    // Encoded, or copied, for the first who is to get it. Null: nobody here is told.
    let frame: Frame | null | undefined;
    let copied: Intercepted | null | undefined;
    for (const subscriber of this.subscribers) {
      if (subscriber.owner === except || !this.#takes(subscriber, told, failed)) continue;
      if (subscriber.intercepts !== null && subscriber.intercepts.includes(event)) {
        if (copied === undefined) copied = copy(told, failed);
        if (copied !== null) subscriber.intercept(copied);
      } else {
        if (frame === undefined) frame = this.#encode(told, failed);
        if (frame !== null) subscriber.deliver(frame);
      }
    }
  }

  // A filter that fails lets nothing through, and harms nobody else.
  #takes({ filter }: Subscriber, told: Told, failed: (cause: unknown) => void): boolean {
    if (filter === null) return true;
    try {
      return filter(told);
    } catch (cause) {
      failed(cause);
      return false;
    }
  }

  #encode({ event, payload, json }: Told, failed: (cause: unknown) => void): Frame | null {
    try {
      const encoded = this.serializer.encodeBroadcast({ topic: this.wireTopic, event, payload, json });
      return encoded === null ? null : new Frame(encoded, this.wireTopic);
    } catch (cause) {
      failed(cause);
      return null;
    }
  }
}

/** What is broadcast; `json` is null for bytes. */
interface Told extends OutBroadcast {
  readonly json: string | null;
}

/** A broadcast for handlers, as it was at the time: whoever reads its payload gets one of its own. (SPEC R13) */
class Intercepted implements OutBroadcast {
  readonly topic: string;
  readonly event: string;
  readonly #json: string | null;
  readonly #bytes: unknown;

  constructor({ topic, event, payload, json }: Told) {
    this.topic = topic;
    this.event = event;
    this.#json = json;
    this.#bytes = json === null ? structuredClone(payload) : null;
  }

  get payload(): unknown {
    return this.#json === null ? structuredClone(this.#bytes) : (JSON.parse(this.#json) as unknown);
  }
}

function copy(told: Told, failed: (cause: unknown) => void): Intercepted | null {
  try {
    return new Intercepted(told);
  } catch (cause) {
    failed(cause);
    return null;
  }
}

/** Bytes, alone or in the envelope of a user broadcast: JSON would make something else of them. */
function isBytes(topic: string, event: string, payload: unknown): boolean {
  return payload instanceof Uint8Array || (event === "broadcast" && isBroadcastOfBytes({ topic, event, payload }));
}
