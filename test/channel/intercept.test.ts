import { expect, test } from "@jest/globals";
import { PubSub } from "../../server/pubsub/pubsub.js";
import { connect, deferred, type Script, settle } from "../support/scripted-channel.js";

const topic = "room:1";

/** Two channels that write into what they intercept, and one that takes the fast lane. */
function rooms(handleOut: Script["handleOut"]) {
  const pubsub = new PubSub();
  const script: Script = { intercepts: ["news"], ...(handleOut && { handleOut }) };
  const all = [script, script, {}].map((one) => connect({ "room:*": one }, { pubsub }));
  for (const { receive, transport } of all) {
    receive("1", "1", topic, "phx_join");
    transport.take();
  }
  const taken = () => all.map(({ transport }) => (transport.take() as unknown[][]).map((frame) => frame[4]));
  return { pubsub, taken };
}

test("[R13] each handleOut has a payload of its own: nobody else sees what it writes into it", () => {
  const { pubsub, taken } = rooms((channel, event, payload) => {
    const own = payload as { seen: number; list: number[] };
    own.seen += 1;
    own.list.push(own.seen);
    channel.push(event, own);
  });
  const payload = { seen: 0, list: [] };
  pubsub.broadcast(topic, "news", payload);
  const changed = [{ seen: 1, list: [1] }];
  expect([taken(), payload]).toEqual([[changed, changed, [{ seen: 0, list: [] }]], { seen: 0, list: [] }]);
});

test("[R13] what becomes of a payload after the broadcast changes nothing of what is intercepted", async () => {
  const gate = deferred();
  const { pubsub, taken } = rooms(async (channel, event, payload) => {
    await gate.promise;
    channel.push(event, payload);
  });
  const payload = { n: 1, at: new Date(0) };
  pubsub.broadcast(topic, "news", payload);
  pubsub.broadcast(topic, "news", payload);
  payload.n = 2;
  gate.resolve();
  await settle();
  const said = { n: 1, at: "1970-01-01T00:00:00.000Z" };
  expect(taken()).toEqual([
    [said, said],
    [said, said],
    [said, said],
  ]);
});

test("[R13] bytes are copied too, also those in an object", async () => {
  const seen: unknown[] = [];
  const gate = deferred();
  const { pubsub } = rooms(async (_channel, _event, payload) => {
    await gate.promise;
    seen.push(payload);
    (payload as Uint8Array)[0] = 9;
  });
  const bytes = Uint8Array.of(1, 2);
  pubsub.broadcast(topic, "news", bytes);
  bytes.fill(7);
  gate.resolve();
  await settle();
  expect(seen).toEqual([Uint8Array.of(9, 2), Uint8Array.of(9, 2)]);
});
