import { createInterface } from "node:readline";
import { Chat, type ChatEntry, ChatError, type ChatView } from "../../client/client.js";
import { isUserId } from "../../protocol/payloads.js";
import { DeskLine, type LineRequest, LineRequestError } from "./desk-line.js";

export interface ChatRequest extends LineRequest {
  /** Who is writing; of a token its `sub`. */
  readonly user?: string | undefined;
}

/**
 * A conversation in the terminal: a line that is written is sent, and answers are shown as they come. At the end of the
 * input it waits for what was asked to be answered.
 * @throws LineRequestError, LineRefused
 */
export async function chatWith(businessId: string, request: ChatRequest): Promise<boolean> {
  const line = new DeskLine(businessId, request);
  const { options } = line;
  const userId = request.user ?? subjectOf(await options.token?.("connect")) ?? `terminal:${process.pid}`;
  if (!isUserId(userId)) throw new LineRequestError("--user is not 1 to 128 of [A-Za-z0-9._@|+:-]");
  const chat = new Chat({ ...options, userId });
  try {
    return await new TerminalChat(chat, line).run();
  } finally {
    await chat.leave();
  }
}

class TerminalChat {
  readonly #chat: Chat;
  readonly #line: DeskLine;
  readonly #lines = createInterface({ input: process.stdin, terminal: false });
  /** Of the answer that is being written, how much of it is shown. */
  readonly #shown = new Map<string, string>();
  readonly #open = new Set<string>();
  #isWhole = true;
  #sending = 0;

  constructor(chat: Chat, line: DeskLine) {
    this.#chat = chat;
    this.#line = line;
  }

  async run(): Promise<boolean> {
    try {
      await Promise.race([this.#untilAnswered(), this.#line.over]);
      return this.#isWhole;
    } finally {
      this.#lines.close();
    }
  }

  /** Until the input has ended, and all that it asked is answered. */
  #untilAnswered(): Promise<void> {
    return new Promise((done) => {
      let isEnded = false;
      const look = () => isEnded && this.#sending === 0 && this.#open.size === 0 && done();
      this.#chat.onStatus((status) => this.#line.heard(status));
      this.#chat.onMessage((entry) => {
        this.#show(entry);
        look();
      });
      this.#chat.onChange(() => this.#showGrowing(this.#chat.view));
      this.#lines.on("line", (line) => void this.#say(line.trim()).then(look));
      this.#lines.once("close", () => {
        isEnded = true;
        look();
      });
      this.#chat.connect();
    });
  }

  async #say(text: string): Promise<void> {
    if (text === "") return;
    this.#sending += 1;
    try {
      const { messageId } = await this.#chat.send(text);
      const isAnswered = this.#chat.messages.some(({ inReplyTo }) => inReplyTo === messageId);
      if (!isAnswered) this.#open.add(messageId);
    } catch (cause) {
      if (!(cause instanceof ChatError)) throw cause;
      this.#isWhole = false;
      process.stderr.write(`not sent: ${cause.message} (${cause.code})\n`);
    }
    this.#sending -= 1;
  }

  #showGrowing({ running }: ChatView): void {
    for (const { messageId, text } of running) this.#write(messageId, text);
  }

  /** Writes what is new of an answer. One that is not the same any more is written anew. */
  #write(messageId: string, text: string): void {
    const before = this.#shown.get(messageId) ?? "";
    if (text === before) return;
    process.stdout.write(text.startsWith(before) ? plain(text.slice(before.length)) : `\n${plain(text)}`);
    this.#shown.set(messageId, text);
  }

  #show({ from, content, inReplyTo, actions }: ChatEntry): void {
    if (from === "user") return;
    this.#write(inReplyTo ?? "", content);
    const offered = actions.map(({ label, url }) => `  - ${plain(url === undefined ? label : `${label}: ${url}`)}\n`);
    process.stdout.write(`\n${offered.join("")}`);
    this.#shown.delete(inReplyTo ?? "");
    if (inReplyTo !== undefined) this.#open.delete(inReplyTo);
  }
}

/** What somebody else wrote commands no terminal: of its control characters only the line break and the tab are kept. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\u{fffd}");
}

function subjectOf(token: string | undefined): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token?.split(".")[1] ?? "", "base64url").toString()) as { sub?: unknown };
    return typeof claims.sub === "string" ? claims.sub : undefined;
  } catch {
    return undefined;
  }
}
