import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAssistant } from "./agents/assistant/assistant.js";
import { createEcho } from "./agents/echo.js";
import { isLocalHost, isLocalOrigin } from "./auth/local.js";
import { createTokens, type Tokens } from "./auth/token.js";
import { type Clock, systemClock } from "./clock.js";
import { type Config, ConfigError } from "./config.js";
import type { DeskEvents, DeskTelemetry } from "./desk-telemetry.js";
import { Endpoint } from "./endpoint.js";
import { createApi } from "./http/api.js";
import type { Agent } from "./messaging/agent.js";
import { type Business, defaultBusiness } from "./messaging/business.js";
import { type Cleanup, createCleanup } from "./messaging/cleanup.js";
import { createConversations } from "./messaging/conversations.js";
import { createIds, type Ids } from "./messaging/ids.js";
import { MessagesChannel, type SocketAssigns } from "./messaging/messages-channel.js";
import { createNodes, type Nodes, onlyNode } from "./messaging/nodes.js";
import { createResponder } from "./messaging/respond.js";
import { createResumption } from "./messaging/resume.js";
import type { Store } from "./messaging/store.js";
import { createTurns, type Turns } from "./messaging/turns.js";
import { createMetrics } from "./observe/metrics.js";
import { metricsHandler, type MetricsHandler, metricsServer } from "./observe/metrics-server.js";
import { openStore } from "./open-store.js";
import { loadBusinesses } from "./stores/business-files.js";
import { Telemetry } from "./telemetry.js";
import { type MountOptions, refuse } from "./transports/mount.js";

export interface AppOptions {
  readonly config: Config;
  /** Folder of the built pages. */
  readonly publicDir: string;
  readonly clock?: Clock;
  readonly telemetry?: DeskTelemetry;
  /** Agents by kind, beside or instead of the built-in ones. */
  readonly agents?: Readonly<Record<string, Agent>>;
  /** Whether the metrics tell of this process, too: of one app in a process. */
  readonly processMetrics?: boolean;
}

export interface App {
  /** Where it listens. */
  readonly url: string;
  readonly port: number;
  /** Where the metrics are, or null when nobody may see them. */
  readonly metricsUrl: string | null;
  readonly store: Store;
  readonly endpoint: Endpoint;
  /** Tells clients to come back later, lets running turns finish, and lets go of everything. */
  stop(): Promise<void>;
}

