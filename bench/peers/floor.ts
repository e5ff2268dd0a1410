import { createHash } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { serverFrame } from "../frames.js";
import { broadcast, joinReply, pushReply } from "./wire.js";

// The least that a Node server can do: the bytes are ready, nothing is decoded, each frame is one write.
const sockets = new Set<Socket>();
const joinFrame = serverFrame(joinReply);
const replyFrame = serverFrame(pushReply);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (bytes: Buffer) => {
    const text = bytes.toString("latin1");
    if (text.startsWith("GET ")) upgrade(socket, text);
    else control(socket, bytes);
  });
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });

// What asks for a broadcast is no part of the work that is measured, so it costs here what it costs elsewhere.
const controlServer = createHttpServer((request, response) => {
  const { searchParams } = new URL(request.url!, "http://localhost");
  const frame = serverFrame(broadcast(searchParams.get("event")!, Number(searchParams.get("size"))));
  const count = Number(searchParams.get("n"));
  for (let times = 0; times < count; times += 1) {
    for (const socket of sockets) socket.write(frame);
  }
  response.end();
});

function control(socket: Socket, bytes: Buffer): void {
  controlServer.emit("connection", socket);
  socket.unshift(bytes);
}

function upgrade(socket: Socket, request: string): void {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(request)![1]!;
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  let answer = joinFrame;
  socket.on("data", (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at = unmask(bytes, at)) {
      socket.write(answer);
      answer = replyFrame;
    }
  });
}

/** Unmasks the frame that begins at `start`. @returns where the next one begins */
function unmask(bytes: Buffer, start: number): number {
  const short = bytes[start + 1]! & 0x7f;
  const headerLength = short < 126 ? 6 : 8;
  const payload = start + headerLength;
  const end = payload + (short < 126 ? short : bytes.readUInt16BE(start + 2));
  if (end > bytes.length || short === 127) throw new Error("the frames of the bench are small and come whole");
  const mask = payload - 4;
  for (let at = payload; at < end; at += 1) bytes[at]! ^= bytes[mask + ((at - payload) & 3)]!;
  return end;
}
