import dgram from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createHttpClient } from "../../server/agents/http-client.js";
import { systemClock } from "../../server/clock.js";

test("[A13] a call that is stopped just as its answer ends is over, and nothing else is", async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.end("whole");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = createHttpClient({ clock: systemClock });
  const target = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const controller = new AbortController();
  const response = await client.post(target, { body: Buffer.from("?"), headers: {}, signal: controller.signal });
  const { socket } = response;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for await (const piece of response.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    expect(piece.toString()).toBe("whole");
    break;
  }
  expect(response.complete).toBe(true);
  response.resume();
  controller.abort();
  // An error that nobody hears ends the process.
  await closed;
  server.closeAllConnections();
  server.close();
});

describe("[A23] where not all may be connected to", () => {
  let server: dgram.Socket;
  let asked: string[];
  /** What names mean: addresses of IPv4; a name that is none of them gets no answer at all. */
  let names: Readonly<Record<string, readonly string[]>>;

  beforeEach(async () => {
    asked = [];
    server = dgram.createSocket("udp4");
    server.on("message", (question, { port, address }) => {
      const { name, type, end } = questionIn(question);
      asked.push(name);
      const addresses = names[name];
      if (addresses !== undefined)
        server.send(replyTo(question.subarray(0, end), type === 1 ? addresses : []), port, address);
    });
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(() => void server.close());

  function post(name: string, signal = new AbortController().signal): Promise<unknown> {
    const nameServers = [`127.0.0.1:${server.address().port}`];
    const client = createHttpClient({
      clock: systemClock,
      mayConnectTo: (address) => address === "127.0.0.2",
      nameServers,
    });
    return client.post(new URL(`http://${name}:9/`), { body: Buffer.from("?"), headers: {}, signal });
  }

  test("name servers say what a name means, and one forbidden address among them forbids it", async () => {
    names = {
      "private.example": ["127.0.0.1"],
      "mixed.example": ["127.0.0.2", "127.0.0.1"],
      "open.example": ["127.0.0.2"],
    };
    await expect(post("private.example")).rejects.toMatchObject({ code: "forbidden_address" });
    await expect(post("mixed.example")).rejects.toMatchObject({ code: "forbidden_address" });
    // Nobody listens there.
    await expect(post("open.example")).rejects.toMatchObject({ code: "unreachable", isRetryable: true });
    expect(new Set(asked)).toEqual(new Set(Object.keys(names)));
    await expect(post("db.localhost")).rejects.toMatchObject({ code: "forbidden_address" });
  });

  test("names for which nobody answers hold up neither those of others nor the threads of disks", async () => {
    names = { "private.example": ["127.0.0.1"] };
    const calls = Array.from({ length: 16 }, () => new AbortController());
    const silent = calls.map(({ signal }, n) => post(`silent${n}.example`, signal).catch(() => "over"));
    const over = Promise.race(silent);
    const disk = readFile(import.meta.filename).then(() => "read");
    expect(await Promise.race([over, disk])).toBe("read");
    const other = post("private.example").catch(({ code }: { code: string }) => code);
    expect(await Promise.race([over, other])).toBe("forbidden_address");
    for (const call of calls) call.abort();
    await Promise.all(silent);
  });
});

/** The question of a DNS message, and where it ends. (RFC 1035, 4.1) */
function questionIn(message: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function replyTo(question: Buffer, addresses: readonly string[]): Buffer {
  const header = Buffer.from(question);
  header.writeUInt16BE(0x8180, 2);
  for (const [place, count] of [1, addresses.length, 0, 0].entries()) header.writeUInt16BE(count, 4 + 2 * place);
  const records = addresses.map((address) => [
    0xc0,
    12,
    0,
    1,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    4,
    ...address.split(".").map(Number),
  ]);
  return Buffer.concat([header, Buffer.from(records.flat())]);
}
