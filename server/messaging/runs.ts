import type { Cancel, Clock } from "../clock.js";
import type { AgentThinking } from "./agent.js";
import type { Component } from "./components.js";
import { AgentFailure } from "./steps/agent-failure.js";

/** Whose answer it is, and to what. */
export interface RunOf {
  readonly businessId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** Of the user's message. */
  readonly messageId: string;
  readonly responseId: string;
}

/** A step that is shown. */
export interface ShownStep {
  readonly step: string;
  readonly label: string;
  readonly status: AgentThinking["status"];
}

/** The same, and when its user was shown it as it is. */
export interface TimedStep extends ShownStep {
  readonly timestamp: string;
}

/** An answer in the making, as a page that was refreshed needs it to go on. (SPEC M40) */
export interface RunningAnswer {
  readonly responseId: string;
  readonly messageId: string;
  /** What was sent of the text so far. */
  readonly text: string;
  /** Its length, in UTF-16 units: where the next delta begins. */
  readonly at: number;
  readonly thinking: readonly ShownStep[];
}

/** What is told of an answer while it is made. */
export type RunEvent = "thinking" | "message_delta" | "component" | "typing";

/** One answer in the making. */
export interface Run {
  /** Aborted, with an AgentFailure `cancelled`, when the user wants the answer no more. */
  readonly controller: AbortController;
  /** Those that were shown, the oldest first. */
  readonly shown: readonly TimedStep[];
  step(step: ShownStep): void;
  delta(text: string): void;
  component(component: Component): void;
  /** What was shown as begun, and not as ended, has ended like this. */
  endSteps(status: "done" | "failed"): void;
  /** Nothing more is shown of it. To be called before its outcome is told. */
  end(): void;
}

/**
 * Answers that are being made on this node: what is shown of them, and no more often than people can see. They live as
 * long as the work on them, not as long as a socket. (SPEC M40, M41)
 */
export interface Runs {
  /** @param onSilenced told when a human speaks instead */
  begin(of: RunOf, onSilenced?: () => void): Run;
  /** Those of a user, the oldest first. */
  ofUser(businessId: string, userId: string): readonly RunningAnswer[];
  /** @returns false when there is no such answer of this user in the making */
  cancel(of: Pick<RunOf, "businessId" | "userId" | "messageId">): boolean;
  /** A human speaks in this session now: of what an agent is still making there nothing more is shown. (SPEC M30) */
  silence(sessionId: string): void;
  /** What silenced agents are still making in this session can be of no use any more: they are stopped. (SPEC M33) */
  giveUp(sessionId: string): void;
}

/** What is over sooner is not worth showing. */
const stepShownAfterMs = 150;
/** Clients that hear nothing more of it for 6 s take it for over. */
const typingAgainMs = 4000;
/** Twenty times a second. */
const deltaEveryMs = 50;
/** Of one answer; the oldest are forgotten first. */
const stepsMax = 50;

export function createRuns(deps: {
  readonly clock: Clock;
  readonly tell: (event: RunEvent, of: RunOf, payload: Readonly<Record<string, unknown>>) => void;
}): Runs {
  const { clock, tell } = deps;
  const runs = new Map<string, Map<string, ActiveRun>>();
  /** By session: one at a time is answered there. */
  const silenced = new Map<string, ActiveRun>();

  return { begin, ofUser, cancel, silence, giveUp };

  function begin(of: RunOf, onSilenced: () => void = () => undefined): Run {
    const key = keyOf(of);
    const ofThisUser = runs.get(key) ?? new Map<string, ActiveRun>();
    const onEnd = () => {
      if (silenced.get(of.sessionId) === run) silenced.delete(of.sessionId);
      hide(key, run);
    };
    const run = new ActiveRun(of, { clock, tell, onEnd, onSilenced });
    runs.set(key, ofThisUser.set(of.messageId, run));
    return run;
  }

  function hide(key: string, run: ActiveRun): void {
    const ofThisUser = runs.get(key);
    if (ofThisUser?.get(run.of.messageId) !== run) return;
    ofThisUser.delete(run.of.messageId);
    if (ofThisUser.size === 0) runs.delete(key);
  }

  function ofUser(businessId: string, userId: string): readonly RunningAnswer[] {
    return [...(runs.get(keyOf({ businessId, userId }))?.values() ?? [])].map((run) => run.snapshot);
  }

  function cancel({ messageId, ...of }: Pick<RunOf, "businessId" | "userId" | "messageId">): boolean {
    const run = runs.get(keyOf(of))?.get(messageId);
    run?.cancel();
    return run !== undefined;
  }

  // Whoever asked: what is said in a conversation is of several users.
  function silence(sessionId: string): void {
    const all = [...runs.values()].flatMap((ofThisUser) => [...ofThisUser.values()]);
    for (const run of all.filter(({ of }) => of.sessionId === sessionId)) {
      hide(keyOf(run.of), run);
      silenced.set(sessionId, run);
      run.silence();
    }
  }

  function giveUp(sessionId: string): void {
    silenced.get(sessionId)?.cancel();
  }
}

