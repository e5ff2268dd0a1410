import * as z from "zod";
import { isDeeper } from "../../../protocol/depth.js";
import { type AgentAnswer, type AgentDelta, AgentError, type AgentThinking, type AgentTurn } from "../agent.js";
import { type Component, componentIdOf, componentSchema, withQuestions } from "../components.js";
import type { Action, Intent } from "../model.js";

/** What may be shown while an agent works, as it is safe to show. */
export type ShownEvent = AgentThinking | AgentDelta | ShownComponent;

export interface ShownComponent {
  readonly type: "component";
  readonly component: Component;
}

/** An answer that is fit to be stored, with what was shown on the way to it. */
export interface CheckedAnswer extends AgentAnswer {
  /** Left out where there was none. */
  readonly components?: readonly Component[];
}

/** What an agent said that was left out, because it is not as it has to be, or too much. */
export type Dropped =
  | "event"
  | "thinking"
  | "delta"
  | "component"
  | "action"
  | "isComplete"
  | "toolCalls"
  | "sources"
  | "tokens"
  | "intent";

/** Of one turn. One more event fails it: an agent that never waits would keep everything else from running. */
const eventsMax = 100_000;
const thinkingMax = 200;
const componentsMax = 16;
/** Of the JSON of all components of an answer. */
const componentsBytesMax = 65_536;
const actionsMax = 16;
/** Of the JSON of all actions of an answer. */
const actionsBytesMax = 8192;
const toolCallsMax = 32;
const toolCallsBytesMax = 65_536;
const jsonDepthMax = 32;
const labelMax = 200;
const valueMax = 1024;
const urlMax = 2048;

/** What a client may be offered to do next; `value` is said when it is chosen, `url` is opened. */
const actionTypes = ["choice", "reply", "link", "call", "email", "human"] as const;
const protocols: ReadonlySet<string> = new Set(["http:", "https:", "tel:", "mailto:"]);

const text = (max: number, min = 1) =>
  z
    .string()
    .min(min)
    .max(max)
    .transform((given) => given.toWellFormed());

// As the URL parser reads it, which is how a browser does: tabs and line ends inside a scheme hide nothing.
const address = z
  .string()
  .max(urlMax)
  .transform((given, context) => {
    const url = URL.canParse(given) ? new URL(given) : null;
    if (url !== null && protocols.has(url.protocol) && url.username === "" && url.password === "") return url.href;
    context.addIssue({ code: "custom", message: "expected an http, https, tel or mailto address" });
    return z.NEVER;
  });

const action: z.ZodType<Action> = z
  .object({
    type: z.enum(actionTypes),
    label: text(labelMax),
    value: text(valueMax, 0).nullish(),
    url: address.nullish(),
  })
  .transform(({ type, label, value, url }) => ({
    type,
    label,
    ...(value === undefined || value === null ? {} : { value }),
    ...(url === undefined || url === null ? {} : { url }),
  }));

const thinking: z.ZodType<AgentThinking> = z.object({
  type: z.literal("thinking"),
  step: text(64),
  label: text(labelMax),
  status: z.enum(["started", "done", "failed"]),
});

const toolCalls = z
  .array(z.unknown())
  .max(toolCallsMax)
  .refine((calls) => !isDeeper(calls, jsonDepthMax), "too deep")
  .transform(inert)
  .refine((calls) => Buffer.byteLength(JSON.stringify(calls)) <= toolCallsBytesMax, "too much");

// Made once: a schema costs more than what it looks at.
const isComplete = z.boolean();
const sources = z.array(text(labelMax)).max(16);
const tokens = z.int().min(0).max(1_000_000_000);
const word = text(128);
const intent: z.ZodType<Intent> = z.object({
  intentId: word,
  businessId: word,
  userId: word,
  chatId: word.exactOptional(),
  sessionId: word,
  name: word,
  status: z.enum(["active", "completed", "abandoned"]),
  parameters: z.record(word, text(8192, 0)),
  missing: z.array(word).max(1000),
  createdAt: word,
  updatedAt: word,
});

// What is stored and sent is plain JSON, whatever the objects of an agent in this process can do.
function inert(calls: readonly unknown[]): readonly unknown[] {
  return JSON.parse(JSON.stringify(calls)) as readonly unknown[];
}

type Said = Readonly<Record<string, unknown>>;

/**
 * Reads what an agent says in the course of one call: the one place where that becomes something to show, to store and
 * to send. An answer counts by its text: what else is not as it has to be is left out. (SPEC A8, A9)
 */
export class AgentEventReader {
  readonly #turn: AgentTurn;
  readonly #maxAnswerBytes: number;
  readonly #onDropped: (part: Dropped) => void;
  readonly #dropped = new Set<Dropped>();
  readonly #actions: Action[] = [];
  #actionsBytes = "[]".length;
  #eventCount = 0;
  #thinkingCount = 0;
  #componentCount = 0;
  readonly #components: Component[] = [];
  /** Ids of those that the text asks in its own words. */
  readonly #askedInText = new Set<string>();
  #componentsBytes = "[]".length;
  #deltaBytes = 0;
  /** The first half of a character that the next delta completes. */
  #half = "";

