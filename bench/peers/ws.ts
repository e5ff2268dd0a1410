import { createServer } from "node:http";
import { type RawData, WebSocketServer } from "ws";
import { broadcast } from "./wire.js";

// `ws` as its own examples use it: everyone is in one room, every message is decoded and answered.
const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url!, "http://localhost");
  const count = Number(searchParams.get("n"));
  for (let times = 0; times < count; times += 1) {
    const text = broadcast(searchParams.get("event")!, Number(searchParams.get("size")));
    for (const client of sockets.clients) client.send(text);
  }
  response.end();
});
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (data: RawData) => {
    const [joinRef, ref, topic, , payload] = JSON.parse((data as Buffer).toString()) as unknown[];
    socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", { status: "ok", response: payload }]));
  });
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
