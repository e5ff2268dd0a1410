import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { connectPhoenix, disconnected, settled } from "../support/phoenix.js";
import { TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";

const support = join(import.meta.dirname, "..", "support");
const businessId = "B0100001";
/** All that comes with LangGraph, and nothing that has its name by chance. */
const langchain = /\/node_modules\/(@langchain|langsmith)\//;

/** From which the assistant learns what people say. */
const learnt = /\/dist\/server\/agents\/assistant\/language\//;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bennu-assistant-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the built server until it was told to stop and has. @returns the modules that it loaded, its own and others' */
async function modulesOf(AGENT: string, during: (server: TestServer) => Promise<void>): Promise<readonly string[]> {
  const file = join(folder, "modules");
  const recorder = ["--import", join(support, "record-modules.mjs")];
  // Nothing is loaded before what records.
  const server = await TestServer.create({ AGENT, BENNU_MODULES_FILE: file, NODE_OPTIONS: "" });
  try {
    await server.start(([node, ...command]) => [node!, ...recorder, ...command]);
    await during(server);
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
  } finally {
    await server.dispose();
  }
  const modules = (await readFile(file, "utf8")).split("\n");
  // What records sees both ways of loading: a module of ours, and one that only another requires.
  expect(modules.some((name) => name.endsWith("/dist/server/agents/echo.js"))).toBe(true);
  expect(modules.some((name) => name.startsWith("require:") && name.includes("/node_modules/express/lib/"))).toBe(true);
  return modules;
}

async function answerTo(message: string, { url }: TestServer): Promise<string> {
  const socket = await connectPhoenix("1.8.16", url, {});
  const channel = socket.channel(`messages:${businessId}`, { userId: "ana" });
  let answer: string | null = null;
  channel.on("new_message", (payload) => (answer = (payload as { readonly message: string }).message));
  await settled(channel.join());
  await settled(channel.push("new_message", { businessId, locationId: "L0100001", userId: "ana", message }));
  const said = await until("an answer", () => answer);
  await disconnected(socket);
  return said;
}

test("[A20] with AGENT=echo, LangGraph is never loaded", async () => {
  const modules = await modulesOf("echo", async (server) => {
    expect(await answerTo("hello", server)).toBe("hello");
  });
  expect(modules.filter((name) => langchain.test(name) || learnt.test(name))).toEqual([]);
}, 300_000);

test("[A20] with AGENT=assistant it is, before anybody asks something", async () => {
  const modules = await modulesOf("assistant", () => Promise.resolve());
  expect(modules.filter((name) => langchain.test(name))).not.toEqual([]);
}, 300_000);

test("[A20] the built server answers with it", async () => {
  await modulesOf("assistant", async (server) => {
    expect(await answerTo("Vreau să fac o programare", server)).toBe(
      "Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?",
    );
  });
}, 300_000);

test("[A20] nothing of a turn is sent to a tracing service, whatever the environment says", async () => {
  const requests: string[] = [];
  const service = createServer((request, response) => {
    requests.push(request.url ?? "");
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end("{}");
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  const address = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const traced = {
    PATH: process.env.PATH ?? "",
    ...{ LANGSMITH_TRACING: "true", LANGSMITH_TRACING_V2: "true", LANGSMITH_API_KEY: "key" },
    ...{ LANGCHAIN_TRACING: "true", LANGCHAIN_TRACING_V2: "true", LANGCHAIN_API_KEY: "key" },
    ...{ LANGSMITH_ENDPOINT: address, LANGCHAIN_ENDPOINT: address },
  };
  const answer = async (which: "ours" | "bare") => {
    const script = join(support, "traced-turn.mjs");
    const { stdout } = await promisify(execFile)(process.execPath, [script, which], { env: traced });
    expect(stdout).toBe("answered\n");
  };
  await answer("ours");
  expect(requests).toEqual([]);
  // As it comes, it would have been.
  await answer("bare");
  expect(requests).not.toEqual([]);
  service.closeAllConnections();
  service.close();
}, 300_000);
