import type { Code } from "../../protocol/codes.js";
import { failure, type Result, success } from "../../protocol/result.js";
import type { Clock } from "../clock.js";
import type { Business } from "./business.js";
import type { Ids } from "./ids.js";
import type { ChatMessage, Session } from "./model.js";
import { newHead } from "./new-head.js";
import { chatKey, type ChatTurn, chatTurnKey, type ClientMessage, hashOf } from "./records.js";
import { threadIdOf } from "./steps/onboarding.js";
import { type RecordWrite, type Store, StoreError } from "./store.js";

/** What a chat is made of. */
export interface NewChat {
  readonly business: Business;
  readonly userId: string;
  readonly title: string | null;
  readonly teamId: string | null;
  /** The same key is the same chat; null: each is another one. */
  readonly key: string | null;
}

/** Sessions of kind `chat`: a user makes them, and as many as they like. (SPEC H30) */
export interface Chats {
  /**
   * Makes a chat, once for a key: with another title or team under it, `idempotency_mismatch`.
   * @throws StoreError
   */
  create(chat: NewChat): Promise<Result<Session, Code>>;
  /** Has a message's turn be found by the message alone. @throws StoreError */
  remember(message: ChatMessage): Promise<void>;
  /** The message of a chat; null when it is not there. @throws StoreError */
  findMessage(messageId: string): Promise<ChatMessage | null>;
}

const attemptsMax = 5;

export function createChats(deps: { readonly store: Store; readonly clock: Clock; readonly ids: Ids }): Chats {
  const { store, clock, ids } = deps;

  return { create, remember, findMessage };

  async function create(chat: NewChat): Promise<Result<Session, Code>> {
    if (chat.key === null) return success(await make(chat, ids.random()));
    const key = chatKey(chat.business.businessId, chat.userId, chat.key);
    const textHash = hashOf(JSON.stringify([chat.title, chat.teamId]));
    let expected: number | null = null;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const mine = claimOf(ids.random(), textHash);
      const { record }: RecordWrite<ClientMessage> = await store.writeRecord(key, expected, mine);
      expected = null;
      if (record === null) continue;
      const claim = record.value;
      const head = await store.readHead(claim.sessionId);
      if (head?.deletingSince == null) {
        if (claim.textHash !== textHash) return failure("idempotency_mismatch");
        return success(await make(chat, claim.sessionId));
      }
      // That chat is gone: the key stands for another one. (SPEC M23)
      expected = record.rev;
    }
    throw new StoreError("making a chat", { retryable: true, cause: new Error("others kept making it") });
  }

  async function make({ business, userId, title, teamId }: NewChat, sessionId: string): Promise<Session> {
    const { businessId } = business;
    const now = new Date(clock.now()).toISOString();
    const head = newHead(
      {
        sessionId,
        businessId,
        locationId: business.locations[0]?.locationId ?? "default",
        userId,
        kind: "chat",
        threadId: threadIdOf(businessId, userId, "channel"),
        ...(title === null ? {} : { title }),
        ...(teamId === null ? {} : { teamId }),
        status: "active",
        participants: [{ type: "user", id: userId, joined: now }],
        offset: 0,
        totals: { messages: 0, tokens: 0, cost: 0 },
        createdAt: now,
        updatedAt: now,
        lastMessageAt: now,
        createdBy: userId,
        metadata: { businessType: business.type, context: {} },
      },
      null,
    );
    return (await store.createHead(head)).session;
  }

  async function remember({ messageId, sessionId }: ChatMessage): Promise<void> {
    await store.writeRecord<ChatTurn>(chatTurnKey(messageId), null, { sessionId });
  }

  async function findMessage(messageId: string): Promise<ChatMessage | null> {
    const turn = await store.readRecord<ChatTurn>(chatTurnKey(messageId));
    return turn === null ? null : store.findMessage(turn.value.sessionId, messageId);
  }
}

/** It goes with its session like the claim of a message that was never stored. */
function claimOf(sessionId: string, textHash: string): ClientMessage {
  return { messageId: sessionId, sessionId, textHash };
}
