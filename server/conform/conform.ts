import { randomBytes } from "node:crypto";
import { type Check, checks } from "./checks.js";
import { Client, Difference } from "./client.js";
import type { Vsn } from "./frames.js";

/** What one check came to; `difference` is null where it holds. */
export interface Finding {
  readonly vsn: Vsn;
  readonly rule: string;
  readonly name: string;
  readonly difference: Difference | null;
}

/** There is no server to ask. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/**
 * Asks a server that offers the channel `room:*` of the transcripts whether it does what Phoenix does.
 * @param url of the socket, as phoenix.js takes it: `ws://…/socket`, with or without `/websocket`
 * @param concurrency checks at once: each waits most of its time for what must not come
 * @throws Unreachable when it takes connections of neither version
 */
export async function conform(url: string, { concurrency = 8 } = {}): Promise<readonly Finding[]> {
  const endpoint = endpointOf(url);
  await reach(endpoint);
  const versions = ["1.0.0", "2.0.0"] as const;
  const all = versions.flatMap((vsn) =>
    checks.filter((check) => check.vsn === undefined || check.vsn === vsn).map((check) => ({ check, vsn })),
  );
  // Nobody else has joined these topics, not even another run.
  const run = randomBytes(6).toString("hex");
  const findings: Finding[] = [];
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < all.length; at = next++) {
      const { check, vsn } = all[at]!;
      const difference = await differenceOf(check, endpoint, vsn, `room:conform-${run}-${at}`);
      findings[at] = { vsn, rule: check.rule, name: check.name, difference };
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return findings;
}

/** One line a check. */
export function describeFinding({ vsn, rule, name, difference }: Finding): string {
  const verdict = difference === null ? "ok     " : "differs";
  const line = `${verdict}  ${vsn}  ${rule.padEnd(3)}  ${name}`;
  return difference === null ? line : `${line}: ${difference.message}`;
}

function endpointOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new Unreachable(`${url} is no URL`);
  }
  if (!/^(ws|http)s?:$/.test(parsed.protocol)) throw new Unreachable(`${url} is neither ws: nor wss:`);
  const path = parsed.pathname.replace(/\/+$/, "");
  const scheme = parsed.protocol.replace("http", "ws");
  return `${scheme}//${parsed.host}${path.endsWith("/websocket") ? path : `${path}/websocket`}`;
}

async function reach(endpoint: string): Promise<void> {
  const attempts = await Promise.allSettled((["1.0.0", "2.0.0"] as const).map((vsn) => Client.connect(endpoint, vsn)));
  for (const attempt of attempts) if (attempt.status === "fulfilled") attempt.value.close();
  const [first] = attempts;
  if (attempts.some(({ status }) => status === "fulfilled") || first?.status !== "rejected") return;
  const { came } = first.reason as Difference;
  throw new Unreachable(`no connection to ${endpoint}: ${came}`);
}

async function differenceOf(check: Check, endpoint: string, vsn: Vsn, topic: string): Promise<Difference | null> {
  const clients: Client[] = [];
  try {
    for (let count = 0; count < check.clients; count += 1) clients.push(await Client.connect(endpoint, vsn));
    const [a, b = a] = clients;
    await check.run({ a: a!, b: b!, topic });
    return null;
  } catch (cause) {
    if (cause instanceof Difference) return cause;
    throw cause;
  } finally {
    for (const client of clients) client.close();
  }
}
