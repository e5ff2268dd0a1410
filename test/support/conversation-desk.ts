import type { AppOptions } from "../../server/app.js";
import { seatOfAgent } from "./agent-seat.js";
import { FakeClock } from "./fake-clock.js";
import { ask } from "./plain-http.js";
import { type Fields, Seat } from "./seat.js";
import { startTestApp, type TestApp } from "./start-app.js";

/** An open server on which agents, users and coordinators of one business take part in conversations. */
export class ConversationDesk {
  readonly #seats: Seat[] = [];

  private constructor(
    readonly app: TestApp,
    readonly clock: FakeClock,
    readonly businessId: string,
  ) {}

  static async start(
    businessId: string,
    environment: Readonly<Record<string, string>> = {},
    options: Pick<AppOptions, "agents"> = {},
  ): Promise<ConversationDesk> {
    const clock = new FakeClock(Date.now());
    const app = await startTestApp({ IDLE_TIMEOUT_MS: "0", ...environment }, { clock, ...options });
    return new ConversationDesk(app, clock, businessId);
  }

  async dispose(): Promise<void> {
    for (const { client } of this.#seats) client.close();
    await this.app.dispose();
  }

  /** An agent on its topic, as soon as it can be asked. */
  async agent(agentId: string, businessId = this.businessId): Promise<Seat> {
    const seat = this.#keep(await seatOfAgent(this.app, agentId, businessId));
    await seat.hears("presence:update");
    return seat;
  }

  /** An agent on the topic of a conversation. */
  async agentIn(agentId: string, conversationId: unknown, businessId = this.businessId): Promise<Seat> {
    const { text } = await ask(this.app, `/agents/${agentId}/connect`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ businessId }),
    });
    const query = `&token=${(JSON.parse(text) as { readonly accessToken: string }).accessToken}`;
    return this.#keep(await Seat.take(this.app, {}, { on: `conversation:${String(conversationId)}`, query }));
  }

  /** A user on the topic of a conversation; without a userId a coordinator. */
  async member(conversationId: unknown, userId?: string, businessId = this.businessId): Promise<Seat> {
    const on = `conversation:${String(conversationId)}`;
    const payload = userId === undefined ? {} : { userId };
    return this.#keep(await Seat.take(this.app, payload, { on, query: `&businessId=${businessId}` }));
  }

  /** A user on the topic of the business; without a userId a coordinator. */
  async onMessages(userId?: string, businessId = this.businessId): Promise<Seat> {
    const payload = userId === undefined ? {} : { userId };
    return this.#keep(await Seat.take(this.app, payload, { on: `messages:${businessId}` }));
  }

  async http(method: string, path: string, body?: unknown, more: Readonly<Record<string, string>> = {}) {
    const { status, text } = await ask(this.app, path, {
      method,
      headers: { "content-type": "application/json", "x-business-id": this.businessId, ...more },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status, body: (text === "" ? {} : JSON.parse(text)) as Fields };
  }

  /** What was sent before this has arrived, with everybody. */
  async settled(): Promise<void> {
    for (const { client } of this.#seats) if (client.closed === null) await client.heartbeat();
  }

  #keep(seat: Seat): Seat {
    this.#seats.push(seat);
    return seat;
  }
}
