import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request, as it arrived. */
export interface ModelCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: ModelCallBody;
  /** Answered to the end. */
  isAnswered: boolean;
  /** The connection was closed before that. */
  isLeft: boolean;
}

export interface ModelCallBody {
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly tools?: readonly {
    readonly type: string;
    readonly function: {
      readonly name: string;
      readonly description: string;
      readonly parameters: Readonly<Record<string, unknown>>;
    };
  }[];
}

/** What one call is answered with. */
export type Behaviour = (response: ServerResponse, call: ModelCall) => void | Promise<void>;

/** A model behind an endpoint that speaks OpenAI's chat completions. It does what its script says, and records all that it is sent. */
export class FakeModel {
  readonly calls: ModelCall[] = [];
  readonly #server: Server;
  readonly #script: Behaviour[] = [];
  #otherwise: Behaviour = says("Certainly.");

  private constructor() {
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(): Promise<FakeModel> {
    const model = new FakeModel();
    model.#server.listen(0, "127.0.0.1");
    await once(model.#server, "listening");
    return model;
  }

  /** The base of the API, as MODEL_URL has it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Answers the next calls so, in this order. */
  will(...behaviours: readonly Behaviour[]): this {
    this.#script.push(...behaviours);
    return this;
  }

  /** Answers all calls so that the script says nothing of. */
  always(behaviour: Behaviour): this {
    this.#otherwise = behaviour;
    return this;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      return;
    }
    const { method = "", url: path = "", headers } = request;
    const body = JSON.parse(Buffer.concat(chunks).toString()) as ModelCallBody;
    const call: ModelCall = { method, path, headers, body, isAnswered: false, isLeft: false };
    this.calls.push(call);
    response.on("finish", () => (call.isAnswered = true));
    response.on("close", () => (call.isLeft = !call.isAnswered));
    // Whoever asked may be gone by now; that is for the test to judge.
    response.on("error", () => undefined);
    await (this.#script.shift() ?? this.#otherwise)(response, call);
  }
}

/** A choice's chunk of a stream. */
export function chunk(delta: unknown, finish: string | null = null): string {
  return data({ object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] });
}

/** One event of a stream. */
export function data(value: unknown): string {
  return `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
}

export const done = data("[DONE]");

/** The last chunk of a stream whose usage was asked for. */
export function used(tokens: number): string {
  return data({ choices: [], usage: { prompt_tokens: tokens - 1, completion_tokens: 1, total_tokens: tokens } });
}

/** Streams these texts, whole. */
export function says(...texts: readonly string[]): Behaviour {
  return streams(
    chunk({ role: "assistant", content: "" }),
    ...texts.map((content) => chunk({ content })),
    chunk({}, "stop"),
    used(42),
    done,
  );
}

/** Calls for a tool, its arguments in small fragments. */
export function calls(name: string, args: unknown, said = ""): Behaviour {
  const json = typeof args === "string" ? args : JSON.stringify(args);
  const fragments = json.match(/[\s\S]{1,5}/gu) ?? [];
  const fragment = (more: object) => chunk({ tool_calls: [{ index: 0, ...more }] });
  return streams(
    ...(said === "" ? [] : [chunk({ content: said })]),
    fragment({ id: "call_1", type: "function", function: { name, arguments: "" } }),
    ...fragments.map((piece) => fragment({ function: { arguments: piece } })),
    chunk({}, "tool_calls"),
    used(42),
    done,
  );
}

/** This event stream, to the letter. */
export function streams(...pieces: readonly string[]): Behaviour {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    for (const piece of pieces) response.write(piece);
    response.end();
  };
}

/** This body, as JSON unless another type is given. */
export function sends(body: unknown, type = "application/json"): Behaviour {
  return (response) => {
    response.writeHead(200, { "content-type": type });
    response.end(Buffer.isBuffer(body) || typeof body === "string" ? body : JSON.stringify(body));
  };
}

/** This status, with these headers. */
export function refuses(status: number, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(`{"error":{"message":"no"}}`);
  };
}

/** Nothing at all, ever. */
export const hangs: Behaviour = () => undefined;

/** Begins a stream with these pieces, and says no more. */
export function stalls(...pieces: readonly string[]): Behaviour {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    for (const piece of pieces) response.write(piece);
  };
}

/** Sends these pieces of a stream, then cuts the connection. */
export function cuts(...pieces: readonly string[]): Behaviour {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(pieces.join(""), () => response.destroy());
  };
}

/** Sends the same piece of a stream for as long as it is read, and no faster. */
export function repeats(piece: string): Behaviour {
  return async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    while (!response.destroyed) {
      if (!response.write(piece)) await drained(response);
    }
  };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.on("drain", go).on("close", go);
  });
}
