import type { ChatMessage, Session } from "../../server/messaging/model.js";

interface HistoryPage {
  readonly messages: readonly ChatMessage[];
  readonly pagination: { readonly nextCursor: string | null };
}

/** Every message of a session over HTTP, page by page, in the order in which it is given. */
export async function readSession(url: string, sessionId: string): Promise<ChatMessage[]> {
  const messages: ChatMessage[] = [];
  let before = "";
  for (;;) {
    const page = (await get(`${url}/api/sessions/${sessionId}/messages?limit=200${before}`)) as HistoryPage;
    messages.unshift(...page.messages);
    const { nextCursor } = page.pagination;
    if (nextCursor === null) return messages;
    before = `&before=${encodeURIComponent(nextCursor)}`;
  }
}

/** Every message of the active sessions of a business, and of those that are named, by sessionId. */
export async function readHistory(
  url: string,
  businessId: string,
  named: Iterable<string>,
): Promise<Map<string, ChatMessage[]>> {
  const { activeSessions } = (await get(`${url}/api/sessions/business/${businessId}/active`)) as {
    readonly activeSessions: readonly Session[];
  };
  const sessionIds = new Set([...named, ...activeSessions.map(({ sessionId }) => sessionId)]);
  const read = async (id: string) => [id, await readSession(url, id)] as const;
  return new Map(await Promise.all([...sessionIds].map(read)));
}

async function get(address: string): Promise<unknown> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} was answered ${response.status}: ${await response.text()}`);
  return response.json();
}
