import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { OutBroadcast } from "../../protocol/message.js";
import { v1 } from "../../protocol/v1.js";
import { v2 } from "../../protocol/v2.js";
import { PubSub } from "../../server/pubsub/pubsub.js";
import type { PubSubAdapter } from "../../server/pubsub/adapter.js";
import { Telemetry } from "../../server/telemetry.js";
import { until } from "../support/until.js";

/** What connects the nodes under test. */
export interface Cluster {
  /** The adapter of one more node, not started; null when there is no other node. */
  adapter(): PubSubAdapter | null;
  /** Makes the network fail, or work again. Left out where that cannot be done. */
  readonly setBroken?: (isBroken: boolean) => void | Promise<void>;
  dispose(): Promise<void>;
}

/** One node: its pubsub, what its clients got, and what failed on it. */
class Node {
  readonly telemetry = new Telemetry();
  readonly pubsub: PubSub;
  readonly failures: string[] = [];
  readonly heard: OutBroadcast[] = [];

  constructor(adapter: PubSubAdapter | null) {
    const { telemetry } = this;
    this.pubsub = new PubSub(adapter === null ? { telemetry } : { adapter, telemetry });
    telemetry.attach("pubsub.failed", ({ operation }) => void this.failures.push(operation));
  }

  /** Listens on a topic, as an app does. */
  listen(topic: string): () => void {
    return this.pubsub.listen(topic, (broadcast) => void this.heard.push(broadcast));
  }

  /** Subscribes as a socket does. @returns the frames it gets */
  subscribe(topic: string, { owner = {}, serializer = v2, intercepts = null }: Partial<Client> = {}): unknown[] {
    const frames: unknown[] = [];
    this.pubsub.subscribe(topic, {
      serializer,
      wireTopic: topic,
      intercepts,
      filter: null,
      owner,
      deliver: ({ data }) => void frames.push(typeof data === "string" ? (JSON.parse(data) as unknown) : data),
      intercept: ({ event, payload }) => void frames.push({ intercepted: event, payload }),
    });
    return frames;
  }

  numbers(): unknown[] {
    return this.heard.map(({ payload }) => (payload as { n: unknown }).n);
  }
}

interface Client {
  readonly owner: object;
  readonly serializer: typeof v2;
  readonly intercepts: readonly string[] | null;
}

const topic = "room:1";
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/**
 * What PubSub must do, alone and over every adapter.
 * @param nodeCount 1 for a node without others
 */
