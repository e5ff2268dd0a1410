import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";

type Json = unknown;

/** What a wrong server does to what passes through it. All frames are those of version 2. */
export interface Fault {
  /** What becomes of a frame of the client. */
  readonly inbound?: (frame: Json[]) => Json[];
  /** What becomes of a frame of the server: none, one or several. */
  readonly outbound?: (frame: Json[]) => Json[][];
  /** How a frame of the server is written. */
  readonly write?: (frame: Json[]) => string;
  /** How late a frame of the server is, in ms. */
  readonly delay?: (frame: Json[]) => number;
  readonly closeCode?: (code: number) => number;
  /** What becomes of a binary frame of the server; null drops it. */
  readonly binary?: (bytes: Buffer) => Buffer | null;
}

/** A server that is right but for one fault: it stands before a right one, and changes what passes. */
export class WrongServer {
  readonly url: string;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  private constructor(http: Server, sockets: WebSocketServer) {
    this.#http = http;
    this.#sockets = sockets;
    this.url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/socket`;
  }

  static async start(rightPort: number, fault: Fault): Promise<WrongServer> {
    const http = createServer();
    const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
    sockets.on("connection", (client, { url }) => passOn(client, `ws://127.0.0.1:${rightPort}${url}`, fault));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    return new WrongServer(http, sockets);
  }

  async stop(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

function passOn(client: WebSocket, url: string, fault: Fault): void {
  const right = new WebSocket(url, { perMessageDeflate: false });
  const early: (() => void)[] = [];
  right.on("open", () => early.splice(0).forEach((send) => send()));
  client.on("message", (data: RawData, isBinary) => {
    const send = () => right.send(isBinary ? data : inboundText(data, fault), { binary: isBinary });
    if (right.readyState === WebSocket.OPEN) send();
    else early.push(send);
  });
  right.on("message", (data: RawData, isBinary) => {
    if (!isBinary) return outboundText(client, JSON.parse((data as Buffer).toString()) as Json, fault);
    const bytes = fault.binary === undefined ? (data as Buffer) : fault.binary(data as Buffer);
    if (bytes !== null) client.send(bytes);
  });
  right.on("close", (code) => {
    const sent = fault.closeCode?.(code) ?? code;
    if (sent === 1006) client.terminate();
    else client.close(sent);
  });
  client.on("close", () => right.terminate());
  for (const ws of [client, right]) ws.on("error", () => undefined);
}

function inboundText(data: RawData, { inbound }: Fault): string {
  const text = (data as Buffer).toString();
  try {
    const value = JSON.parse(text) as Json;
    return inbound === undefined || !Array.isArray(value) ? text : JSON.stringify(inbound(value));
  } catch {
    return text;
  }
}

function outboundText(client: WebSocket, value: Json, fault: Fault): void {
  if (!Array.isArray(value)) return client.send(JSON.stringify(value));
  for (const frame of fault.outbound?.(value) ?? [value]) {
    const text = fault.write?.(frame) ?? JSON.stringify(frame);
    const delay = fault.delay?.(frame) ?? 0;
    if (delay === 0) client.send(text);
    else setTimeout(() => client.send(text), delay);
  }
}
