import cors from "cors";
import express, { type Express, type RequestHandler } from "express";
import helmet from "helmet";
import { isLocalHost, isLocalOrigin } from "../auth/local.js";
import type { Tokens } from "../auth/token.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { type Health, healthRoutes } from "./health.js";
import { identify } from "./identify.js";
import { notFound, problemHandler, sendProblem } from "./problem.js";
import { sessionRoutes, type SessionsDeps } from "./sessions.js";

export interface ApiDeps extends SessionsDeps {
  readonly health: Health;
  readonly telemetry: DeskTelemetry;
  /** Null on an open server. */
  readonly tokens: Tokens | null;
  /** Pages that may call us from elsewhere, where tokens say who is who. */
  readonly allowedOrigins: readonly string[];
  /** Folder of the built pages. */
  readonly publicDir: string;
}

/** The HTTP side of the desk: the order of the middleware, and the list of the routes. */
export function createApi(deps: ApiDeps): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("query parser", "simple");
  app.use(securityHeaders());
  if (deps.tokens === null) app.use(localOnly);
  app.use(variesByOrigin);
  app.use(crossOrigin(deps));
  app.use(plainBodiesOnly);
  app.use(healthRoutes(deps.health));
  app.use("/api/sessions", identify(deps.tokens), sessionRoutes(deps));
  app.use(express.static(deps.publicDir, { index: "index.html", cacheControl: true, maxAge: 0 }));
  app.use(notFound);
  app.use(problemHandler(deps.telemetry));
  return app;
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

/** A name that somebody elsewhere pointed at this machine gets nothing from an open server. (SPEC X5) */
const localOnly: RequestHandler = (request, response, next) => {
  if (isLocalHost(request.headers.host) && isLocalOrigin(request.headers.origin)) next();
  else sendProblem(response, "forbidden", "this server answers only to the names of this machine");
};

// Never `*`: the answer names the origin that asked, or nobody.
function crossOrigin({ tokens, allowedOrigins }: ApiDeps): RequestHandler {
  const isAllowed = (origin: string | undefined) =>
    tokens === null ? isLocalOrigin(origin) : origin !== undefined && allowedOrigins.includes(origin);
  return cors({
    origin: (origin, done) => done(null, isAllowed(origin)),
    methods: ["GET", "POST", "PATCH", "PUT", "DELETE"],
    allowedHeaders: ["authorization", "content-type", "idempotency-key", "x-user-id", "x-role", "x-business-id"],
    maxAge: 600,
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
