import { expect } from "@jest/globals";
import type { TestApp } from "./start-app.js";
import { WireClient } from "./wire.js";

const businessId = "B0100001";
export const topic = `messages:${businessId}`;

/** Frames that the witness gets each time: two replies, message_accepted and the answer. */
const framesPerRound = 4;

/**
 * A customer who does nothing wrong. Whatever somebody else has done to the server, this one is served as ever, hears
 * nothing of it, and finds nothing stored that was not accepted.
 */
export class Witness {
  /** By user: how many ChatMessages their session of today must hold. */
  readonly #stored = new Map<string, number>();

  private constructor(
    readonly app: TestApp,
    readonly client: WireClient,
  ) {}

  static async of(app: TestApp): Promise<Witness> {
    const client = await WireClient.connect(app.url);
    await joined(client, "witness");
    return new Witness(app, client);
  }

  /** Notes that the user's session must now hold this many. */
  storedOf(userId: string, count: number): void {
    this.#stored.set(userId, count);
  }

  async seesNoHarm(): Promise<void> {
    const before = this.client.frames.length;
    const expectedOffset = (this.#stored.get("witness") ?? 0) + 1;
    await this.client.heartbeat();
    const { status, response } = await this.client.call(
      topic,
      "new_message",
      newMessage("witness", { message: "Și eu" }),
    );
    expect([status, response.offset]).toEqual(["ok", expectedOffset]);
    const answer = await this.client.event("new_message");
    expect(answer[4]).toMatchObject({ message: "Și eu", inReplyTo: response.messageId, offset: expectedOffset + 1 });
    expect(this.client.frames.length - before).toBe(framesPerRound);
    this.storedOf("witness", expectedOffset + 1);
    expect(await this.#found()).toEqual([...this.#stored].sort());
  }

  /** What the history of a user's session of today holds. */
  async history(userId: string): Promise<Record<string, unknown>[]> {
    const sessions = await this.#activeSessions();
    const session = sessions.find((candidate) => candidate.userId === userId);
    if (session === undefined) return [];
    const { messages } = await this.#get(`/api/sessions/${String(session.sessionId)}/messages`);
    return messages as Record<string, unknown>[];
  }

  async #found(): Promise<[string, number][]> {
    const sessions = await this.#activeSessions();
    return sessions.map(({ userId, offset }) => [String(userId), Number(offset)] as [string, number]).sort();
  }

  async #activeSessions(): Promise<Record<string, unknown>[]> {
    const { activeSessions } = await this.#get(`/api/sessions/business/${businessId}/active`);
    return activeSessions as Record<string, unknown>[];
  }

  async #get(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.app.url}${path}`);
    expect(response.status).toBe(200);
    return (await response.json()) as Record<string, unknown>;
  }
}

/** Joins the business's topic. Pushes of the client may leave out the join_ref. */
export async function joined(client: WireClient, userId: string): Promise<WireClient> {
  const { status } = await client.call(topic, "phx_join", { userId });
  expect(status).toBe("ok");
  return client;
}

/** The payload of a `new_message` with nothing wrong, but for the changes. */
export function newMessage(userId: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { businessId, locationId: "L0100001", userId, message: "Bună ziua", ...changes };
}

/** A server without limits on how fast somebody may write: these tests are about what is written. */
export const unhurried = {
  MESSAGES_PER_SECOND_PER_SOCKET: "0",
  MESSAGES_BURST_PER_SOCKET: "0",
  MESSAGES_PER_MINUTE_PER_USER: "0",
  MESSAGES_PER_SECOND_PER_BUSINESS: "0",
  MAX_SOCKETS_PER_USER: "0",
} as const;
