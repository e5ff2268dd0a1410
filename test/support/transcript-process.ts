import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..", "..");

/** The built transcript server as a process of its own. */
export class TranscriptProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #stderr: string[];

  private constructor(child: ChildProcess, port: number, stderr: string[]) {
    this.#child = child;
    this.port = port;
    this.#stderr = stderr;
  }

  static async start(): Promise<TranscriptProcess> {
    const script = join(root, "dist", "test", "transcript", "server.js");
    const child = spawn(process.execPath, [script, "0"], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    process.once("exit", () => child.kill("SIGKILL"));
    const stderr: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => stderr.push(line));
    const port = await new Promise<number>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${stderr.join("\n")}`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        const found = /"port":(\d+)/.exec(line)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
    });
    return new TranscriptProcess(child, port, stderr);
  }

  /** @throws Error when the process has ended, or said anything on stderr */
  assertWell(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null && this.#stderr.length === 0) return;
    throw new Error(`the server ended with ${exitCode ?? signalCode}, or complained: ${this.#stderr.join("\n")}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}
