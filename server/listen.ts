import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Config, ConfigError } from "./config.js";

/** @throws ConfigError when another program has the port, or what the operating system says of it */
export async function listen(server: Server, name: "PORT" | "METRICS_PORT", config: Config): Promise<void> {
  const port = config[name];
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new ConfigError(`${name} ${port} on ${config.HOST} is in use by another program; set ${name}`)
          : error,
      );
    });
    server.listen(port, config.HOST, resolve);
  });
}

/** Of a server that listens. */
export function urlOf(server: Server, { HOST }: Config): string {
  const host = HOST.includes(":") ? `[${HOST}]` : HOST;
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

/** Takes no connection any more. Resolves when the last one is gone. */
export function closing(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  return closed;
}
