import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Channel, Endpoint, type EndpointOptions, type MountOptions, ok } from "../../server/bennu.js";
import { until } from "./until.js";

/** Says back what it is told. */
export class EchoRoom extends Channel {
  override join() {
    return ok();
  }

  override handleIn(event: string, payload: unknown) {
    return event === "quiet" ? undefined : ok(payload);
  }
}

const echo: MountOptions = { channels: { "room:*": EchoRoom }, longpoll: true };

export interface Served {
  readonly endpoint: Endpoint;
  readonly server: Server;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * An endpoint with one mount, `/socket`, on a port of its own.
 * @param listener takes the server's requests, if it is not the endpoint first and the text "plain" otherwise
 */
export async function serveEndpoint(
  mount: Partial<MountOptions> = {},
  options: Partial<EndpointOptions> = {},
  listener?: (endpoint: Endpoint) => RequestListener,
): Promise<Served> {
  const endpoint = new Endpoint({ mounts: { "/socket": { ...echo, ...mount } }, ...options });
  const server = createServer(listener?.(endpoint) ?? plainBeside(endpoint));
  endpoint.attach(server);
  const port = await listen(server);
  const close = async () => {
    endpoint.terminate();
    await closeServer(server);
  };
  return { endpoint, server, port, close };
}

/** Its requests to a mount go to the endpoint; any other is answered with its method and body. */
export function plainBeside(endpoint: Endpoint): RequestListener {
  return (request, response) => {
    if (endpoint.handle(request, response)) return;
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => response.end(`plain ${request.method} ${body}`));
  };
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** A TCP connection that writes what it is given and keeps all that comes. */
export class RawHttp {
  text = "";
  isEnded = false;
  readonly #tcp: Socket;

  constructor(port: number) {
    this.#tcp = connect({ port, host: "127.0.0.1" });
    this.#tcp.on("data", (chunk: Buffer) => (this.text += chunk.toString("latin1")));
    this.#tcp.on("close", () => (this.isEnded = true));
    this.#tcp.on("error", () => undefined);
  }

  /** Whether the kernel has all that was written. */
  get isSent(): boolean {
    return this.#tcp.readyState === "open" && this.#tcp.writableLength === 0;
  }

  write(...lines: readonly string[]): void {
    this.#tcp.write(lines.join("\r\n"));
  }

  /** Waits for a text, and forgets what came before its end. */
  async reads(text: string): Promise<string> {
    const end = await until(
      `${JSON.stringify(text)} in ${JSON.stringify(this.text)}`,
      () => {
        const start = this.text.indexOf(text);
        return start < 0 ? null : start + text.length;
      },
      3000,
    );
    const read = this.text.slice(0, end);
    this.text = this.text.slice(end);
    return read;
  }

  end(): void {
    this.#tcp.end();
  }

  destroy(): void {
    this.#tcp.destroy();
  }
}

/** The head of a request that wants another protocol, as curl and Java write it. */
export const h2c = (method: string, path: string, ...headers: readonly string[]): readonly string[] => [
  `${method} ${path} HTTP/1.1`,
  "Host: localhost",
  "Connection: Upgrade, HTTP2-Settings",
  "Upgrade: h2c",
  "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
  ...headers,
  "",
  "",
];
