// Bundles the chat page, the widget and the console for browsers, next to what tsc makes of the rest, or into the folder that
// is given.
// Says nothing when all is well.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { minify } from "@swc/core";
import { build, transform } from "esbuild";

const [brotli, gzipped] = [promisify(brotliCompress), promisify(gzip)];
const client = dirname(fileURLToPath(import.meta.url));
const page = join(client, "page");
const desk = join(client, "console");
const target = process.argv[2] ?? join(client, "..", "dist", "client", "public");

const fallback = ["connectWithFallback", "replaceTransport", "ping", "transportName", "getSession", "storeSession"];
const logs = ["getLongPollTransport", "hasLogger", "log"];
const queries = `export default {
  appendParams: (url, params) => url + (url.includes("?") ? "&" : "?") + new URLSearchParams(params),
};`;
const jsonSerializer = `export default {
  encode: ({ join_ref, ref, topic, event, payload }, done) => done(JSON.stringify([join_ref, ref, topic, event, payload])),
  decode: (raw, done) => {
    const [join_ref, ref, topic, event, payload] = JSON.parse(raw);
    return done({ join_ref, ref, topic, event, payload });
  },
};`;

/** By which address each file is asked for, with a digest of what is in it: under that it never changes. */
const addresses = new Map();

/** Long names that mean something within one file alone: those of phoenix, and some of ours. */
const shortened = new RegExp(
  `^(?:${[
    ...[
      "joinedOnce",
      "stateChangeRefs",
      "bindingRef",
      "bindings",
      "pushBuffer",
      "rejoinTimer",
      "joinPush",
      "timeoutTimer",
    ],
    ...["receivedResp", "recHooks", "cancelRefEvent", "matchReceive", "startTimeout", "hasReceived", "replyEventName"],
    ...["scheduleTimeout", "timerCalc", "sendBuffer", "heartbeatTimer", "heartbeatTimeoutTimer", "reconnectTimer"],
    ...["leaveOpenTopic", "triggerChanError", "triggerStateCallbacks", "stateChangeCallbacks", "transportConnect"],
    ...["waitForBufferDone", "waitForSocketClosed", "onConnOpen", "onConnClose", "onConnError", "onConnMessage"],
    ...["resetHeartbeat", "sendHeartbeat", "heartbeatTimeout", "flushSendBuffer", "primaryPassedHealthCheck"],
    ...["closeWasClean", "connectClock", "defaultEncoder", "defaultDecoder", "pendingHeartbeatRef", "fallbackTimer"],
    ...["establishedConnections", "visibilityConnection", "closeHandled", "channelsErrored", "longPollFallbackMs"],
    ...["clearHeartbeats", "teardownAndReconnect", "teardown", "longpollerTimeout", "pageHidden", "skipHeartbeat"],
    ...["canPush", "endPointURL", "isConnecting", "isJoined", "makeRef", "joinRef", "connectionState", "sessionStore"],
    ...["reconnectAfterMs", "rejoinAfterMs", "heartbeatIntervalMs"],
    ...["fallbackRef", "fallbackErrorRef", "refEvent", "isJoining", "isLeaving", "isErrored", "isClosed", "isMember"],
    ...["stillUses", "handleVisibilityChange", "isOutdated", "cancelTimeout", "isCurrent", "connectWithFallback"],
    ...["receive", "channels", "pings", "trigger", "hasGap", "isOver", "renewed", "silence", "thought", "isKept"],
    ...["endPoint", "cancelFallback", "carried", "resend", "rejoin", "isOpen", "closing"],
    // Ours: none goes from one part to another, or onto the wire.
    ...[
      "typists",
      "handlers",
      "statusChanged",
      "joinPayload",
      "heardSession",
      "heardIntent",
      "lastTimestamp",
      "unsentCount",
      "isAtEnd",
    ],
    ...["isOnline", "onSession", "onIntent", "emptyTitle", "inTheMaking", "historyFailed", "teamWrites", "agentWrites"],
  ].join("|")})$`,
);

await mkdir(target, { recursive: true });
// What was said before, forms, Markdown and what to say of trouble are files of their own, loaded with the first of them. What the page
// and they share is in both: another file would be one more thing to wait for at every first load.
const parts = ["earlier.ts", "form.ts", "markdown.ts", "trouble.ts"].map((file) => join(page, file));
await Promise.all([...parts, join(desk, "console-charts.ts")].map((file) => buildScript(file)));
await Promise.all([
  buildScript(join(page, "page.ts")),
  buildScript(join(page, "widget-chat.ts")),
  buildScript(join(desk, "console.tsx"), { external: [addressIn("./console-charts.js")] }),
  buildStyle(join(page, "page.css")),
  buildStyle(join(desk, "console.css")),
  publish("icon.svg", await readFile(join(page, "icon.svg"))),
]);
await Promise.all([
  buildScript(join(page, "widget.ts"), { format: "iife" }),
  buildHtml(join(page, "index.html"), "index.html"),
  buildHtml(join(desk, "index.html"), "console.html"),
]);

/** Writes a file as it is, and as browsers take it. */
async function publish(name, content) {
  const bytes = Buffer.from(content);
  // As server/http/assets.ts does.
  const digest = createHash("sha256").update(bytes).digest("base64url").slice(0, 6);
  addresses.set(name, `${name}?v=${digest}`);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  const [br, gz] = await Promise.all([brotli(bytes, quality), gzipped(bytes, { level: 9 })]);
  const files = { [name]: bytes, [`${name}.br`]: br, [`${name}.gz`]: gz };
  await Promise.all(Object.entries(files).map(([file, written]) => writeFile(join(target, file), written)));
}

