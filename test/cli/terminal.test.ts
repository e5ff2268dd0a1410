import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { bennu } from "../support/cli.js";
import { ClientSeats } from "../support/client-seats.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret, tokenOf } from "../support/tokens.js";
import { until } from "../support/until.js";

const businessId = "B0100001";
const root = join(import.meta.dirname, "..", "..");

let app: TestApp;
let agent: ScriptedAgent;
let seats: ClientSeats;
let terminals: Terminal[];

beforeEach(async () => {
  agent = new ScriptedAgent();
  app = await startTestApp({}, { agents: { echo: agent } });
  seats = new ClientSeats(businessId, () => app.url);
  terminals = [];
});

afterEach(async () => {
  await Promise.all(terminals.map((terminal) => terminal.kill()));
  await seats.leaveAll();
  await app.dispose();
});

/** `bennu` as it is built, at a terminal. */
class Terminal {
  readonly ended: Promise<number | null>;
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [join(root, "dist", "server", "cli.js"), ...args], {
      env: { PATH: process.env.PATH ?? "", PORT: String(app.port), ...environment },
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.ended = new Promise((done) => this.#child.once("close", done));
    terminals.push(this);
  }

  write(text: string): void {
    this.#child.stdin!.write(text);
  }

  end(): void {
    this.#child.stdin!.end();
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  kill(): Promise<number | null> {
    this.#child.kill("SIGKILL");
    return this.ended;
  }
}

describe("bennu chat", () => {
  test("shows an answer as it grows, once, and ends with the input when everything is answered", async () => {
    const chat = new Terminal(["chat", businessId, "--user", "ana"]);
    chat.write("hello\n");
    const call = await agent.call("hello");
    expect(call.turn.userId).toBe("ana");
    call.say({ type: "delta", text: "Good " });
    await until("the first words", () => chat.stdout === "Good ");
    chat.end();
    call.say({ type: "delta", text: "morning" });
    await until("the next", () => chat.stdout === "Good morning");
    call.say({ type: "answer", message: "Good morning, Ana", actions: [{ type: "reply", label: "Book" }] });
    expect(await chat.ended).toBe(0);
    expect(chat.stdout).toBe("Good morning, Ana\n  - Book\n");
    expect(chat.stderr).toBe("");
  });

  test("says when the server is away, keeps what is written, and sends it once it is back", async () => {
    const chat = new Terminal(["chat", businessId]);
    chat.write("hello\n");
    (await agent.call("hello")).answer("Good morning");
    await until("the answer", () => chat.stdout === "Good morning\n");
    await app.stop();
    await until("it is told", () => chat.stderr === "offline; trying again …\n");
    chat.write("still there?\n");
    chat.end();
    app = await startTestApp({ DATA_DIR: app.dataDir, PORT: String(app.port) }, { agents: { echo: agent } });
    (await agent.call("still there?")).answer("Yes");
    expect(await chat.ended).toBe(0);
    expect(chat.stdout).toBe("Good morning\nYes\n");
    expect(chat.stderr).toBe("offline; trying again …\nonline again\n");
    expect(agent.asked).toEqual(["hello", "still there?"]);
  });

  test("[U-01] an answer commands no terminal", async () => {
    const chat = new Terminal(["chat", businessId]);
    chat.write("hello\n");
    chat.end();
    (await agent.call("hello")).answer("a\u001b]0;hurt\u0007b\u009b2Jc\u202ed\n\te");
    expect(await chat.ended).toBe(0);
    expect(chat.stdout).toBe("a\ufffd]0;hurt\ufffdb\ufffd2Jc\ufffdd\n\te\n");
  });

  test("what is refused is said, and the exit code tells", async () => {
    const chat = new Terminal(["chat", businessId]);
    chat.write(`${"x".repeat(9000)}\n`);
    chat.end();
    expect(await chat.ended).toBe(1);
    expect(chat.stderr).toMatch(/^not sent: .* \(message_too_long\)\n$/);
  });
});

describe("bennu tail", () => {
  test("[M17] shows every message with its answer, whoever asked, and ends when it is interrupted", async () => {
    const tail = new Terminal(["tail", businessId]);
    await until("it listens", () => tail.stderr === `listening to ${businessId}\n`);
    for (const userId of ["ana", "ion"]) {
      const chat = await seats.online({ userId });
      await chat.send(`hello from ${userId}`);
      (await agent.call(`hello from ${userId}`)).answer(`Hello\n${userId}`);
      await until("it is shown", () => tail.stdout.includes(`: Hello\n    ${userId}\n`));
    }
    expect(tail.stdout).toMatch(/^\S+Z ana: hello from ana\n {2}answered in \d+ ms: Hello\n {4}ana\n\S+Z ion: /);
    tail.interrupt();
    expect(await tail.ended).toBe(0);
  });
});

describe("where there is no desk", () => {
  const notThere = (port: number, why: string) =>
    `no connection to http://127.0.0.1:${port} (${why}); trying again …\n`;

  const others: Server[] = [];

  afterEach(() => others.splice(0).forEach((server) => server.close()));

  /** Somebody else at a port, who does this with everybody that wants a WebSocket. */
  async function somebodyElse(upgraded: (socket: Duplex) => void, wanted = 0): Promise<Server & { port: number }> {
    const server = createServer().on("upgrade", (_request, socket) => upgraded(socket));
    others.push(server);
    await once(server.listen(wanted, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    return Object.assign(server, { port });
  }

  const answering = (status: string) => (socket: Duplex) =>
    void socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);

  test.each<[string, string | null, (port: number) => string]>([
    ["nothing listens", null, (port) => `connect ECONNREFUSED 127.0.0.1:${port}`],
    ["a proxy waits for it", "503 Service Unavailable", () => "Unexpected server response: 503"],
  ])("%s: it says so once, keeps trying, and sends what was written once it is there", async (_what, status, why) => {
    const { port } = app;
    await app.stop();
    const proxy = status === null ? null : await somebodyElse(answering(status), port);
    const tail = new Terminal(["tail", businessId]);
    const chat = new Terminal(["chat", businessId]);
    chat.write("hello\n");
    chat.end();
    const said = notThere(port, why(port));
    await until("both say so", () => chat.stderr === said && tail.stderr === said);
    proxy?.close();
    app = await startTestApp({ DATA_DIR: app.dataDir, PORT: String(port) }, { agents: { echo: agent } });
    (await agent.call("hello")).answer("Good morning");
    expect(await chat.ended).toBe(0);
    expect([chat.stdout, chat.stderr]).toEqual(["Good morning\n", `${said}online\n`]);
    await until("it listens", () => tail.stderr === `${said}online\nlistening to ${businessId}\n`);
  });

  test("one who answers nothing is not waited for in silence, and is asked again", async () => {
    let asked = 0;
    const notFound = answering("404 Not Found");
    const mute = await somebodyElse((socket) => void ((asked += 1) > 1 && notFound(socket)));
    const chat = new Terminal(["chat", businessId, "--url", `http://127.0.0.1:${mute.port}`]);
    expect(await chat.ended).toBe(2);
    const [away, end] = chat.stderr.split("\n");
    expect(away).toMatch(/^no connection to http:\/\/127\.0\.0\.1:\d+( \(Opening handshake .*\))?; trying again …$/);
    expect(end).toContain("answers 404");
  });

  test.each(["chat", "tail"])("bennu %s ends with exit code 2 where somebody else answers", async (command) => {
    const other = await somebodyElse(answering("404 Not Found"));
    const terminal = new Terminal([command, businessId, "--url", `http://127.0.0.1:${other.port}/desk/`]);
    expect(await terminal.ended).toBe(2);
    const address = `ws://127.0.0.1:${other.port}/desk/socket`;
    expect(terminal.stderr).toContain(`bennu: ${address} answers 404: there is no desk at this address\n`);
  });
});

describe("[X4] with tokens", () => {
  beforeEach(async () => {
    await app.dispose();
    app = await startTestApp({ AUTH_SECRET: secret }, { agents: { echo: agent } });
  });

  const expiring = () => ({ exp: Math.floor(Date.now() / 1000) + 600, iat: Math.floor(Date.now() / 1000) });

  test("a token is given as an option or in BENNU_TOKEN, and says who is writing", async () => {
    const ana = await tokenOf({ sub: "ana", role: "user", businessId, ...expiring() });
    for (const chat of [
      new Terminal(["chat", businessId, "--token", ana]),
      new Terminal(["chat", businessId], { BENNU_TOKEN: ana }),
    ]) {
      chat.write("hello\n");
      chat.end();
    }
    await until("both", () => agent.calls.length === 1);
    for (let n = 0; n < 2; n += 1) (await until("a call", () => agent.calls[n])).answer("Good morning");
    expect(await Promise.all(terminals.map(({ ended }) => ended))).toEqual([0, 0]);
    expect(agent.calls.map(({ turn }) => turn.userId)).toEqual(["ana", "ana"]);
  });

  test("who may not see the business is told so, with exit code 2", async () => {
    const other = await tokenOf({ sub: "eve", role: "coordinator", businessId: "B2", ...expiring() });
    const tail = new Terminal(["tail", businessId, "--token", other]);
    expect(await tail.ended).toBe(2);
    expect(tail.stderr).toMatch(/^bennu: refused: /);
  });

  test("a token that the server does not take is said, with exit code 2", async () => {
    const chat = new Terminal(["chat", businessId, "--user", "ana", "--token", "nonsense"]);
    expect(await chat.ended).toBe(2);
    expect(chat.stderr).toContain("answers 403: its token is refused, or it lets nobody in\n");
  });
});

test.each<[string[], string]>([
  [["chat"], "chat takes one business"],
  [["chat", "a b"], "the business is not 1 to 64 of [A-Za-z0-9._-]"],
  [["chat", businessId, "--user", "a b"], "--user is not 1 to 128 of [A-Za-z0-9._@|+:-]"],
  ...["ftp://x", "http://", "http://x:99999", "http://x:0", "http://x?a=b", "http://x/#a"].map(
    (url): [string[], string] => [
      ["tail", businessId, "--url", url],
      "--url is http://… or https://…, without ? and #",
    ],
  ),
  [["tail", businessId, "--user", "x"], "Unknown option '--user'"],
])("%j is refused in one line, and told what there is", async (args, reason) => {
  const { code, stdout, stderr } = await bennu(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.split("\n").slice(0, 3)).toEqual([`bennu: ${reason}`, "", "Usage: bennu <command>"]);
});

test.each(["0", "70000", "x"])("PORT=%s is where no desk can be, and is refused in one line", async (port) => {
  const { code, stdout, stderr } = await bennu(["chat", businessId], { PORT: port });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr.split("\n", 1)).toEqual(["bennu: PORT is not 1 to 65535"]);
});
