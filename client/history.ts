import { readError } from "./chat-error.js";
import type { TokenSource } from "./connection.js";
import { type ChatEntry, readEntry } from "./entry.js";
import { asRecord, text } from "./fields.js";
import { limits } from "./limits.js";

export interface HistoryOptions {
  /** The server's address without a slash at its end; empty for the page's own server. */
  readonly baseUrl: string;
  readonly sessionId: string;
  readonly businessId: string;
  readonly userId: string;
  readonly token?: TokenSource;
  readonly fetch?: typeof fetch;
}

/** Reads one session backwards, page by page. What it reads goes to `Chat.merge`, which knows what is already there. */
export class History {
  readonly #options: HistoryOptions;
  #cursor: string | null = null;
  #hasMore = true;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Whether there is something older than what was read. */
  get hasMore(): boolean {
    return this.#hasMore;
  }

  /**
   * The next older page, oldest first; the first call gives the newest. Empty when there is no more.
   * @throws ChatError with the server's code
   */
  async older(): Promise<readonly ChatEntry[]> {
    if (!this.#hasMore) return [];
    const { messages, pagination } = await this.#read();
    const { hasMore, nextCursor } = asRecord(pagination);
    this.#cursor = text(nextCursor) ?? null;
    this.#hasMore = hasMore === true && this.#cursor !== null;
    return Array.isArray(messages) ? messages.map(readEntry).filter((entry) => entry !== null) : [];
  }

  /** Pages backwards until a message is reached that `isKnown`: closes a gap that a rejoin could not. */
  async since(isKnown: (entry: ChatEntry) => boolean): Promise<readonly ChatEntry[]> {
    let entries: readonly ChatEntry[] = [];
    for (let page = 0; page < limits.gapPagesMax && this.#hasMore; page += 1) {
      const older = await this.older();
      entries = [...older, ...entries];
      if (older.some(isKnown)) break;
    }
    return entries;
  }

  async #read(): Promise<Readonly<Record<string, unknown>>> {
    const { baseUrl, sessionId, fetch: request = fetch } = this.#options;
    const query = new URLSearchParams({ limit: String(limits.historyPageSize) });
    if (this.#cursor !== null) query.set("before", this.#cursor);
    const response = await request(
      `${baseUrl}/api/sessions/${encodeURIComponent(sessionId)}/messages?${query.toString()}`,
      {
        headers: await this.#headers(),
        // What was said is nobody's who sits at this machine next.
        cache: "no-store",
        signal: AbortSignal.timeout(limits.historyTimeoutMs),
      },
    );
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) throw readError(body);
    return asRecord(body);
  }

  // Without a token the server is in open mode, and takes our word for who we are.
  async #headers(): Promise<Record<string, string>> {
    const { token, userId, businessId } = this.#options;
    if (token !== undefined) return { authorization: `Bearer ${await token("connect")}` };
    return { "x-role": "user", "x-user-id": userId, "x-business-id": businessId };
  }
}
