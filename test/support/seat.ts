import type { App } from "../../server/app.js";
import { WireClient } from "./wire.js";

export type Fields = Record<string, unknown>;

type Reply = Awaited<ReturnType<WireClient["call"]>>;

/** Somebody on a topic of the desk. */
export class Seat {
  constructor(
    readonly client: WireClient,
    readonly topic: string,
    readonly joined: Fields,
  ) {}

  static async take(
    app: Pick<App, "url">,
    payload: Fields,
    { on, query = "" }: { readonly on: string; readonly query?: string },
  ): Promise<Seat> {
    const client = await WireClient.connect(app.url, query);
    const { status, response } = await client.call(on, "phx_join", payload);
    if (status !== "ok") throw new Error(JSON.stringify(response));
    return new Seat(client, on, response);
  }

  /** What was pushed, by event, but for replies. */
  heard(...events: string[]): Fields[] {
    return this.frames.filter(([name]) => events.includes(name)).map(([, payload]) => payload);
  }

  /** But for who is online. */
  get frames(): [string, Fields][] {
    return this.client.frames
      .filter(([, , of, event]) => of === this.topic && event !== "phx_reply" && !event.startsWith("presence_"))
      .map(([, , , event, payload]) => [event, payload]);
  }

  ask(event: string, payload: Fields): Promise<Reply> {
    return this.client.call(this.topic, event, payload);
  }

  async hears(event: string, matches: (payload: Fields) => boolean = () => true): Promise<Fields> {
    return (await this.client.next((frame) => frame[2] === this.topic && frame[3] === event && matches(frame[4])))[4];
  }

  async says(text: string, userId = "ana"): Promise<{ readonly messageId: string; readonly sessionId: string }> {
    const of = this.topic.slice("messages:".length);
    const payload = { businessId: of, userId, locationId: "default", message: text };
    const { status, response } = await this.ask("new_message", payload);
    if (status !== "ok") throw new Error(JSON.stringify(response));
    return response as { messageId: string; sessionId: string };
  }
}
