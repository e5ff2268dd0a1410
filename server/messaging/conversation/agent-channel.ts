import { isAgentId, parseConversationTyping, parseMessageSend } from "../../../protocol/conversation.js";
import { failure, success } from "../../../protocol/result.js";
import { may } from "../../auth/access.js";
import { error, ok, type Reply } from "../../channel/channel.js";
import { refusal } from "../admission.js";
import type { AgentTurn } from "../agent.js";
import type { Business } from "../business.js";
import type { Session } from "../model.js";
import type { Online } from "../online.js";
import { findHead } from "../sessions.js";
import type { AgentOf } from "./agent-conversations.js";
import { AgentSpeech, type AgentSpeechDeps } from "./agent-speech.js";
import { type Attendance, presenceOf } from "./attendance.js";
import type { AgentName } from "./connected-agents.js";
import { agentTopic, messageNew, messageUpdated, questionFor, tellMembers } from "./members.js";
import { mayType, type Party } from "./participants.js";
import { type Handle, type Handled, type Later, TokenChannel, type TokenChannelDeps } from "./token-channel.js";
import { TypingIn } from "./typing-in.js";

export interface AgentChannelDeps extends TokenChannelDeps, AgentSpeechDeps {
  readonly businessOf: (businessId: string) => Business | null;
  readonly attendance: Attendance;
  readonly online: Online;
  readonly maxAnswerBytes: number;
}

const topicPrefix = "agent:";
/** The topics of this channel. */
export const agentTopics = `${topicPrefix}*`;

/** What was said last, of what a join tells. */
export const joinMessagesMax = 50;

/**
 * `agent:<agentId>`: an agent that connects by itself, in its own conversation, and asked for the answers of its business.
 * (SPEC M92, M95–M98, A40, A41)
 */
export class AgentChannel extends TokenChannel {
  readonly #deps: AgentChannelDeps;
  readonly #typing: TypingIn;
  #agent: AgentOf | null = null;
  #speech: AgentSpeech | null = null;
  #sessionId = "";
  /** Says that nobody waits any more for what is replied later. */
  readonly #gone = new AbortController();

  readonly handlers: Readonly<Record<string, Handle>> = {
    "message:send": (payload) => this.#say(payload),
    typing: (payload) => this.#type(payload),
  };

  constructor(deps: AgentChannelDeps) {
    super(deps);
    this.#deps = deps;
    this.#typing = new TypingIn(deps);
  }

  get business(): Business | null {
    return this.#agent?.business ?? null;
  }

