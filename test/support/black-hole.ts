import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { until } from "./until.js";

/** Has room for two connections that nobody accepts: the kernel says nothing to whoever comes third. */
const listener = `
  const server = require("node:net").createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("node:fs").writeSync(1, String(server.address().port));
    process.kill(process.pid, "SIGSTOP");
  });
`;
const room = 2;

/** An address at which packets vanish: connecting to it neither succeeds nor fails. */
export class BlackHole {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #fillers: readonly Socket[];

  private constructor(child: ChildProcess, port: number, fillers: readonly Socket[]) {
    this.#child = child;
    this.port = port;
    this.#fillers = fillers;
  }

  static async open(): Promise<BlackHole> {
    const child = spawn(process.execPath, ["-e", listener], { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    const port = Number(said);
    let filled = 0;
    const fillers = Array.from({ length: room }, () => connect(port, "127.0.0.1", () => (filled += 1)));
    for (const filler of fillers) filler.on("error", () => undefined);
    await until("nobody else fits in", () => filled === room);
    return new BlackHole(child, port, fillers);
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}
