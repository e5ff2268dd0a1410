import { type Component, readComponent } from "./component.js";
import { asRecord, text } from "./fields.js";
import { limits } from "./limits.js";

/** An answer in the making. */
export interface RunningAnswer {
  /** Of the message that is being answered. */
  readonly messageId: string;
  /** Null where only a join has told of it so far. */
  readonly sessionId: string | null;
  /** Null until there is some text. */
  readonly responseId: string | null;
  /** What there is of it, without a hole; the answer says it whole. */
  readonly text: string;
  /** Something of it was missed: `text` grows no more. */
  readonly hasGap: boolean;
  /** In the order in which they began, each as it is now. */
  readonly steps: readonly Step[];
  readonly components: readonly Component[];
}

export interface Step {
  readonly step: string;
  readonly label: string;
  readonly status: "started" | "done" | "failed";
}

/** Answers in the making, the oldest first: what a join gave of them, and what was pushed since. (SPEC M40, M41) */
export class Running {
  #answers: readonly RunningAnswer[] = [];

  get answers(): readonly RunningAnswer[] {
    return this.#answers;
  }

  /** A join tells all there is. What is not among it is over. @param raw `running` of its reply */
  joined(raw: unknown): void {
    const rows = Array.isArray(raw) ? raw.map(asRecord) : [];
    const before = this.#answers;
    this.#answers = [];
    for (const row of rows) {
      const messageId = text(row.messageId);
      if (messageId === undefined) continue;
      const known = before.find((answer) => answer.messageId === messageId);
      const steps = Array.isArray(row.thinking) ? row.thinking.map(readStep).filter((step) => step !== null) : [];
      const responseId = text(row.responseId) ?? null;
      const components = known?.responseId === responseId ? known.components : [];
      const fresh = { messageId, sessionId: known?.sessionId ?? null, responseId, hasGap: false, steps, components };
      this.#put({ ...fresh, text: text(row.text) ?? "" });
    }
  }

  /** `thinking` */
  thought(raw: unknown): void {
    const step = readStep(raw);
    const known = this.#of(raw);
    if (step === null || known === null) return;
    const index = known.steps.findLastIndex((other) => other.step === step.step && other.status === "started");
    const steps = index === -1 || step.status === "started" ? [...known.steps, step] : known.steps.with(index, step);
    this.#put({ ...known, steps: steps.slice(-limits.stepsMax) });
  }

  /** `message_delta`: what it repeats is left out, and behind a hole nothing is added. */
  delta(raw: unknown): void {
    const { at, text: more, responseId } = asRecord(raw);
    const known = this.#of(raw, text(responseId));
    if (known === null || typeof at !== "number" || typeof more !== "string" || known.hasGap) return;
    const { length } = known.text;
    if (at > length || length >= limits.runningTextMax) return this.#put({ ...known, hasGap: true });
    this.#put({ ...known, text: known.text + more.slice(length - at) });
  }

  /** `component` */
  component(raw: unknown): void {
    const component = readComponent(raw);
    const known = this.#of(raw, text(asRecord(raw).responseId));
    if (component === null || known === null) return;
    const others = known.components.filter(({ componentId }) => componentId !== component.componentId);
    this.#put({ ...known, components: [...others, component].slice(-limits.componentsMax) });
  }

  /** Its answer came. @returns what was in the making, or null */
  ended(messageId: string): RunningAnswer | null {
    const known = this.#answers.find((answer) => answer.messageId === messageId) ?? null;
    if (known !== null) this.#answers = this.#answers.filter((answer) => answer !== known);
    return known;
  }

  /** A human speaks in this session now, or it is over: nothing comes of what an agent was making. */
  silence(sessionId: string): void {
    this.#answers = this.#answers.filter((answer) => answer.sessionId !== null && answer.sessionId !== sessionId);
  }

  // An agent that is asked again, because a process ended, begins its answer anew under another id.
  #of(raw: unknown, responseId?: string): RunningAnswer | null {
    const row = asRecord(raw);
    const messageId = text(row.messageId);
    if (messageId === undefined) return null;
    const sessionId = text(row.sessionId) ?? null;
    const known = this.#answers.find((answer) => answer.messageId === messageId);
    const fresh = { messageId, sessionId, responseId: null, text: "", hasGap: false, steps: [], components: [] };
    if (known === undefined) return { ...fresh, responseId: responseId ?? null };
    const isOther = responseId !== undefined && known.responseId !== null && known.responseId !== responseId;
    if (isOther) return { ...fresh, steps: known.steps, responseId };
    return { ...known, sessionId: sessionId ?? known.sessionId, responseId: known.responseId ?? responseId ?? null };
  }

  #put(answer: RunningAnswer): void {
    const index = this.#answers.findIndex(({ messageId }) => messageId === answer.messageId);
    const answers = index === -1 ? [...this.#answers, answer] : this.#answers.with(index, answer);
    this.#answers = answers.slice(-limits.runningMax);
  }
}

function readStep(raw: unknown): Step | null {
  const { step, label, status } = asRecord(raw);
  const [name, shown] = [text(step), text(label)];
  if (name === undefined || shown === undefined) return null;
  return { step: name, label: shown, status: status === "done" || status === "failed" ? status : "started" };
}
