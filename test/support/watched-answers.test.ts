import { expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { ask } from "./plain-http.js";
import { nodeEnvironment } from "./server-process.js";
import { until } from "./until.js";
import { watchAnswers } from "./watched-answers.js";

const json = { "content-type": "application/json" };
const wrong = "GET /healthz: 200 ";

test.each<[string, RequestListener, string]>([
  ["at once", (_request, response) => void response.writeHead(200, json).end('{"status":"no"}'), "#/status"],
  [
    "in pieces",
    (_request, response) => {
      response.setHeader("content-type", "application/json");
      response.write('{"status":');
      response.end('"no"}');
    },
    "#/status",
  ],
  ["without a type", (_request, response) => void response.end('{"status":"ok"}'), "came as nothing"],
])("[H26] an answer that is given %s is read along, and no other server's", async (_how, listener, fault) => {
  const [ours, theirs] = [createServer(listener), createServer(listener)];
  const portOf = (server: typeof ours) => (server.address() as AddressInfo).port;
  for (const server of [ours, theirs]) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const faults: string[] = [];
  const port = portOf(ours);
  watchAnswers(
    (asked) => asked === port,
    (noted) => faults.push(noted),
  );
  await ask({ port: portOf(theirs) }, "/healthz");
  await ask(ours.address() as AddressInfo, "/healthz");
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(wrong);
  expect(faults[0]).toContain(fault);
  for (const server of [ours, theirs]) await new Promise((done) => server.close(done));
});

test("[H26] a server of its own process says in its log what it answered otherwise", async () => {
  const script = `require("node:http").createServer((_, response) => response.end("?")).listen(0, "127.0.0.1", function () {
    console.log(this.address().port);
  });`;
  const child = spawn(process.execPath, ["-e", script], { env: nodeEnvironment, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const lines: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
    const port = await new Promise<number>((done) => {
      createInterface({ input: child.stdout }).once("line", (line) => done(Number(line)));
    });
    await ask({ port }, "/healthz");
    await until("the line", () => lines.length > 0);
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 50,
      msg: "not as the API is described",
      fault: "GET /healthz: 200 came as nothing",
    });
  } finally {
    child.kill();
  }
});
