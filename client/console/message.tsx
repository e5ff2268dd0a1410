import { Component } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { showAnswer } from "../page/text.js";
import type { RunningAnswer } from "../running.js";
import type { Desk } from "./desk.js";
import type { Labels } from "./labels.js";
import { coordinatorName } from "./names.js";
import { durationOf, type Times } from "./times.js";
import type { Entry, Making } from "./transcript.js";

/** Of a longer text the beginning is shown: a line of a megabyte would hold up everything else. */
const shownMax = 4000;

export interface MessageProps {
  readonly entry: Entry;
  /** Who said it. */
  readonly by: string;
  readonly labels: Labels;
  readonly times: Times;
  /** How far its user has taken it; null: not known, or not of interest. */
  readonly mark: "delivered" | "read" | null;
  /** Null where nothing can be written. */
  readonly onUse: ((text: string) => void) | null;
}

/** One entry. What it holds does not change while its row does not, so it is drawn once. */
export class Message extends Component<MessageProps> {
  override shouldComponentUpdate(next: MessageProps): boolean {
    const { entry, by, mark, onUse } = this.props;
    return entry !== next.entry || by !== next.by || mark !== next.mark || (onUse === null) !== (next.onUse === null);
  }

  override render() {
    const { entry, by, labels, times, mark, onUse } = this.props;
    const { kind, content, timestamp, actions, score, made } = entry;
    return (
      <article class={`message ${kind}`}>
        <p class="by">
          <span>{by}</span>
          <time dateTime={timestamp} title={times.whole(timestamp)}>
            {times.clock(timestamp)}
          </time>
          {(kind === "agent" || kind === "coordinator") && <span class="mark">{mark !== null && labels[mark]}</span>}
        </p>
        <Said text={content} labels={labels} isMarked={kind === "agent" || kind === "draft"} />
        {actions.length > 0 && (
          <ul class="offers">
            {actions.map(({ label }, index) => (
              <li key={index} dir="auto">
                {label}
              </li>
            ))}
          </ul>
        )}
        {score !== null && <p class="by">{score === 1 ? labels.scored.good : labels.scored.bad}</p>}
        <HowMade made={made} labels={labels} />
        {kind === "draft" && onUse !== null && (
          <button type="button" class="small" onClick={() => onUse(content)}>
            {labels.useDraft}
          </button>
        )}
      </article>
    );
  }
}

interface SaidProps {
  readonly text: string;
  readonly labels: Labels;
  /** An agent's, who writes Markdown. */
  readonly isMarked: boolean;
}

/**
 * Text as it was written, an agent's as its customer sees it: other markup is shown, and what turns letters around turns
 * only its own.
 */
export function Said({ text, labels, isMarked }: SaidProps) {
  const [isWhole, setWhole] = useState(false);
  const isCut = text.length > shownMax && !isWhole;
  const shown = isCut ? `${text.slice(0, shownMax)}…` : text;
  return (
    <div class="said-box">
      {isMarked ? (
        <Answer text={shown} />
      ) : (
        <p class="said" dir="auto">
          {shown}
        </p>
      )}
      {isCut && (
        <button type="button" class="small" onClick={() => setWhole(true)}>
          {labels.showAll(text.length.toLocaleString(labels.lang))}
        </button>
      )}
    </div>
  );
}

function Answer({ text }: { readonly text: string }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => showAnswer(text, box.current!), [text]);
  return <div ref={box} class="said" dir="auto" />;
}

function HowMade({ made, labels }: { readonly made: Making; readonly labels: Labels }) {
  const { steps, sources, tools, durationMs, tokens } = made;
  if (steps.length + sources.length + tools.length === 0) return null;
  const facts = [
    durationMs === null ? null : labels.took(durationOf(durationMs)),
    tokens === null ? null : labels.tokens(tokens),
  ].filter((fact) => fact !== null);
  return (
    <details class="made">
      <summary>{labels.steps}</summary>
      <Steps steps={steps} labels={labels} />
      <Names title={labels.sources} names={sources} />
      <Names title={labels.tools} names={tools} />
      {facts.length > 0 && <p class="by">{facts.join(" · ")}</p>}
    </details>
  );
}

function Names({ title, names }: { readonly title: string; readonly names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <>
      <p class="made-title">{title}</p>
      <ul class="names">
        {names.map((name, index) => (
          <li key={index} dir="auto">
            {name}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Who said it, and to whom where that is not the customer. */
export function senderOf({ kind, coordinatorId }: Entry, desk: Desk, labels: Labels): string {
  switch (kind) {
    case "user":
      return labels.customer;
    case "coordinator":
      return coordinatorName(desk, coordinatorId, labels);
    case "note":
      return `${coordinatorName(desk, coordinatorId, labels)} · ${labels.note}`;
    case "agent":
    case "system":
    case "draft":
      return labels[kind];
  }
}

/** What an answer was made of, step by step. */
export function Steps({ steps, labels }: { readonly steps: readonly Step[]; readonly labels: Labels }) {
  if (steps.length === 0) return null;
  return (
    <ol class="steps">
      {steps.map(({ label, status }, index) => (
        <li key={index} class={status} dir="auto">
          {label}
          <span class="unseen">{` (${labels.stepStates[status]})`}</span>
        </li>
      ))}
    </ol>
  );
}

type Step = Pick<RunningAnswer["steps"][number], "label" | "status">;
