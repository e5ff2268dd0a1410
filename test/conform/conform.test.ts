import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { conform, type Finding, Unreachable } from "../../server/conform/conform.js";
import { TranscriptProcess } from "../support/transcript-process.js";
import { type Fault, WrongServer } from "../support/wrong-server.js";

let right: TranscriptProcess;

beforeAll(async () => {
  right = await TranscriptProcess.start();
});

afterAll(() => right.stop());

const rightUrl = () => `ws://127.0.0.1:${right.port}/socket`;
const isReply = (frame: unknown[]) => frame[3] === "phx_reply";

const faults: readonly [name: string, fault: Fault, found: string][] = [
  ["no phx_close after a leave", { outbound: (f) => (f[3] === "phx_close" ? [] : [f]) }, "leave: the reply"],
  [
    "a phx_error without a reason",
    { outbound: (f) => [f[3] === "phx_error" ? [...f.slice(0, 4), {}] : f] },
    "crash ends",
  ],
  [
    "a phx_close with the ref of nothing",
    { outbound: (f) => [f[3] === "phx_close" ? [f[0], null, ...f.slice(2)] : f] },
    "stop ends",
  ],
  [
    "a stale join_ref that is taken",
    { inbound: ([, ...f]) => [f[2] === "phx_join" ? f[0] : null, ...f] },
    "a stale join_ref",
  ],
  ["a null join_ref that is not taken", { inbound: ([j, ...f]) => [j ?? "0", ...f] }, "a null join_ref"],
  [
    "the old channel closed before the new join is answered",
    { delay: (f) => (isReply(f) && f[0] === "2" ? 20 : 0) },
    "a duplicate join: the new reply",
  ],
  [
    "a join_ref in an unmatched reply",
    { outbound: (f) => [isReply(f) && f[0] === null ? ["1", ...f.slice(1)] : f] },
    "an event on a topic that is not joined",
  ],
  ["a heartbeat that is not answered", { outbound: (f) => (f[2] === "phoenix" ? [] : [f]) }, "a heartbeat is answered"],
  [
    "a push with a ref",
    { outbound: (f) => [f[3] === "push_me" ? [f[0], "2", ...f.slice(2)] : f] },
    "push_me is pushed back",
  ],
  [
    "a broadcast with a join_ref",
    { outbound: (f) => [f[3] === "shout" ? ["1", ...f.slice(1)] : f] },
    "shout reaches everyone",
  ],
  [
    "shout_from that reaches its sender",
    { inbound: (f) => f.map((one) => (one === "shout_from" ? "shout" : one)) },
    "shout_from reaches everyone else",
  ],
  ["a reply that overtakes pushes", { delay: (f) => (f[3] === "multi_push_2" ? 20 : 0) }, "multi: push"],
  ["everything twice", { outbound: (f) => [f, f] }, "echo is answered ok"],
  [
    "refs as text",
    { outbound: (f) => [[f[0], typeof f[1] === "number" ? String(f[1]) : f[1], ...f.slice(2)]] },
    "a ref keeps its JSON type",
  ],
  [
    "ok for error",
    { outbound: (f) => [JSON.parse(JSON.stringify(f).replace('"error"', '"ok"')) as unknown[]] },
    "echo_error is answered error",
  ],
  ["spaces in the JSON", { write: (f) => JSON.stringify(f, null, 1) }, "echo is answered ok"],
  ["another close code", { closeCode: () => 1003 }, "JSON that is cut off"],
  ["a cut connection", { closeCode: () => 1006 }, "an empty frame"],
  ["no binary frames", { binary: () => null }, "binary_echo"],
  ["a byte lost", { binary: (bytes) => bytes.subarray(0, -1) }, "binary_shout"],
  [
    "binary pushes that say broadcast",
    { binary: (bytes) => Buffer.concat([Buffer.of(2), bytes.subarray(1)]) },
    "binary_push",
  ],
];

