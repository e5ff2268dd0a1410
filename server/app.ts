import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { isLocalHost, isLocalOrigin } from "./auth/local.js";
import { createOrigins } from "./auth/origins.js";
import { createProxies } from "./auth/proxies.js";
import { Credentials } from "./auth/credentials.js";
import { createDoor } from "./auth/door.js";
import { keysOf } from "./token-keys.js";
import { createRevocations } from "./messaging/revocations.js";
import { createOidc, type Oidc } from "./auth/oidc.js";
import { createTokens, type Tokens } from "./auth/token.js";
import { type Clock, systemClock } from "./clock.js";
import type { Config } from "./config.js";
import { deskMount } from "./desk-mount.js";
import type { DeskEvents, DeskTelemetry } from "./desk-telemetry.js";
import type { ModelWatch } from "./agents/model/guarded-model.js";
import { Endpoint } from "./endpoint.js";
import { createApi } from "./http/api.js";
import { endUnread } from "./http/unread.js";
import { answerUnreadable, withHost } from "./http/unreadable.js";
import { listen, urlOf } from "./listen.js";
import { type Agents, makeAgents } from "./make-agents.js";
import { type MadePlatforms, makePlatforms } from "./make-platforms.js";
import type { Agent } from "./messaging/agent.js";
import { createAdmission } from "./messaging/admission.js";
import { createAnswers } from "./messaging/answers.js";
import { type Business, defaultBusiness } from "./messaging/business.js";
import { createBusinessRecords } from "./messaging/business-records.js";
import { createBusinesses } from "./messaging/businesses.js";
import { cancelEvent } from "./messaging/cancel.js";
import { createCleanup } from "./messaging/cleanup.js";
import { tell } from "./messaging/audience.js";
import { createBlocklist } from "./messaging/blocklist.js";
import { broadcastLeftOver, tellIntent, tellSession } from "./messaging/broadcast.js";
import { createCoordinatorEvents } from "./messaging/coordinator-events.js";
import { createAgentConversations } from "./messaging/conversation/agent-conversations.js";
import { AgentChannel } from "./messaging/conversation/agent-channel.js";
import { Attendance } from "./messaging/conversation/attendance.js";
import { ConversationChannel } from "./messaging/conversation/conversation-channel.js";
import { type ConnectedAgents, createConnectedAgents } from "./messaging/conversation/connected-agents.js";
import { ownAgentOf } from "./messaging/conversation/participants.js";
import { createTalk } from "./messaging/conversation/talk.js";
import { createChatSpeech } from "./messaging/chat-speech.js";
import { createChats } from "./messaging/chats.js";
import { createConversations } from "./messaging/conversations.js";
import { createDeletion } from "./messaging/deletion.js";
import { createDelivery } from "./messaging/delivery.js";
import { createDispatch } from "./messaging/dispatch.js";
import { feedbackEvent } from "./messaging/feedback.js";
import type { Head } from "./messaging/head.js";
import { createIdleIntents } from "./messaging/idle-intents.js";
import { createIds, type Ids } from "./messaging/ids.js";
import { createJob } from "./messaging/job.js";
import { MessagesChannel } from "./messaging/messages-channel.js";
import { NewestSockets } from "./messaging/newest-sockets.js";
import { createOnline, createUnnamed } from "./messaging/online.js";
import type { Intent, Session } from "./messaging/model.js";
import { createNodes, onlyNode } from "./messaging/nodes.js";
import { isUnsent } from "./messaging/outbound.js";
import { createQuota } from "./messaging/quota.js";
import { RateLimits } from "./messaging/rate-limits.js";
import { createResponder } from "./messaging/respond.js";
import { createRuns } from "./messaging/runs.js";
import { createResumption } from "./messaging/resume.js";
import { createAgentHealths } from "./messaging/steps/agent-health.js";
import { AgentSlots } from "./messaging/steps/agent-slots.js";
import { createSessionChanges } from "./messaging/session-changes.js";
import { createSchedules } from "./messaging/schedules.js";
import { findHead } from "./messaging/sessions.js";
import type { LeftOver, Store } from "./messaging/store.js";
import { createStats } from "./messaging/stats.js";
import { createSubmissions } from "./messaging/submissions.js";
import { createTurns } from "./messaging/turns.js";
import { typingEvent } from "./messaging/typing.js";
import { createMetrics } from "./observe/metrics.js";
import { metricsHandler, type MetricsHandler, metricsServer } from "./observe/metrics-server.js";
import { openStore } from "./open-store.js";
import { Presence } from "./presence/presence.js";
import { shutDown } from "./shut-down.js";
import { loadBusinesses } from "./stores/business-files.js";
import { Telemetry } from "./telemetry.js";

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
  const businesses = await loadBusinesses(config.BUSINESSES_DIR);
  const modelWatch: ModelWatch = {
    onFailure: ({ name }, { code }) => telemetry.emit("model.failed", { model: name, code }),
    onCircuit: ({ name }, isOpen) =>
      telemetry.emit("agent.circuit", { agent: name, state: isOpen ? "open" : "closed" }),
  };
  const connected = createConnectedAgents(clock);
  const agents = makeAgents(config, clock, { given: options.agents, modelWatch, connected });
  agents.check(businesses);
  const platforms = makePlatforms(config, clock, businesses);
  const metrics = handlerOfMetrics(config, telemetry, options.processMetrics ?? false);
  const store = await openStore(config, { clock, telemetry, ids });
  try {
    const tokens = createTokens(await keysOf(config), { clock, audience: config.AUTH_AUDIENCE });
    const made = { agents, connected, platforms, files: businesses, tokens, store, metrics };
    const parts = { ...options, clock, telemetry, ids, ...made };
    return await assemble(parts);
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

const minuteMs = 60 * 1000;
const hourMs = 60 * minuteMs;

interface Parts extends Required<Pick<AppOptions, "config" | "publicDir" | "clock" | "telemetry">> {
  readonly ids: Ids;
  readonly agents: Agents;
  readonly connected: ConnectedAgents;
  readonly platforms: MadePlatforms;
  /** Businesses that are files. */
  readonly files: ReadonlyMap<string, Business>;
  readonly tokens: Tokens;
  readonly store: Store;
  readonly metrics: MetricsHandler | null;
}

async function assemble(parts: Parts): Promise<App> {
  const { config, publicDir, clock, telemetry, ids, agents, connected, platforms, files, tokens, store } = parts;
  const node = ids.random();
  const onError = (operation: string, error: unknown) => telemetry.emit("store.failed", { operation, error });
  // A data directory has one server at a time, tables have any number.
  const nodes = config.STORE === "embedded" ? onlyNode(node) : createNodes({ store, clock, node, onError });
  const businesses = createBusinesses({
    records: createBusinessRecords({ store, ids, onError }),
    clock,
    files,
    // With tokens a business that nobody described does not exist.
    undescribed: (businessId) => (config.isOpen ? defaultBusiness(businessId, config.DEFAULT_TIME_ZONE) : null),
    problemsOf: (business) => agents.problemsOf(business),
    onError,
  });
  const businessOf = (businessId: string) => businesses.find(businessId);
  const broadcast = (topic: string, event: string, payload: unknown) => endpoint.broadcast(topic, event, payload);
  const onChanged = (session: Session) => tellSession(broadcast, session);
  const onIntent = (intent: Intent) => tellIntent(broadcast, intent);
  const life = { idleMs: config.SESSION_IDLE_HOURS * hourMs, retentionMs: config.RETENTION_DAYS * 24 * hourMs };
  const intentLife = { idleMs: config.INTENT_IDLE_MINUTES * minuteMs || Infinity, keptMs: life.retentionMs };
  const told = { onChanged, onIntent };
  const conversations = createConversations({ store, clock, ids, node, onError, intentLife, ...told });
  const idleIntents = createIdleIntents({ store, clock, telemetry, idleMs: intentLife.idleMs, ...told });
  const delivery = createDelivery({ store, clock, broadcast, onError });
  const deliveredIn = (head: Head) => delivery.deliveredIn(head);
  const resumption = createResumption({
    store,
    conversations,
    clock,
    ids,
    deliveredIn,
    intentIdleMs: intentLife.idleMs,
  });
  // A business that is gone while a turn of it is open is answered with the defaults.
  const knownOrDefault = (businessId: string) =>
    businessOf(businessId) ?? defaultBusiness(businessId, config.DEFAULT_TIME_ZONE);
  const dispatch = createDispatch({
    ...{ store, clock, telemetry, node, nodes, platforms },
    businessOf: knownOrDefault,
    onTaken: (whom, mark) => delivery.taken(whom, mark),
  });
  const tellLeftOver = async (outcome: LeftOver) => {
    const { sessionId, businessId } = outcome.event;
    const head = await findHead(store, sessionId);
    if (head === null) return;
    broadcastLeftOver(broadcast, outcome, { business: knownOrDefault(businessId), session: head.session });
  };
  // One after the other, in the order in which they were said.
  let telling = Promise.resolve();
  store.onLeftOver((outcome) => {
    telling = telling.then(() => tellLeftOver(outcome)).catch((error: unknown) => onError("tell an outcome", error));
    dispatch.wake(outcome.event.sessionId);
  });
  const healths = createAgentHealths(clock, {
    onCircuit: (agent, isOpen) =>
      telemetry.emit("agent.circuit", { agent: agent.name ?? agent.node, state: isOpen ? "open" : "closed" }),
  });
  const slots = new AgentSlots({ clock, healths, max: config.AGENT_CONCURRENCY, waitMs: config.AGENT_TIMEOUT_MS });
  const runs = createRuns({ clock, tell: (event, whom, payload) => tell(broadcast, event, whom, payload) });
  const responder = createResponder({
    store,
    clock,
    ids,
    broadcast,
    agentFor: (business, session) =>
      session.kind === "agent"
        ? agents.connectedAgent(session.businessId, ownAgentOf(session))
        : agents.agentFor(business),
    runs,
    slots,
    limits: { timeoutMs: config.AGENT_TIMEOUT_MS, maxAnswerBytes: config.MAX_ANSWER_BYTES, healths },
    onAnswered: (head) => {
      idleIntents.answered(head);
      if (isUnsent(head)) dispatch.wake(head.session.sessionId);
    },
    onDropped: ({ question: { businessId, sessionId } }, part) =>
      telemetry.emit("agent.dropped", { businessId, sessionId, part }),
    onAgentFailure: ({ question: { businessId, sessionId } }, error) =>
      telemetry.emit("turn.failed", { businessId, sessionId, code: error.code, error }),
  });
  const turns = createTurns({
    store,
    clock,
    telemetry,
    responder,
    node,
    businessOf: knownOrDefault,
    isAbandoned: ({ owner }) => nodes.isGone(owner),
    onReleased: onChanged,
    onUnsent: (sessionId) => dispatch.wake(sessionId),
    slots,
    // More would wait for a slot, and end as `busy`.
    maxTakenUp: config.AGENT_CONCURRENCY,
    maxAway: config.MAX_BACKLOG,
    maxBacklog: config.MAX_BACKLOG,
    maxBacklogPerBusiness: config.MAX_BACKLOG_PER_BUSINESS,
    maxBacklogPerUser: config.MAX_BACKLOG_PER_USER,
  });
  const deletion = createDeletion({ store, clock, telemetry, life });
  const cleanup = createCleanup({ store, clock, telemetry, nodes, node, life, deletion, ...told });
  const stats = createStats({ store, clock, telemetry });
  const credentials = new Credentials(clock);
  const revocations = createRevocations({ store, clock, credentials, onError });
  const door = createDoor({ tokens, revocations, isOpen: config.isOpen });
  const rateLimits = new RateLimits(clock, {
    perSecondPerSocket: config.MESSAGES_PER_SECOND_PER_SOCKET,
    burstPerSocket: config.MESSAGES_BURST_PER_SOCKET,
    eventsPerSecondPerSocket: config.EVENTS_PER_SECOND_PER_SOCKET,
    perMinutePerUser: config.MESSAGES_PER_MINUTE_PER_USER,
    perSecondPerBusiness: config.MESSAGES_PER_SECOND_PER_BUSINESS,
  });
  const { MAX_MESSAGE_BYTES: maxMessageBytes } = config;
  const blocklist = createBlocklist({ store, clock });
  const quota = createQuota({ store, clock, onError });
  const chats = createChats({ store, clock, ids });
  const admission = createAdmission({
    conversations,
    turns,
    rateLimits,
    blocklist,
    quota,
    chats,
    clock,
    telemetry,
    maxMessageBytes,
  });
  const schedules = createSchedules({
    store,
    clock,
    ids,
    telemetry,
    job: createJob("schedules", { store, nodes, node }),
    admission,
    broadcast,
    businessOf,
    maxPerUser: config.MAX_SCHEDULES_PER_USER,
  });
  const chatSpeech = createChatSpeech({ admission, chats, broadcast, telemetry, maxMessageBytes });
  const submissions = createSubmissions({ store, admission, telemetry, maxMessageBytes });
  // An embedded store has this one server.
  const knowsAll = config.isOpen && config.STORE === "embedded";
  const { isGone } = knowsAll ? createUnnamed(() => presence) : { isGone: () => false };
  const coordination = createCoordinatorEvents({
    isGone,
    store,
    clock,
    ids,
    turns,
    runs,
    blocklist,
    broadcast,
    onSaid: (sessionId) => dispatch.wake(sessionId),
    telemetry,
    maxMessageBytes,
  });
  const newestSockets = new NewestSockets(config.MAX_SOCKETS_PER_USER);
  const online = createOnline({ presence: () => presence, clock });
  const answers = createAnswers({ store, clock, listen: (topic, listener) => endpoint.pubsub.listen(topic, listener) });
  const channelDeps = {
    admission,
    submissions,
    events: {
      cancel: cancelEvent(runs),
      feedback: feedbackEvent({ store, clock, broadcast, blocklist, rateLimits }),
      typing: typingEvent({ store, clock, broadcast, blocklist, isGone }),
      ...delivery.events,
      ...coordination.events,
    },
    runs,
    resumption,
    delivery,
    businessOf,
    broadcast,
    maxMessageBytes: config.MAX_MESSAGE_BYTES,
    door,
    credentials,
    newestSockets,
    online,
    telemetry,
  };
  const conversationDeps = {
    ...{ store, clock, broadcast, businessOf, door, credentials, telemetry, connected, online, answers },
    conversations: createAgentConversations({ store, clock, ids }),
    talk: createTalk({ store, clock, ids, node }),
    attendance: new Attendance(),
    ...{ turns, rateLimits, blocklist, quota, maxMessageBytes, chatSpeech },
    maxAnswerBytes: config.MAX_ANSWER_BYTES,
  };
  const proxies = createProxies(config.TRUSTED_PROXIES);
  const { isOpen, ALLOWED_ORIGINS: allowed } = config;
  const origins = createOrigins({ isOpen, allowed, targetOf: proxies.targetOf });
  const mountParts = { door, origins, clock, ids, rateLimits, telemetry };
  const endpoint: Endpoint = new Endpoint({
    mounts: {
      "/socket": deskMount(config, mountParts, {
        messages: () => new MessagesChannel(channelDeps),
        agent: () => new AgentChannel(conversationDeps),
        conversation: () => new ConversationChannel(conversationDeps),
      }),
    },
    telemetry,
    clock,
    maxSockets: config.MAX_SOCKETS,
    maxSocketsPerAddress: config.MAX_SOCKETS_PER_ADDRESS,
    addressOf: proxies.countedOf,
  });
  const presence = new Presence(endpoint);
  let isStopping = false;
  const problems = () =>
    [isStopping ? "the server is stopping" : null, store.failure].filter((problem) => problem !== null);
  const health = { problems, insecure: config.isOpen ? ["open: everyone on this machine is whoever they say"] : [] };
  const { MAX_HISTORY_PAGE: maxHistoryPage } = config;
  const api = createApi({
    store,
    businessOf,
    businesses,
    maxHistoryPage,
    health,
    telemetry,
    stats,
    clock,
    ids,
    tokens,
    oidc: oidcOf(config, clock),
    turns,
    chats,
    chatSpeech,
    schedules,
    webhookSecret: config.AGENT_SECRET ?? null,
    botOf: (businessId) => platforms.botOf(businessId),
    revocations,
    admission,
    maxMessageBytes,
    maxJsonDepth: config.MAX_JSON_DEPTH,
    answers,
    ...{ conversations: conversationDeps.conversations, attendance: conversationDeps.attendance },
    broadcast,
    deeds: coordination.deeds,
    changes: createSessionChanges({ store, clock, broadcast, turns, runs, deletion }),
    block: (business, userId) => coordination.block(business, userId),
    unblock: (user) => blocklist.remove(user),
    door,
    origins,
    publicDir,
  });
  const isMetricsApart = config.METRICS_PORT !== undefined;
  const mainMetrics = isMetricsApart ? null : parts.metrics;
  const server = createServer(
    {
      ...{ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5000, requireHostHeader: false },
      // Node looks for those that are late every half minute, unless it is told otherwise.
      connectionsCheckingInterval: 1000,
    },
    withHost((request, response) => {
      endUnread(response);
      if (mainMetrics?.(request, response) === true || endpoint.handle(request, response)) return;
      api(request, response);
    }),
  );
  answerUnreadable(server);
  endpoint.attach(server);
  const apart = isMetricsApart && parts.metrics !== null ? metricsServer(parts.metrics) : null;
  await nodes.start();
  try {
    await businesses.start();
    await revocations.start();
    await listen(server, "PORT", config);
    if (apart !== null) await listen(apart, "METRICS_PORT", config);
  } catch (cause) {
    server.close();
    businesses.stop();
    await nodes.stop();
    throw cause;
  }
  nodes.onGone(() => {
    void turns.recover();
    idleIntents.recover();
  });
  stats.start();
  await turns.recover();
  turns.watch();
  cleanup.start();
  schedules.start();
  idleIntents.start();
  credentials.start();
  // Behind the start: nobody waits for it, and the first who asks seldom does.
  const warmed = agents.warm(files);
  const url = urlOf(server, config);
  const metricsUrl = parts.metrics === null ? null : `${apart === null ? url : urlOf(apart, config)}/metrics`;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    await shutDown({
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
    });
    credentials.stop();
    await warmed;
  };
  return { url, port: (server.address() as AddressInfo).port, metricsUrl, store, endpoint, stop };
}

/** Whose tokens may have turns be run; null: nobody's. */
function oidcOf({ OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience }: Config, clock: Clock): Oidc | null {
  return issuer === undefined || audience === undefined ? null : createOidc({ issuer, audience }, clock);
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
