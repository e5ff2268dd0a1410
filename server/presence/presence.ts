import { randomBytes } from "node:crypto";
import { failure, type Result, success } from "../../protocol/result.js";
import { Channel, type ChannelPort } from "../channel/channel.js";
import type { PubSub } from "../pubsub/pubsub.js";

/** What a channel says about a presence; `phx_ref` and `phx_ref_prev` are added. */
export type Meta = Readonly<Record<string, unknown>>;

/** Who is there, as `phoenix.Presence` takes it: a key has the metas of all channels that track it, oldest first. */
export type PresenceState = Readonly<Record<string, { readonly metas: readonly Meta[] }>>;

interface Entry {
  readonly owner: ChannelPort;
  readonly meta: Meta;
}

/** Where presences are told, when it is not the channel's own topic. */
export interface PresenceOptions {
  readonly topic?: string;
}

/**
 * Who is on a topic. A presence lives as long as the channel that tracks it; every change is broadcast on the topic as
 * `presence_diff`. To someone who joins, push `presence_state` with `list`. (SPEC P1–P6)
 */
export class Presence {
  readonly #pubsub: PubSub;
  readonly #newRef: () => string;
  readonly #topics = new Map<string, Map<string, Entry[]>>();
  readonly #owned = new Map<ChannelPort, Map<string, Set<string>>>();

  /** @param newRef makes what tells one meta from another, on every node */
  constructor(
    endpoint: { readonly pubsub: PubSub },
    newRef: () => string = () => randomBytes(12).toString("base64url"),
  ) {
    this.#pubsub = endpoint.pubsub;
    this.#newRef = newRef;
  }

  /** Topics on which somebody is present. */
  get topicCount(): number {
    return this.#topics.size;
  }

  /**
   * Says that a channel is present under a key, until it ends. A channel may have several keys, a key several channels.
   * @param key a string; a number, boolean or null becomes the text of it, null the empty one
   */
  track(channel: Channel, key: unknown, meta: Meta, options: PresenceOptions = {}): Result<void, "already_tracked"> {
    const { owner, topic, name } = this.#locate(channel, key, options);
    if (this.#find(topic, name, owner) !== null) return failure("already_tracked");
    const tracked = { ...meta, phx_ref: this.#newRef() };
    const isKnown = this.#owned.has(owner);
    this.#add(topic, name, { owner, meta: tracked });
    this.#tell(topic, oneMeta(name, tracked), none());
    // Last, because a channel that has ended already calls back at once, and a leave must not be told before its join.
    if (!isKnown) owner.onEnded(() => this.#ended(owner));
    return success(undefined);
  }

  /** Replaces the meta: one diff in which the new one joins and the old one leaves. */
  update(
    channel: Channel,
    key: unknown,
    meta: Meta | ((old: Meta) => Meta),
    options: PresenceOptions = {},
  ): Result<void, "not_tracked"> {
    const { owner, topic, name } = this.#locate(channel, key, options);
    const old = this.#find(topic, name, owner)?.meta;
    if (old === undefined) return failure("not_tracked");
    const given = typeof meta === "function" ? meta(old) : meta;
    const updated = { ...given, phx_ref: this.#newRef(), phx_ref_prev: old.phx_ref };
    const entries = this.#topics.get(topic)!.get(name)!;
    // In place: a key's metas stay in the order in which they came.
    entries[entries.findIndex((entry) => entry.owner === owner)] = { owner, meta: updated };
    this.#tell(topic, oneMeta(name, updated), oneMeta(name, old));
    return success(undefined);
  }

  /** Says that a channel is no longer present under a key. A key that is not tracked is fine. */
  untrack(channel: Channel, key: unknown, options: PresenceOptions = {}): void {
    const { owner, topic, name } = this.#locate(channel, key, options);
    const meta = this.#remove(topic, name, owner);
    if (meta !== null) this.#tell(topic, none(), oneMeta(name, meta));
  }

  /** Who is on a topic now. */
  list(topic: string): PresenceState {
    const state = emptyState();
    for (const [key, entries] of this.#topics.get(topic) ?? []) state[key] = { metas: entries.map(({ meta }) => meta) };
    return state;
  }

  /** The metas of one key, or an empty list. */
  getByKey(topic: string, key: unknown): readonly Meta[] {
    return (this.#topics.get(topic)?.get(nameOf(key)) ?? []).map(({ meta }) => meta);
  }

  #locate(
    channel: Channel,
    key: unknown,
    { topic }: PresenceOptions,
  ): { owner: ChannelPort; topic: string; name: string } {
    const owner = Channel.portOf(channel);
    return { owner, topic: topic ?? owner.topic, name: nameOf(key) };
  }

  #find(topic: string, name: string, owner: ChannelPort): Entry | null {
    return (
      this.#topics
        .get(topic)
        ?.get(name)
        ?.find((entry) => entry.owner === owner) ?? null
    );
  }

  #add(topic: string, name: string, entry: Entry): void {
    const keys = this.#topics.get(topic) ?? new Map<string, Entry[]>();
    this.#topics.set(topic, keys);
    keys.set(name, [...(keys.get(name) ?? []), entry]);
    const owned = this.#owned.get(entry.owner) ?? new Map<string, Set<string>>();
    this.#owned.set(entry.owner, owned);
    owned.set(topic, (owned.get(topic) ?? new Set()).add(name));
  }

  #remove(topic: string, name: string, owner: ChannelPort): Meta | null {
    const keys = this.#topics.get(topic);
    const entry = this.#find(topic, name, owner);
    if (keys === undefined || entry === null) return null;
    const rest = keys.get(name)!.filter((other) => other !== entry);
    if (rest.length > 0) keys.set(name, rest);
    else keys.delete(name);
    if (keys.size === 0) this.#topics.delete(topic);
    this.#owned.get(owner)?.get(topic)?.delete(name);
    return entry.meta;
  }

  // All keys of a channel that ended leave in one diff a topic.
  #ended(owner: ChannelPort): void {
    const owned = this.#owned.get(owner) ?? [];
    this.#owned.delete(owner);
    for (const [topic, names] of owned) {
      const leaves = emptyState();
      for (const name of names) leaves[name] = { metas: [this.#remove(topic, name, owner)!] };
      if (names.size > 0) this.#tell(topic, none(), leaves);
    }
  }

  #tell(topic: string, joins: PresenceState, leaves: PresenceState): void {
    // Presences are of one node, as `list` is: a diff of another node's would not fit what a client was given.
    this.#pubsub.broadcastLocally(topic, "presence_diff", { joins, leaves });
  }
}

function nameOf(key: unknown): string {
  if (typeof key === "string") return key;
  return key === null || key === undefined ? "" : JSON.stringify(key);
}

// Without a prototype, so that `__proto__` is just a name.
function emptyState(): Record<string, { metas: Meta[] }> {
  return Object.create(null) as Record<string, { metas: Meta[] }>;
}

function none(): PresenceState {
  return emptyState();
}

function oneMeta(key: string, meta: Meta): PresenceState {
  const state = emptyState();
  state[key] = { metas: [meta] };
  return state;
}
