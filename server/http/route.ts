import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import express, { type Request, type RequestHandler, type Response, Router } from "express";
import { type Action, rules } from "../auth/access.js";
import { isDeeper } from "../../protocol/depth.js";
import type { Door } from "../auth/door.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { wellKeyed } from "./idempotency-key.js";
import { identify, identityOf, isAllowed } from "./identify.js";
import type { RouteDescription } from "./openapi.js";
import { methodNotAllowed, sendProblem } from "./problem.js";

/** One route of the API. The list of all routes is what the server has, what its description says, and what is tested. */
export interface Route {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As Express takes it. */
  readonly path: string;
  /** What one must be allowed for it; the handler asks, because only it knows of what. */
  readonly action: Action;
  /** A body that nobody looks at is not read, either. True unless it is given. */
  readonly hasBody?: boolean;
  /**
   * Of a POST, under the same `Idempotency-Key`: `once`, it is answered as the first one was; `harmless`, it does nothing
   * that was not done, or makes what nobody stores. (SPEC H27)
   */
  readonly repeated?: "once" | "harmless";
  /** More than this is not read. Default 64 KiB. */
  readonly bodyBytesMax?: number;
  /** The bytes of the body are needed, too, as they came. */
  readonly keepsBytes?: boolean;
  /** What those are told who may do it to nobody's: the same as of what is not there. `not_found` unless it is given. */
  readonly missing?: "session_not_found";
  /** What it is to those who call it. */
  readonly doc: RouteDescription;
  readonly handle: (request: Request, response: Response) => void | Promise<void>;
}

const bodyBytesDefault = 65_536;
const withoutBody: ReadonlySet<Route["method"]> = new Set(["get", "delete"]);

export interface RouterDeps {
  readonly door: Door;
  readonly telemetry: DeskTelemetry;
  /** Levels of objects and lists of a body; 0: no limit. */
  readonly maxJsonDepth: number;
}

/** Serves routes: first who it is, unless everybody may, and then what they have to say. */
export function routerOf(routes: readonly Route[], { door, telemetry, maxJsonDepth }: RouterDeps): Router {
  const router = Router();
  const shallowOnly = noDeeperThan(maxJsonDepth);
  for (const route of routes) {
    const { method, path, action, handle, hasBody = true, bodyBytesMax = bodyBytesDefault, missing } = route;
    if (rules[action] !== "anyone") router[method](path, identify(door, telemetry));
    const takesBody = !withoutBody.has(method) && hasBody;
    if (takesBody && rules[action] !== "anyone") router[method](path, onlyThoseWhoMay(action, telemetry, missing));
    if (method === "post") router.post(path, wellKeyed);
    if (takesBody) {
      const verify = route.keepsBytes === true ? keepReadable : readableOnly;
      router[method](path, jsonOnly, express.json({ limit: bodyBytesMax, inflate: false, verify }), shallowOnly);
    }
    router[method](path, handle);
  }
  for (const [path, methods] of methodsByPath(routes)) router.all(path, methodNotAllowed(methods));
  return router;
}

function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes) methods.set(path, [...(methods.get(path) ?? []), method.toUpperCase()]);
  return methods;
}

// What is no JSON would be read as nothing, and answered as if nothing had been said.
const jsonOnly: RequestHandler = (request, response, next) => {
  const isEmpty = request.headers["content-length"] === "0";
  // Null: there is no body.
  if (isEmpty || request.is("application/json") !== false) next();
  else sendProblem(response, "unsupported_media_type");
};

// What is deeper is hard on whatever goes through it, and on what stores it. (SPEC L2)
function noDeeperThan(levels: number): RequestHandler {
  return (request, response, next) => {
    if (levels === 0 || !isDeeper(request.body, levels)) next();
    else sendProblem(response, "invalid_payload", `more than ${levels} levels`);
  };
}

const bytes = new WeakMap<IncomingMessage, Buffer>();
const noBytes = Buffer.alloc(0);

// Bytes that are no UTF-8 would be read as other signs than were sent, and stored so. JSON is never of another charset.
function readableOnly(_request: IncomingMessage, _response: unknown, body: Buffer, charset: string): void {
  const status = charset === "utf-8" ? 400 : 415;
  if (status === 415 || !isUtf8(body)) throw Object.assign(new Error("not UTF-8"), { status });
}

function keepReadable(request: IncomingMessage, response: unknown, body: Buffer, charset: string): void {
  readableOnly(request, response, body, charset);
  bytes.set(request, body);
}

/** The body of a request as it came, where its route keeps it; nothing of one that is no JSON. */
export function bytesOf(request: Request): Buffer {
  return bytes.get(request) ?? noBytes;
}

// Whoever may not do it for anybody is told what he is told of a path that is not there, whatever his body is like.
function onlyThoseWhoMay(
  action: Action,
  telemetry: DeskTelemetry,
  missing: Route["missing"] = undefined,
): RequestHandler {
  return (request, response, next) => {
    const { businessId, userId } = identityOf(request);
    if (isAllowed(telemetry, request, action, { businessId, userId })) next();
    else sendProblem(response, missing ?? "not_found");
  };
}
