import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Channel, Endpoint, ok } from "bennu";
import { connectPhoenix, disconnected, settled } from "../support/phoenix.js";
import { until } from "../support/until.js";
import { createExpressServer } from "./express-server.js";

class Room extends Channel {
  override join() {
    return ok({ transport: this.socket.transport });
  }
}

async function start() {
  const endpoint = new Endpoint({ mounts: { "/socket": { channels: { "room:*": Room }, longpoll: true } } });
  const { server, stop } = createExpressServer(endpoint);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const post = (path: string, body: unknown) =>
    fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  return { endpoint, server, stop, url, post };
}

test("beside Express: a broadcast from a route reaches a WebSocket, and a stop sends it away", async () => {
  const { endpoint, server, stop, url, post } = await start();
  const socket = await connectPhoenix("1.8.16", url);
  const codes: unknown[] = [];
  socket.onClose((event) => void codes.push((event as { code: number }).code));
  const room = socket.channel("room:1");
  const said: unknown[] = [];
  room.on("said", (payload) => void said.push(payload));
  expect(await settled(room.join())).toEqual({ transport: "websocket" });
  expect((await post("/rooms/1/say", { text: "hello" })).status).toBe(202);
  await until("the broadcast", () => said.length > 0);
  expect(said).toEqual([{ from: "the house", text: "hello" }]);
  await Promise.all([stop(), new Promise((resolve) => server.on("close", resolve))]);
  await until("the end", () => codes.length > 0);
  expect([codes[0], endpoint.socketCount]).toEqual([1012, 0]);
  await disconnected(socket);
});

test("beside Express: a long-poll is read by the endpoint, whatever reads bodies after it", async () => {
  const { stop, url, post } = await start();
  const poll = async (token = "") => {
    const answer = await fetch(`${url}/socket/longpoll?vsn=2.0.0&token=${token}`);
    return (await answer.json()) as { token: string; messages: string[] };
  };
  const { token } = await poll();
  await post(`/socket/longpoll?vsn=2.0.0&token=${token}`, ["1", "1", "room:1", "phx_join", {}]);
  const { messages } = await poll(token);
  expect(JSON.parse(messages[0]!)).toMatchObject({ 4: { status: "ok", response: { transport: "longpoll" } } });
  await stop();
});

test("the guide shows this very code", async () => {
  const [guide, code] = await Promise.all(
    ["../../docs/channels.md", "express-server.ts"].map((file) => readFile(join(import.meta.dirname, file), "utf8")),
  );
  expect(guide).toContain(code!.trim());
});