/** Names other files by their addresses, as far as they are built. */
function addressIn(source) {
  return source.replace(/(?<=["`/])[\w-]+\.(?:js|css)(?=["`]|$)/g, (name) => addresses.get(name) ?? name);
}

async function buildScript(file, { format = "esm", external = [] } = {}) {
  const output = { write: false, outdir: target, sourcemap: "external", logLevel: "warning" };
  const bundle = {
    bundle: true,
    minifyIdentifiers: true,
    minifySyntax: true,
    minifyWhitespace: true,
    format,
    external,
    target: "es2023",
    mangleProps: shortened,
    plugins: [slimPhoenix(), asText(), addressed()],
  };
  const jsx = { jsx: "automatic", jsxImportSource: "preact" };
  const { outputFiles } = await build({ entryPoints: [file], ...bundle, ...jsx, ...output });
  const [map, script] = outputFiles;
  const isModule = format === "esm";
  const compress = { ecma: 2020, passes: 3, toplevel: true };
  const options = { module: isModule, compress, mangle: { toplevel: true }, sourceMap: { content: map.text } };
  const minified = await minify(script.text, { ...options, inlineSourcesContent: true });
  const name = basename(file).replace(/tsx?$/, "js");
  await writeFile(join(target, `${name}.map`), minified.map);
  await publish(name, `${minified.code}\n//# sourceMappingURL=${name}.map\n`);
}

async function buildStyle(file) {
  const { outputFiles } = await build({
    entryPoints: [file],
    write: false,
    bundle: true,
    minify: true,
    logLevel: "warning",
  });
  await publish(basename(file), outputFiles[0].contents);
}

async function buildHtml(file, name) {
  const html = await readFile(file, "utf8");
  await publish(name, addressIn(smallHtml(html)));
}

function smallHtml(html) {
  return html.replace(/\n\s*/g, "\n");
}

// Only where a part is loaded: what is imported stands behind `from`, and is bundled.
function addressed() {
  return {
    name: "addressed",
    setup({ onLoad }) {
      onLoad({ filter: /client\/(?:page|console)\/[\w-]+\.tsx?$/ }, async ({ path }) => {
        const lines = (await readFile(path, "utf8")).split("\n");
        const contents = lines.map((line) => (/ from "|^import /.test(line) ? line : addressIn(line))).join("\n");
        return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
}

// The widget's markup and styles are in its scripts. A rem is of the page that it is on, which may say anything.
function asText() {
  return {
    name: "as text",
    setup({ onLoad }) {
      onLoad({ filter: /\.html$/ }, async ({ path }) => {
        return { contents: smallHtml(await readFile(path, "utf8")), loader: "text" };
      });
      onLoad({ filter: /\.css$/ }, async ({ path }) => {
        const css = (await readFile(path, "utf8")).replace(/([\d.]+)rem\b/g, (_, count) => `${count * 16}px`);
        return { contents: (await transform(css, { loader: "css", minify: true })).code, loader: "text" };
      });
    },
  };
}

// phoenix from its own sources, without what the page does not use: long-poll and the way back to it, requests, frames of
// bytes, and a log. They would be a seventh of it.
function slimPhoenix() {
  const sources = join(client, "..", "node_modules", "phoenix", "assets", "js", "phoenix");
  const replaced = { "./longpoll": "export default class {}", "./ajax": queries, "./serializer": jsonSerializer };
  return {
    name: "slim phoenix",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^phoenix$/ }, () => ({ path: join(sources, "index.js"), sideEffects: false }));
      onResolve({ filter: /^\.\/(longpoll|ajax|serializer)$/ }, ({ path }) => ({ path, namespace: "replaced" }));
      onLoad({ filter: /.*/, namespace: "replaced" }, ({ path }) => ({ contents: replaced[path] }));
      onLoad({ filter: /\/phoenix\/(socket|channel)\.js$/ }, async ({ path }) => {
        const quiet = silent(await readFile(path, "utf8"));
        return { contents: path.endsWith("socket.js") ? [...fallback, ...logs].reduce(without, quiet) : quiet };
      });
    },
  };
}

function silent(source) {
  const silenced = source
    .replaceAll(/this\.(socket\.)?hasLogger\(\)/g, "false")
    .replace(/this\.logger = opts[^]*?console\.log.*\n *\}/, "")
    .replace("this.longPollFallbackMs && this.transport !== LongPoll", "false")
    .replace(/(this|transport)\.binaryType = .*/g, "")
    .replaceAll(/(this|console && console)\.log\([^;\n]*\)/g, "void 0")
    // To whoever programs against it.
    .replaceAll(/throw new Error\([^;\n]*\)|throw\([^;\n]*\)/g, 'throw new Error("phoenix")');
  if (silenced === source) throw new Error("phoenix is another one than this build knows");
  return silenced;
}

function without(source, method) {
  // In one line, or up to the brace that closes it.
  const slimmed = source.replace(new RegExp(`^ {2}${method}\\((?:[^\\n]*\\{ [^\\n]* \\}|.*?^ {2}\\})$`, "ms"), "");
  if (slimmed === source) throw new Error(`phoenix has no ${method}`);
  return slimmed;
}
