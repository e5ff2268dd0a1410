import { parseConversationTyping, parseMessageSend } from "../../../protocol/conversation.js";
import { parseJoin } from "../../../protocol/payloads.js";
import { failure, success } from "../../../protocol/result.js";
import { type Identity, identifyJoin } from "../../auth/identity.js";
import { error, ok, type Reply } from "../../channel/channel.js";
import { refusal } from "../admission.js";
import type { Business } from "../business.js";
import { coordinatorOf } from "../events.js";
import type { Head } from "../head.js";
import type { Session } from "../model.js";
import { findHead } from "../sessions.js";
import { joinMessagesMax } from "./agent-channel.js";
import { AgentSpeech, type AgentSpeechDeps } from "./agent-speech.js";
import { type Attendance, presenceOf } from "./attendance.js";
import { conversationOf, memberTopic, messageNew, overseersTopic, tellConversation, tellMembers } from "./members.js";
import { MemberSpeech, type MemberSpeechDeps } from "./member-speech.js";
import { comeIn, isOpenTo, mayIn, mayType, type Party, takesPart } from "./participants.js";
import { type Handle, type Handled, type Later, TokenChannel, type TokenChannelDeps } from "./token-channel.js";
import { TypingIn } from "./typing-in.js";

export interface ConversationChannelDeps extends TokenChannelDeps, AgentSpeechDeps, MemberSpeechDeps {
  readonly businessOf: (businessId: string) => Business | null;
  readonly attendance: Attendance;
  readonly maxMessageBytes: number;
  readonly maxAnswerBytes: number;
}

const topicPrefix = "conversation:";
/** The topics of this channel. */
export const conversationTopics = `${topicPrefix}*`;

interface Member {
  readonly business: Business;
  readonly identity: Identity;
  readonly party: Party;
}

/** `conversation:<conversationId>`: those who take part in an agent's conversation, or the owner of a chat. (SPEC M93–M101) */
export class ConversationChannel extends TokenChannel {
  readonly #deps: ConversationChannelDeps;
  readonly #typing: TypingIn;
  #speech: MemberSpeech | null = null;
  #agentSpeech: AgentSpeech | null = null;
  readonly #gone = new AbortController();
  #unlisten: () => void = () => undefined;
  #member: Member | null = null;
  /** As it was when it was looked at last. */
  #session: Session | null = null;

  readonly handlers: Readonly<Record<string, Handle>> = {
    "message:send": (payload) => this.#say(payload),
    typing: (payload) => this.#type(payload),
  };

  constructor(deps: ConversationChannelDeps) {
    super(deps);
    this.#deps = deps;
    this.#typing = new TypingIn(deps);
  }

  get business(): Business | null {
    return this.#member?.business ?? null;
  }

  protected async enter(payload: unknown): Promise<Reply> {
    const { credential, claims, connectionId } = this.assigns;
    const request = parseJoin(payload);
    if (!request.ok) return error({ reason: request.reason });
    const identified = identifyJoin(credential.identity, claims, request.value);
    if (!identified.ok) return error({ reason: identified.reason });
    const identity = identified.value;
    const party = partyOf(identity, connectionId);
    const head = await findHead(this.#deps.store, this.topic.slice(topicPrefix.length));
    if (head === null || party === null || !this.#mayHear(head, identity, party)) {
      return this.denied(identity, "conversation.hear", "not_found");
    }
    const business = this.#deps.businessOf(head.session.businessId);
    if (business === null) return error({ reason: "not_found" });
    this.#member = { business, identity, party };
    this.#beginSpeech(this.#member);
    return this.#entered(head);
  }

  #mayHear(head: Head, identity: Identity, party: Party): boolean {
    const isTheirs = takesPart(head.session, party) || isOpenTo(head, party);
    return mayIn(head.session, { identity, isTheirs }, "conversation.hear");
  }

  async #entered({ session }: Head): Promise<Reply> {
    const { store, clock, broadcast } = this.#deps;
    const { party } = this.#member!;
    const { sessionId } = session;
    this.#listen(sessionId);
    const came =
      party.type === "user" ? await store.changeSession(sessionId, (now) => comeIn(now, party, clock.now())) : null;
    if (party.type === "user" && came?.kind !== "done") {
      return error({ reason: came?.kind === "full" ? "busy" : "not_found" });
    }
    this.#session = came?.kind === "done" ? came.session : session;
    if (came?.kind === "done" && came.isChanged) tellConversation(broadcast, came.session);
    const { items } = await store.readMessages(sessionId, { limit: joinMessagesMax });
    const messages = items.map((message) => messageNew(session, message));
    this.send({ kind: "entered" });
    return ok({ conversationId: sessionId, conversation: conversationOf(this.#session), messages });
  }

  #beginSpeech({ business, identity, party }: Member): void {
    const { connectionId, rate } = this.assigns;
    const moveTo = (session: Session) => this.#move(session);
    if (party.type === "agent") {
      const seat = { connectionId, present: () => this.#session!.sessionId, moveTo, gone: this.#gone.signal };
      this.#agentSpeech = new AgentSpeech(this.#deps, { business, agentId: party.id }, seat);
    } else this.#speech = new MemberSpeech(this.#deps, { business, identity, party, connectionId, rate, moveTo });
  }

  // One at a time: who goes on in another conversation is told of that one.
  #listen(sessionId: string): void {
    const { party } = this.#member!;
    this.#unlisten();
    this.#unlisten = this.hear(
      party.type === "coordinator" ? overseersTopic(sessionId) : memberTopic(sessionId, party),
    );
  }

