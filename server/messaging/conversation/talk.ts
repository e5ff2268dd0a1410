import type { Code } from "../../../protocol/codes.js";
import { failure, type Result, success } from "../../../protocol/result.js";
import type { Clock } from "../../clock.js";
import { after, append, type Admission, admit, type Head, isOpen, released } from "../head.js";
import type { Ids } from "../ids.js";
import type { ChatMessage, ChatMessageMetadata, Session } from "../model.js";
import { type ClientMessage, clientMessageKey, hashOf, partitionOf } from "../records.js";
import { type RecordKey, type RecordWrite, type SessionChange, type Store, StoreError } from "../store.js";
import { type Party, takesPart } from "./participants.js";

/** What somebody who takes part says. */
export interface Words {
  readonly party: Party;
  readonly content: string;
  readonly clientMessageId: string | null;
  readonly metadata: ChatMessageMetadata;
}

export type Spoken =
  | { readonly kind: "said"; readonly message: ChatMessage; readonly head: Head; readonly isDuplicate: boolean }
  /** The conversation is over: it belongs into another one. */
  | { readonly kind: "over" }
  /** It is not there, or they do not take part in it. */
  | { readonly kind: "gone" }
  | { readonly kind: "refused"; readonly code: Extract<Code, "busy" | "held_by_other" | "idempotency_mismatch"> };

/** What is said in conversations is stored once, however often it is sent. (SPEC M96) */
export interface Talk {
  /** What waits for an answer of the conversation's agent: an open turn is stored with it. @throws StoreError */
  ask(session: Session, words: Words): Promise<Spoken>;
  /** What was said already under its clientMessageId, where nothing new may be; null when nothing was. @throws StoreError */
  again(session: Session, words: Words): Promise<Spoken | null>;
  /** What waits for none. @throws StoreError */
  tell(session: Session, words: Words): Promise<Spoken>;
}

const attemptsMax = 5;

export function createTalk(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Names this process among those that answer. */
  readonly node: string;
}): Talk {
  const { store, clock, ids, node } = deps;

  return {
    ask: (session, words) => say(session, words, (head, found, messageId) => question(head, found, words, messageId)),
    again: async (session, words) => {
      const spoken = await say(session, words, (head, found) => ({ result: foundOf(head, found) }));
      return spoken.kind === "over" ? null : spoken;
    },
    tell: (session, words) => say(session, words, (head, found, messageId) => told(head, found, words, messageId)),
  };

  async function say(session: Session, words: Words, decide: Decide): Promise<Spoken> {
    const claim = await claimed(session, words);
    if (!claim.ok) return { kind: "refused", code: claim.reason };
    const { messageId, sessionId } = claim.value;
    const spoken = await store.changeSession(
      sessionId,
      (head, found): SessionChange<Spoken> => {
        if (head.deletingSince !== null || !takesPart(head.session, words.party)) return { result: { kind: "gone" } };
        return decide(head, found, messageId);
      },
      messageId,
    );
    return spoken ?? { kind: "gone" };
  }

  function question(head: Head, found: ChatMessage | null, words: Words, messageId: string): SessionChange<Spoken> {
    const { party, content, metadata } = words;
    const { locationId } = head.session;
    const message = { messageId, userId: party.id, locationId, content, context: {}, metadata };
    const terms = { now: clock.now(), node, isOver: false, isFinal: false };
    const change = admit(head, found, message, terms);
    return { ...change, result: spokenOf(change.result, head) };
  }

  function told(head: Head, found: ChatMessage | null, words: Words, messageId: string): SessionChange<Spoken> {
    if (found !== null) return { result: { kind: "said", message: found, head, isDuplicate: true } };
    if (!isOpen(head)) return { result: { kind: "over" } };
    const { party, content, metadata } = words;
    const { holder } = released(head, clock.now()).session;
    const isHolder = party.type === "coordinator" && holder?.coordinatorId === party.id;
    if (holder !== undefined && !isHolder) return { result: { kind: "refused", code: "held_by_other" } };
    const message = append(head, clock.now(), { messageId, userId: party.type, content, type: party.type, metadata });
    const next = after(head, message, { status: "active" });
    return { result: { kind: "said", message, head: next, isDuplicate: false }, head: next, messages: [message] };
  }

  /** Decides once which message a client's id stands for, and where it goes. (SPEC M6) */
  async function claimed(
    { businessId, agentId = "", sessionId }: Session,
    { party, content, clientMessageId }: Words,
  ): Promise<Result<Pick<ClientMessage, "messageId" | "sessionId">, "idempotency_mismatch">> {
    const claim: ClientMessage = { messageId: ids.sortable(), sessionId, textHash: hashOf(content) };
    if (clientMessageId === null) return success(claim);
    const key = keyOf({ businessId, agentId }, party, clientMessageId);
    let rev: number | null = null;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const { isWritten, record }: RecordWrite<ClientMessage> = await store.writeRecord(key, rev, claim);
      if (isWritten) return success(claim);
      rev = record?.rev ?? null;
      if (record === null) continue;
      if (record.value.textHash !== claim.textHash) return failure("idempotency_mismatch");
      const { value } = record;
      if (value.sessionId === sessionId || (await store.findMessage(value.sessionId, value.messageId)) !== null) {
        return success(value);
      }
      // The conversation for which it was claimed was over by then: nothing can be stored there under it any more.
    }
    throw new StoreError("claiming an id", { retryable: true, cause: new Error("others kept changing it") });
  }
}

type Decide = (head: Head, found: ChatMessage | null, messageId: string) => SessionChange<Spoken>;

/** What was found in a conversation in which nothing is to be stored. */
function foundOf(head: Head, found: ChatMessage | null): Spoken {
  return found === null ? { kind: "over" } : { kind: "said", message: found, head, isDuplicate: true };
}

function spokenOf(admission: Admission, before: Head): Spoken {
  switch (admission.kind) {
    case "admitted":
      return { kind: "said", message: admission.message, head: admission.head, isDuplicate: false };
    case "duplicate":
      return { kind: "said", message: admission.message, head: before, isDuplicate: true };
    case "over":
      return { kind: "over" };
    case "full":
      return { kind: "refused", code: "busy" };
  }
}

// A user's ids are one user's, wherever they are said; those of the others belong to the conversation's agent.
function keyOf(
  owner: { readonly businessId: string; readonly agentId: string },
  { type, id }: Party,
  clientMessageId: string,
): RecordKey {
  if (type === "user") return clientMessageKey(owner.businessId, id, clientMessageId);
  return { partition: partitionOf(owner), id: `client#${hashOf(JSON.stringify([type, id, clientMessageId]))}` };
}