export function pubsubContract(name: string, nodeCount: number, open: () => Cluster | Promise<Cluster>): void {
  describe(`${name}, ${nodeCount} ${nodeCount === 1 ? "node, keeps" : "nodes, keep"} the contract of PubSub`, () => {
    let cluster: Cluster;
    let nodes: Node[];
    let first: Node;
    let others: Node[];

    beforeEach(async () => {
      cluster = await open();
      nodes = range(nodeCount).map(() => new Node(cluster.adapter()));
      await Promise.all(nodes.map(({ pubsub }) => pubsub.start()));
      first = nodes[0]!;
      others = nodes.slice(1);
    });

    afterEach(async () => {
      await cluster.setBroken?.(false);
      await Promise.all(nodes.map(({ pubsub }) => pubsub.stop()));
      await cluster.dispose();
    });

    /**
     * Everything that was published before has arrived, and whatever would have come with it: a last message of every
     * node that publishes arrives after all its others, on a topic of its own and on that of the test.
     */
    const settled = (...publishers: Node[]) => settledAmong(nodes, publishers);

    async function settledAmong(running: readonly Node[], publishers: readonly Node[]): Promise<void> {
      for (const publisher of publishers) {
        for (const fenced of [topic, "fence"]) {
          const arrived = new Set<Node>();
          const unlisten = running.map((node) =>
            node.pubsub.listen(fenced, ({ event }) => void (event === "fence" && arrived.add(node))),
          );
          publisher.pubsub.broadcast(fenced, "fence", {});
          await until("a broadcast on every node", () => arrived.size === running.length);
          for (const stop of unlisten) stop();
        }
      }
      for (const node of nodes) node.heard.splice(0, Infinity, ...node.heard.filter(({ event }) => event !== "fence"));
    }

    test("[R11] a broadcast reaches the subscribers of its node in the call, and those of every other once", async () => {
      const frames = nodes.map((node) => node.subscribe(topic));
      first.pubsub.broadcast(topic, "said", { n: 1 });
      expect(frames[0]).toEqual([[null, null, topic, "said", { n: 1 }]]);
      await settled(first);
      for (const got of frames) {
        expect(got.filter((frame) => (frame as unknown[])[3] !== "fence")).toEqual([
          [null, null, topic, "said", { n: 1 }],
        ]);
      }
    });

    test("[R11] every node reaches every other, and nobody hears a topic that is not theirs", async () => {
      for (const node of nodes) node.listen(topic);
      nodes.forEach(({ pubsub }, n) => pubsub.broadcast(topic, "said", { n }));
      first.pubsub.broadcast("room:2", "said", { n: "elsewhere" });
      await settled(...nodes);
      for (const node of nodes) expect(node.numbers().sort()).toEqual(range(nodeCount));
    });

    test("[R9] [R12] what one node publishes on a topic arrives in that order, none of it twice", async () => {
      for (const node of nodes) node.listen(topic);
      for (const n of range(200)) {
        first.pubsub.broadcast(topic, "said", { n });
        if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await settled(first);
      for (const node of nodes) expect(node.numbers()).toEqual(range(200));
    });

    test("[R12] what comes from another node is not published again", async () => {
      for (const node of nodes) {
        node.listen(topic);
        // A node that answers what it hears would be heard by all, so a second delivery shows.
        node.pubsub.listen("echo", () => void node.heard.push({ topic: "echo", event: "echo", payload: { n: "e" } }));
      }
      first.pubsub.broadcast(topic, "said", { n: 1 });
      await settled(...nodes);
      await settled(...nodes);
      for (const node of nodes) expect(node.numbers()).toEqual([1]);
    });

    test("[R11] broadcastFrom leaves out the owner's own subscribers, and nobody on another node", async () => {
      const owner = {};
      const own = first.subscribe(topic, { owner });
      const neighbour = first.subscribe(topic);
      const far = others.map((node) => node.subscribe(topic, { owner }));
      first.pubsub.broadcast(topic, "said", { n: 1 }, owner);
      await settled(first);
      const said = (frames: unknown[]) => frames.filter((frame) => (frame as unknown[])[3] === "said");
      expect(said(own)).toEqual([]);
      for (const frames of [neighbour, ...far]) expect(said(frames)).toHaveLength(1);
    });

    test("[R11] a local broadcast stays on its node", async () => {
      for (const node of nodes) node.listen(topic);
      first.pubsub.broadcastLocally(topic, "said", { n: 1 });
      await settled(first);
      expect(nodes.map((node) => node.numbers())).toEqual([[1], ...others.map(() => [])]);
    });

    test("[R11] intercepts hold on every node", async () => {
      const frames = nodes.map((node) => node.subscribe(topic, { intercepts: ["said"] }));
      first.pubsub.broadcast(topic, "said", { n: 1 });
      await settled(first);
      for (const got of frames) expect(got).toContainEqual({ intercepted: "said", payload: { n: 1 } });
    });

    test("[R13] bytes arrive as the bytes they were, also those of a view into more", async () => {
      for (const node of nodes) node.listen(topic);
      const all = Uint8Array.from(range(256));
      first.pubsub.broadcast(topic, "bytes", all);
      first.pubsub.broadcast(topic, "bytes", new Uint8Array(all.buffer, 100, 20));
      first.pubsub.broadcast(topic, "bytes", Buffer.from("ț"));
      first.pubsub.broadcast(topic, "bytes", new Uint8Array());
      await settled(first);
      for (const { heard } of nodes) {
        for (const { payload } of heard) expect(payload).toBeInstanceOf(Uint8Array);
        expect(heard.map(({ payload }) => [...(payload as Uint8Array)])).toEqual([
          range(256),
          range(20).map((index) => index + 100),
          [...Buffer.from("ț")],
          [],
        ]);
      }
    });

    test("[R13] JSON arrives as JSON makes of it: any text, depth, name and size", async () => {
      const frames = nodes.map((node) => node.subscribe(topic));
      const payload = {
        text: 'ț😀\u2028\u0000"\\',
        numbers: [0, -1.5, 1e300, 2 ** 53],
        nothing: null,
        left: undefined,
        at: new Date(0),
        deep: JSON.parse("[".repeat(200) + "]".repeat(200)) as unknown,
        big: "x".repeat(300_000),
        ["constructor"]: { prototype: 1 },
      };
      Object.defineProperty(payload, "__proto__", { value: { n: 1 }, enumerable: true });
      first.pubsub.broadcast(topic, "said", payload);
      await settled(first);
      for (const got of frames) {
        const [, , , , arrived] = got.find((frame) => (frame as unknown[])[3] === "said") as unknown[];
        expect(JSON.stringify(arrived)).toBe(JSON.stringify(payload));
      }
    });

    test("[R13] odd names of topics and events arrive as they are", async () => {
      const odd = ["", " ", "a:b:*", "__proto__", "ț😀", "x".repeat(1000), "line\nbreak", "\u0000"];
      const got: unknown[] = [];
      for (const [index, { pubsub }] of nodes.entries()) {
        for (const name of odd) pubsub.listen(name, ({ event }) => void got.push([index, name, event]));
      }
      for (const name of odd) first.pubsub.broadcast(name, name, {});
      await settled(first);
      for (const index of nodes.keys()) {
        for (const name of odd)
          expect(got.filter((one) => JSON.stringify(one) === JSON.stringify([index, name, name]))).toHaveLength(1);
      }
    });

    test("[R13] a payload is the caller's again once it was broadcast", async () => {
      for (const node of others) node.listen(topic);
      const payload = { n: 1, list: [1] };
      const bytes = Uint8Array.of(1, 2, 3);
      first.pubsub.broadcast(topic, "said", payload);
      first.pubsub.broadcast(topic, "bytes", bytes);
      payload.n = 2;
      payload.list.push(2);
      bytes.fill(9);
      await settled(first);
      for (const { heard } of others) {
        expect(heard.map((broadcast) => broadcast.payload)).toEqual([{ n: 1, list: [1] }, Uint8Array.of(1, 2, 3)]);
      }
    });

    test("[R14] a node that has stopped neither publishes nor hears, works alone, and may come back", async () => {
      for (const node of nodes) node.listen(topic);
      await first.pubsub.stop();
      await first.pubsub.stop();
      first.pubsub.broadcast(topic, "said", { n: 1 });
      for (const [n, { pubsub }] of others.entries()) pubsub.broadcast(topic, "said", { n: n + 2 });
      // One more, so that there is somebody for the others to be heard by.
      const witness = new Node(cluster.adapter());
      await witness.pubsub.start();
      if (nodeCount > 1) await settledAmong([...others, witness], others);
      await witness.pubsub.stop();
      await first.pubsub.start();
      await settled(...nodes);
      expect(first.numbers()).toEqual([1]);
      for (const node of others) expect(node.numbers().sort()).toEqual(range(nodeCount - 1).map((n) => n + 2));
      first.pubsub.broadcast(topic, "said", { n: "back" });
      await settled(first);
      for (const node of nodes) expect(node.numbers()).toContain("back");
    });

    test("[R14] a node that has not started works alone", async () => {
      const late = new Node(cluster.adapter());
      late.listen(topic);
      for (const node of nodes) node.listen(topic);
      late.pubsub.broadcast(topic, "said", { n: 1 });
      first.pubsub.broadcast(topic, "said", { n: 2 });
      await settled(first);
      expect([late.numbers(), first.numbers()]).toEqual([[1], [2]]);
      for (const node of others) expect(node.numbers()).toEqual([2]);
    });

    if (nodeCount === 1) return;

    test("[R14] a payload that no client of another node can take is told there, and costs nothing else", async () => {
      const [far] = others as [Node];
      far.subscribe(topic, { serializer: v1 });
      first.pubsub.broadcast(topic, "bytes", Uint8Array.of(1));
      await settled(first);
      expect(far.failures).toEqual(["deliver"]);
      expect(first.failures).toEqual([]);
    });

    test("[R14] a payload that is neither JSON nor bytes throws at the caller", () => {
      const endless: Record<string, unknown> = {};
      endless.itself = endless;
      expect(() => first.pubsub.broadcast(topic, "said", endless)).toThrow();
    });

    test("[R14] what cannot be carried is lost and told; delivery on the node goes on, and resumes on the others", async () => {
      if (cluster.setBroken === undefined) return;
      for (const node of nodes) node.listen(topic);
      await cluster.setBroken(true);
      first.pubsub.broadcast(topic, "said", { n: 1 });
      expect(first.numbers()).toEqual([1]);
      await until("the failure", () => first.failures.length > 0);
      expect(new Set(first.failures)).toEqual(new Set(["adapter"]));
      await expect(new Node(cluster.adapter()).pubsub.start()).rejects.toThrow();
      await cluster.setBroken(false);
      await settled(first);
      first.pubsub.broadcast(topic, "said", { n: 2 });
      await settled(first);
      // At most once: what was lost stays lost.
      for (const node of others) expect(node.numbers()).toEqual([2]);
    });
  });
}
