import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";

const openFilesMax = 64;
/** More than there are file descriptors for. */
const connectionCount = 200;
const observedMs = 1000;

let server: TestServer | null = null;
let connections: Socket[] = [];

afterEach(async () => {
  for (const socket of connections) socket.destroy();
  connections = [];
  await server?.dispose();
});

test("[D-11] without file descriptors the server lives, does not spin, and serves again when there are some", async () => {
  server = await TestServer.create();
  await server.start();
  const { port } = new URL(server.url);
  // Not earlier: Node opens more files than that at once while it loads the code.
  const { status: limited } = spawnSync("prlimit", ["--pid", String(server.pid), `--nofile=${openFilesMax}`]);
  expect(limited).toBe(0);
  let closedCount = 0;
  connections = Array.from({ length: connectionCount }, () => {
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.on("close", () => (closedCount += 1));
    return socket;
  });
  await until("some are turned away, or left waiting", () => closedCount > 0 || openFiles() >= openFilesMax - 4);
  const before = cpuMs();
  await new Promise((resolve) => setTimeout(resolve, observedMs));
  expect(cpuMs() - before).toBeLessThan(observedMs / 2);
  for (const socket of connections) socket.destroy();
  let status = 0;
  await until("it serves again", () => {
    void fetch(`${server!.url}/readyz`).then(
      (response) => (status = response.status),
      () => undefined,
    );
    return status === 200;
  });
  expect(server.isRunning).toBe(true);
  expect(await server.terminate()).toEqual({ code: 0, signal: null });
});

function openFiles(): number {
  return readdirSync(`/proc/${server!.pid}/fd`).length;
}

/** User and system time of the server so far. */
function cpuMs(): number {
  const fields = readFileSync(`/proc/${server!.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
