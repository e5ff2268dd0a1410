import { useLayoutEffect, useState } from "preact/hooks";
import type { Desk } from "./desk.js";
import type { Drafts } from "./drafts.js";
import type { Labels } from "./labels.js";

export type ComposerMode = "reply" | "note";

export interface ComposerProps {
  readonly desk: Desk;
  readonly sessionId: string;
  readonly mode: ComposerMode;
  readonly onMode: (mode: ComposerMode) => void;
  /** Null: a reply can be sent. */
  readonly obstacle: Obstacle | null;
  readonly drafts: Drafts;
  readonly labels: Labels;
}

/** Why no reply can be sent, and what can be done about it. */
export interface Obstacle {
  readonly reason: string;
  readonly remedy: Remedy | null;
}

export interface Remedy {
  readonly label: string;
  /** @returns whether it is done */
  readonly act: () => Promise<boolean>;
}

const fieldId = "composer";
const remedyId = "composer-remedy";
const hintId = "composer-hint";

/** Where one writes; where nothing can be written, what can be done about it. */
export function focusOnComposer(): void {
  (document.getElementById(remedyId) ?? document.getElementById(fieldId))?.focus();
}

/** Where replies and notes are written. What is written stays with its session; what is not stored comes back to it. */
export function Composer({ desk, sessionId, mode, onMode, obstacle, drafts, labels }: ComposerProps) {
  const [, draw] = useState(0);
  const text = drafts.get(mode, sessionId);
  const left = drafts.left(sessionId);
  const isPending = desk.isPending(sessionId) || left !== null;
  const barredBy = mode === "reply" ? obstacle : null;
  const isBarred = isPending || !desk.isOnline || (barredBy !== null && barredBy.remedy === null);
  // What a page has sent that was left meanwhile, as by a reload, never told it whether it is stored.
  const isStored = left === null ? null : desk.isStored(sessionId, left);
  useLayoutEffect(() => {
    if (isStored === null) return;
    drafts.settle(sessionId, isStored);
    draw((version) => version + 1);
  }, [drafts, sessionId, isStored]);
  const write = (next: string) => {
    drafts.set(mode, sessionId, next);
    if (mode === "reply") desk.opened.type(sessionId, next !== "");
    draw((version) => version + 1);
  };
  const send = async () => {
    // Keys come faster than what they change is drawn.
    const message = drafts.get(mode, sessionId).trim();
    if (message === "" || barredBy !== null || isBarred || desk.isPending(sessionId)) return;
    const sent = { kind: mode, message, before: desk.endOf(sessionId) };
    drafts.depart(sessionId, sent);
    draw((version) => version + 1);
    drafts.settle(sessionId, await desk.say(sessionId, sent));
    draw((version) => version + 1);
  };
  const overcome = async ({ act }: Remedy) => {
    if (!isBarred && (await act())) document.getElementById(fieldId)?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    // While a word is being composed, Enter chooses it; held down, it would send again and again.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!event.repeat) void send();
  };
  return (
    <form
      class={`composer ${mode}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (barredBy?.remedy != null) return void overcome(barredBy.remedy);
        // The button takes no focus while there is nothing to send.
        document.getElementById(fieldId)?.focus();
        void send();
      }}
    >
      <div class="modes" role="group" aria-label={labels.conversation}>
        {(["reply", "note"] as const).map((each) => (
          <button key={each} type="button" class="tab" aria-pressed={mode === each} onClick={() => onMode(each)}>
            {each === "reply" ? labels.reply : labels.noteMode}
          </button>
        ))}
        <p id={hintId} class={barredBy === null ? "hint" : "hint reason"} role="status">
          {desk.isOnline ? (barredBy?.reason ?? labels.sendHint) : labels.cannotReply.offline}
        </p>
      </div>
      <div class="field">
        <textarea
          id={fieldId}
          rows={2}
          dir="auto"
          maxLength={8000}
          aria-label={mode === "reply" ? labels.writeReply : labels.writeNote}
          aria-describedby={hintId}
          placeholder={barredBy !== null ? "" : mode === "reply" ? labels.writeReply : labels.writeNote}
          value={text}
          readOnly={barredBy !== null}
          onInput={(event) => write(event.currentTarget.value)}
          onBlur={() => desk.opened.type(sessionId, false)}
          onKeyDown={pressed}
        />
        {barredBy?.remedy == null ? (
          <button key="send" class="primary" type="submit" disabled={text.trim() === "" || isBarred}>
            {mode === "reply" ? labels.send : labels.addNote}
          </button>
        ) : (
          <button key="remedy" id={remedyId} class="primary" aria-describedby={hintId} aria-disabled={isBarred}>
            {barredBy.remedy.label}
          </button>
        )}
      </div>
    </form>
  );
}
