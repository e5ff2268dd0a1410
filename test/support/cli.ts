import { spawn } from "node:child_process";
import { join } from "node:path";

export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = join(import.meta.dirname, "..", "..");
const timeoutMs = 120_000;

/** Runs `bennu` as it is built, as a process of its own that knows nothing of the caller's environment. */
export function bennu(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CliEnd> {
  return runBuilt("cli.js", args, environment);
}

/** @param script below dist/server */
export function runBuilt(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CliEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "dist", "server", script), ...args], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...output }));
  });
}
