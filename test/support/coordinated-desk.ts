import { createBlocklist } from "../../server/messaging/blocklist.js";
import { defaultBusiness } from "../../server/messaging/business.js";
import { type CoordinatorEvents, createCoordinatorEvents } from "../../server/messaging/coordinator-events.js";
import type { EventResult, Speaker } from "../../server/messaging/events.js";
import { createIds } from "../../server/messaging/ids.js";
import { AnsweringDesk, type DeskOptions, type Shared } from "./answering-desk.js";
import { freeRate } from "./free-rate.js";

/** One process with a desk, and what coordinators do by it. */
export class CoordinatedDesk {
  readonly desk: AnsweringDesk;
  readonly events: CoordinatorEvents;

  constructor(shared: Shared, options: DeskOptions = {}) {
    this.desk = new AnsweringDesk(shared, { isAbandoned: () => false, ...options });
    const { turns, runs, telemetry } = this.desk;
    const { clock } = shared;
    const { store = shared.under.store } = options;
    const { events } = createCoordinatorEvents({
      ...{ store, clock, turns, runs, telemetry, ids: createIds(clock), maxMessageBytes: 100, isGone: () => false },
      blocklist: createBlocklist({ store, clock }),
      onSaid: () => undefined,
      broadcast: (topic, event, payload) => void this.desk.told.push({ topic, event, payload }),
    });
    this.events = events;
  }

  ask(
    userId: string,
    event: keyof CoordinatorEvents,
    sessionId: string,
    message = "from a human",
  ): Promise<EventResult> {
    const speaker: Speaker = {
      business: defaultBusiness("B1", "UTC"),
      identity: { role: "coordinator", userId, businessId: "B1" },
      connectionId: "socket",
      rate: freeRate,
      push: () => undefined,
      hear: () => () => undefined,
      watching: new Map(),
      atEnd: new Map(),
    };
    return Promise.resolve(this.events[event](speaker, { sessionId, message }));
  }
}
