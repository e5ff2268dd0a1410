import { Composer, type ComposerMode, type Obstacle } from "./composer.js";
import type { Command, Desk } from "./desk.js";
import type { Drafts } from "./drafts.js";
import { BackIcon, StateIcon } from "./icons.js";
import type { Labels } from "./labels.js";
import { coordinatorName, customerName } from "./names.js";
import type { OpenSession } from "./opened.js";
import { isEnded, isHeld, type Row, stateOf, waitingSince } from "./rows.js";
import { Thread } from "./thread.js";
import { lengthOf, type Times } from "./times.js";

export interface Actions {
  readonly hold: () => void;
  readonly resolve: () => void;
  readonly block: () => void;
}

interface ConversationProps {
  readonly desk: Desk;
  readonly open: OpenSession;
  readonly row: Row | null;
  readonly now: number;
  readonly mode: ComposerMode;
  readonly onMode: (mode: ComposerMode) => void;
  readonly drafts: Drafts;
  readonly actions: Actions;
  readonly onBack: () => void;
  readonly labels: Labels;
  readonly times: Times;
}

/** The session that is open: who it is and who has it, what was said, and where to write. */
export function Conversation(props: ConversationProps) {
  const { desk, open, row, now, mode, onMode, drafts, labels, times } = props;
  const { sessionId } = open.transcript;
  const obstacle = obstacleOf(desk, row, now, labels);
  const use = (text: string) => {
    drafts.set("reply", sessionId, text);
    onMode("reply");
  };
  return (
    <main class="conversation">
      <Head {...props} />
      <Thread {...{ desk, open, labels, times }} onUse={obstacle === null ? use : null} />
      <Composer {...{ desk, sessionId, mode, onMode, obstacle, drafts, labels }} />
    </main>
  );
}

function Head({ desk, open, row, now, actions, onBack, labels }: ConversationProps) {
  const { sessionId } = open.transcript;
  const isBarred = desk.isPending(sessionId) || !desk.isOnline;
  const state = row === null ? "answered" : stateOf(row, now);
  const isOver = row !== null && isEnded(row);
  const isOurs = row !== null && isHeld(row, now);
  const isMine = isOurs && desk.isOwn(row.holder?.coordinatorId);
  return (
    <header class="head">
      <button type="button" class="icon back" aria-label={labels.back} onClick={onBack}>
        <BackIcon />
      </button>
      <div class="who">
        <h1 class="cut">
          <bdi title={row?.userId ?? undefined}>{customerName(row?.userId ?? null, labels)}</bdi>
        </h1>
        <p class={`standing ${state}`}>
          <StateIcon state={state} />
          <span class="cut">{standingOf(desk, row, now, labels)}</span>
          {open.isBlocked && <span class="blocked">{labels.blocked}</span>}
        </p>
      </div>
      <div class="actions">
        {!isOver && (
          <Action
            look={isOurs ? "plain" : "primary"}
            isBarred={isBarred}
            label={isMine ? labels.handBack : labels.takeOver}
            onClick={actions.hold}
          />
        )}
        <Action
          look="plain"
          isBarred={isBarred || (isOurs && !isMine)}
          label={isOver ? labels.reopen : labels.resolve}
          onClick={actions.resolve}
        />
        <Action
          look="plain quieter"
          isBarred={isBarred}
          label={open.isBlocked ? labels.unblock : labels.blockShort}
          name={open.isBlocked ? labels.unblock : labels.block}
          onClick={actions.block}
        />
      </div>
    </header>
  );
}

interface ActionProps {
  readonly look: string;
  readonly label: string;
  /** Where the label says too little to somebody who hears it alone; begins with it. */
  readonly name?: string;
  readonly isBarred: boolean;
  readonly onClick: () => void;
}

/** Barred it does nothing, and keeps the focus: what was pressed is there again when it is done. */
function Action({ look, label, name, isBarred, onClick }: ActionProps) {
  const act = () => !isBarred && onClick();
  return (
    <button type="button" class={look} aria-label={name} aria-disabled={isBarred} onClick={act}>
      {label}
    </button>
  );
}

function standingOf(desk: Desk, row: Row | null, now: number, labels: Labels): string {
  if (row === null) return labels.loading;
  const since = waitingSince(row, now);
  const state = stateOf(row, now);
  const parts: string[] = [];
  if (isHeld(row, now)) {
    const holderId = row.holder?.coordinatorId;
    parts.push(desk.isOwn(holderId) ? labels.heldByYou : labels.heldBy(coordinatorName(desk, holderId, labels)));
  } else if (state === "resolved") parts.push(labels.statuses[row.status] ?? row.status);
  else if (row.wantsHuman) parts.push(labels.wantsHuman);
  else parts.push(state === "answered" && row.open.size > 0 ? labels.answering : labels.states[state]);
  if (since !== null) parts.push(labels.waitingSince(lengthOf(now - since)));
  return parts.join(" · ");
}

/** Why nothing can be said to its user. */
function obstacleOf(desk: Desk, row: Row | null, now: number, labels: Labels): Obstacle | null {
  if (row === null) return { reason: labels.loading, remedy: null };
  const remedy = (label: string, command: Command) => ({ label, act: () => desk.command(command, row.sessionId) });
  if (isEnded(row)) return { reason: labels.cannotReply.over, remedy: remedy(labels.reopen, "reopen") };
  const holderId = row.holder?.coordinatorId;
  if (!isHeld(row, now) || desk.isOwn(holderId)) return null;
  const reason = labels.cannotReply.held(coordinatorName(desk, holderId, labels));
  return { reason, remedy: remedy(labels.takeOver, "takeOver") };
}