  /** @param onDropped told once of each part of the turn */
  constructor(turn: AgentTurn, maxAnswerBytes: number, onDropped: (part: Dropped) => void) {
    this.#turn = turn;
    this.#maxAnswerBytes = maxAnswerBytes;
    this.#onDropped = onDropped;
  }

  /**
   * @returns what to show, the answer, or null when there is nothing to be done
   * @throws AgentError when nothing that follows can be the answer any more
   */
  read(event: unknown): ShownEvent | CheckedAnswer | null {
    this.#eventCount += 1;
    if (this.#eventCount > eventsMax) throw new AgentError("too_many_events", { isThere: true });
    if (typeof event !== "object" || event === null) return this.#drop("event");
    return this.#take(event as Said);
  }

  #take(event: Said): ShownEvent | CheckedAnswer | null {
    switch (event.type) {
      case "thinking":
        return this.#thinking(event);
      case "delta":
        return this.#delta(event.text);
      case "component":
        return this.#component(event);
      case "action":
        this.#addAction(event.action);
        return null;
      case "answer":
        return this.#answer(event);
      default:
        return this.#drop("event");
    }
  }

  #thinking(event: Said): AgentThinking | null {
    this.#thinkingCount += 1;
    const parsed = this.#thinkingCount > thinkingMax ? null : thinking.safeParse(event);
    return parsed?.success === true ? parsed.data : this.#drop("thinking");
  }

  #delta(given: unknown): AgentDelta | null {
    if (typeof given !== "string") return this.#drop("delta");
    this.#deltaBytes += Buffer.byteLength(given);
    if (this.#deltaBytes > this.#maxAnswerBytes) throw new AgentError("answer_too_long", { isThere: true });
    const whole = this.#half + given;
    this.#half = /[\ud800-\udbff]$/.test(whole) ? whole.slice(-1) : "";
    const shown = whole.slice(0, whole.length - this.#half.length).toWellFormed();
    return shown === "" ? null : { type: "delta", text: shown };
  }

  #component(event: Said): ShownComponent | null {
    this.#componentCount += 1;
    const parsed = this.#componentCount > componentsMax ? null : componentSchema.safeParse(event);
    if (parsed?.success !== true) return this.#drop("component");
    const { sessionId, answerId: messageId } = this.#turn;
    const component = {
      componentId: componentIdOf({ sessionId, messageId, number: this.#components.length }),
      ...parsed.data,
    };
    this.#componentsBytes += Buffer.byteLength(JSON.stringify(component)) + ",".length;
    if (this.#componentsBytes > componentsBytesMax) return this.#drop("component");
    this.#components.push(component);
    if (event.inText === true) this.#askedInText.add(component.componentId);
    return { type: "component", component };
  }

  #addAction(given: unknown): void {
    const parsed = this.#actions.length >= actionsMax ? null : action.safeParse(given);
    const bytes = parsed?.success === true ? Buffer.byteLength(JSON.stringify(parsed.data)) + ",".length : 0;
    if (parsed?.success !== true || this.#actionsBytes + bytes > actionsBytesMax) {
      this.#drop("action");
      return;
    }
    this.#actionsBytes += bytes;
    this.#actions.push(parsed.data);
  }

  #answer(event: Said): CheckedAnswer {
    const { message, actions } = event;
    if (typeof message !== "string" || message.trim() === "")
      throw new AgentError("answer_without_text", { isThere: true });
    const whole = withQuestions(message.toWellFormed(), this.#components, this.#askedInText);
    if (Buffer.byteLength(whole) > this.#maxAnswerBytes) throw new AgentError("answer_too_long", { isThere: true });
    if (Array.isArray(actions)) actions.forEach((each) => this.#addAction(each));
    else if (actions !== undefined && actions !== null) this.#drop("action");
    return {
      type: "answer",
      message: whole,
      actions: this.#actions,
      ...(this.#components.length === 0 ? {} : { components: this.#components }),
      ...this.#part("isComplete", event, isComplete),
      ...this.#part("toolCalls", event, toolCalls),
      ...this.#part("sources", event, sources),
      ...this.#part("tokens", event, tokens),
      ...this.#intent(event.intent),
    };
  }

  #part<Name extends Dropped, Value>(
    name: Name,
    event: Said,
    schema: z.ZodType<Value>,
  ): { readonly [N in Name]?: Value } {
    const given = event[name];
    if (given === undefined || given === null) return {};
    const parsed = schema.safeParse(given);
    if (parsed.success) return { [name]: parsed.data } as { readonly [N in Name]: Value };
    this.#drop(name);
    return {};
  }

  // Whose intent it is, is not for an agent to say.
  #intent(given: unknown): Pick<AgentAnswer, "intent"> {
    if (given === undefined) return {};
    if (given === null) return { intent: null };
    const parsed = intent.safeParse(given);
    if (!parsed.success) {
      this.#drop("intent");
      return {};
    }
    const { businessId, userId, sessionId, chatId } = this.#turn;
    const { chatId: before, ...said } = parsed.data;
    const window = chatId ?? before;
    return { intent: { ...said, businessId, userId, sessionId, ...(window === undefined ? {} : { chatId: window }) } };
  }

  #drop(part: Dropped): null {
    if (!this.#dropped.has(part)) {
      this.#dropped.add(part);
      this.#onDropped(part);
    }
    return null;
  }
}
