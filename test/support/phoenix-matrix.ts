import { WebSocket } from "ws";
import { disconnected, type Payload, type PhoenixChannel, type PhoenixSocket, phoenixVersions } from "./phoenix.js";
import type { PhoenixVersion } from "./phoenix.js";
import { XmlHttpRequest } from "./xml-http-request.js";

/** How a client reaches the server; the newest long-polls with `fetch` where there is no XMLHttpRequest. */
export type Way = "WebSocket" | "LongPoll" | "LongPoll over fetch";

/** Every published client on every way it has. */
export const matrix = (Object.keys(phoenixVersions) as PhoenixVersion[]).flatMap((version) =>
  (["WebSocket", "LongPoll", "LongPoll over fetch"] as const)
    .filter((way) => way !== "LongPoll over fetch" || version === "1.8.16")
    .map((way) => [version, way] as const),
);

export interface MatrixChannel extends PhoenixChannel {
  readonly state: string;
  onClose(callback: () => void): void;
  onError(callback: () => void): void;
}

export interface MatrixSocket extends PhoenixSocket {
  channel(topic: string, params?: unknown): MatrixChannel;
}

export interface PhoenixPresence {
  onJoin(callback: (key: string, current: unknown, joined: unknown) => void): void;
  onLeave(callback: (key: string, current: unknown, left: unknown) => void): void;
  list<T>(by: (key: string, presence: { readonly metas: readonly Payload[] }) => T): T[];
}

interface PhoenixModule {
  readonly Socket: new (url: string, options: Payload) => MatrixSocket;
  readonly LongPoll: unknown;
  readonly Presence: new (channel: MatrixChannel) => PhoenixPresence;
}

/** All that a version exports. */
export async function importPhoenix(version: PhoenixVersion): Promise<PhoenixModule> {
  // The oldest of them looks for a window when it is loaded, and keeps it.
  const global = globalThis as { window?: unknown };
  global.window = globalThis;
  try {
    const module = (await import(phoenixVersions[version])) as PhoenixModule & { readonly default?: PhoenixModule };
    return (module.Socket as unknown) === undefined ? module.default! : module;
  } finally {
    delete global.window;
  }
}

const opened: MatrixSocket[] = [];

/** A client that has not connected yet. It comes back quickly, so that tests need not wait for it. */
export async function makeClient(version: PhoenixVersion, url: string, options: Payload = {}): Promise<MatrixSocket> {
  const { Socket } = await importPhoenix(version);
  const socket = new Socket(url.replace(/^http/, "ws"), {
    transport: WebSocket,
    // Some versions lose the handle of their heartbeat timer, so it is short: a process with a timer does not end.
    heartbeatIntervalMs: 800,
    reconnectAfterMs: () => 10,
    rejoinAfterMs: () => 10,
    ...options,
  });
  opened.push(socket);
  return socket;
}

/** A connected client. */
export async function connectClient(
  [version, way]: readonly [PhoenixVersion, Way],
  url: string,
  options: Payload = {},
): Promise<MatrixSocket> {
  provideRequests(way);
  const { LongPoll } = await importPhoenix(version);
  const socket = await makeClient(version, url, { transport: way === "WebSocket" ? WebSocket : LongPoll, ...options });
  await new Promise<void>((resolve) => {
    socket.onOpen(resolve);
    socket.connect();
  });
  return socket;
}

/** Gives the clients what a browser would have: XMLHttpRequest, or none but Node's own fetch. */
export function provideRequests(way: Way): void {
  const global = globalThis as { XMLHttpRequest?: unknown };
  if (way === "LongPoll over fetch") delete global.XMLHttpRequest;
  else global.XMLHttpRequest = XmlHttpRequest;
}

/** Disconnects every client made so far. */
export async function disconnectClients(): Promise<void> {
  await Promise.all(opened.splice(0).map(disconnected));
}
