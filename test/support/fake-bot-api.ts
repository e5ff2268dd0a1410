import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "./until.js";

/** One call of a method, as it arrived. */
export interface BotCall {
  readonly token: string;
  readonly method: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * What it does with a call. `drop-before`: the connection breaks, and nothing was done; `drop-after`: it was done, and
 * nobody learns of it; `hang`: nothing, until the connection is closed.
 */
export type BotBehaviour =
  | "take"
  | "drop-before"
  | "drop-after"
  | "hang"
  | { readonly status: number; readonly retryAfter?: number; readonly description?: string };

const textLengthMax = 4096;

/** Telegram's Bot API, so far as answers go: what was said in each chat is what its user reads. */
export class FakeBotApi {
  readonly calls: BotCall[] = [];
  /** What arrived in the chats, in its order. */
  readonly messages: { readonly chatId: number; readonly text: string }[] = [];
  readonly #behaviours: BotBehaviour[] = [];
  readonly #server: Server;
  #usual: BotBehaviour = "take";

  private constructor() {
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(): Promise<FakeBotApi> {
    const api = new FakeBotApi();
    api.#server.listen(0, "127.0.0.1");
    await once(api.#server, "listening");
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What it does with the next calls, one after the other. */
  next(...behaviours: readonly BotBehaviour[]): void {
    this.#behaviours.push(...behaviours);
  }

  /** What it does with all others. */
  usually(behaviour: BotBehaviour): void {
    this.#usual = behaviour;
  }

  textsIn(chatId: number): readonly string[] {
    return this.messages.flatMap((message) => (message.chatId === chatId ? [message.text] : []));
  }

  /** What arrived in a chat, once it is so much. @param meanwhile done again and again, such as to let time pass */
  async read(chatId: number, count: number, meanwhile: () => void = () => undefined): Promise<readonly string[]> {
    return until(`${count} messages in the chat ${chatId}`, () => {
      meanwhile();
      const texts = this.textsIn(chatId);
      return texts.length >= count && texts;
    });
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const [, token = "", method = ""] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? "") ?? [];
    const body = JSON.parse(Buffer.concat(chunks).toString()) as BotCall["body"];
    this.calls.push({ token, method, body });
    const behaviour = this.#behaviours.shift() ?? this.#usual;
    if (behaviour === "hang") return;
    if (behaviour === "drop-before") return void request.socket.destroy();
    if (typeof behaviour === "object") return refuse(response, behaviour);
    const fault = method === "sendMessage" ? faultIn(body) : "Not Found: method not found";
    if (fault !== null) return refuse(response, { status: 400, description: fault });
    this.messages.push({ chatId: body.chat_id as number, text: body.text as string });
    if (behaviour === "drop-after") return void request.socket.destroy();
    answer(response, 200, { ok: true, result: { message_id: this.messages.length } });
  }
}

function faultIn({ chat_id: chatId, text }: BotCall["body"]): string | null {
  if (typeof chatId !== "number") return "Bad Request: chat_id is empty";
  if (typeof text !== "string" || text.trim() === "") return "Bad Request: message text is empty";
  return text.length > textLengthMax ? "Bad Request: message is too long" : null;
}

function refuse(
  response: ServerResponse,
  { status, retryAfter, description = "" }: Exclude<BotBehaviour, string>,
): void {
  const parameters = retryAfter === undefined ? {} : { parameters: { retry_after: retryAfter } };
  answer(response, status, { ok: false, error_code: status, description, ...parameters });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