  get #name(): AgentName {
    const { business, agentId } = this.#agent!;
    return { businessId: business.businessId, agentId };
  }

  get #party(): Party {
    return { type: "agent", id: this.#agent!.agentId };
  }

  protected async enter(): Promise<Reply> {
    const { identity } = this.assigns.credential;
    const agentId = this.topic.slice(topicPrefix.length);
    // On an open server, too: nobody is an agent by their word. (SPEC M92)
    if (identity === null) return error({ reason: "forbidden" });
    const { businessId } = identity;
    if (!may(identity, "agent.join", { businessId, userId: agentId })) {
      const isAgent = may(identity, "agent.join", { businessId, userId: identity.userId });
      return this.denied(identity, "agent.join", isAgent ? "not_found" : "forbidden");
    }
    const business = businessId === null ? null : this.#deps.businessOf(businessId);
    if (business === null || !isAgentId(agentId)) return error({ reason: "not_found" });
    this.#agent = { business, agentId };
    this.#speech = new AgentSpeech(this.#deps, this.#agent, {
      connectionId: this.assigns.connectionId,
      present: () => this.#sessionId,
      moveTo: (session) => this.#moveTo(session),
      gone: this.#gone.signal,
    });
    return this.#entered();
  }

  async #entered(): Promise<Reply> {
    const { conversations, store } = this.#deps;
    const { head, isNew } = await conversations.current(this.#agent!);
    const { sessionId } = head.session;
    this.#sessionId = sessionId;
    // Heard before it is read, and held back until the reply: nothing falls between the two, and the agent knows by its
    // messageId what it is told twice.
    this.hear(agentTopic(this.#name));
    const { items } = await store.readMessages(sessionId, { limit: joinMessagesMax });
    this.send({ kind: "entered" });
    const messages = items.map((message) => messageNew(head.session, message));
    return ok({ agentId: this.#agent!.agentId, conversationId: sessionId, created: isNew, messages });
  }

  override handleInfo(message: unknown): void | Promise<void> {
    const { kind } = message as { readonly kind?: unknown };
    return kind === "entered" ? this.#arrive() : super.handleInfo(message);
  }

  async #arrive(): Promise<void> {
    const { connected, online, attendance } = this.#deps;
    const { business } = this.#agent!;
    const { connectionId, credential } = this.assigns;
    online.enter(this, { business, connectionId, identity: credential.identity! });
    const change = attendance.enter(this.#sessionId, this.#party, this);
    this.push("presence:update", presenceOf(this.#sessionId, this.#party, "online"));
    const leave = connected.enter(this.#name, {
      ask: (turn) => this.#ask(turn),
      withdraw: (turn) => this.#withdraw(turn),
    });
    this.atEnd(() => {
      leave();
      this.#gone.abort();
      this.#typing.end();
      const left = attendance.leave(this.#sessionId, this.#party, this);
      if (left !== null) void this.#tellPresence(left).catch(() => undefined);
    });
    if (change !== null) await this.#tellPresence(change);
  }

  // To those who take part as it is now; itself it has told already.
  async #tellPresence(status: "online" | "offline"): Promise<void> {
    const { store, broadcast } = this.#deps;
    const head = await findHead(store, this.#sessionId);
    if (head === null) return;
    const payload = presenceOf(this.#sessionId, this.#party, status);
    tellMembers(broadcast, head.session, "presence:update", payload, this.#party);
  }

  /** An agent that is taken out of its own conversation is connected all the same, and goes on answering. */
  takenOut(): void {}

  #ask(turn: AgentTurn): void {
    if (this.ending === null) this.push("message:new", questionFor(turn));
  }

  #withdraw({ sessionId, messageId, message: content, userId }: AgentTurn): void {
    if (this.ending !== null) return;
    this.push("message:updated", messageUpdated(sessionId, { messageId, content, userId }, "withdrawn"));
  }

  async #say(payload: unknown): Promise<Handled | Later> {
    const parsed = parseMessageSend(payload, this.#deps.maxAnswerBytes);
    if (!parsed.ok) return { result: failure(refusal(parsed.reason.code, parsed.reason.error)) };
    return this.#speech!.say(parsed.value);
  }

  async #type(payload: unknown): Promise<Handled> {
    const parsed = parseConversationTyping(payload);
    if (!parsed.ok) return { result: failure(refusal(parsed.reason.code, parsed.reason.error)) };
    const { conversationId, typing } = parsed.value;
    const head = await findHead(this.#deps.store, conversationId ?? this.#sessionId);
    const allowed = mayType(head, this.#party, this.#deps.clock.now());
    if (!allowed.ok || head?.session.businessId !== this.#name.businessId) {
      return { result: failure(refusal(allowed.ok ? "session_not_found" : allowed.reason)) };
    }
    this.#typing.says(allowed.value, this.#party, typing);
    return { result: success({ conversationId: allowed.value.sessionId, typing }) };
  }

  async #moveTo({ sessionId }: Session): Promise<void> {
    if (sessionId === this.#sessionId) return;
    const { attendance } = this.#deps;
    if (attendance.leave(this.#sessionId, this.#party, this) !== null) await this.#tellPresence("offline");
    this.#sessionId = sessionId;
    const change = attendance.enter(sessionId, this.#party, this);
    this.push("presence:update", presenceOf(sessionId, this.#party, "online"));
    if (change !== null) await this.#tellPresence(change);
  }
}
