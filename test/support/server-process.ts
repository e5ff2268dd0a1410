import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { loadMarker } from "./load.js";
import { hasToken } from "./log-checker.js";
import { unlimited } from "./unlimited.js";

/** A line of the server's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Makes another command of the server's, one that runs it under some condition. */
export type Wrap = (command: readonly string[], dataDir: string) => readonly string[];

const root = join(import.meta.dirname, "..", "..");
const startTimeoutMs = 60_000;
const watched = `--import=${pathToFileURL(join(root, "dist", "test", "support", "watch-child.js")).href}`;

/** Nothing of ours but where programs are, and what has a server say what it answers otherwise than described. (SPEC H26) */
export const nodeEnvironment = { PATH: process.env.PATH ?? "", NODE_OPTIONS: watched };

/** The built server as a process of its own. */
class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<Exit>;
  readonly #stdout: string[] = [];
  readonly #stderr: string[] = [];
  url = "";

  constructor(command: readonly string[], environment: Readonly<Record<string, string>>) {
    // Nothing of the caller's environment, so that the server is the same on every machine.
    const env = { ...nodeEnvironment, PORT: "0", HOST: "127.0.0.1", ...environment };
    this.#child = spawn(command[0]!, command.slice(1), { env, cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    const endWithUs = () => this.#child.kill("SIGKILL");
    process.once("exit", endWithUs);
    createInterface({ input: this.#child.stderr! }).on("line", (line) => {
      this.#stderr.push(line);
      //
      if (hasToken(line) || line.includes(loadMarker)) {
        throw new Error(`the server has logged a token, or what was said: ${line.slice(0, 100)}`);
      }
    });
    // "close" comes after the last line; "exit" may come before it.
    this.#exit = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => {
        process.off("exit", endWithUs);
        resolve({ code, signal });
      });
    });
    this.#exit.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get stdout(): readonly string[] {
    return this.#stdout;
  }

  get stderr(): readonly string[] {
    return this.#stderr;
  }

  get exit(): Promise<Exit> {
    return this.#exit;
  }

  /** @throws when it ends instead of listening */
  async listening(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const said = new Promise<string>((resolve) => {
      createInterface({ input: this.#child.stdout! }).on("line", (line) => {
        this.#stdout.push(line);
        const url = /^Bennu listens on (http:\S+)$/.exec(line)?.[1];
        if (url !== undefined) resolve(url);
      });
    });
    const ended = this.#exit.then((exit) => {
      throw new Error(`the server did not start (${JSON.stringify(exit)}): ${this.#stderr.join("\n")}`);
    });
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the server did not start in ${startTimeoutMs} ms`)), startTimeoutMs);
    });
    ended.catch(() => undefined);
    try {
      this.url = await Promise.race([said, ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws when it has ended already */
  async signal(signal: NodeJS.Signals): Promise<Exit> {
    if (!this.#child.kill(signal)) {
      throw new Error(`the server had ended (${JSON.stringify(await this.#exit)}): ${this.#stderr.join("\n")}`);
    }
    return this.#exit;
  }
}

/** What makes a server keep its data in DynamoDB. Servers with the same tables work on the same sessions. */
export function inDynamo(endpoint: string, tablePrefix: string): Readonly<Record<string, string>> {
  return { STORE: "dynamodb", DYNAMODB_ENDPOINT: endpoint, DYNAMODB_TABLE_PREFIX: tablePrefix };
}

/** A data directory, and the server processes that have it one after another. */
export class TestServer {
  readonly dataDir: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #processes: ServerProcess[] = [];

  private constructor(dataDir: string, environment: Readonly<Record<string, string>>) {
    this.dataDir = dataDir;
    this.#environment = {
      AGENT: "echo",
      LOG_LEVEL: "info",
      ...unlimited,
      DRAIN_TIMEOUT_MS: "10000",
      BUSINESSES_DIR: join(root, "businesses"),
      ...environment,
      DATA_DIR: dataDir,
    };
  }

  /** An empty data directory. Nothing runs yet. */
  static async create(environment: Readonly<Record<string, string>> = {}): Promise<TestServer> {
    // strace compares real paths.
    const dataDir = await realpath(await mkdtemp(join(tmpdir(), "bennu-")));
    return new TestServer(dataDir, environment);
  }

  get url(): string {
    return this.#current.url;
  }

  /** What the present process said on stdout. */
  get greeting(): readonly string[] {
    return this.#current.stdout;
  }

  get pid(): number {
    return this.#current.pid;
  }

  get isRunning(): boolean {
    return this.#current.isRunning;
  }

  /** Of all its processes so far. */
  get log(): readonly LogLine[] {
    return this.#processes.flatMap(({ stderr }) => stderr.flatMap(logLine));
  }

  /** Everything that the present process has said on stderr. */
  get stderr(): string {
    return this.#current.stderr.join("\n");
  }

  /** Starts the next process, and waits until it listens. */
  async start(wrap: Wrap = (command) => command): Promise<void> {
    this.begin(wrap);
    await this.#current.listening();
  }

  /** Starts a process that must not come up. @returns how it ended, and what it said */
  async startInVain(): Promise<Exit & { readonly stderr: string }> {
    const command = [process.execPath, join(root, "dist", "server", "main.js")];
    const other = new ServerProcess(command, this.#environment);
    const isUp = await other.listening().then(
      () => true,
      () => false,
    );
    if (isUp) await other.signal("SIGKILL");
    return { ...(await other.exit), stderr: other.stderr.join("\n") };
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** SIGTERM. @returns how it ended */
  terminate(): Promise<Exit> {
    return this.#end("SIGTERM");
  }

  /** Sends a signal, and does not wait for what comes of it. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** How the present process ends. */
  get exit(): Promise<Exit> {
    return this.#current.exit;
  }

  /** Starts the next process, and does not wait for it. */
  begin(wrap: Wrap = (command) => command): void {
    const command = wrap([process.execPath, join(root, "dist", "server", "main.js")], this.dataDir);
    this.#processes.push(new ServerProcess(command, this.#environment));
  }

  /** Ends what still runs and removes the data. @throws when any of its processes has logged what it must not */
  async dispose(): Promise<void> {
    const last = this.#processes.at(-1);
    if (last?.isRunning === true) await last.signal("SIGKILL");
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 3 });
    this.#checkLogs();
  }

  get #current(): ServerProcess {
    const current = this.#processes.at(-1);
    if (current === undefined) throw new Error("no server was started");
    return current;
  }

  async #end(signal: NodeJS.Signals): Promise<Exit> {
    const exit = await this.#current.signal(signal);
    this.#checkLogs();
    return exit;
  }

  #checkLogs(): void {
    const wrong = this.log.find(({ msg }) => faults.has(msg));
    if (wrong !== undefined) throw new Error(`the server logged ${JSON.stringify(wrong)}`);
  }
}

const faults: ReadonlySet<string> = new Set(["uncaught", "channel crashed", "not as the API is described"]);

// Beside the log, lmdb and Node say what they have to say as plain text.
function logLine(line: string): readonly LogLine[] {
  try {
    return [JSON.parse(line) as LogLine];
  } catch {
    return [];
  }
}
