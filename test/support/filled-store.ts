import { hang, type NewAside } from "../../server/messaging/asides.js";
import { admit, answer } from "../../server/messaging/head.js";
import { cursorAt } from "../../server/messaging/ids.js";
import type { Store } from "../../server/messaging/store.js";
import { headOf, saidBy } from "./heads.js";

const start = Date.parse("2026-03-02T10:00:00.000Z");
/** Among them one that does not fit into a page, and characters that tools for lines stumble over. */
const texts = ["salut", "ăîșț 🚗 \u2028 line", "x".repeat(6000), "a\nb"];

/**
 * Writes conversations of several users, some answered and some not, and a record of each user. Each answer has a step
 * of thinking, and each session a note at its end.
 * @returns the ids of the sessions
 */
export async function fill(store: Store, { sessions = 6, rounds = 4 } = {}): Promise<readonly string[]> {
  const ids = Array.from({ length: sessions }, (_, index) => `s${index}`);
  await Promise.all(ids.map((id, index) => talk(store, id, index, rounds)));
  return ids;
}

async function talk(store: Store, sessionId: string, index: number, rounds: number): Promise<void> {
  const userId = `u${index % 3}`;
  await store.createHead(headOf({ session: { sessionId, userId } }));
  await store.writeRecord({ partition: `user#B1#${userId}`, id: `of ${sessionId}` }, null, { name: "Ană" });
  for (let round = 0; round < rounds; round += 1) {
    const [question, now] = [`q${index}-${round}`, start + round * 40_000];
    const content = texts[(index + round) % texts.length]!;
    const message = saidBy(userId, question, { content, metadata: { source: "websocket", chatId: `w${index % 2}` } });
    const terms = { now, node: "n1", isOver: false, isFinal: false };
    await store.changeSession(sessionId, (head, found) => admit(head, found, message, terms), question);
    // The last one of every second session is left open.
    if (round === rounds - 1 && index % 2 === 0) continue;
    await respond(store, sessionId, question, { now, index });
  }
  const note = asideOf(`n-${sessionId}`, { type: "note", userId: "coordinator", content: "o notă" });
  await store.changeSession(sessionId, (head) => hang(head, note));
}

function asideOf(messageId: string, more: Pick<NewAside, "type" | "userId" | "content">): NewAside {
  return { messageId, timestamp: new Date(start).toISOString(), metadata: { source: "websocket" }, ...more };
}

async function respond(
  store: Store,
  sessionId: string,
  question: string,
  { now, index }: { readonly now: number; readonly index: number },
): Promise<void> {
  const asked = (await store.findMessage(sessionId, question))!;
  const { fence } = (await store.readHead(sessionId))!;
  const said = { messageId: `a-${question}`, responseId: `r-${question}`, content: "da", tokens: 1 };
  const step = asideOf(`t-${question}`, { type: "thinking", userId: "agent", content: texts[index % texts.length]! });
  const outcome = { ...said, type: "agent", thinking: [step], metadata: { source: "websocket" } } as const;
  const terms = { now, fence, cursor: cursorAt(now + index) };
  await store.changeSession(sessionId, (head) => answer(head, asked, outcome, terms));
}
