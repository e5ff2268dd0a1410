import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { nodeEnvironment } from "./support/server-process.js";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");

interface Manifest {
  readonly bin: { readonly bennu: string };
  readonly dependencies: Readonly<Record<string, string>>;
}

/** An app that has Bennu installed as npm packs it, and nothing else but what Bennu says that it needs. */
let app: string;
let installed: string;
let manifest: Manifest;

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "bennu-app-"));
  installed = join(app, "node_modules", "bennu");
  await mkdir(installed, { recursive: true });
  // What was built for the tests is packed. `prepack` builds the same, from nothing.
  const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", app], { cwd: root });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await run("tar", ["-xzf", join(app, filename), "-C", installed, "--strip-components=1"]);
  manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as Manifest;
  // TypeScript is the app's own, and with it the types of Node.
  for (const name of [...Object.keys(manifest.dependencies), "typescript", "@types/node"]) {
    const target = join(app, "node_modules", name);
    await mkdir(dirname(target), { recursive: true });
    await symlink(join(root, "node_modules", name), target);
  }
  await writeFile(join(app, "package.json"), JSON.stringify({ name: "app", type: "module" }));
});

afterAll(() => rm(app, { recursive: true, force: true }));

test("the package holds what runs and what explains it, and nothing else", async () => {
  const files = (await readdir(installed, { recursive: true })).toSorted();
  for (const wanted of [
    "dist/server/bennu.js",
    "dist/server/bennu.d.ts",
    "dist/server/testing.js",
    "dist/server/main.js",
    "dist/client/public/index.html",
    "dist/client/client.js",
    "dist/client/client.d.ts",
    "businesses/B0100001.yaml",
    "docs/channels.md",
    "protocol/SPEC.md",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
  ]) {
    expect(files).toContain(wanted);
  }
  expect(files.filter((file) => /(^|\/)(test|bench|golden)(\/|$)|\.built-from|\.ts$(?<!\.d\.ts)/.test(file))).toEqual(
    [],
  );
});

test("the guide leads to files that are in it", async () => {
  const guide = await readFile(join(installed, "docs", "channels.md"), "utf8");
  const targets = [...guide.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target]) => target!);
  expect(targets).not.toEqual([]);
  for (const target of targets) await readFile(join(installed, "docs", target));
});

const javascript = `
import { Channel, Endpoint, ok } from "bennu";
import { connect } from "bennu/testing";

class Room extends Channel {
  join() { return ok(); }
  handleIn(event, payload) { return ok(payload); }
}
const endpoint = new Endpoint({ mounts: { "/socket": { channels: { "room:*": Room } } } });
const room = await (await connect(endpoint, "/socket")).join("room:1");
console.log(JSON.stringify(await room.assertReply(room.push("echo", { n: 1 }), "ok")));
`;

test("plain JavaScript imports it", async () => {
  await writeFile(join(app, "app.js"), javascript);
  expect((await run(process.execPath, ["app.js"], { cwd: app })).stdout).toBe('{"n":1}\n');
});

const typescript = `
import { createServer } from "node:http";
import {
  Channel, Endpoint, EncodeError, error, ok, Presence, refuse, stop, Telemetry,
  type Accepted, type Cancel, type Clock, type ConnectInfo, type DrainOptions, type HandleResult, type HttpAnswer,
  type JoinResult, type Listener, type MountOptions, type OriginPolicy, type Params, type PubSubAdapter, type Ref,
  type Refused, type Result, type TelemetryEvents, type Unsubscribe,
} from "bennu";
import { connect, type TestChannel } from "bennu/testing";

class Room extends Channel {
  override readonly intercepts = ["said"];
  #unlisten: Unsubscribe | null = null;
  override async join(payload: unknown): Promise<JoinResult> {
    this.#unlisten = this.listen("news");
    return payload === null ? error({ reason: "no" }) : ok();
  }
  override handleIn(event: string, payload: unknown, ref: Ref): HandleResult {
    this.reply(ref, ok());
    return event === "quit" ? stop("normal", ok()) : undefined;
  }
  override handleOut(event: string, payload: unknown) { this.push(event, payload); }
  override handleInfo() {}
  override terminate() { this.#unlisten?.(); }
}

// A ticker outside of all channels.
function tick(players: ReadonlySet<Room>) {
  for (const player of players) player.send({ tick: 1 });
}

const policy: OriginPolicy = ["https://example.com"];
const onRefused = (reason: unknown): HttpAnswer => ({ status: 401, body: String(reason) });
const connecting = ({ token }: Params, info: ConnectInfo): Accepted | Refused =>
  typeof token === "string" ? { id: token, assigns: { transport: info.transport } } : refuse("no token");
const mount: MountOptions = { channels: { "room:*": Room }, connect: connecting, checkOrigin: policy, onRefused };
const telemetry = new Telemetry();
const detach: () => void = telemetry.attach("channel_crashed", ({ topic, error }: TelemetryEvents["channel_crashed"]) => {
  if (error instanceof EncodeError) console.error(topic);
});
const adapter: PubSubAdapter = { start: async () => {}, publish: () => {}, stop: async () => {} };
const endpoint = new Endpoint({ mounts: { "/socket": mount }, telemetry, adapter });
const presence = new Presence(endpoint);
const heard: Listener = ({ topic, event }) => console.log(topic, event);
const unlisten: Unsubscribe = endpoint.pubsub.listen("room:1", heard);
endpoint.attach(createServer((request, response) => void (endpoint.handle(request, response) || response.end())));
const options: DrainOptions = { batchSize: 10, intervalMs: 1 };
await endpoint.stop(options);
const room: TestChannel = await (await connect(endpoint, "/socket", {}, { authToken: "t", patienceMs: 10 })).join("room:1");
await room.assertReply(room.push("quit", new Uint8Array(1)), "ok", undefined, { patienceMs: 5 });
await room.refuteWithin(5, "said");
export type Also = [Cancel, Clock, Result<void, "x">, typeof tick, typeof presence, typeof unlisten, typeof detach];
`;