/**
 * Builds every part of the desk, connects them, and listens.
 * @throws ConfigError, StoreError, DataDirInUse, or what the operating system says of the port
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, clock = systemClock, telemetry = new Telemetry<DeskEvents>() } = options;
  const ids = createIds(clock);
  const agents: Record<string, Agent> = { assistant: createAssistant(), echo: createEcho(), ...options.agents };
  const businessOf = businessFinder(config, checkAgents(await loadBusinesses(config.BUSINESSES_DIR), agents));
  const tokens = tokensOf(config, clock);
  const metrics = handlerOfMetrics(config, telemetry, options.processMetrics ?? false);
  const store = await openStore(config, { clock, telemetry, ids });
  try {
    return await assemble({ ...options, clock, telemetry, ids, agents, businessOf, tokens, store, metrics });
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

const hourMs = 60 * 60 * 1000;

interface Parts extends Required<Pick<AppOptions, "config" | "publicDir" | "clock" | "telemetry">> {
  readonly ids: Ids;
  readonly agents: Readonly<Record<string, Agent>>;
  readonly businessOf: (businessId: string) => Business | null;
  readonly tokens: Tokens | null;
  readonly store: Store;
  readonly metrics: MetricsHandler | null;
}

async function assemble(parts: Parts): Promise<App> {
  const { config, publicDir, clock, telemetry, ids, agents, businessOf, tokens, store } = parts;
  const node = ids.random();
  const onError = (operation: string, error: unknown) => telemetry.emit("store.failed", { operation, error });
  // A data directory has one server at a time, tables have any number.
  const nodes = config.STORE === "embedded" ? onlyNode(node) : createNodes({ store, clock, node, onError });
  const conversations = createConversations({ store, clock, ids, node, onError });
  const resumption = createResumption({ store, conversations, clock, ids });
  const broadcast = (topic: string, event: string, payload: unknown) => endpoint.broadcast(topic, event, payload);
  const responder = createResponder({
    store,
    clock,
    ids,
    broadcast,
    agentFor: (business) => agents[business.agent?.kind ?? config.AGENT]!,
    limits: { timeoutMs: config.AGENT_TIMEOUT_MS, maxAnswerBytes: config.MAX_ANSWER_BYTES },
    onAgentFailure: ({ question: { businessId, sessionId } }, error) =>
      telemetry.emit("turn.failed", { businessId, sessionId, code: error.code, error }),
  });
  const turns = createTurns({
    store,
    clock,
    telemetry,
    responder,
    node,
    // A business that is gone while a turn of it is open is answered with the defaults.
    businessOf: (businessId) => businessOf(businessId) ?? defaultBusiness(businessId, config.DEFAULT_TIME_ZONE),
    isAbandoned: ({ owner }) => nodes.isGone(owner),
    concurrency: config.AGENT_CONCURRENCY,
    // More would wait for a place, and end as `busy`.
    maxTakenUp: config.AGENT_CONCURRENCY,
    waitMs: config.AGENT_TIMEOUT_MS,
    maxBacklog: config.MAX_BACKLOG,
    maxBacklogPerBusiness: config.MAX_BACKLOG_PER_BUSINESS,
  });
  const life = { idleMs: config.SESSION_IDLE_HOURS * hourMs, retentionMs: config.RETENTION_DAYS * 24 * hourMs };
  const cleanup = createCleanup({ store, clock, telemetry, nodes, node, life });
  const channelDeps = {
    conversations,
    resumption,
    turns,
    businessOf,
    broadcast,
    clock,
    telemetry,
    maxMessageBytes: config.MAX_MESSAGE_BYTES,
  };
  const endpoint: Endpoint = new Endpoint({
    mounts: { "/socket": deskMount(config, tokens, ids, () => new MessagesChannel(channelDeps)) },
    telemetry,
    clock,
    maxSockets: config.MAX_SOCKETS,
  });
  let isStopping = false;
  const problems = () =>
    [isStopping ? "the server is stopping" : null, store.failure].filter((problem) => problem !== null);
  const health = { problems, insecure: config.isOpen ? ["open: everyone on this machine is whoever they say"] : [] };
  const { MAX_HISTORY_PAGE: maxHistoryPage, ALLOWED_ORIGINS: allowedOrigins } = config;
  const api = createApi({ store, businessOf, maxHistoryPage, health, telemetry, tokens, allowedOrigins, publicDir });
  const isMetricsApart = config.METRICS_PORT !== undefined;
  const mainMetrics = isMetricsApart ? null : parts.metrics;
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5000 },
    (request, response) => {
      if (mainMetrics?.(request, response) === true || endpoint.handle(request, response)) return;
      api(request, response);
    },
  );
  endpoint.attach(server);
  const apart = isMetricsApart && parts.metrics !== null ? metricsServer(parts.metrics) : null;
  await nodes.start();
  try {
    await listen(server, "PORT", config);
    if (apart !== null) await listen(apart, "METRICS_PORT", config);
  } catch (cause) {
    server.close();
    await nodes.stop();
    throw cause;
  }
  nodes.onGone(() => void turns.recover());
  await turns.recover();
  turns.watch();
  cleanup.start();
  const url = urlOf(server, config);
  const metricsUrl = parts.metrics === null ? null : `${apart === null ? url : urlOf(apart, config)}/metrics`;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    await shutDown({ server, apart, endpoint, turns, cleanup, nodes, store, config });
  };
  return { url, port: (server.address() as AddressInfo).port, metricsUrl, store, endpoint, stop };
}

function urlOf(server: Server, { HOST }: Config): string {
  const host = HOST.includes(":") ? `[${HOST}]` : HOST;
  return `http://${host}:${(server.address() as AddressInfo).port}`;
}

/** Metrics say how busy a server is. On a port that is meant for everybody they are nobody's business. */
function handlerOfMetrics(config: Config, telemetry: DeskTelemetry, ofProcess: boolean): MetricsHandler | null {
  if (!config.isOpen && config.METRICS_PORT === undefined) return null;
  const metrics = createMetrics(telemetry, { process: ofProcess });
  // A name that somebody elsewhere pointed at this machine gets nothing here either. (SPEC X5)
  const isAllowed = ({ headers }: IncomingMessage) =>
    !config.isOpen || (isLocalHost(headers.host) && isLocalOrigin(headers.origin));
  return metricsHandler(metrics, isAllowed);
}

