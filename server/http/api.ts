import cors, { type CorsOptions } from "cors";
import express, { type Express, type Request, type RequestHandler } from "express";
import helmet from "helmet";
import type { Origins } from "../auth/origins.js";
import { agentRoutes, type AgentsDeps } from "./agents.js";
import { assets } from "./assets.js";
import { businessRoutes, type BusinessesDeps } from "./businesses.js";
import { conversationRoutes, type ConversationsDeps } from "./conversations.js";
import { chatMessageRoutes, type ChatMessagesDeps } from "./chat-messages.js";
import { chatWorkerRoutes, type ChatWorkerDeps } from "./chat-worker.js";
import { chatRoutes, type ChatsDeps } from "./chats.js";
import { docsRoutes } from "./docs.js";
import { type Health, healthRoutes } from "./health.js";
import { inTurn } from "./in-turn.js";
import { messageRoutes, type MessagesDeps } from "./messages.js";
import { beside } from "./pages.js";
import { notFound, problemHandler, sendProblem } from "./problem.js";
import { type Route, type RouterDeps, routerOf } from "./route.js";
import { scheduleRoutes, type SchedulesDeps } from "./schedules.js";
import { sessionRoutes, type SessionsDeps } from "./sessions.js";
import { statsRoutes, type StatsDeps } from "./stats.js";
import { tokenRoutes, type TokensDeps } from "./tokens.js";
import { telegramRoutes, type TelegramDeps } from "./telegram.js";
import { webhookRoutes, type WebhooksDeps } from "./webhooks.js";
import { userRoutes, type UsersDeps } from "./users.js";

export interface ApiDeps
  extends
    SessionsDeps,
    MessagesDeps,
    TokensDeps,
    UsersDeps,
    BusinessesDeps,
    StatsDeps,
    AgentsDeps,
    ConversationsDeps,
    ChatsDeps,
    ChatMessagesDeps,
    ChatWorkerDeps,
    SchedulesDeps,
    TelegramDeps,
    WebhooksDeps,
    RouterDeps {
  readonly health: Health;
  /** By which names we are called, and which pages may call us. */
  readonly origins: Origins;
  /** Folder of the built pages. */
  readonly publicDir: string;
}

/** The HTTP side of the desk: the order of the middleware, and the list of the routes. */
export function createApi(deps: ApiDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("query parser", "simple");
  app.use(inTurn());
  app.use(securityHeaders());
  app.use(variesByOrigin);
  app.use(knownOnly(deps.origins));
  app.use(crossOrigin(deps.origins));
  app.use(plainBodiesOnly);
  app.use(routerOf(apiRoutes(deps), deps));
  app.use(assets(deps.publicDir));
  app.use(notFound);
  app.use(problemHandler(deps.telemetry));
  return app;
}

/** Every route there is. */
export function apiRoutes(deps: ApiDeps): readonly Route[] {
  const routes = [
    ...healthRoutes(deps.health),
    ...sessionRoutes(deps),
    ...messageRoutes(deps),
    ...tokenRoutes(deps),
    ...userRoutes(deps),
    ...businessRoutes(deps),
    ...statsRoutes(deps),
    ...agentRoutes(deps),
    ...conversationRoutes(deps),
    ...chatRoutes(deps),
    ...chatMessageRoutes(deps),
    ...chatWorkerRoutes(deps),
    ...scheduleRoutes(deps),
    ...webhookRoutes(deps),
    ...telegramRoutes(deps),
  ];
  return [...routes, ...docsRoutes([...routes, ...beside])];
}

function securityHeaders(): RequestHandler {
  const self = ["'self'"];
  const directives = {
    "default-src": self,
    "script-src": self,
    "style-src": self,
    "img-src": self,
    "connect-src": self,
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": self,
    "frame-ancestors": self,
  };
  return helmet({ contentSecurityPolicy: { useDefaults: false, directives }, strictTransportSecurity: false });
}

/**
 * A name that somebody elsewhere pointed at this machine gets nothing from an open server, and a page that may not call
 * us nothing from any. (SPEC X5, X13)
 */
function knownOnly(origins: Origins): RequestHandler {
  return (request, response, next) => {
    const { host, origin } = request.headers;
    if (!origins.goesBy(host)) sendProblem(response, "forbidden", "this server does not answer to that name");
    else if (!origins.allows(origin, request)) sendProblem(response, "forbidden", "not from pages of that origin");
    else next();
  };
}

// Never `*`: the answer names the origin that asked. Those that may not have been refused.
function crossOrigin(origins: Origins): RequestHandler {
  const options: CorsOptions = {
    methods: ["GET", "POST", "PATCH", "PUT", "DELETE"],
    allowedHeaders: [
      "authorization",
      "content-type",
      "idempotency-key",
      "if-match",
      "if-none-match",
      "x-user-id",
      "x-role",
      "x-business-id",
    ],
    exposedHeaders: ["etag", "retry-after"],
    maxAge: 600,
  };
  return cors<Request>((request, done) => {
    const { origin } = request.headers;
    done(null, { ...options, origin: origin !== undefined && origins.allows(origin, request) });
  });
}

// For those who were refused as well, or a cache would give one page's answer to another.
const variesByOrigin: RequestHandler = (_request, response, next) => {
  response.vary("Origin");
  next();
};

// A compressed body is a bomb until it is unpacked; nobody needs one here. (SPEC H7)
const plainBodiesOnly: RequestHandler = (request, response, next) => {
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") next();
  else sendProblem(response.set("connection", "close"), "unsupported_media_type");
};
