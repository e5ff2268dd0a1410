import { WebSocket } from "ws";
import { XmlHttpRequest } from "./xml-http-request.js";

/** What the tests use of a phoenix.js client; every published version has it. */
export interface PhoenixSocket {
  connect(): void;
  disconnect(callback?: () => void, code?: number, reason?: string): void;
  channel(topic: string, params?: unknown): PhoenixChannel;
  onOpen(callback: () => void): void;
  onClose(callback: (event: unknown) => void): void;
  onError(callback: (error: unknown) => void): void;
}

export interface PhoenixChannel {
  join(timeout?: number): PhoenixPush;
  leave(timeout?: number): PhoenixPush;
  push(event: string, payload: unknown, timeout?: number): PhoenixPush;
  on(event: string, callback: (payload: Payload) => void): number;
  onMessage: (event: string, payload: unknown, ref: unknown) => unknown;
}

export interface PhoenixPush {
  cancelTimeout(): void;
  receive(status: string, callback: (response: Payload) => void): PhoenixPush;
}

export type Payload = Record<string, unknown>;

type SocketClass = new (endpoint: string, options: Record<string, unknown>) => PhoenixSocket;

/** The published clients, unchanged, by version. */
export const phoenixVersions = {
  "1.4.17": "phoenix14",
  "1.5.14": "phoenix15",
  "1.6.16": "phoenix16",
  "1.7.21": "phoenix17",
  "1.8.16": "phoenix",
} as const;

export type PhoenixVersion = keyof typeof phoenixVersions;

export async function loadPhoenix(version: PhoenixVersion): Promise<SocketClass> {
  // The oldest of them looks for a window when it is loaded.
  const global = globalThis as { window?: unknown };
  const hadWindow = global.window !== undefined;
  if (!hadWindow) global.window = globalThis;
  try {
    const module = (await import(phoenixVersions[version])) as {
      Socket?: SocketClass;
      default?: { Socket: SocketClass };
    };
    return (module.Socket ?? module.default?.Socket)!;
  } finally {
    if (!hadWindow) delete global.window;
  }
}

/** The long-poll transport of one version; it asks as a browser of its time does. */
export async function loadLongPoll(version: PhoenixVersion): Promise<unknown> {
  (globalThis as { XMLHttpRequest?: unknown }).XMLHttpRequest = XmlHttpRequest;
  const { LongPoll } = (await import(phoenixVersions[version])) as { readonly LongPoll: unknown };
  return LongPoll;
}

/** A connected client of one version. */
export async function connectPhoenix(
  version: PhoenixVersion,
  url: string,
  params: Payload = {},
): Promise<PhoenixSocket> {
  const Socket = await loadPhoenix(version);
  // Some versions lose the handle of their heartbeat timer, so it is short: a process with a timer does not end.
  const options = { params, transport: WebSocket, heartbeatIntervalMs: 800 };
  const socket = new Socket(`${url.replace(/^http/, "ws")}/socket`, options);
  await new Promise<void>((resolve, reject) => {
    socket.onOpen(resolve);
    socket.onError(reject);
    socket.connect();
  });
  return socket;
}

/** Disconnects, and waits until the client has seen it: some versions would otherwise connect again. */
export async function disconnected(socket: PhoenixSocket): Promise<void> {
  await new Promise<void>((resolve) => socket.disconnect(resolve));
  clearHeartbeats(socket);
}

/** The page that the client was on is gone, and does nothing any more: not even say so. @param pushes all it made */
export function vanished(socket: PhoenixSocket, pushes: readonly PhoenixPush[]): void {
  // Some versions connect again when they were about to.
  socket.connect = () => undefined;
  socket.disconnect();
  clearHeartbeats(socket);
  for (const push of pushes) push.cancelTimeout();
}

// Every version leaves its heartbeat timers behind.
function clearHeartbeats(socket: PhoenixSocket): void {
  const { heartbeatTimer, heartbeatTimeoutTimer } = socket as unknown as Record<
    string,
    NodeJS.Timeout | null | undefined
  >;
  for (const timer of [heartbeatTimer, heartbeatTimeoutTimer]) clearTimeout(timer ?? undefined);
}

/** Resolves with the response of "ok", rejects with that of "error" or with "timeout". */
export function settled(push: PhoenixPush): Promise<Payload> {
  return new Promise((resolve, reject) => {
    push
      .receive("ok", resolve)
      .receive("error", (response) => reject(new Refused(response)))
      .receive("timeout", () => reject(new Error("timeout")));
  });
}

/** An error reply. */
export class Refused extends Error {
  constructor(readonly response: Payload) {
    super(JSON.stringify(response));
  }
}