function deskMount(config: Config, tokens: Tokens | null, ids: Ids, channel: () => MessagesChannel): MountOptions {
  return {
    channels: { "messages:*": channel },
    checkOrigin: config.isOpen
      ? ({ raw }) => isLocalOrigin(raw)
      : config.ALLOWED_ORIGINS.length > 0
        ? config.ALLOWED_ORIGINS
        : "conn",
    authToken: true,
    connect: async ({ token, userId, businessId, role }, info) => {
      if (tokens === null && !isLocalHost(info.headers.host)) return refuse("host");
      const given = info.authToken ?? (typeof token === "string" ? token : null);
      const verified = given === null || tokens === null ? null : await tokens.verify(given);
      if (tokens !== null && verified?.ok !== true) return refuse("token");
      const assigns: SocketAssigns = {
        token: verified?.ok === true ? verified.value : null,
        claims: { userId, businessId, role },
        connectionId: ids.random(),
      };
      return { assigns: { ...assigns } };
    },
    websocket: {
      maxFrameBytes: config.MAX_FRAME_BYTES,
      // One message in many pieces costs far more than its bytes.
      maxFragments: 128,
      maxBufferedChunks: 4096,
      idleTimeoutMs: config.IDLE_TIMEOUT_MS,
      maxSendQueueBytes: config.MAX_SEND_QUEUE_BYTES,
    },
    longpoll: config.LONGPOLL && {
      // Newer clients put all that they have to say into one POST, some of them more than Phoenix's 100 messages: what
      // is not read is lost, so the size alone limits it.
      maxBodyBytes: 16 * config.MAX_FRAME_BYTES,
      maxBatchEntries: 16 * config.MAX_FRAME_BYTES,
      maxBufferBytes: config.MAX_SEND_QUEUE_BYTES,
      maxSessions: config.MAX_SOCKETS,
    },
    limits: {
      maxJsonDepth: config.MAX_JSON_DEPTH,
      maxTopicBytes: config.MAX_TOPIC_BYTES,
      maxEventBytes: config.MAX_EVENT_BYTES,
      maxRefBytes: 255,
      maxChannels: config.MAX_CHANNELS_PER_SOCKET,
      maxWaitingFrames: 64,
      maxChannelBacklog: 1000,
      maxHeldBytes: config.MAX_SEND_QUEUE_BYTES,
    },
  };
}

function tokensOf(config: Config, clock: Clock): Tokens | null {
  const { AUTH_SECRET: secret, AUTH_JWKS_URL: jwksUrl, AUTH_AUDIENCE: audience } = config;
  if (secret !== undefined) return createTokens({ secret }, { clock, audience });
  return jwksUrl === undefined ? null : createTokens({ jwksUrl }, { clock, audience });
}

function checkAgents(
  businesses: ReadonlyMap<string, Business>,
  agents: Readonly<Record<string, Agent>>,
): ReadonlyMap<string, Business> {
  for (const { businessId, agent } of businesses.values()) {
    if (agent === undefined || Object.hasOwn(agents, agent.kind)) continue;
    throw new ConfigError(
      `business ${businessId} wants an agent of kind ${agent.kind}; there are ${Object.keys(agents).join(", ")}`,
    );
  }
  return businesses;
}

const undescribedMax = 1000;

/** Finds a business. On an open server one that nobody described answers with defaults; elsewhere it does not exist. */
function businessFinder(
  config: Config,
  described: ReadonlyMap<string, Business>,
): (businessId: string) => Business | null {
  const undescribed = new Map<string, Business>();
  return (businessId) => {
    const known = described.get(businessId) ?? undescribed.get(businessId);
    if (known !== undefined) return known;
    if (!config.isOpen) return null;
    if (undescribed.size >= undescribedMax) undescribed.clear();
    const business = defaultBusiness(businessId, config.DEFAULT_TIME_ZONE);
    undescribed.set(businessId, business);
    return business;
  };
}

async function listen(server: Server, name: "PORT" | "METRICS_PORT", config: Config): Promise<void> {
  const port = config[name];
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new ConfigError(`${name} ${port} on ${config.HOST} is in use by another program; set ${name}`)
          : error,
      );
    });
    server.listen(port, config.HOST, resolve);
  });
}

// Turns first, so that their answers still reach the sockets. Metrics last, so that they show it.
async function shutDown({
  server,
  apart,
  endpoint,
  turns,
  cleanup,
  nodes,
  store,
  config,
}: Pick<Parts, "store" | "config"> & {
  readonly server: Server;
  readonly apart: Server | null;
  readonly endpoint: Endpoint;
  readonly turns: Turns;
  readonly cleanup: Cleanup;
  readonly nodes: Nodes;
}): Promise<void> {
  endpoint.refuseNew();
  await Promise.all([turns.drain(config.DRAIN_TIMEOUT_MS), cleanup.stop()]);
  await endpoint.drain();
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
  await store.close();
}

function closing(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  return closed;
}
