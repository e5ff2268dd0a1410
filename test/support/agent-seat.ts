import type { App } from "../../server/app.js";
import { ask } from "./plain-http.js";
import { type Fields, Seat } from "./seat.js";

/** What `POST /agents/:agentId/connect` answers to a coordinator of an open server. */
export async function connectAgent(app: Pick<App, "port">, agentId: string, businessId: string): Promise<Fields> {
  const { status, text } = await ask(app, `/agents/${agentId}/connect`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ businessId }),
  });
  if (status !== 200) throw new Error(`${status} ${text}`);
  return JSON.parse(text) as Fields;
}

/** An agent of a business, on its topic. */
export async function seatOfAgent(app: Pick<App, "port" | "url">, agentId: string, businessId: string): Promise<Seat> {
  const { accessToken } = await connectAgent(app, agentId, businessId);
  return Seat.take(app, {}, { on: `agent:${agentId}`, query: `&token=${String(accessToken)}` });
}
