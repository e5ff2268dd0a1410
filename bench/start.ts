import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Figure, Part } from "./part.js";

const rounds = 7;
const agents = ["echo", "assistant"];
/** After the start, until the memory is read: what is loaded behind it is there by then. */
const settleMs = 2000;

/** What the assistant costs a server that has it, beside one that does not load it. */
export const start: Part = {
  title: "The start: AGENT=echo beside AGENT=assistant",
  limits: [
    "Time from the start of the process until it listens; LangGraph is loaded behind that.",
    `Memory (RSS) ${settleMs / 1000} s later, with the businesses that come with it and nobody connected.`,
  ],
  async *run() {
    const times = new Map(agents.map((agent): [string, number[]] => [agent, []]));
    const memory = new Map(agents.map((agent): [string, number[]] => [agent, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const agent of agents) {
        const { seconds, megabytes } = await startOnce(agent);
        times.get(agent)!.push(seconds);
        memory.get(agent)!.push(megabytes);
      }
    }
    yield { work: "from start to listening", unit: "s", samples: times, goal: null } satisfies Figure;
    yield { work: "memory of an idle server", unit: "MB", samples: memory, goal: null } satisfies Figure;
  },
};

async function startOnce(AGENT: string): Promise<{ readonly seconds: number; readonly megabytes: number }> {
  const directory = await mkdtemp(join(tmpdir(), "bennu-bench-"));
  const main = fileURLToPath(new URL("../server/main.js", import.meta.url));
  const env = { PATH: process.env.PATH ?? "", PORT: "0", DATA_DIR: directory, LOG_LEVEL: "silent", AGENT };
  const began = performance.now();
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("Bennu listens")) break;
  }
  const seconds = (performance.now() - began) / 1000;
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const megabytes = await residentMegabytes(child.pid!);
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
  await rm(directory, { recursive: true });
  return { seconds, megabytes };
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
}
