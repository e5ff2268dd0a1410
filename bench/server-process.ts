import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Answers } from "./probe.js";

const startTimeoutMs = 10_000;
/** As `npm start` has it, for all peers. */
const memory = "--max-semi-space-size=32";
const probe = new URL("probe.js", import.meta.url).href;

export interface ServerOptions {
  /** A module that listens on the port that it is given as its first argument. */
  readonly module: URL;
  /** Where to leave a CPU profile, as `folder/name.cpuprofile`; null makes none. */
  readonly profile: { readonly folder: string; readonly name: string } | null;
}

/** A server in a process of its own, which tells what it has used. */
export class ServerProcess {
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    readonly port: number,
  ) {
    this.#child = child;
  }

  /** Resolves when the server takes connections. */
  static async start({ module, profile }: ServerOptions): Promise<ServerProcess> {
    const port = await freePort();
    const profiling =
      profile === null
        ? []
        : ["--cpu-prof", `--cpu-prof-dir=${profile.folder}`, `--cpu-prof-name=${profile.name}.cpuprofile`];
    const child = fork(fileURLToPath(module), [String(port)], {
      execArgv: ["--expose-gc", memory, "--import", probe, ...profiling],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const server = new ServerProcess(child, port);
    await server.#untilItListens();
    return server;
  }

  /** µs of CPU so far. */
  async cpu(): Promise<number> {
    return this.#ask("cpu");
  }

  /** Bytes of memory, once garbage is gone. */
  async memory(): Promise<number> {
    return this.#ask("memory");
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.send("exit" satisfies keyof Answers);
    await exited;
  }

  async #ask(question: keyof Answers): Promise<number> {
    const answered = once(this.#child, "message");
    this.#child.send(question);
    const [value] = (await answered) as [number];
    return value;
  }

  async #untilItListens(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    while (!(await takesConnections(this.port))) {
      if (this.#child.exitCode !== null) throw new Error(`the server ended with ${this.#child.exitCode}`);
      if (performance.now() > deadline) throw new Error(`the server does not listen on ${this.port}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
