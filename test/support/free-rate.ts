import { systemClock } from "../../server/clock.js";
import { SocketRate, TokenBucket } from "../../server/messaging/rate-limits.js";

/** Of a socket that may say as much as it likes. */
export const freeRate = new SocketRate(new TokenBucket({ perSecond: 0, burst: 0 }), 0, systemClock);
