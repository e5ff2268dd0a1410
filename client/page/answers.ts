import type { RunningAnswer } from "../running.js";
import { button, element } from "./dom.js";
import type { Labels } from "./labels.js";
import { showAnswer } from "./text.js";

interface Shown {
  readonly bubble: HTMLElement;
  readonly content: HTMLElement;
  last: RunningAnswer | null;
}

/**
 * Answers in the making: the step they are at, and in its place their text as far as it is there. It is not read aloud
 * while it grows; the answer is, when it is whole. What is there already stays, and with it the focus on its button.
 */
export class Answers {
  readonly #place: HTMLElement;
  readonly #labels: Labels;
  readonly #stop: (messageId: string) => void;
  readonly #shown = new Map<string, Shown>();

  constructor(place: HTMLElement, labels: Labels, stop: (messageId: string) => void) {
    this.#place = place;
    this.#labels = labels;
    this.#stop = stop;
  }

  /** @param answered these stay as they are: their answer is about to take their place */
  show(answers: readonly RunningAnswer[], answered: ReadonlySet<string | undefined>): void {
    const ids = new Set(answers.map(({ messageId }) => messageId));
    for (const [messageId, { bubble }] of this.#shown) {
      if (ids.has(messageId) || answered.has(messageId)) continue;
      bubble.remove();
      this.#shown.delete(messageId);
    }
    for (const answer of answers) this.#draw(answer);
  }

  #draw(answer: RunningAnswer): void {
    const { messageId, steps, text, hasGap } = answer;
    const shown = this.#shown.get(messageId) ?? this.#begin(messageId);
    if (shown.last === answer) return;
    const step = steps.at(-1);
    shown.content.hidden = text === "" && step === undefined;
    showAnswer(hasGap ? `${text} …` : text, shown.content);
    // One line, as the text will have at least: what is above it stays where it is when the text takes its place.
    if (text === "" && step !== undefined) shown.content.append(element("span", `step ${step.status}`, step.label));
    shown.last = answer;
  }

  #begin(messageId: string): Shown {
    const bubble = element("article", "bubble agent running");
    const content = element("div", "content");
    const stop = button("stop", this.#labels.stop, () => this.#stop(messageId));
    const sender = element("p", "sender", this.#labels.agent);
    // Above the text: below it, it would run away from whoever wants to press it.
    sender.append(stop);
    bubble.append(sender, content);
    this.#place.append(bubble);
    const shown = { bubble, content, last: null };
    this.#shown.set(messageId, shown);
    return shown;
  }
}
