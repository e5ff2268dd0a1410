import { randomBytes } from "node:crypto";
import { encodeJsonObject } from "../../protocol/json.js";
import { failure, type Result, success } from "../../protocol/result.js";
import { type Channel, type ChannelPort, portOf } from "../channel/channel.js";
import { isDeeper } from "../../protocol/depth.js";
import type { PubSub } from "../pubsub/pubsub.js";

/**
 * What a channel says about a presence: an object, kept as JSON makes of it, at most 100 levels deep. `phx_ref` and
 * `phx_ref_prev` are added. (SPEC P7)
 */
export type Meta = Readonly<Record<string, unknown>>;

/** Who is there, as `phoenix.Presence` takes it: a key has the metas of all channels that track it, oldest first. */
export type PresenceState = Readonly<Record<string, { readonly metas: readonly Meta[] }>>;

interface Entry {
  readonly owner: ChannelPort;
  readonly meta: Meta;
}

/** Deep enough for anything said about somebody, and far from where JSON gives up. */
const metaDepthMax = 100;

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

  /** What is kept of channels beside the presences themselves; 0 when nobody is present. */
  get heldCount(): number {
    return [...this.#owned.values()].reduce((sum, topics) => sum + topics.size, 0);
  }

  /** Topics on which somebody is present. */
  get topicCount(): number {
    return this.#topics.size;
  }

  /**
   * Says that a channel is present under a key, until it ends. A channel may have several keys, a key several channels.
   * @param key a string; a number, boolean or null becomes the text of it, null the empty one
   * @returns a meta that is none is thrown while the channel's own code runs, and crashes the channel else
   */
  track(
    channel: Channel,
    key: unknown,
    meta: Meta,
    options: PresenceOptions = {},
  ): Result<void, "already_tracked" | "invalid_meta"> {
    const { owner, topic, name } = this.#locate(channel, key, options);
    if (this.#find(topic, name, owner) !== null) return failure("already_tracked");
    const kept = keep(owner, meta);
    if (kept === null) return failure("invalid_meta");
    const tracked = { ...kept, phx_ref: this.#newRef() };
    const isKnown = this.#owned.has(owner);
    this.#add(topic, name, { owner, meta: tracked });
    try {
      this.#tell(topic, oneMeta(name, tracked), none());
    } finally {
      // Last, because a channel that has ended already calls back at once, and a leave must not be told before its join.
      if (!isKnown) owner.onEnded(() => this.#ended(owner));
    }
    return success(undefined);
  }

  /** Replaces the meta: one diff in which the new one joins and the old one leaves. */
  update(
    channel: Channel,
    key: unknown,
    meta: Meta | ((old: Meta) => Meta),
    options: PresenceOptions = {},
  ): Result<void, "not_tracked" | "invalid_meta"> {
    const { owner, topic, name } = this.#locate(channel, key, options);
    const old = this.#find(topic, name, owner)?.meta;
    if (old === undefined) return failure("not_tracked");
    const kept = keep(owner, typeof meta === "function" ? meta(structuredClone(old)) : meta);
    if (kept === null) return failure("invalid_meta");
    const updated = { ...kept, phx_ref: this.#newRef(), phx_ref_prev: old.phx_ref };
    const entries = this.#topics.get(topic)?.get(name) ?? [];
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

  /**
   * The same in pages, where a list may be too long for one frame: the first, which is always there, is a
   * `presence_state`; each other one the `joins` of a `presence_diff` to the same client. A page is as of the moment when
   * it is asked for, so a client that is told every diff in between ends up with exactly those who are there. (SPEC P8)
   * @param metasMax a page ends with the key that brings it to so many metas
   */
  *pages(topic: string, metasMax: number): Generator<PresenceState, void, void> {
    let page = emptyState();
    let [metas, isFirst] = [0, true];
    // The map goes on changing between two pages: who has left is not met any more, and who has come is told twice at most.
    for (const [key, entries] of this.#topics.get(topic) ?? []) {
      page[key] = { metas: entries.map(({ meta }) => meta) };
      metas += entries.length;
      if (metas < metasMax) continue;
      yield page;
      page = emptyState();
      [metas, isFirst] = [0, false];
    }
    if (isFirst || metas > 0) yield page;
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
    const owner = portOf(channel);
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
    const owned = this.#owned.get(owner);
    const names = owned?.get(topic);
    names?.delete(name);
    if (names?.size === 0) owned!.delete(topic);
    return entry.meta;
  }

  // All keys of a channel that ended leave in one diff a topic.
  #ended(owner: ChannelPort): void {
    const owned = this.#owned.get(owner) ?? [];
    this.#owned.delete(owner);
    const left = [...owned].map(([topic, names]) => ({ topic, leaves: this.#leaves(owner, topic, names) }));
    // Told when all are gone, so that nothing of what telling does can keep one of them.
    for (const { topic, leaves } of left) this.#tell(topic, none(), leaves);
  }

  #leaves(owner: ChannelPort, topic: string, names: ReadonlySet<string>): PresenceState {
    const leaves = emptyState();
    for (const name of names) leaves[name] = { metas: [this.#remove(topic, name, owner)!] };
    return leaves;
  }

  #tell(topic: string, joins: PresenceState, leaves: PresenceState): void {
    // Presences are of one node, as `list` is: a diff of another node's would not fit what a client was given.
    this.#pubsub.broadcastLocally(topic, "presence_diff", { joins, leaves });
  }
}

function nameOf(key: unknown): string {
  if (typeof key === "string") return key;
  if (key === null) return "";
  if (typeof key === "number" || typeof key === "boolean") return String(key);
  throw new TypeError(`a presence key is a text, a number, a boolean or null, not ${typeof key}`);
}

/** The meta as every client can be told it, and the channel's no more; null when it is none, and its channel crashes. */
function keep(owner: ChannelPort, meta: unknown): Meta | null {
  try {
    const kept: unknown = JSON.parse(encodeJsonObject(meta));
    if (!isDeeper(kept, metaDepthMax)) return kept as Meta;
    throw new TypeError(`a meta is at most ${metaDepthMax} levels deep`);
  } catch (cause) {
    owner.failed("presence", cause);
    return null;
  }
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
