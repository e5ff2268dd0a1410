/** What the bench asks a server for, and what the server answers. */
export interface Answers {
  /** User and system time of all threads, in µs. */
  cpu: number;
  /** Bytes that the process holds, after a garbage collection. */
  memory: number;
  exit: never;
}

// Loaded into every server before its own code, so that each peer is measured by the same words.
process.on("message", (question: keyof Answers) => {
  if (question === "cpu") answer(cpuMicros());
  else if (question === "memory") void settledMemory().then(answer);
  // An ordinary exit, so that a CPU profile is written.
  else process.exit(0);
});

// A bench that fails leaves no server behind.
process.on("disconnect", () => process.exit(1));

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

// Twice, with time between for V8 to give pages back.
async function settledMemory(): Promise<number> {
  for (let times = 0; times < 2; times += 1) {
    globalThis.gc!();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage.rss();
}

function answer(value: number): void {
  process.send!(value);
}