  override handleInfo(message: unknown): void | Promise<void> {
    const { kind } = message as { readonly kind?: unknown };
    return kind === "entered" ? this.#arrive() : super.handleInfo(message);
  }

  // Who is there already is told to whoever comes, and they to those.
  #arrive(): void {
    const { attendance } = this.#deps;
    const { sessionId, participants } = this.#session!;
    for (const other of participants) {
      if (attendance.isHere(sessionId, other)) this.push("presence:update", presenceOf(sessionId, other, "online"));
    }
    this.#attend(this.#session!);
    this.atEnd(() => {
      this.#typing.end();
      this.#gone.abort();
      this.#tellPresence(attendance.leave(this.#session!.sessionId, this.#member!.party, this));
    });
  }

  #attend(session: Session): void {
    this.#session = session;
    this.#tellPresence(this.#deps.attendance.enter(session.sessionId, this.#member!.party, this));
  }

  // Which coordinator it is, and whether one is there, is nobody's to know.
  #tellPresence(status: "online" | "offline" | null): void {
    const { party } = this.#member!;
    if (status === null || party.type === "coordinator") return;
    const payload = presenceOf(this.#session!.sessionId, party, status);
    tellMembers(this.#deps.broadcast, this.#session!, "presence:update", payload, party);
  }

  takenOut(): void {
    this.stop("shutdown");
  }

  async #say(payload: unknown): Promise<Handled | Later> {
    const { party } = this.#member!;
    const { maxMessageBytes, maxAnswerBytes } = this.#deps;
    const parsed = parseMessageSend(payload, party.type === "agent" ? maxAnswerBytes : maxMessageBytes);
    if (!parsed.ok) return { result: failure(refusal(parsed.reason.code, parsed.reason.error)) };
    const said = parsed.value;
    if (said.role !== null && said.role !== (party.type === "user" ? "user" : "assistant")) {
      return { result: failure(refusal("forbidden", "role is not what the speaker is")) };
    }
    if ((await this.#here(said.conversationId)) === null) return { result: failure(refusal("session_not_found")) };
    switch (party.type) {
      case "user":
        return this.#speech!.ask(this.#session!, said);
      case "coordinator":
        return this.#speech!.tell(this.#session!, said);
      case "agent":
        return this.#agentSpeech!.say({ ...said, conversationId: this.#session!.sessionId });
    }
  }

  /** The conversation as it is now; null when it is not the one that is named, or they may not speak there. */
  async #here(conversationId: string | null): Promise<Head | null> {
    const head = await findHead(this.#deps.store, this.#session!.sessionId);
    const isHere = conversationId === null || [this.#session!.sessionId, this.#topicId].includes(conversationId);
    if (head === null || !isHere || !this.#maySpeak(head)) return null;
    this.#session = head.session;
    return head;
  }

  get #topicId(): string {
    return this.topic.slice(topicPrefix.length);
  }

  #maySpeak({ session }: Head): boolean {
    const { identity, party } = this.#member!;
    return mayIn(session, { identity, isTheirs: takesPart(session, party) }, "conversation.speak");
  }

  #move(session: Session): void {
    const before = this.#session!;
    if (before.sessionId === session.sessionId) return;
    this.#tellPresence(this.#deps.attendance.leave(before.sessionId, this.#member!.party, this));
    this.#listen(session.sessionId);
    this.#attend(session);
    tellConversation(this.#deps.broadcast, session);
  }

  async #type(payload: unknown): Promise<Handled> {
    const parsed = parseConversationTyping(payload);
    if (!parsed.ok) return { result: failure(refusal(parsed.reason.code, parsed.reason.error)) };
    const { business, party } = this.#member!;
    const { conversationId, typing } = parsed.value;
    const allowed = mayType(await this.#here(conversationId), party, this.#deps.clock.now());
    if (!allowed.ok) return { result: failure(refusal(allowed.reason)) };
    const isUser = party.type === "user";
    if (isUser && (await this.#deps.blocklist.has({ businessId: business.businessId, userId: party.id }))) {
      return { result: failure(refusal("blocked")) };
    }
    this.#typing.says(allowed.value, party, typing);
    return { result: success({ conversationId: allowed.value.sessionId, typing }) };
  }
}

/** As whom somebody takes part; null: a service does not. */
export function partyOf(identity: Identity, connectionId: string): Party | null {
  const { role, userId } = identity;
  if (role === "coordinator") return { type: role, id: coordinatorOf({ identity, connectionId }) };
  return role === "service" || userId === null ? null : { type: role, id: userId };
}