// Neither id has this sign.
function keyOf({ businessId, userId }: Pick<RunOf, "businessId" | "userId">): string {
  return `${businessId}#${userId}`;
}

const nothingShown: readonly TimedStep[] = [];

type Tell = (event: RunEvent, of: RunOf, payload: Readonly<Record<string, unknown>>) => void;

class ActiveRun implements Run {
  readonly of: RunOf;
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #onEnd: () => void;
  readonly #onSilenced: () => void;
  readonly controller = new AbortController();
  /** By step: those that are shown, and those that have not lasted long enough yet. */
  readonly #shown = new Map<string, TimedStep>();
  readonly #early = new Map<string, Cancel>();
  #text = "";
  #waiting = "";
  #cancelDelta: Cancel | null = null;
  #isTyping = false;
  #cancelTyping: Cancel;
  #isTelling = false;
  /** Nothing is shown of it any more. */
  #isHushed = false;

  constructor(
    of: RunOf,
    {
      clock,
      tell,
      onEnd,
      onSilenced,
    }: {
      readonly clock: Clock;
      readonly tell: Tell;
      readonly onEnd: () => void;
      readonly onSilenced: () => void;
    },
  ) {
    this.of = of;
    this.#clock = clock;
    this.#tell = tell;
    this.#onEnd = onEnd;
    this.#onSilenced = onSilenced;
    this.#cancelTyping = clock.after(stepShownAfterMs, () => this.#type());
  }

  get shown(): readonly TimedStep[] {
    return this.#shown.size === 0 ? nothingShown : [...this.#shown.values()];
  }

  get snapshot(): RunningAnswer {
    const { responseId, messageId } = this.of;
    const thinking = this.shown.map(({ step, label, status }) => ({ step, label, status }));
    return { responseId, messageId, text: this.#text, at: this.#text.length, thinking };
  }

  cancel(): void {
    this.controller.abort(new AgentFailure("cancelled"));
  }

  silence(): void {
    this.#hush();
    this.#onSilenced();
  }

  step(step: ShownStep): void {
    // Once the text comes, it shows how far the agent is.
    if (this.#isHushed || this.#isTelling) return;
    const { step: name } = step;
    if (this.#shown.has(name)) return this.#show(step);
    this.#early.get(name)?.();
    this.#early.delete(name);
    // Over before anybody could have read of it.
    if (step.status !== "started" || this.#early.size >= stepsMax) return;
    this.#early.set(
      name,
      this.#clock.after(stepShownAfterMs, () => {
        this.#early.delete(name);
        this.#show(step);
      }),
    );
  }

  /** What is shown as begun has come to its end, and so has the agent. */
  endSteps(status: "done" | "failed"): void {
    this.#dropEarly();
    for (const step of [...this.#shown.values()]) {
      if (!this.#isHushed && step.status === "started") this.#show({ step: step.step, label: step.label, status });
    }
  }

  delta(text: string): void {
    if (this.#isHushed || text === "") return;
    if (!this.#isTelling) this.endSteps("done");
    this.#isTelling = true;
    this.#waiting += text;
    if (this.#cancelDelta === null) this.#sendDelta();
  }

  component(component: Component): void {
    if (this.#isHushed) return;
    const { sessionId, messageId, responseId } = this.of;
    this.#tell("component", this.of, { sessionId, messageId, responseId, ...component });
  }

  end(): void {
    this.#hush();
    this.#onEnd();
  }

  #hush(): void {
    if (this.#isHushed) return;
    this.endSteps("done");
    this.#isHushed = true;
    this.#cancelDelta?.();
    this.#cancelTyping();
    if (this.#isTyping) this.#tellTyping(false);
  }

  #dropEarly(): void {
    for (const cancel of this.#early.values()) cancel();
    this.#early.clear();
  }

  #type(): void {
    this.#isTyping = true;
    this.#tellTyping(true);
    this.#cancelTyping = this.#clock.after(typingAgainMs, () => this.#type());
  }

  #tellTyping(typing: boolean): void {
    this.#tell("typing", this.of, { sessionId: this.of.sessionId, from: "agent", typing });
  }

  #show(step: ShownStep): void {
    const { sessionId, messageId } = this.of;
    const timestamp = new Date(this.#clock.now()).toISOString();
    // Behind the others if it is new; one that goes on stays where it is.
    this.#shown.set(step.step, { ...step, timestamp });
    if (this.#shown.size > stepsMax) this.#shown.delete(this.#shown.keys().next().value!);
    this.#tell("thinking", this.of, { sessionId, messageId, ...step, timestamp });
  }

  // The first one at once, the next as soon as people could see it; what comes meanwhile goes with it.
  #sendDelta(): void {
    const { sessionId, messageId, responseId } = this.of;
    const text = this.#waiting;
    const at = this.#text.length;
    this.#waiting = "";
    this.#text += text;
    this.#tell("message_delta", this.of, { sessionId, messageId, responseId, at, text });
    this.#cancelDelta = this.#clock.after(deltaEveryMs, () => {
      this.#cancelDelta = null;
      if (this.#waiting !== "") this.#sendDelta();
    });
  }
}
