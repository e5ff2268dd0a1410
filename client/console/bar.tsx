import { useState } from "preact/hooks";
import type { Attention } from "./attention.js";
import type { Desk } from "./desk.js";
import type { Labels } from "./labels.js";
import type { Times } from "./times.js";

interface BarProps {
  readonly desk: Desk;
  readonly attention: Attention;
  readonly labels: Labels;
  readonly times: Times;
  readonly isFigures: boolean;
  readonly onFigures: () => void;
  readonly onDialog: (dialog: "keys" | "online") => void;
  readonly onSignIn: () => void;
}

/** On top: whose console it is, how the connection is, who is there; and over everything, what went wrong. */
export function Bar({ desk, attention, labels, times, isFigures, onFigures, onDialog, onSignIn }: BarProps) {
  const [, draw] = useState(0);
  const { state } = desk.coordinator.status;
  const colleagues = desk.online.filter(({ key }) => key.startsWith("coordinator:")).length;
  const count = desk.isOnline ? String(colleagues) : "–";
  const { state: notifying } = attention;
  const toggle = () => void attention.toggle().then(() => draw((version) => version + 1));
  return (
    <header class="bar">
      <img src="/icon.svg" alt="" width="24" height="24" />
      <p class="brand">
        {labels.title}
        <bdi class="quiet cut" title={desk.api.businessId}>
          {desk.businessName}
        </bdi>
      </p>
      <p class="connection" data-state={state} role="status">
        {labels.status[state]}
      </p>
      <button
        type="button"
        class="bar-button online"
        aria-label={desk.lostAt === null ? undefined : labels.wereOnline(times.clock(desk.lostAt))}
        onClick={() => onDialog("online")}
      >
        <span class={desk.isOnline ? "here" : "here gone"} />
        <span class="bar-word">{labels.online}</span>
        {count}
      </button>
      {notifying !== "off" && (
        <button type="button" class="bar-button notify" aria-pressed={notifying === "on"} onClick={toggle}>
          {labels.notifications[notifying]}
        </button>
      )}
      <button type="button" class="bar-button" aria-pressed={isFigures} onClick={onFigures}>
        {labels.figures}
      </button>
      <button type="button" class="bar-button help" aria-label={labels.shortcuts} onClick={() => onDialog("keys")}>
        ?
      </button>
      <Lines {...{ desk, labels, times, onSignIn }} />
    </header>
  );
}

function Lines({ desk, labels, times, onSignIn }: Pick<BarProps, "desk" | "labels" | "times" | "onSignIn">) {
  const { notice, isTokenEnding } = desk;
  const { state } = desk.coordinator.status;
  return (
    <div class="lines">
      {(state === "offline" || state === "connecting") && desk.lostAt !== null && (
        <p class="line">
          {labels.offlineLine(times.clock(desk.lostAt))}
          <button type="button" class="small" aria-disabled={state === "connecting"} onClick={() => desk.start()}>
            {state === "connecting" ? labels.trying : labels.tryNow}
          </button>
        </p>
      )}
      {state === "closed" && (
        <p class="line">
          {labels.status.closed}
          <button type="button" class="small" onClick={() => desk.start()}>
            {labels.connectAgain}
          </button>
        </p>
      )}
      {isTokenEnding && (
        <p class="line">
          {labels.signIn.ending}
          <button type="button" class="small" onClick={onSignIn}>
            {labels.signIn.again}
          </button>
        </p>
      )}
      {notice !== null && (
        <p class="line failure">
          {labels.failures[notice] ?? labels.failed}
          <button type="button" class="small" onClick={() => desk.dismiss()}>
            {labels.close}
          </button>
        </p>
      )}
    </div>
  );
}
