import { pubsubContract } from "../contract/pubsub-contract.js";
import { MemoryHub } from "../support/memory-hub.js";

const nothing = () => Promise.resolve();

pubsubContract("PubSub alone", 1, () => ({ adapter: () => null, dispose: nothing }));

for (const nodeCount of [2, 3]) {
  pubsubContract("the in-memory hub", nodeCount, () => {
    const hub = new MemoryHub();
    const setBroken = (isBroken: boolean) => {
      hub.isBroken = isBroken;
    };
    return { adapter: () => hub.adapter(), setBroken, dispose: nothing };
  });
}
