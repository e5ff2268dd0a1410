import { spawn } from "node:child_process";
import { once } from "node:events";
import { fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { open as openLmdb } from "lmdb";
import { systemClock } from "../server/clock.js";
import { admit, type NewUserMessage } from "../server/messaging/head.js";
import type { ChatMessage } from "../server/messaging/model.js";
import type { Store } from "../server/messaging/store.js";
import { EmbeddedStore } from "../server/stores/embedded/store.js";
import { headOf } from "../test/support/heads.js";
import type { Figure, Part } from "./part.js";

const startedAt = Date.parse("2026-03-02T10:00:00.000Z");
const content = "Bună ziua, aș dori o programare pentru săptămâna viitoare, dacă se poate după ora 16.";
const writerCounts = [1, 16, 256];
const messagesPerRound = 2000;
const rounds = 9;
const longSession = 1_000_000;
const storedAtStart = 100_000;

/** The embedded store beside what it stands on: bare LMDB, and the machine's own fsync. */
export const store: Part = {
  title: "The embedded store: time per durable message, and per page",
  limits: [
    "lmdb: as its manual says, `await transaction(…); await flushed`, with a row, a session and an index entry a message.",
    "fsync: 400 bytes appended to a file, then fdatasync, one after the other.",
    "Everything lies in the folder for temporary files, and runs in the process of the bench; the servers have their own.",
  ],
  async *run({ only }) {
    const wanted = (work: string) => only === null || work.includes(only);
    for (const writers of writerCounts) {
      const work = `durable messages, ${writers} at once`;
      if (wanted(work)) yield await throughput(work, writers);
    }
    if (wanted("admission")) yield* admissions();
    if (wanted("page of 50")) yield await pages("page of 50, before a random offset");
    if (wanted("start")) yield await starts("from start to listening");
  },
};

async function throughput(work: string, writers: number): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "bennu-bench-"));
  const subjects = { lmdb: await bareLmdb(directory), bennu: await embedded(directory) };
  const samples = samplesOf(subjects);
  const count = writers === 1 ? messagesPerRound / 4 : messagesPerRound * 2;
  for (let round = 0; round < rounds; round += 1) {
    for (const [peer, subject] of Object.entries(subjects)) {
      const began = performance.now();
      await inParallel(writers, count, (writer) => subject.say(writer));
      samples.get(peer)!.push((1000 * (performance.now() - began)) / count);
    }
  }
  for (const subject of Object.values(subjects)) await subject.close();
  await rm(directory, { recursive: true });
  return { work, unit: "µs a message", samples, goal: null };
}

// One after another: what a user waits for who is alone.
async function* admissions(): AsyncGenerator<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "bennu-bench-"));
  const subjects = { fsync: bareFsync(directory), bennu: await embedded(directory) };
  const [p50, p99] = [samplesOf(subjects), samplesOf(subjects)];
  for (let round = 0; round < rounds; round += 1) {
    for (const [peer, subject] of Object.entries(subjects)) {
      const times: number[] = [];
      for (let index = 0; index < 500; index += 1) {
        const began = performance.now();
        await subject.say(0);
        times.push(performance.now() - began);
      }
      times.sort((a, b) => a - b);
      p50.get(peer)!.push(times[Math.floor(times.length * 0.5)]!);
      p99.get(peer)!.push(times[Math.floor(times.length * 0.99)]!);
    }
  }
  for (const subject of Object.values(subjects)) await subject.close();
  await rm(directory, { recursive: true });
  yield { work: "admission, one writer, p50", unit: "ms", samples: p50, goal: null };
  yield { work: "admission, one writer, p99", unit: "ms", samples: p99, goal: { max: 10, of: "fsync" } };
}

async function pages(work: string): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "bennu-bench-"));
  const opened = await openStore(directory);
  const lengths = { "of 100": 100, "of 1,000,000": longSession };
  for (const [name, length] of Object.entries(lengths)) await fill(opened, name, length);
  const samples = samplesOf(lengths);
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, length] of Object.entries(lengths)) {
      const began = performance.now();
      for (let index = 0; index < 500; index += 1) {
        const before = 51 + Math.floor(Math.random() * (length - 50));
        const { items } = await opened.readMessages(name, { before, limit: 50 });
        if (items.length !== 50) throw new Error(`a page before ${before} has ${items.length} messages`);
      }
      samples.get(name)!.push((1000 * (performance.now() - began)) / 500);
    }
  }
  await opened.close();
  await rm(directory, { recursive: true });
  return { work, unit: "µs a page", samples, goal: { max: 1.2, of: "of 100" } };
}

