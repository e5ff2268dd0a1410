import { longestJson } from "../protocol/json.js";
import { Credential } from "./auth/credential.js";
import type { Door } from "./auth/door.js";
import type { Origins } from "./auth/origins.js";
import { KeysUnavailable } from "./auth/token.js";
import type { Clock } from "./clock.js";
import type { Config } from "./config.js";
import type { DeskTelemetry } from "./desk-telemetry.js";
import { type AgentChannel, agentTopics } from "./messaging/conversation/agent-channel.js";
import { type ConversationChannel, conversationTopics } from "./messaging/conversation/conversation-channel.js";
import type { Ids } from "./messaging/ids.js";
import type { SocketAssigns } from "./messaging/joining.js";
import { type MessagesChannel, messagesTopics } from "./messaging/messages-channel.js";
import type { RateLimits } from "./messaging/rate-limits.js";
import { StoreError } from "./messaging/store.js";
import { type MountOptions, refuse } from "./transports/mount.js";

/** Why nobody is let in for the moment. */
const unavailable = "unavailable";

interface MountParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly telemetry: DeskTelemetry;
  readonly door: Door;
  readonly origins: Origins;
  readonly rateLimits: RateLimits;
}

interface DeskChannels {
  readonly messages: () => MessagesChannel;
  readonly agent: () => AgentChannel;
  readonly conversation: () => ConversationChannel;
}

/** Who comes in by `/socket`, to which channels, and with which limits. */
export function deskMount(
  config: Config,
  parts: MountParts,
  { messages, agent, conversation }: DeskChannels,
): MountOptions {
  const { door, origins, clock, ids, rateLimits, telemetry } = parts;
  const notNow = (error: unknown) => {
    if (!(error instanceof KeysUnavailable || error instanceof StoreError)) throw error;
    telemetry.emit("http.failed", { method: "GET", route: "/socket", error });
    return null;
  };
  return {
    onRefused: (reason) => ({ status: reason === unavailable ? 503 : 403 }),
    channels: { [messagesTopics]: messages, [agentTopics]: agent, [conversationTopics]: conversation },
    checkHost: origins.goesBy,
    checkOrigin: ({ raw }, request) => origins.allows(raw, request),
    allowOrigin: "asking",
    authToken: true,
    connect: async ({ token, userId, businessId, role }, info) => {
      const entering = door.enter(info.authToken ?? (typeof token === "string" ? token : null));
      // Long-poll has no word for it but the 500 of what is thrown.
      const entered = await (info.transport === "websocket" ? entering.catch(notNow) : entering);
      if (entered === null) return refuse(unavailable);
      if (!entered.ok) {
        telemetry.emit("token.refused", { door: info.transport, reason: entered.reason });
        return refuse("token");
      }
      const assigns: SocketAssigns = {
        credential: new Credential(entered.value, clock),
        claims: { userId, businessId, role },
        connectionId: ids.random(),
        rate: rateLimits.ofSocket(),
      };
      const isAgent = entered.value?.role === "agent";
      return { assigns: { ...assigns }, ...(isAgent ? { maxFrameBytes: agentFrameBytes(config) } : {}) };
    },
    websocket: {
      maxFrameBytes: config.MAX_FRAME_BYTES,
      // One message in many pieces costs far more than its bytes.
      maxFragments: 128,
      maxBufferedChunks: 4096,
      idleTimeoutMs: config.IDLE_TIMEOUT_MS,
      maxSendQueueBytes: config.MAX_SEND_QUEUE_BYTES,
      // No client of ours sends any; proxies and other clients send one in some seconds.
      maxPingsPerSecond: 100,
    },
    longpoll: config.LONGPOLL && {
      // Newer clients put all that they have to say into one POST, some of them more than Phoenix's 100 messages: what
      // is not read is lost, so the size alone limits it.
      maxBodyBytes: postBytesOf(config),
      maxBatchEntries: postBytesOf(config),
      maxBufferBytes: config.MAX_SEND_QUEUE_BYTES,
      maxSessions: config.MAX_SOCKETS,
    },
    limits: {
      maxJsonDepth: config.MAX_JSON_DEPTH,
      maxTopicBytes: config.MAX_TOPIC_BYTES,
      maxEventBytes: config.MAX_EVENT_BYTES,
      maxRefBytes: 255,
      maxChannels: config.MAX_CHANNELS_PER_SOCKET,
      // Each may read a whole conversation.
      maxJoinsPerSecond: 10,
      maxWaitingFrames: 64,
      maxChannelBacklog: 1000,
      maxHeldBytes: config.MAX_SEND_QUEUE_BYTES,
    },
  };
}

function postBytesOf({ MAX_FRAME_BYTES: frame }: Config): number {
  return frame === 0 ? Number.MAX_SAFE_INTEGER : 16 * frame;
}

/** What an agent says may be as long as an answer, however its client writes JSON. (SPEC L1) */
function agentFrameBytes({ MAX_FRAME_BYTES: frame, MAX_ANSWER_BYTES: answer }: Config): number {
  return frame === 0 ? 0 : longestJson(answer, frame);
}
