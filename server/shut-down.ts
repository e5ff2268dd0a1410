import type { Server } from "node:http";
import type { Config } from "./config.js";
import type { Endpoint } from "./endpoint.js";
import { closing } from "./listen.js";
import type { Businesses } from "./messaging/businesses.js";
import type { Cleanup } from "./messaging/cleanup.js";
import type { ConnectedAgents } from "./messaging/conversation/connected-agents.js";
import type { Delivery } from "./messaging/delivery.js";
import type { Dispatch } from "./messaging/dispatch.js";
import type { IdleIntents } from "./messaging/idle-intents.js";
import type { Nodes } from "./messaging/nodes.js";
import type { Revocations } from "./messaging/revocations.js";
import type { Schedules } from "./messaging/schedules.js";
import type { Stats } from "./messaging/stats.js";
import type { Store } from "./messaging/store.js";
import type { Turns } from "./messaging/turns.js";

/** 10,000 sockets are gone in four seconds, and not all of them come back to the other nodes at once. */
const sendingAway = { batchSize: 250, intervalMs: 100, random: Math.random };

/** What is being sent when the server stops has so long: then it is sent again by the next. */
const lastSendMs = 3000;

/** Turns first, so that their answers still reach the sockets. Metrics last, so that they show it. */
export async function shutDown({
  server,
  apart,
  endpoint,
  connected,
  turns,
  dispatch,
  cleanup,
  schedules,
  idleIntents,
  nodes,
  businesses,
  revocations,
  delivery,
  stats,
  store,
  config,
}: {
  readonly server: Server;
  readonly apart: Server | null;
  readonly endpoint: Endpoint;
  readonly connected: Pick<ConnectedAgents, "close">;
  readonly turns: Turns;
  readonly dispatch: Dispatch;
  readonly cleanup: Cleanup;
  readonly schedules: Schedules;
  readonly idleIntents: IdleIntents;
  readonly nodes: Nodes;
  readonly businesses: Businesses;
  readonly revocations: Revocations;
  readonly delivery: Delivery;
  readonly stats: Stats;
  readonly store: Store;
  readonly config: Config;
}): Promise<void> {
  revocations.stop();
  businesses.stop();
  endpoint.refuseNew();
  connected.close();
  await schedules.stop();
  await Promise.all([turns.drain(config.DRAIN_TIMEOUT_MS), cleanup.stop(), idleIntents.stop()]);
  await dispatch.stop(lastSendMs);
  await endpoint.drain(sendingAway);
  const closed = closing(server);
  endpoint.terminate();
  server.closeAllConnections();
  await closed;
  await nodes.stop();
  if (apart !== null) {
    const isClosed = closing(apart);
    apart.closeAllConnections();
    await isClosed;
  }
  await delivery.stop();
  await stats.stop();
  await store.close();
}
