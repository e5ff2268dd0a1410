import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createTranscriptEndpoint } from "../transcript/endpoint.js";
import { createTranscriptHttp } from "../transcript/http.js";
import { differences, differencesMax } from "./differences.js";
import { type Failure, play, playAll } from "./runner.js";
import { loadTranscripts } from "./transcript.js";

const jobs = 16;
/** What is known not to come is not waited for long. */
const patienceMs = (name: string) => (Object.hasOwn(differences, name) ? 300 : 5000);
const transcripts = loadTranscripts(dirname(fileURLToPath(import.meta.url)));
const stopping = transcripts.filter(({ tags }) => tags.includes("shutdown"));
const ordinary = transcripts.filter((transcript) => !stopping.includes(transcript));
const outcomes = new Map<string, readonly Failure[]>();
const servers: Server[] = [];

async function startServer(): Promise<string> {
  const endpoint = createTranscriptEndpoint();
  const server = createTranscriptHttp(endpoint, () => void endpoint.drain());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  const url = await startServer();
  for (const [name, failures] of await playAll(url, ordinary, { jobs, patienceMs })) outcomes.set(name, failures);
  // These stop their server, so each has its own.
  for (const transcript of stopping)
    outcomes.set(transcript.name, await play(await startServer(), transcript, patienceMs(transcript.name)));
});

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe("transcripts of Phoenix 1.8.12", () => {
  const same = transcripts.map(({ name }) => name).filter((name) => !Object.hasOwn(differences, name));

  test.each(same)("[W1] is answered as Phoenix answers: %s", (name) => {
    expect(outcomes.get(name)).toEqual([]);
  });

  test.each(Object.entries(differences))("[D] differs from Phoenix on purpose: %s", (name) => {
    expect(outcomes.get(name)).toBeDefined();
    expect(outcomes.get(name)).not.toEqual([]);
  });

  test("[D] differs in few cases", () => {
    expect(Object.keys(differences).length).toBeLessThanOrEqual(differencesMax);
  });
});
