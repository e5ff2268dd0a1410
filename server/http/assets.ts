import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import express, { type Request, type RequestHandler, type Response } from "express";
import { methodNotAllowed } from "./problem.js";

/** What a file was compressed with when it was built, the best first, by what is behind its name. */
const endings = { br: ".br", gzip: ".gz" } as const;
const encodings = ["br", "gzip"] as const;
const yearS = 365 * 24 * 3600;

/**
 * The files of the pages, compressed as they were built. Under an address that has a file's digest as `v` it never
 * changes; under any other it is asked for anew, and answered with 304 as long as it is the same. They are read and
 * nothing else. (SPEC H1, H29)
 */
export function assets(publicDir: string): RequestHandler {
  const digests = digestsOf(publicDir);
  const files = express.static(publicDir, {
    index: false,
    cacheControl: false,
    acceptRanges: false,
    redirect: false,
    setHeaders: describe,
  });
  const refuse = methodNotAllowed(["GET"]);
  return (request, response, next) => {
    const name = nameOf(request.path);
    const digest = digests.get(name);
    if (digest === undefined) return next();
    if (request.method !== "GET" && request.method !== "HEAD") return void refuse(request, response, next);
    const isKept = request.query.v === digest;
    response.locals.cacheControl = isKept ? `public, max-age=${yearS}, immutable` : "no-cache";
    request.url = `/${encodeURIComponent(name)}${endingFor(request, name)}`;
    files(request, response, next);
  };

  function endingFor(request: Request, name: string): string {
    const isThere = (encoding: keyof typeof endings) => digests.has(name + endings[encoding]);
    const encoding = encodings.find((each) => isThere(each) && request.acceptsEncodings(each) !== false);
    return encoding === undefined ? "" : endings[encoding];
  }
}

// `/console` is console.html, and so is `/console/`. What is compressed is asked for by its own name.
function nameOf(path: string): string {
  const name = path.slice(1).replace(/(?<=^\w+)\/$/, "") || "index.html";
  if (/\.(?:br|gz)$/.test(name)) return "";
  return extname(name) === "" ? `${name}.html` : name;
}

function describe(response: Response, path: string): void {
  const encoding = encodings.find((each) => path.endsWith(endings[each]));
  const file = encoding === undefined ? path : path.slice(0, -endings[encoding].length);
  if (encoding !== undefined) response.setHeader("Content-Encoding", encoding);
  response.type(extname(file));
  response.setHeader("Cache-Control", String(response.locals.cacheControl));
  response.vary("Accept-Encoding");
  // Any site may have the widget's line; a plain script is asked for without an Origin, and what it loads with one.
  if (basename(file) === "widget.js") response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
}

/** By name, as client/build.mjs does. A server that was never built has no pages. */
function digestsOf(publicDir: string): ReadonlyMap<string, string> {
  const digestOf = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(publicDir, name)))
      .digest("base64url");
  const entries = existsSync(publicDir) ? readdirSync(publicDir, { withFileTypes: true }) : [];
  const names = entries.filter((entry) => entry.isFile());
  return new Map(names.map(({ name }) => [name, digestOf(name).slice(0, 6)]));
}
