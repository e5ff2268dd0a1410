import type { MessageSend } from "../../../protocol/conversation.js";
import { failure, success } from "../../../protocol/result.js";
import type { Clock } from "../../clock.js";
import { refusal } from "../admission.js";
import type { AgentTurn } from "../agent.js";
import type { Answers } from "../answers.js";
import type { Broadcast } from "../broadcast.js";
import type { EventResult } from "../events.js";
import { type Head, released } from "../head.js";
import type { ChatMessageMetadata, Session } from "../model.js";
import { findHead } from "../sessions.js";
import type { Store } from "../store.js";
import type { AgentConversations, AgentOf } from "./agent-conversations.js";
import type { AgentName, ConnectedAgents } from "./connected-agents.js";
import { tellMessage } from "./members.js";
import { type Party, takesPart } from "./participants.js";
import { handledOf, replyOf } from "./spoken.js";
import type { Spoken, Talk, Words } from "./talk.js";
import type { Handled, Later } from "./token-channel.js";

export interface AgentSpeechDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly conversations: AgentConversations;
  readonly talk: Talk;
  readonly connected: ConnectedAgents;
  readonly answers: Answers;
}

/** The channel on which an agent speaks. */
export interface AgentSeat {
  readonly connectionId: string;
  /** The sessionId of the conversation in which it is at present. */
  present(): string;
  /** It goes on in this one. */
  moveTo(session: Session): void | Promise<void>;
  /** Aborted when the channel ends. */
  readonly gone: AbortSignal;
}

/** What an agent says by `message:send`: answers to what it is asked, and words of its own. (SPEC M95, M96, A40) */
export class AgentSpeech {
  readonly #deps: AgentSpeechDeps;
  readonly #agent: AgentOf;
  readonly #seat: AgentSeat;

  constructor(deps: AgentSpeechDeps, agent: AgentOf, seat: AgentSeat) {
    this.#deps = deps;
    this.#agent = agent;
    this.#seat = seat;
  }

  get #name(): AgentName {
    const { business, agentId } = this.#agent;
    return { businessId: business.businessId, agentId };
  }

  get #party(): Party {
    return { type: "agent", id: this.#agent.agentId };
  }

  async say(said: MessageSend): Promise<Handled | Later> {
    if (said.role !== null && said.role !== "assistant") {
      return { result: failure(refusal("forbidden", "An agent speaks as assistant")) };
    }
    const turn = this.#askedFor(said);
    if (turn !== null) return { later: this.#answer(turn, said) };
    const repeated = await this.#repeated(said);
    return repeated === null ? this.#speak(said) : { result: repeated };
  }

  /** What it was asked, and answers by this; in its own conversation it need not say what it replies to. */
  #askedFor({ conversationId, inReplyTo }: MessageSend): AgentTurn | null {
    const { connected } = this.#deps;
    const sessionId = conversationId ?? this.#seat.present();
    if (inReplyTo === null) return connected.asked(this.#name, { sessionId });
    const turn = connected.asked(this.#name, { messageId: inReplyTo });
    return turn !== null && (conversationId === null || conversationId === turn.sessionId) ? turn : null;
  }

  /** The answer is stored as the outcome of its question, and then replied. (SPEC A40) */
  async #answer(turn: AgentTurn, { content, toolCalls }: MessageSend): Promise<EventResult> {
    const { store, clock, connected, answers } = this.#deps;
    const { sessionId, messageId, answerId } = turn;
    const question = await store.findMessage(sessionId, messageId);
    const head = await findHead(store, sessionId);
    const isTaken = connected.answer(this.#name, messageId, { content, toolCalls });
    // It is a draft now, which only coordinators see; the outcome is theirs, and may be long in coming. (SPEC M36)
    if (head !== null && released(head, clock.now()).session.holder !== undefined) {
      return failure(refusal("held_by_other", "A person answers here now"));
    }
    const outcome = question === null || !isTaken ? null : await answers.wait(question, this.#seat.gone);
    return outcome !== "deleted" && outcome?.messageId === answerId
      ? success(replyOf(outcome))
      : failure(
          refusal("not_found", "Nobody waits for this answer any more: it came too late, or somebody else answered"),
        );
  }

  /** An answer that was stored already is replied as it was, for one whose reply was lost. */
  async #repeated({ conversationId, inReplyTo, content }: MessageSend): Promise<EventResult | null> {
    const { store, answers } = this.#deps;
    if (inReplyTo === null) return null;
    const sessionId = conversationId ?? this.#seat.present();
    const head = await findHead(store, sessionId);
    const isOwn = head !== null && this.#isIn(head);
    const question =
      head === null || !(isOwn || this.#answers(head)) ? null : await store.findMessage(sessionId, inReplyTo);
    const outcome = question?.type === "user" ? await answers.find(question) : null;
    if (outcome?.type === "agent" && outcome.content === content) {
      return success({ ...replyOf(outcome), duplicate: true });
    }
    // What its own agent was asked has one answer, which this is too late for. Others may say something to it. What was
    // asked elsewhere is answered there or nowhere: here others would hear it.
    const isTooLate = outcome !== null && head?.session.agentId === this.#name.agentId;
    const isHere = isOwn && question !== null;
    return isHere && !isTooLate ? null : failure(refusal("not_found", "Nobody waits for this answer"));
  }

  #isIn({ session }: Head): boolean {
    return session.businessId === this.#name.businessId && takesPart(session, this.#party);
  }

  /** Whether the business names it among those who answer. */
  #answers({ session }: Head): boolean {
    const { agent, businessId } = this.#agent.business;
    const isNamed = agent?.kind === "channel" && agent.agentIds.includes(this.#agent.agentId);
    return isNamed && session.businessId === businessId;
  }

  async #speak(said: MessageSend): Promise<Handled> {
    const { store, conversations, talk } = this.#deps;
    const given = said.conversationId ?? this.#seat.present();
    const head = await findHead(store, given);
    if (head === null ? said.conversationId !== null && given !== this.#seat.present() : !this.#isIn(head)) {
      return { result: failure(refusal("session_not_found")) };
    }
    const words = this.#wordsOf(said);
    const spoken = head === null ? ({ kind: "over" } as const) : await talk.tell(head.session, words);
    if (spoken.kind !== "over") return this.#spoken(spoken);
    // What is said after the end begins the next one, which is the conversation's own agent's. (SPEC M95)
    if (head !== null && head.session.agentId !== this.#name.agentId) {
      return { result: failure(refusal("session_not_found")) };
    }
    const next = (await conversations.current(this.#agent)).head.session;
    await this.#seat.moveTo(next);
    return this.#spoken(await talk.tell(next, words));
  }

  #wordsOf({ content, inReplyTo, toolCalls, clientMessageId }: MessageSend): Words {
    const calls = Array.isArray(toolCalls) ? (toolCalls as readonly unknown[]) : null;
    const metadata: ChatMessageMetadata = {
      source: "websocket",
      node: "agent",
      agentId: this.#agent.agentId,
      connectionId: this.#seat.connectionId,
      ...(inReplyTo === null ? {} : { inReplyTo }),
      ...(clientMessageId === null ? {} : { clientMessageId }),
      ...(calls === null ? {} : { toolCalls: calls }),
    };
    return { party: this.#party, content, clientMessageId, metadata };
  }

  #spoken(spoken: Spoken): Handled {
    return handledOf(spoken, ({ message, head }) => tellMessage(this.#deps.broadcast, head.session, message));
  }
}
