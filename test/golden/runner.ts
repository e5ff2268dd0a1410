import { request as httpRequest } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { readText, TranscriptClient } from "./client.js";
import { contractHeaders, eventOf, Normaliser, type ReceivedFrame } from "./normalise.js";
import type { ConnectStep, ExpectStep, HttpStep, Range, Step, Transcript } from "./transcript.js";

/** A step that came to something else than it did with Phoenix. */
export interface Failure {
  readonly step: number;
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** How long nothing more may come after what was expected. */
const quietMs = 40;
const requestTimeoutMs = 20_000;

interface HttpResult {
  readonly got: unknown;
  readonly tookMs: number;
}

/**
 * Plays a transcript against a server.
 * @param base the server's URL
 * @param patienceMs how long a frame that is expected may take to come
 * @returns what differed: nothing is a pass
 */
export async function play(base: string, transcript: Transcript, patienceMs: number): Promise<Failure[]> {
  const player = new Player(base, patienceMs);
  try {
    for (const [index, step] of transcript.steps.entries()) await player.play(index, step);
  } catch (cause) {
    player.failures.push({ step: -1, what: "exception", expected: null, got: String(cause) });
  } finally {
    player.end();
  }
  return player.failures;
}

/** Plays all transcripts, so many at a time, each with the patience that it is given. */
export async function playAll(
  base: string,
  transcripts: readonly Transcript[],
  { jobs, patienceMs }: { readonly jobs: number; readonly patienceMs: (name: string) => number },
): Promise<ReadonlyMap<string, Failure[]>> {
  const outcomes = new Map<string, Failure[]>();
  // The longest first, so that the last one is short.
  const waiting = [...transcripts].sort((a, b) => pauses(b) - pauses(a));
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      outcomes.set(next.name, await play(base, next, patienceMs(next.name)));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return outcomes;
}

function pauses({ tags, steps }: Transcript): number {
  const paused = steps.map((step) => (step.op === "sleep" ? step.ms : step.op === "expect" ? (step.wait ?? 0) : 0));
  return paused.reduce((sum, ms) => sum + ms, 0) + (tags.includes("timeout") ? 10_000 : 0);
}

class Player {
  readonly failures: Failure[] = [];
  readonly #base: string;
  readonly #patienceMs: number;
  readonly #normaliser = new Normaliser();
  readonly #clients = new Map<string, TranscriptClient>();
  readonly #background = new Map<string, { readonly step: HttpStep; readonly result: Promise<HttpResult> }>();
  readonly #saved = new Map<string, string>();

  constructor(base: string, patienceMs: number) {
    this.#base = base;
    this.#patienceMs = patienceMs;
  }

  async play(index: number, step: Step): Promise<void> {
    switch (step.op) {
      case "connect":
        return this.#connect(index, step);
      case "send":
        return this.#client(step.c).send(step);
      case "expect":
        return this.#expect(index, step);
      case "http":
        return this.#http(index, step);
      case "await": {
        const { result } = this.#background.get(step.bg)!;
        return this.#compareHttp(index, `await ${step.bg}`, { ...step, result: await result });
      }
      case "sleep":
        return pause(step.ms);
      case "close":
        return this.#client(step.c).close(step.code, step.reason);
      case "kill":
        return this.#client(step.c).kill();
      case "closedAfter":
        return this.#compareRange(index, "lifetime in ms", [step.min, step.max], this.#client(step.c).lifetimeMs ?? -1);
    }
  }

