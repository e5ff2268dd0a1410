import type { RunningAnswer, ShownStep } from "../../server/messaging/runs.js";
import { ChatPage, type PageOptions, type Row, rowOf, type Seen } from "./chat-page.js";
import type { Payload } from "./phoenix.js";

/** How it joins: with what it has, with its window, with both, or with neither. */
export type JoinStyle = "resume" | "window" | "both" | "bare";

/** What outlives a page that is shown anew. */
export interface Memory {
  readonly chatId: string;
  sessionId: string | null;
  epoch: string | null;
  /** Messages said so far. */
  count: number;
}

/** An answer in the making, as it is shown. */
interface Running {
  readonly responseId: string;
  text: string;
  /** Where the join's snapshot of it ended: deltas from before may still come. */
  readonly since: number;
  readonly steps: Map<string, ShownStep["status"]>;
}

interface Outgoing {
  readonly clientMessageId: string;
  readonly message: string;
}

/** A page of today, over phoenix.js 1.8: it resumes, shows answers while they are made, and repeats what was not acknowledged. */
export class NewPage extends ChatPage {
  readonly running = new Map<string, Running>();
  protected readonly handlers = {
    message_accepted: (payload: Payload) => this.#accepted(payload),
    // Before the reply to a join they are of a join before it; the reply says where they stand.
    message_delta: (payload: Payload) => void (this.isJoined && this.#delta(payload as unknown as Delta)),
    thinking: (payload: Payload) => void (this.isJoined && this.#thought(payload as unknown as Thought)),
  };
  readonly #style: JoinStyle;
  readonly #memory: Memory;
  #outbox: Outgoing[] = [];
  /** Questions whose answer the present join gave, or that was pushed since. */
  #answered = new Set<unknown>();

  constructor(options: PageOptions, seen: Seen, { style, memory }: { style: JoinStyle; memory: Memory }) {
    super(options, seen);
    this.#style = style;
    this.#memory = memory;
  }

  /** All that it said is acknowledged, and no answer is in the making. */
  get isAtRest(): boolean {
    return this.#outbox.length === 0 && this.running.size === 0;
  }

  say(message: string): void {
    const clientMessageId = `c${(this.#memory.count += 1)}`;
    this.#outbox.push({ clientMessageId, message });
    if (this.isJoined) this.#push(this.#outbox.at(-1)!);
  }

  protected joinPayload(): Payload {
    const { sessionId, epoch, chatId } = this.#memory;
    const resumes = this.#style === "resume" || this.#style === "both";
    return {
      userId: this.options.userId,
      ...(resumes && sessionId !== null ? { resume: { sessionId, offset: this.#knownUpTo(), epoch } } : {}),
      ...(this.#style === "window" || this.#style === "both" ? { chatId } : {}),
    };
  }

  protected joined(reply: Payload): void {
    const messages = reply.messages as Parameters<typeof rowOf>[0][];
    for (const message of messages) this.show(rowOf(message));
    this.#answered = new Set(messages.map(({ metadata }) => (metadata as { inReplyTo?: string }).inReplyTo));
    this.#resume(reply.running as RunningAnswer[]);
    const { sessionId, offset, recovered } = reply as { sessionId: string | null; offset: number; recovered: boolean };
    if (recovered || this.#style === "window") this.#hasUpTo(offset);
    else if (sessionId !== null) void this.readHistory(sessionId).then(() => this.#hasUpTo(offset));
    this.#memory.sessionId = sessionId ?? this.#memory.sessionId;
    this.#memory.epoch = reply.epoch as string;
    for (const outgoing of this.#outbox) this.#push(outgoing);
  }

  protected override answered({ inReplyTo, responseId, message }: Payload): void {
    this.#answered.add(inReplyTo);
    const running = this.running.get(String(inReplyTo));
    this.running.delete(String(inReplyTo));
    // Of one that only has steps nobody knows the id.
    if (running === undefined || running.responseId === "") return;
    if (running.responseId !== responseId)
      this.violate(`the answer is ${String(responseId)}, not the one in the making`);
    if (!String(message).startsWith(running.text)) this.violate(`${String(message)} was shown as ${running.text}`);
  }

  #push({ clientMessageId, message }: Outgoing): void {
    const { businessId, userId } = this.options;
    const { chatId } = this.#memory;
    this.push("new_message", { businessId, userId, locationId: "default", message, clientMessageId, chatId })
      .receive("ok", (reply) => {
        if (reply.duplicate === true) this.seen.duplicates += 1;
        this.#outbox = this.#outbox.filter((each) => each.clientMessageId !== clientMessageId);
        this.#said(reply, message);
      })
      .receive("error", (reason) => this.violate(`a message was refused: ${JSON.stringify(reason)}`))
      .receive("timeout", () => this.#pushAgain({ clientMessageId, message }));
  }

  // Whatever comes of it is the same message. One that is not joined says everything again once it is.
  #pushAgain(outgoing: Outgoing): void {
    const isUnsaid = this.#outbox.some(({ clientMessageId }) => clientMessageId === outgoing.clientMessageId);
    if (isUnsaid && this.isJoined) this.#push(outgoing);
  }

  #accepted(payload: Payload): void {
    if (this.isJoined && payload.duplicate !== true) this.noteGiven(String(payload.messageId));
    this.#said(payload, String(payload.message));
  }

  #said({ messageId, offset, sessionId }: Payload, content: string): void {
    this.#memory.sessionId = String(sessionId);
    this.show({ messageId: String(messageId), offset: Number(offset), type: "user", content });
  }

  #resume(answers: readonly RunningAnswer[]): void {
    const before = new Map(this.running);
    this.running.clear();
    for (const { messageId, responseId, text, at, thinking } of answers) {
      const known = before.get(messageId);
      if (at !== text.length) this.violate(`a snapshot of ${text.length} ends at ${at}`);
      if (this.#answered.has(messageId)) this.violate(`the answer to ${messageId} is there, and in the making`);
      if (known?.responseId === responseId && !text.startsWith(known.text)) {
        this.violate(`what was shown as ${known.text} is ${text} now`);
      }
      if (at > 0) this.seen.snapshots += 1;
      const steps = new Map(thinking.map(({ step, status }) => [step, status]));
      this.running.set(messageId, { responseId, text, since: at, steps });
    }
  }

  #delta({ messageId, responseId, at, text }: Delta): void {
    const running = this.#runningOf(messageId, responseId);
    if (running === null) return;
    const end = running.text.length;
    if (at === end) running.text += text;
    else if (at > end) this.violate(`a gap: a delta at ${at} where ${end} was due`);
    else if (at >= running.since) this.violate(`an overlap: a delta at ${at} where ${end} was due`);
    else if (!running.text.startsWith(text, at)) this.violate(`${text} at ${at} is not in ${running.text}`);
  }

  #thought({ messageId, step, status }: Thought): void {
    if (this.#answered.has(messageId)) this.violate(`step ${step} of what was answered before`);
    const running = this.running.get(messageId) ?? { responseId: "", text: "", since: 0, steps: new Map() };
    running.steps.set(step, status);
    this.running.set(messageId, running);
  }

  #runningOf(messageId: string, responseId: string): Running | null {
    if (this.#answered.has(messageId)) {
      this.violate(`a delta of what was answered before`);
      return null;
    }
    const known = this.running.get(messageId);
    if (known !== undefined && known.responseId === responseId) return known;
    if (known !== undefined && known.responseId !== "") this.violate(`two answers to ${messageId} in the making`);
    const running = { responseId, text: "", since: 0, steps: known?.steps ?? new Map() };
    this.running.set(messageId, running);
    return running;
  }

  /** The last offset before the first one that is missing. */
  #knownUpTo(): number {
    const offsets = new Set([...this.rows.values()].map(({ offset }: Row) => offset));
    let upTo = 0;
    while (offsets.has(upTo + 1)) upTo += 1;
    return upTo;
  }

  #hasUpTo(offset: number): void {
    if (this.#knownUpTo() < offset) this.violate(`after a join at ${offset} only ${this.#knownUpTo()} are there`);
  }
}

interface Thought extends ShownStep {
  readonly messageId: string;
}

interface Delta {
  readonly messageId: string;
  readonly responseId: string;
  readonly at: number;
  readonly text: string;
}
