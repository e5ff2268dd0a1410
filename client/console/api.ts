import { ChatError, readError } from "../chat-error.js";
import { asRecord, text } from "../fields.js";

type Row = Readonly<Record<string, unknown>>;

export interface SessionPage {
  readonly sessions: readonly Row[];
  readonly hasMore: boolean;
}

export interface MessagePage {
  readonly messages: readonly Row[];
  /** Towards older ones; null: there are none. */
  readonly cursor: string | null;
}

const timeoutMs = 15_000;
const activeMax = 1000;
const foundMax = 200;
/** Of one search; a page of it may be empty although there is more. */
const searchPagesMax = 3;
const messagesPerPage = 50;

/** What a console reads over HTTP. All of it throws a ChatError: the server's code, or `offline`. */
export class Api {
  readonly businessId: string;
  readonly #token: string | null;

  constructor(businessId: string, token: string | null) {
    this.businessId = businessId;
    this.#token = token;
  }

  /** @throws ChatError `unauthorized` without a good token, `not_found` with one of somebody else */
  async enter(): Promise<void> {
    await this.#ask(`/api/sessions/business/${encodeURIComponent(this.businessId)}/active?limit=1`);
  }

  async active(): Promise<SessionPage> {
    const path = `/api/sessions/business/${encodeURIComponent(this.businessId)}/active?limit=${activeMax}&include=latest`;
    const { activeSessions, pagination } = await this.#ask(path);
    return { sessions: rowsOf(activeSessions), hasMore: asRecord(pagination).hasMore === true };
  }

  /** Sessions of any time. @param asked `status` or `q` */
  async find(asked: { readonly status: string } | { readonly q: string }): Promise<SessionPage> {
    const sessions: Row[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < searchPagesMax; page += 1) {
      const given = { businessId: this.businessId, limit: String(foundMax), include: "latest", ...asked };
      const query = new URLSearchParams(cursor === undefined ? given : { ...given, cursor });
      const answer = await this.#ask(`/api/sessions?${query.toString()}`);
      sessions.push(...rowsOf(answer.sessions));
      cursor = text(asRecord(answer.pagination).nextCursor);
      if (cursor === undefined || sessions.length >= foundMax) break;
    }
    return { sessions, hasMore: cursor !== undefined };
  }

  session(sessionId: string): Promise<Row> {
    return this.#ask(`/api/sessions/${encodeURIComponent(sessionId)}?include=latest`);
  }

  /** How the business calls itself. */
  async businessName(): Promise<string> {
    const { name } = await this.#ask(`/api/businesses/${encodeURIComponent(this.businessId)}`);
    return text(name) ?? this.businessId;
  }

  /** The newest page, or the one before a cursor, with what hangs on its messages. */
  async messages(sessionId: string, before: string | null): Promise<MessagePage> {
    const query = new URLSearchParams({ limit: String(messagesPerPage), include: "thinking,note,draft" });
    if (before !== null) query.set("before", before);
    const answer = await this.#ask(`/api/sessions/${encodeURIComponent(sessionId)}/messages?${query.toString()}`);
    return { messages: rowsOf(answer.messages), cursor: text(asRecord(answer.pagination).nextCursor) ?? null };
  }

  async isBlocked(userId: string): Promise<boolean> {
    const { blocked } = await this.#ask(this.#userPath(userId));
    return blocked === true;
  }

  async unblock(userId: string): Promise<void> {
    await this.#ask(this.#userPath(userId), { method: "PATCH", body: JSON.stringify({ blocked: false }) });
  }

  stats(): Promise<Row> {
    return this.#ask(`/api/businesses/${encodeURIComponent(this.businessId)}/stats?by=hour`);
  }

  #userPath(userId: string): string {
    return `/api/businesses/${encodeURIComponent(this.businessId)}/users/${encodeURIComponent(userId)}`;
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Row> {
    const headers: Record<string, string> = {};
    if (this.#token !== null) headers.authorization = `Bearer ${this.#token}`;
    if (init.body !== undefined) headers["content-type"] = "application/json";
    // What customers have said is not left in the browser's cache.
    const response = await fetch(path, {
      ...init,
      headers,
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((cause: unknown) => {
      throw new ChatError("offline", String(cause));
    });
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) throw readError(body);
    return asRecord(body);
  }
}

function rowsOf(value: unknown): readonly Row[] {
  return Array.isArray(value) ? value.map(asRecord) : [];
}
