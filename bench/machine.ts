import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

/** Where and on what the figures were measured. */
export function machineLines(): string[] {
  const cores = cpus();
  return [
    `commit   ${commit()}`,
    `node     ${process.version} (V8 ${process.versions.v8})`,
    `machine  ${cores.length} cores, ${cores[0]?.model.trim() || "unknown model"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
    `command  npm run bench${process.argv
      .slice(2)
      .map((word, index) => (index === 0 ? " -- " : " ") + word)
      .join("")}`,
  ];
}

/** Files and sockets that a process may have open. Node raises its own limit to the hard one when it starts. */
export function openFilesLimit(): string {
  try {
    const line = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return line === null ? "unknown" : `${line[1]} (hard limit ${line[2]})`;
  } catch {
    return "unknown";
  }
}

function commit(): string {
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head === null) return "unknown";
  return git("status", "--porcelain") === "" ? head : `${head}, and changes that are not committed`;
}

function git(...args: string[]): string | null {
  const { status, stdout } = spawnSync("git", args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}