async function starts(work: string): Promise<Figure> {
  const peers = { "with nothing": 0, [`with ${storedAtStart.toLocaleString("en")} messages`]: storedAtStart };
  const samples = samplesOf(peers);
  const directories = new Map<string, string>();
  for (const [name, length] of Object.entries(peers)) {
    const directory = await mkdtemp(join(tmpdir(), "bennu-bench-"));
    directories.set(name, directory);
    const opened = await openStore(directory);
    for (let session = 0; session < length / 1000; session += 1) await fill(opened, `s${session}`, 1000);
    await opened.close();
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const name of Object.keys(peers)) samples.get(name)!.push(await timeToListen(directories.get(name)!));
  }
  for (const directory of directories.values()) await rm(directory, { recursive: true });
  return { work, unit: "s", samples, goal: { max: 2, of: null } };
}

async function timeToListen(dataDir: string): Promise<number> {
  const began = performance.now();
  const main = fileURLToPath(new URL("../server/main.js", import.meta.url));
  const env = { PATH: process.env.PATH ?? "", PORT: "0", DATA_DIR: dataDir, LOG_LEVEL: "silent" };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("Bennu listens")) break;
  }
  const seconds = (performance.now() - began) / 1000;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
  return seconds;
}

interface Subject {
  say(writer: number): Promise<unknown>;
  close(): Promise<void>;
}

async function embedded(directory: string): Promise<Subject> {
  const opened = await openStore(join(directory, "bennu"));
  const known = new Set<number>();
  let count = 0;
  return {
    async say(writer) {
      const sessionId = `s${writer}`;
      if (!known.has(writer)) await opened.createHead(headOf({ session: { sessionId, userId: sessionId } }));
      known.add(writer);
      count += 1;
      const message: NewUserMessage = {
        messageId: `message-${String(count).padStart(20, "0")}`,
        userId: sessionId,
        locationId: "L1",
        content,
        context: {},
        metadata: { source: "websocket" },
      };
      const terms = { now: Date.now(), node: "bench", isOver: false, isFinal: false };
      // Nobody answers here: a head with its thousand open turns is not what is to be measured.
      await opened.changeSession(sessionId, (head) => {
        const change = admit(head, null, message, terms);
        return change.head === undefined ? change : { ...change, head: { ...change.head, turns: [] } };
      });
    },
    close: () => opened.close(),
  };
}

async function bareLmdb(directory: string): Promise<Subject> {
  const root = openLmdb({ path: join(directory, "lmdb"), maxDbs: 4 });
  const tables = ["messages", "sessions", "active"].map((name) => root.openDB<unknown, (string | number)[]>({ name }));
  const [messages, sessions, active] = [tables[0]!, tables[1]!, tables[2]!];
  let count = 0;
  return Promise.resolve({
    async say(writer: number) {
      count += 1;
      const offset = count;
      const sessionId = `s${writer}`;
      const { session } = headOf({ session: { sessionId, userId: sessionId } });
      await root.transaction(() => {
        void messages.put([sessionId, offset], messageOf(sessionId, offset));
        void sessions.put([sessionId], { ...session, offset });
        void active.put(["B1", session.lastMessageAt, sessionId], sessionId);
      });
      await root.flushed;
    },
    close: () => root.close(),
  });
}

function bareFsync(directory: string): Subject {
  const file = openSync(join(directory, "fsync"), "a");
  const record = Buffer.alloc(400, "x");
  return {
    say() {
      writeSync(file, record);
      fdatasyncSync(file);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

async function fill(opened: Store, sessionId: string, length: number): Promise<void> {
  const head = headOf({ session: { sessionId, userId: sessionId } });
  const session = { ...head.session, offset: length, totals: { messages: length, tokens: 0, cost: 0 } };
  for (let from = 1; from <= length; from += 1000) {
    const count = Math.min(1000, length - from + 1);
    const messages = Array.from({ length: count }, (_, index) => messageOf(sessionId, from + index));
    await opened.importSession({ ...head, session }, messages);
  }
}

async function inParallel(writers: number, count: number, work: (writer: number) => Promise<unknown>): Promise<void> {
  let left = count;
  const write = async (writer: number) => {
    while (left > 0) {
      left -= 1;
      await work(writer);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
}

function openStore(directory: string): Promise<Store> {
  return EmbeddedStore.open(directory, systemClock, (cause) => {
    throw cause;
  });
}

function messageOf(sessionId: string, offset: number): ChatMessage {
  return {
    messageId: `${sessionId}-${offset}`,
    sessionId,
    offset,
    businessId: "B1",
    userId: sessionId,
    content,
    type: "user",
    timestamp: new Date(startedAt + offset).toISOString(),
    metadata: { source: "websocket" },
  };
}

function samplesOf(peers: Readonly<Record<string, unknown>>): Map<string, number[]> {
  return new Map(Object.keys(peers).map((name) => [name, []]));
}
