import { WebSocket } from "ws";
import { preparePush } from "./engine.js";
import type { Figure, Options, Part } from "./part.js";
import { ServerProcess } from "./server-process.js";

const users = 256;
const turns = 2500;
const rounds = 21;
const businessId = "BENCH";
const topic = `messages:${businessId}`;

/** A `new_message` from its first byte to its answer, through the whole desk. */
export const turn: Part = {
  title: "A turn: CPU of the server process per new_message that was answered",
  limits: [
    "AGENT=echo on the embedded store: both messages durable and pushed, message_processed told to one coordinator.",
    "Rates of sockets, users and businesses off; MAX_BACKLOG_PER_BUSINESS 1,000 instead of 100.",
    "Beside it, to tell how fast the machine is at the moment: the floor of push → reply, a request to a raw TCP server.",
    "The goal is 200 µs where that floor is 5.7–7.7 µs: 26 times the dearest of them.",
  ],
  async *run({ only, profileFolder }: Options): AsyncIterable<Figure> {
    const work = `new_message to its answer, ${users} users at once`;
    if (only !== null && !work.includes(only)) return;
    const profile = profileFolder === null ? null : { folder: profileFolder, name: "turn" };
    const server = await ServerProcess.start({ module: new URL("peers/desk.js", import.meta.url), profile });
    const desk = await Desk.connect(server.port);
    const floorServer = await ServerProcess.start({
      module: new URL("peers/floor.js", import.meta.url),
      profile: null,
    });
    const floor = await preparePush(floorServer);
    await desk.answer(turns);
    const samples = { floor: [] as number[], bennu: [] as number[] };
    let floorBefore = await floor.sample();
    for (let round = 0; round < rounds; round += 1) {
      const before = await server.cpu();
      await desk.answer(turns);
      samples.bennu.push(((await server.cpu()) - before) / turns);
      // On both sides of a round, since how fast the machine is changes within it.
      const floorAfter = await floor.sample();
      samples.floor.push((floorBefore + floorAfter) / 2);
      floorBefore = floorAfter;
    }
    floor.close();
    desk.close();
    await Promise.all([floorServer.stop(), server.stop()]);
    yield { work, unit: "µs a turn", samples: new Map(Object.entries(samples)), goal: { max: 26, of: "floor" } };
  },
};

/** Customers who say something as soon as they were answered, and a coordinator who watches. */
class Desk {
  readonly #sockets: readonly WebSocket[];
  readonly #console: WebSocket;
  #left = 0;
  #answered = 0;
  #told = 0;
  #done: (() => void) | null = null;
  #wanted = 0;

  private constructor(sockets: readonly WebSocket[], console: WebSocket) {
    this.#sockets = sockets;
    this.#console = console;
    console.on("message", (data: Buffer) => {
      if (!data.includes('"message_processed"')) return;
      this.#told += 1;
      this.#finishIfDone();
    });
    for (const [index, socket] of sockets.entries()) {
      socket.on("message", (data: Buffer) => {
        if (!data.includes(',"new_message",')) return;
        this.#answered += 1;
        this.#say(index);
        this.#finishIfDone();
      });
    }
  }

  static async connect(port: number): Promise<Desk> {
    const sockets: WebSocket[] = [];
    for (let index = 0; index < users; index += 1) sockets.push(await joined(port, { userId: `user${index}` }));
    return new Desk(sockets, await joined(port, {}));
  }

  /** Has so many messages said and answered. */
  async answer(count: number): Promise<void> {
    this.#left = count;
    this.#wanted = this.#answered + count;
    const done = new Promise<void>((resolve) => (this.#done = resolve));
    for (let index = 0; index < users; index += 1) this.#say(index);
    await done;
  }

  close(): void {
    for (const socket of [...this.#sockets, this.#console]) socket.terminate();
  }

  #say(index: number): void {
    if (this.#left === 0) return;
    this.#left -= 1;
    const payload = { businessId, locationId: "default", userId: `user${index}`, message: "Hello, is anybody there?" };
    this.#sockets[index]!.send(JSON.stringify(["1", "2", topic, "new_message", payload]));
  }

  #finishIfDone(): void {
    if (this.#answered === this.#wanted && this.#told === this.#wanted) this.#done?.();
  }
}

async function joined(port: number, payload: Readonly<Record<string, unknown>>): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket/websocket?vsn=2.0.0`);
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("open", () => socket.send(JSON.stringify(["1", "1", topic, "phx_join", payload])));
    socket.once("message", () => resolve());
  });
  return socket;
}
