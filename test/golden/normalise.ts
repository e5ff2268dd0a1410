import type { IncomingHttpHeaders } from "node:http";

/** A frame as a client received it. */
export type ReceivedFrame = { readonly pong: string } | { readonly data: Buffer; readonly isBinary: boolean };

const comparedHeaders = [
  "content-type",
  "access-control-allow-origin",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-max-age",
  "cache-control",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
];

/** The headers that are part of the contract; `cache-control` only where Phoenix sets it itself. */
export function contractHeaders(headers: IncomingHttpHeaders): Record<string, unknown> {
  const compared = comparedHeaders.filter((name) => headers[name] !== undefined);
  const kept = compared.filter((name) => name !== "cache-control" || headers[name] === "no-store");
  return Object.fromEntries(kept.map((name) => [name, headers[name]]));
}

/** The event of a frame of either version, or null. */
export function eventOf(frame: ReceivedFrame): unknown {
  if ("pong" in frame || frame.isBinary) return null;
  const value = parse(frame.data.toString("utf8"))?.json;
  if (Array.isArray(value)) return value[3] as unknown;
  return isRecord(value) ? value.event : null;
}

/** Gives what is random a stable name, in the order in which it first appears. One for each transcript. */
export class Normaliser {
  readonly #refs = new Map<string, string>();

  frame(frame: ReceivedFrame): unknown {
    if ("pong" in frame) return frame;
    if (frame.isBinary) return { binary: frame.data.toString("base64") };
    return this.#textOrJson(frame.data.toString("utf8"));
  }

  /** The body of an HTTP answer; in that of a long-poll, the frames within are parsed too. */
  body(text: string): unknown {
    const parsed = parse(text);
    if (parsed === null) return { text };
    const { json } = parsed;
    if (!isRecord(json)) return { json };
    if (typeof json.token === "string") json.token = "<token>";
    if (Array.isArray(json.messages)) json.messages = json.messages.map((message) => this.#message(message));
    return { json: this.#value(json) };
  }

  #message(message: unknown): unknown {
    return typeof message === "string" ? this.#textOrJson(message) : { notString: message };
  }

  #textOrJson(text: string): unknown {
    const parsed = parse(text);
    return parsed === null ? { text } : { json: this.#value(parsed.json) };
  }

  // Keys are visited in their order, so that a ref has the same name wherever it is seen first.
  #value(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    if (!isRecord(value)) return value;
    const entries = Object.keys(value)
      .sort()
      .map((key) => [key, this.#field(key, value[key])] as const);
    return Object.fromEntries(entries);
  }

  #field(key: string, value: unknown): unknown {
    if ((key !== "phx_ref" && key !== "phx_ref_prev") || typeof value !== "string") return this.#value(value);
    const name = this.#refs.get(value) ?? `<phx_ref ${this.#refs.size + 1}>`;
    this.#refs.set(value, name);
    return name;
  }
}

function parse(text: string): { json: unknown } | null {
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
