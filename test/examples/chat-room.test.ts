import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { connect, ConnectRefused } from "bennu/testing";
import { Presence as PresenceOfClient } from "phoenix";
import { connectPhoenix, disconnected, settled } from "../support/phoenix.js";
import { until } from "../support/until.js";
import { createChatServer } from "./chat-room.js";

test("[R10] the chat room of the guide, without a network", async () => {
  const { endpoint, presence } = createChatServer();
  await expect(connect(endpoint, "/socket")).rejects.toThrow(ConnectRefused);
  const [alice, bob] = [
    await connect(endpoint, "/socket", { name: "alice" }),
    await connect(endpoint, "/socket", { name: "bob" }),
  ];
  expect((await bob.join("room:secret")).reply).toEqual({ status: "error", response: { reason: "members only" } });
  const [a, b] = [await alice.join("room:1"), await bob.join("room:1")];
  expect(a.reply).toEqual({ status: "ok", response: { topic: "room:1", you: "alice" } });

  await b.assertPush("presence_state", { alice: {}, bob: {} });
  await a.assertReply(a.push("say", { text: "hello" }), "ok");
  for (const room of [a, b]) await room.assertBroadcast("said", { from: "alice", text: "hello" });
  await a.assertReply(a.push("say", { text: 5 }), "error", { reason: "say something shorter" });
  await b.assertReply(b.push("typing", { typing: true }), "ok");
  await a.assertBroadcast("presence_diff", { joins: { alice: {} } });
  await a.assertBroadcast("presence_diff", { joins: { bob: {} } });
  expect(await a.assertBroadcast("presence_diff")).toMatchObject({ joins: { bob: { metas: [{ typing: true }] } } });
  endpoint.broadcast("user:bob", "disconnect", {});
  expect(bob.closeCode).toBe(1001);
  // As a real connection, one without a network takes its channels with it.
  expect(Object.keys(presence.list("room:1"))).toEqual(["alice"]);
  alice.close();
  expect(endpoint.pubsub.topicCount).toBe(0);
});

test("[P6] the chat room of the guide, with phoenix.Presence", async () => {
  const { server, endpoint } = createChatServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [alice, bob] = await Promise.all([
    connectPhoenix("1.8.16", url, { name: "alice" }),
    connectPhoenix("1.8.16", url, { name: "bob" }),
  ]);
  const room = alice.channel("room:1");
  const presence = new PresenceOfClient(room as never);
  const names = () => presence.list((name: string) => name).toSorted();
  await settled(room.join());
  await until("alice alone", () => names().join() === "alice");
  const other = bob.channel("room:1");
  await settled(other.join());
  await until("both", () => names().join() === "alice,bob");
  await settled(other.leave());
  await until("alice alone", () => names().join() === "alice");
  await Promise.all([alice, bob].map(disconnected));
  endpoint.terminate();
  await new Promise((resolve) => server.close(resolve));
});

test("the guide shows this very code", async () => {
  const [guide, code] = await Promise.all(
    ["../../docs/channels.md", "chat-room.ts"].map((file) => readFile(join(import.meta.dirname, file), "utf8")),
  );
  expect(guide).toContain(code!.trim());
  // The guide promises that a chat room with presence is no more than this.
  expect(code!.trim().split("\n").length).toBeLessThanOrEqual(40);
});
