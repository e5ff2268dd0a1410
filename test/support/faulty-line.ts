import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** One connection through the line, by its two ends. */
interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  isDownDropped: boolean;
}

/**
 * The line between clients and a server, as TCP knows it: bytes pass until something is done to it. What is done is done
 * to the connections that there are; those that are made afterwards are whole.
 */
export class FaultyLine {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  /** Ends towards the server whose client is gone, and of which the server has not been told. */
  readonly #orphans = new Set<Socket>();
  #onDropped: () => void = () => undefined;

  private constructor(port: number) {
    this.#server = createServer({ noDelay: true }, (client) => this.#lead(client, port));
  }

  static async to(port: number): Promise<FaultyLine> {
    const line = new FaultyLine(port);
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  /** Where clients find the server. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Both ends of every connection are told that it is gone. */
  cut(): void {
    for (const { client, server } of this.#connections) {
      client.destroy();
      server.destroy();
    }
    this.#connections.clear();
  }

  /** Every client is told that its connection is gone. The server is not: what it sends goes nowhere. */
  halfOpen(): void {
    for (const connection of this.#connections) {
      connection.isDownDropped = true;
      this.#orphans.add(connection.server);
      this.#connections.delete(connection);
      connection.client.destroy();
    }
  }

  /**
   * What the server sends does not arrive any more; what clients send does. Nobody is told.
   * @returns resolves once something was dropped
   */
  dropDown(): Promise<void> {
    for (const connection of this.#connections) connection.isDownDropped = true;
    return new Promise((resolve) => (this.#onDropped = resolve));
  }

  /** Cuts it for good. */
  async close(): Promise<void> {
    this.cut();
    for (const orphan of this.#orphans) orphan.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #lead(client: Socket, port: number): void {
    const server = connect({ port, host: "127.0.0.1", noDelay: true });
    const connection: Connection = { client, server, isDownDropped: false };
    this.#connections.add(connection);
    client.on("data", (bytes) => void server.write(bytes));
    server.on("data", (bytes) => {
      if (connection.isDownDropped) this.#onDropped();
      else client.write(bytes);
    });
    // Whoever ends the connection, the other one is told; but for those whose client is gone without a word.
    const end = () => {
      if (!this.#connections.delete(connection)) return;
      client.destroy();
      server.destroy();
    };
    for (const side of [client, server]) {
      side.on("error", () => undefined);
      side.on("end", end);
      side.on("close", end);
    }
  }
}