const typedClient = `
import {
  Chat, ChatError, Coordinator, History, withoutQuestions,
  type ChatEntry, type ChatStatus, type ChatView, type ConnectionOptions, type ConsoleEvents, type Intent, type Receipt,
  type RunningAnswer, type Session, type TokenReason,
} from "bennu/client";

const token = async (reason: TokenReason): Promise<string> => (reason === "connect" ? "a" : "b");
const where: ConnectionOptions = { url: "ws://127.0.0.1:1/socket", businessId: "B1", token };
const chat = new Chat({ ...where, userId: "ana" });
const shown: [ChatView, ChatStatus, readonly RunningAnswer[]] = [chat.view, chat.status, chat.view.running];
chat.onMessage(({ content, components }: ChatEntry) => console.log(withoutQuestions(content, components)));
chat.onIntent(({ name }: Intent) => console.log(name));
const said: Promise<Receipt | string> = chat.send("hello").catch((cause: unknown) => (cause as ChatError).code);
const coordinator = new Coordinator({ ...where, cursor: "c" });
coordinator.on("processed", ({ answer }) => console.log(answer));
const taken: Promise<Session | void> = coordinator.takeOver("s").catch(() => undefined);
const history = new History({ ...where, baseUrl: "", sessionId: "s", userId: "ana" });
export type Also = [ConsoleEvents["presence"], typeof said, typeof taken, typeof shown, typeof history];
// @ts-expect-error -- there is no such event
coordinator.on("nothing", () => undefined);
`;

test("plain JavaScript imports the client", async () => {
  const script = `
    import { Chat, Coordinator } from "bennu/client";
    const chat = new Chat({ url: "ws://127.0.0.1:1/socket", businessId: "B1", userId: "ana" });
    const said = chat.send("hello").catch(({ code }) => code);
    await chat.leave();
    console.log(await said, typeof Coordinator);
  `;
  await writeFile(join(app, "client.js"), script);
  expect((await run(process.execPath, ["client.js"], { cwd: app })).stdout).toBe("left function\n");
});

const wrong = `
import { Channel, Endpoint } from "bennu";
declare const channel: Channel;
declare const endpoint: Endpoint;
// @ts-expect-error -- the engine's side of a channel is nobody else's
Channel.portOf(channel);
// @ts-expect-error -- how the kit comes in is no way in for others
void endpoint.connect;
// @ts-expect-error -- the desk's events are the desk's
endpoint.telemetry.attach("turn.answered", () => undefined);
`;

test("TypeScript takes its types as they are", async () => {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    target: "ES2022",
    module: "NodeNext",
    types: ["node"],
  };
  await writeFile(join(app, "app.ts"), typescript);
  await writeFile(join(app, "client.ts"), typedClient);
  await writeFile(join(app, "wrong.ts"), wrong);
  await writeFile(
    join(app, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["app.ts", "client.ts", "wrong.ts"] }),
  );
  const tsc = join(app, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = await run(process.execPath, [tsc], { cwd: app }).catch((cause: { stdout: string }) => cause);
  expect(stdout).toBe("");
});

test("bennu help says what there is", async () => {
  const { stdout } = await run(process.execPath, [join(installed, manifest.bin.bennu), "help"], { cwd: app });
  expect(stdout).toContain("Usage: bennu <command>");
  expect(await readFile(join(installed, manifest.bin.bennu), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
});

async function start(
  environment: Readonly<Record<string, string>>,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const ours = { PORT: "0", DATA_DIR: join(app, "data"), LOG_LEVEL: "fatal", ...environment };
  const env = { ...process.env, ...nodeEnvironment, ...ours };
  const server = spawn("npm", ["start"], { cwd: installed, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ended = new Promise<void>((resolve) => server.on("exit", () => resolve()));
  const stop = async () => {
    server.kill("SIGTERM");
    await ended;
    expect(said).not.toContain("not as the API is described");
  };
  return new Promise((resolve, reject) => {
    const read = (text: Buffer) => {
      said += text.toString();
      const found = /Bennu listens on (http:\S+)/.exec(said);
      if (found !== null) resolve({ url: found[1]!, stop });
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.on("close", () => reject(new Error(said)));
  });
}

async function expectUp(environment: Readonly<Record<string, string>>): Promise<void> {
  const { url, stop } = await start(environment);
  expect((await fetch(url)).status).toBe(200);
  expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({});
  await stop();
}

test("npm start starts an installed package too, without what is optional", () => expectUp({ AGENT: "echo" }));

test("[A20] the assistant without its package is refused at the start, saying what to do", async () => {
  await expect(start({ AGENT: "assistant" })).rejects.toThrow(
    "bennu cannot start: the assistant needs the package @langchain/langgraph, which is not installed: " +
      "run npm install without --omit=optional, or set AGENT to another agent",
  );
  const scope = join(app, "node_modules", "@langchain");
  await symlink(join(root, "node_modules", "@langchain"), scope);
  await expectUp({ AGENT: "assistant" });
  await rm(scope);
});