  end(): void {
    for (const client of this.#clients.values()) client.kill();
  }

  async #connect(index: number, step: ConnectStep): Promise<void> {
    const client = new TranscriptClient(this.#base, step);
    this.#clients.set(step.c, client);
    const got = await client.opened();
    const { open, status } = got;
    this.#compare(index, `connect ${step.c}`, step.expect, step.loose === true ? { open, status } : got);
    if (step.expect.open && open !== true) throw new Error("without this connection the rest means nothing");
  }

  async #expect(
    index: number,
    { clients, wait = 0, quiet = quietMs, sorted, drop, closeAny }: ExpectStep,
  ): Promise<void> {
    const names = Object.keys(clients);
    const kept = (name: string) => withoutEvents(this.#client(name).frames, drop?.[name]);
    for (const name of names) {
      const client = this.#client(name);
      const { frames, close } = clients[name]!;
      const isThere = () => kept(name).length >= frames.length && (close === null || client.closed !== null);
      await client.until(isThere, wait + this.#patienceMs);
    }
    await pause(quiet);
    for (const name of names) {
      const client = this.#client(name);
      const frames = kept(name).map((frame) => this.#normaliser.frame(frame));
      client.frames = [];
      if (sorted === true) frames.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      this.#compare(index, `frames of ${name}`, clients[name]!.frames, frames);
      if (client.closed !== null && closeAny?.[name]?.includes(client.closed.code) === true) continue;
      this.#compare(index, `close of ${name}`, clients[name]!.close, client.closed);
    }
  }

  async #http(index: number, step: HttpStep): Promise<void> {
    const result = this.#request(step);
    if (step.bg !== undefined) this.#background.set(step.bg, { step, result });
    else this.#compareHttp(index, `${step.method} ${step.path}`, { ...step, result: await result });
  }

  #compareHttp(
    index: number,
    what: string,
    { expect, took, result }: { expect?: unknown; took?: Range; result: HttpResult },
  ): void {
    this.#compare(index, what, expect, result.got);
    if (took !== undefined) this.#compareRange(index, `${what}, ms`, took, result.tookMs);
  }

  #request(step: HttpStep): Promise<HttpResult> {
    const { hostname, port } = new URL(this.#base);
    const body = bodyOf(step);
    const headers: Record<string, string | number> = {};
    for (const [name, value] of Object.entries(step.headers ?? {})) headers[name] = this.#fill(value, (text) => text);
    if (body !== undefined) headers["content-length"] = Buffer.byteLength(body);
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const done = (got: unknown) => resolve({ got, tookMs: performance.now() - startedAt });
      const path = this.#fill(step.path, encodeURIComponent);
      const request = httpRequest({ hostname, port, method: step.method, path, headers, agent: false }, (response) => {
        void readText(response).then((text) => done(this.#answer(step, response, text)));
      });
      request.on("upgrade", (response, stream) => {
        stream.destroy();
        done(this.#answer(step, response, ""));
      });
      request.on("error", (error) => done({ status: 0, error: String(error) }));
      request.setTimeout(requestTimeoutMs, () => request.destroy());
      request.end(body);
    });
  }

  #answer({ save = {}, loose }: HttpStep, response: Parameters<typeof readText>[0], text: string): unknown {
    for (const [name, field] of Object.entries(save)) {
      this.#saved.set(name, (JSON.parse(text) as Record<string, string>)[field] ?? "");
    }
    const { statusCode: status, headers } = response;
    return loose === true
      ? { status }
      : { status, headers: contractHeaders(headers), body: this.#normaliser.body(text) };
  }

  /** Puts in what earlier steps saved. */
  #fill(template: string, encode: (text: string) => string): string {
    return template.replace(/\{\{(\w+)\}\}/g, (_all, name: string) => encode(this.#saved.get(name) ?? ""));
  }

  #client(name: string): TranscriptClient {
    const client = this.#clients.get(name);
    if (client === undefined) throw new Error(`there is no client ${name}`);
    return client;
  }

  #compare(step: number, what: string, expected: unknown, got: unknown): void {
    if (!isDeepStrictEqual(normalised(expected), normalised(got))) this.failures.push({ step, what, expected, got });
  }

  // Whatever comes may come late on a busy machine, here as in the other steps. That it does not is shown with a clock of
  // the tests' own (transports/idle.test.ts, longpoll-session.test.ts).
  #compareRange(step: number, what: string, expected: Range, got: number): void {
    const [min, max] = [expected[0], expected[1] + this.#patienceMs];
    if (got < min || got > max) this.failures.push({ step, what, expected, got });
  }
}

// Through JSON, so that objects of another realm or without a prototype compare by what they hold.
function normalised(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

function withoutEvents(frames: readonly ReceivedFrame[], events: readonly string[] = []): ReceivedFrame[] {
  return frames.filter((frame) => !events.includes(String(eventOf(frame))));
}

function bodyOf({ body, bodyBase64, bodyRepeat }: HttpStep): string | Buffer | undefined {
  if (bodyBase64 !== undefined) return Buffer.from(bodyBase64, "base64");
  if (bodyRepeat === undefined) return body;
  return `${bodyRepeat.prefix}${bodyRepeat.repeat.repeat(bodyRepeat.times)}${bodyRepeat.suffix}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
