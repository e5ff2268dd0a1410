import type { Question, Questions } from "./head.js";
import type { Ids } from "./ids.js";
import type { OpenTurn } from "./open-turns.js";
import type { Store } from "./store.js";

/**
 * What the users said who wait in these turns, each with a place for the event that tells of its outcome: what an
 * outcome of several turns is made of. (SPEC M31, M33)
 * @throws Error when there is no such message, which cannot be
 */
export async function readQuestions(
  { store, ids }: { readonly store: Store; readonly ids: Ids },
  sessionId: string,
  turns: readonly Pick<OpenTurn, "messageId">[],
): Promise<Questions> {
  if (turns.length === 0) return none;
  const read = async ({ messageId }: Pick<OpenTurn, "messageId">): Promise<readonly [string, Question]> => {
    const message = await store.findMessage(sessionId, messageId);
    if (message === null) throw new Error(`the open turn ${messageId} has no message`);
    return [messageId, { message, cursor: ids.sortable() }];
  };
  return new Map(await Promise.all(turns.map(read)));
}

const none: Questions = new Map();