describe("conform", () => {
  test("[W1] finds that the transcript server holds all of it, whichever way its URL is written", async () => {
    for (const url of [rightUrl(), `${rightUrl().replace("ws:", "http:")}/websocket`]) {
      const findings = await conform(url);
      expect(findings.filter(({ difference }) => difference !== null)).toEqual([]);
      expect(findings.length).toBeGreaterThan(60);
    }
  });

  describe("of a server that is wrong in one way", () => {
    const found = new Map<string, readonly Finding[]>();

    // Side by side, because each takes seconds to wait for what does not come.
    beforeAll(async () => {
      const waiting = [...faults];
      const ask = async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [name, fault] = next;
          const wrong = await WrongServer.start(right.port, fault);
          found.set(name, await conform(wrong.url, { concurrency: 32 }).finally(() => wrong.stop()));
        }
      };
      await Promise.all([ask(), ask(), ask(), ask()]);
    });

    test.each(faults)("[W1] finds %s", (name, fault, check) => {
      const findings = found.get(name)!;
      const different = findings.filter(({ difference }) => difference !== null);
      expect(different.map((finding) => finding.name)).toContainEqual(expect.stringContaining(check));
      expect(different.every(({ vsn }) => vsn === "2.0.0" || fault.closeCode !== undefined)).toBe(true);
      expect(findings.some(({ difference }) => difference === null)).toBe(true);
    });
  });

  test.each(["ws://127.0.0.1:1/socket", "no url", "ftp://127.0.0.1/socket"])("[W1] cannot ask %s", async (url) => {
    await expect(conform(url)).rejects.toThrow(Unreachable);
    await expect(conform(`${rightUrl()}_unknown`)).rejects.toThrow(Unreachable);
  });
});

describe("bennu", () => {
  test("[W1] conform prints a line a check, and its exit code tells", async () => {
    const good = await bennu("conform", rightUrl());
    expect(good).toMatchObject({ code: 0, stderr: "" });
    expect(good.stdout).toMatch(/^ok {7}2\.0\.0 {2}R1 {3}a heartbeat is answered$/m);
    expect(good.stdout).toMatch(/All of it holds\.\n$/);
    expect(await bennu("conform", "ws://127.0.0.1:1/socket")).toMatchObject({ code: 2, stdout: "" });

    const wrong = await WrongServer.start(right.port, {
      outbound: (frame) => (frame[3] === "phx_close" ? [] : [frame]),
    });
    const bad = await bennu("conform", wrong.url);
    await wrong.stop();
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(
      /^differs {2}2\.0\.0 {2}C6 {3}stop ends .*: expected \["1","1",.*"phx_close",\{\}\], came nothing$/m,
    );
    expect(bad.stdout).toMatch(/\d+ of \d+ checks differ\.\n$/);
  });

  test.each([
    [["help"], 0, "stdout"],
    [["--help"], 0, "stdout"],
    [[], 2, "stderr"],
    [["fly"], 2, "stderr"],
    [["conform"], 2, "stderr"],
    [["conform", "a", "b"], 2, "stderr"],
    [["serve", "--fast"], 2, "stderr"],
  ] as const)("[W1] %j says what there is and ends with %i", async (args, code, stream) => {
    const result = await bennu(...args);
    expect(result.code).toBe(code);
    for (const command of ["serve", "conform <url>", "help"]) expect(result[stream]).toContain(command);
  });

  test("[X1] serve runs the server, with its settings", async () => {
    const result = await bennu("serve");
    expect(result.stderr).toContain("bennu cannot start");
    expect(result.code).toBe(1);
  });
});

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command. Its settings do not let a server start. */
function bennu(...args: readonly string[]): Promise<Result> {
  const root = join(import.meta.dirname, "..", "..");
  const env = { PATH: process.env.PATH ?? "", NODE_ENV: "production", HOST: "0.0.0.0", PORT: "0" };
  const child = spawn(process.execPath, [join(root, "dist", "server", "cli.js"), ...args], { cwd: root, env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
