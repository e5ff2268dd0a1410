import type { MessageSend } from "../../../protocol/conversation.js";
import { failure, type Result, success } from "../../../protocol/result.js";
import type { Identity } from "../../auth/identity.js";
import type { Clock } from "../../clock.js";
import { type Refusal, refusal } from "../admission.js";
import type { Place } from "../backlog.js";
import { beginTurn } from "../begin-turn.js";
import type { Blocklist } from "../blocklist.js";
import type { Broadcast } from "../broadcast.js";
import type { Business } from "../business.js";
import type { ChatSpeech } from "../chat-speech.js";
import type { ChatMessageMetadata, Session } from "../model.js";
import type { Quota, Taken } from "../quota.js";
import type { RateLimits, SocketRate } from "../rate-limits.js";
import type { Store } from "../store.js";
import type { Turns } from "../turns.js";
import type { AgentConversations } from "./agent-conversations.js";
import { tellConversation, tellMessage } from "./members.js";
import { comeIn, letIn, type Party } from "./participants.js";
import { handledOf, replyOf, type Told } from "./spoken.js";
import type { Spoken, Talk, Words } from "./talk.js";
import type { Handled } from "./token-channel.js";

export interface MemberSpeechDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly conversations: AgentConversations;
  readonly talk: Talk;
  readonly turns: Pick<Turns, "reserve" | "admitted">;
  readonly rateLimits: RateLimits;
  readonly blocklist: Pick<Blocklist, "has">;
  readonly quota: Quota;
  readonly chatSpeech: ChatSpeech;
  readonly businessOf: (businessId: string) => Business | null;
}

/** The channel on which a user or a coordinator speaks. */
export interface MemberSeat {
  readonly business: Business;
  readonly identity: Identity;
  readonly party: Party;
  readonly connectionId: string;
  readonly rate: SocketRate;
  /** They go on in this conversation. */
  moveTo(session: Session): void;
}

/** What users and coordinators say by `message:send` in a conversation. (SPEC M95, M96, M99) */
export class MemberSpeech {
  readonly #deps: MemberSpeechDeps;
  readonly #seat: MemberSeat;

  constructor(deps: MemberSpeechDeps, seat: MemberSeat) {
    this.#deps = deps;
    this.#seat = seat;
  }

  /** A user's message: a question to the conversation's agent, or to whoever answers in a chat. */
  async ask(session: Session, said: MessageSend): Promise<Handled> {
    if (session.kind === "chat") return this.#askInChat(session, said);
    const share = await this.#admit();
    if (!share.ok) return { result: share };
    const { businessId } = this.#seat.business;
    const place = this.#deps.turns.reserve({ businessId, userId: this.#seat.party.id });
    const taken = { share: share.value, place };
    try {
      return await this.#stored(session, said, taken);
    } catch (cause) {
      await giveBack(taken);
      throw cause;
    }
  }

  /** The same as `POST /chats/:sessionId/messages`. (SPEC M101, H32) */
  async #askInChat(chat: Session, { content, clientMessageId }: MessageSend): Promise<Handled> {
    const { broadcast, businessOf, chatSpeech } = this.#deps;
    const { business, identity, connectionId, rate } = this.#seat;
    // It may have been stored anew since the join. (SPEC B5)
    const current = businessOf(business.businessId) ?? business;
    const sender = { business: current, identity, source: "websocket", connectionId, rate } as const;
    const admitted = await chatSpeech.say(sender, chat, { content, clientMessageId });
    if (!admitted.ok) return { result: admitted };
    const { message, duplicate } = admitted.value.accepted;
    const reply = duplicate ? { ...replyOf(message), duplicate } : replyOf(message);
    return { result: success(reply), after: () => beginTurn(broadcast, admitted.value) };
  }

  /** What refuses a user's message anywhere refuses it here. (SPEC M13, M38, L15–L17, B8) */
  async #admit(): Promise<Result<Taken | null, Refusal>> {
    const { blocklist, rateLimits, quota } = this.#deps;
    const { business, party, rate } = this.#seat;
    const { businessId, limits } = business;
    if (await blocklist.has({ businessId, userId: party.id })) return failure(refusal("blocked"));
    const waitMs = rateLimits.take(rate, { businessId, userId: party.id, limits });
    if (waitMs > 0) return failure({ ...refusal("rate_limited"), retryAfterMs: waitMs });
    return success(await quota.take(business, party.id));
  }

  async #stored(session: Session, said: MessageSend, taken: TakenUp): Promise<Handled> {
    const { turns, broadcast } = this.#deps;
    const { share, place } = taken;
    const isSpent = share?.kind === "spent";
    const words = this.#wordsOf(said);
    // What was said before needs no room; what is new is not stored without. (SPEC M6)
    const spoken =
      place === null || isSpent ? await this.#deps.talk.again(session, words) : await this.#asked(session, words);
    if (spoken?.kind !== "said" || spoken.isDuplicate) await giveBack(taken);
    if (spoken === null) {
      return {
        result: failure(isSpent ? { ...refusal("quota_exceeded"), retryAfterMs: share.retryAfterMs } : refusal("busy")),
      };
    }
    const after = ({ message, head }: Told) => {
      tellMessage(broadcast, head.session, message);
      if (place !== null) turns.admitted({ message, head, duplicate: false }, place);
    };
    return handledOf(spoken, after);
  }

  async #asked(session: Session, words: Words): Promise<Spoken> {
    const { talk, store, clock, conversations } = this.#deps;
    const { business, party } = this.#seat;
    const spoken = await talk.ask(session, words);
    if (spoken.kind !== "over") return spoken;
    // What is said after the end begins the next one, and takes its speaker along. (SPEC M95)
    const { agentId = "" } = session;
    const { head } = await conversations.current({ business, agentId });
    const came = await store.changeSession(head.session.sessionId, (now) => comeIn(now, party, clock.now()));
    if (came?.kind !== "done") return { kind: "gone" };
    this.#seat.moveTo(came.session);
    return talk.ask(came.session, words);
  }

  /** A coordinator's word, which takes part by it. */
  async tell({ sessionId }: Session, said: MessageSend): Promise<Handled> {
    const { talk, store, clock, broadcast } = this.#deps;
    const { party } = this.#seat;
    const entry = await store.changeSession(sessionId, (now) => letIn(now, party, clock.now()));
    if (entry?.kind !== "done") {
      return { result: failure(refusal(entry?.kind === "full" ? "busy" : "session_not_found")) };
    }
    if (entry.isChanged) tellConversation(broadcast, entry.session);
    const spoken = await talk.tell(entry.session, this.#wordsOf(said));
    return handledOf(spoken, ({ message, head }) => tellMessage(broadcast, head.session, message));
  }

  #wordsOf({ content, inReplyTo, clientMessageId }: MessageSend): Words {
    const { party, connectionId } = this.#seat;
    const metadata: ChatMessageMetadata = {
      source: "websocket",
      ...(party.type === "coordinator" ? { node: party.type, coordinatorId: party.id } : {}),
      connectionId,
      ...(inReplyTo === null ? {} : { inReplyTo }),
      ...(clientMessageId === null ? {} : { clientMessageId }),
    };
    return { party, content, clientMessageId, metadata };
  }
}

interface TakenUp {
  readonly share: Taken | null;
  /** Null: there is none. */
  readonly place: Place | null;
}

async function giveBack({ share, place }: TakenUp): Promise<void> {
  place?.release();
  if (share?.kind === "taken") await share.giveBack();
}
