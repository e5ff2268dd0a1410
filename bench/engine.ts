import { clientFrame } from "./frames.js";
import { Load } from "./load.js";
import { openFilesLimit } from "./machine.js";
import type { Figure, Goal, Options, Part } from "./part.js";
import * as wire from "./peers/wire.js";
import { ServerProcess } from "./server-process.js";

interface Peer {
  readonly name: string;
  readonly module: URL;
}

const peers: readonly Peer[] = [
  { name: "floor", module: new URL("peers/floor.js", import.meta.url) },
  { name: "ws", module: new URL("peers/ws.js", import.meta.url) },
  { name: "bennu", module: new URL("../test/transcript/server.js", import.meta.url) },
];

const broadcastBytes = 200;
const push = clientFrame(wire.push);

/** The engine beside a raw TCP server and plain `ws`, over the wire: the server's own CPU per unit of work. */
export const engine: Part = {
  title: "The channel engine: CPU of the server process per unit of work",
  limits: [
    `Open files: ${openFilesLimit()}; Node raises its own limit to the hard one.`,
    "Backlog of the floor's and of ws's listeners: 4,096 instead of 511.",
    "The transcript server, which is what is measured here, has all limits of the desk off and Phoenix's own on.",
    "No compression. Every peer runs with --expose-gc and --max-semi-space-size=32, and is otherwise started as it stands.",
  ],
  async *run(options) {
    const wanted = workloads.filter(({ work }) => options.only === null || work.includes(options.only));
    for (const workload of wanted) yield await measure(workload, options);
  },
};

interface Workload {
  readonly work: string;
  readonly unit: string;
  readonly goal: Goal;
  readonly rounds: number;
  /** Every sample needs servers that have done nothing yet. */
  readonly isFresh?: boolean;
  /** Brings one peer to where it can be measured. */
  prepare(server: ServerProcess): Promise<Subject>;
}

export interface Subject {
  /** Takes one sample. */
  sample(): Promise<number>;
  close(): void;
}

const workloads: readonly Workload[] = [
  {
    work: "one broadcast to 1,000 sockets",
    unit: "µs a delivery",
    goal: { max: 1.15, of: "floor" },
    rounds: 21,
    prepare: (server) => prepareBroadcast(server, { sockets: 1000, burst: 1, bursts: 30 }),
  },
  {
    work: "20 broadcasts in a burst to 1,000 sockets",
    unit: "µs a delivery",
    goal: { max: 0.25, of: "floor" },
    rounds: 11,
    prepare: (server) => prepareBroadcast(server, { sockets: 1000, burst: 20, bursts: 5 }),
  },
  {
    work: "push → reply on a channel, 256 sockets",
    unit: "µs a request",
    goal: { max: 1.6, of: "floor" },
    rounds: 15,
    prepare: preparePush,
  },
  {
    work: "connect and join",
    unit: "µs a socket",
    goal: { max: 1.25, of: "ws" },
    rounds: 15,
    prepare: prepareConnect,
  },
  {
    work: "memory of an idle joined socket, 4,000 sockets",
    unit: "KB (1,024 bytes)",
    goal: { max: 11, of: null },
    rounds: 3,
    isFresh: true,
    prepare: prepareMemory,
  },
];

async function measure(workload: Workload, options: Options): Promise<Figure> {
  const { work, unit, goal, isFresh = false } = workload;
  const samples = new Map<string, number[]>(peers.map(({ name }) => [name, []]));
  await (isFresh ? measureAfresh : measureInTurn)(workload, samples, options);
  return { work, unit, samples, goal };
}

type Samples = ReadonlyMap<string, number[]>;

// Round by round each peer in turn, so that what else the machine does disturbs all of them alike.
async function measureInTurn(workload: Workload, samples: Samples, options: Options): Promise<void> {
  const runs: { readonly name: string; readonly server: ServerProcess; readonly subject: Subject }[] = [];
  for (const peer of peers) {
    const server = await start(peer, workload, options);
    runs.push({ name: peer.name, server, subject: await workload.prepare(server) });
  }
  for (let round = 0; round < workload.rounds; round += 1) {
    for (const { name, subject } of runs) samples.get(name)!.push(await subject.sample());
  }
  for (const { server, subject } of runs) {
    subject.close();
    await server.stop();
  }
}

async function measureAfresh(workload: Workload, samples: Samples, options: Options): Promise<void> {
  for (let round = 0; round < workload.rounds; round += 1) {
    for (const peer of peers) {
      const server = await start(peer, workload, options);
      const subject = await workload.prepare(server);
      samples.get(peer.name)!.push(await subject.sample());
      subject.close();
      await server.stop();
    }
  }
}

function start({ name, module }: Peer, { work }: Workload, { profileFolder }: Options): Promise<ServerProcess> {
  const profileName = `${work} ${name}`.replace(/[^0-9a-z]+/gi, "-").toLowerCase();
  return ServerProcess.start({
    module,
    profile: profileFolder === null ? null : { folder: profileFolder, name: profileName },
  });
}

async function prepareBroadcast(
  server: ServerProcess,
  { sockets, burst, bursts }: { sockets: number; burst: number; bursts: number },
): Promise<Subject> {
  const load = newLoad(server);
  await load.open(sockets);
  const work = async (): Promise<void> => {
    for (let times = 0; times < bursts; times += 1) await load.broadcast(wire.topic, burst, broadcastBytes);
  };
  await work();
  return { sample: () => cpuPerUnit(server, work, sockets * burst * bursts), close: () => load.close() };
}

export async function preparePush(server: ServerProcess): Promise<Subject> {
  const requests = 20_000;
  const load = newLoad(server);
  await load.open(256);
  const work = (): Promise<void> => load.pushAndWait(push, requests);
  await work();
  return { sample: () => cpuPerUnit(server, work, requests), close: () => load.close() };
}

async function prepareConnect(server: ServerProcess): Promise<Subject> {
  const sockets = 500;
  const sample = async (): Promise<number> => {
    const load = newLoad(server);
    const micros = await cpuPerUnit(server, () => load.open(sockets), sockets);
    load.close();
    // The server is done with the ends before the next sample, and has no garbage of them.
    await server.memory();
    return micros;
  };
  await sample();
  return { sample, close: () => undefined };
}

async function prepareMemory(server: ServerProcess): Promise<Subject> {
  const sockets = 4000;
  const load = newLoad(server);
  // What a server needs however many sockets it has, such as its compiled code and room for short-lived objects, is
  // there before.
  await load.open(1000);
  return {
    async sample() {
      const before = await server.memory();
      await load.open(sockets);
      return ((await server.memory()) - before) / sockets / 1024;
    },
    close: () => load.close(),
  };
}

function newLoad({ port }: ServerProcess): Load {
  return new Load({ port, path: wire.path, join: clientFrame(wire.join) });
}

async function cpuPerUnit(server: ServerProcess, work: () => Promise<void>, units: number): Promise<number> {
  const before = await server.cpu();
  await work();
  return ((await server.cpu()) - before) / units;
}
