import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { announce, Attention } from "./attention.js";
import { Bar } from "./bar.js";
import { type ComposerMode, focusOnComposer } from "./composer.js";
import { type Actions, Conversation } from "./conversation.js";
import type { Desk } from "./desk.js";
import type { Drafts } from "./drafts.js";
import { Details } from "./details.js";
import { BlockDialog, OnlineDialog, ShortcutsDialog } from "./dialogs.js";
import { Figures } from "./figures.js";
import { useChanges, useNow, useRested } from "./hooks.js";
import { useKeyboard } from "./keyboard.js";
import { useKeptFocus } from "./kept-focus.js";
import type { Labels } from "./labels.js";
import { customerName } from "./names.js";
import { Pane, searchId } from "./pane.js";
import { usePlace } from "./place.js";
import { type Filter, filters, isEnded, isHeld, shownRows } from "./rows.js";
import { useStillRows } from "./still.js";
import { Times } from "./times.js";

interface WorkspaceProps {
  readonly desk: Desk;
  readonly drafts: Drafts;
  readonly labels: Labels;
  readonly onSignIn: () => void;
}

const searchRestMs = 250;
/** Events come in bursts; who looks elsewhere is called once for all of them. */
const attentionMs = 200;

/** The whole console, once somebody is let in. */
export function Workspace({ desk, drafts, labels, onSignIn }: WorkspaceProps) {
  useChanges(desk);
  const now = useNow();
  const times = useMemo(() => new Times(labels.lang), [labels]);
  const [filter, setFilter] = useState<Filter>("all");
  const [query, setQuery] = useState("");
  const [still, setStill] = useState({ pointer: false, focus: false });
  const [settled, setSettled] = useState(0);
  const [isFigures, setFigures] = useState(false);
  const [, draw] = useState(0);
  const [mode, setMode] = useState<ComposerMode>("reply");
  const [dialog, setDialog] = useState<"keys" | "block" | "online" | null>(null);
  const attention = useAttention(desk, labels, show);
  const found = useFound(desk, filter, useRested(query.trim(), searchRestMs));

  const open = desk.opened.session;
  const selected = open?.transcript.sessionId ?? null;
  const row = selected === null ? null : desk.inbox.row(selected);
  const { rows: all } = desk.inbox;
  const nameOf = (userId: string | null) => customerName(userId, labels);
  const live = useMemo(() => shownRows(all, { filter, query, now, nameOf }), [all, filter, query, now, labels]);
  const { rows, newsCount } = useStillRows(live, {
    isStill: still.pointer || still.focus,
    question: [filter, query, found.count, settled, desk.isListed].join(),
    rowOf: (sessionId) => desk.inbox.row(sessionId),
    now,
  });
  usePlace(selected, (sessionId) => (sessionId === null ? desk.opened.hide() : show(sessionId)));
  useKeptFocus([".thread", ".list"]);

  const actions: Actions = {
    hold: () => {
      if (row === null || isEnded(row)) return;
      const isMine = isHeld(row, now) && desk.isOwn(row.holder?.coordinatorId);
      void desk.command(isMine ? "handBack" : "takeOver", row.sessionId);
    },
    resolve: () => {
      if (row === null) return;
      void desk.command(isEnded(row) ? "reopen" : "resolve", row.sessionId);
    },
    block: () => {
      if (row === null) return;
      if (open?.isBlocked === true) void desk.unblock(row.sessionId);
      else setDialog("block");
    },
  };
  useKeyboard({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    u: nextWaiting,
    "/": focusOnSearch,
    ...Object.fromEntries(filters.map((each, index) => [String(index + 1), () => setFilter(each)])),
    r: () => write("reply"),
    n: () => write("note"),
    t: actions.hold,
    e: actions.resolve,
    b: actions.block,
    s: () => setFigures(!isFigures),
    "?": () => setDialog("keys"),
    Escape: leave,
  });

  return (
    <div class="workspace" data-showing={isFigures ? "figures" : open === null ? "list" : "conversation"}>
      <Bar
        {...{ desk, attention, labels, times, isFigures, onSignIn }}
        onFigures={() => setFigures(!isFigures)}
        onDialog={setDialog}
      />
      <Pane
        {...{ desk, rows, newsCount, selected, filter, query, now, labels, times }}
        isAll={found.isAll}
        onFilter={setFilter}
        onQuery={setQuery}
        onOpen={show}
        onStill={(by, isStill) => setStill((known) => ({ ...known, [by]: isStill }))}
        onSettle={() => setSettled(settled + 1)}
      />
      {isFigures ? (
        <Figures api={desk.api} labels={labels} onBack={() => setFigures(false)} />
      ) : open === null ? (
        <main class="nothing">
          <div class="centre">
            <h1>{labels.pick}</h1>
            <p class="quiet">
              {`${labels.pickHint} `}
              <kbd>?</kbd>
            </p>
          </div>
        </main>
      ) : (
        <Conversation
          {...{ desk, open, row, now, mode, drafts, actions, labels, times }}
          onMode={write}
          onBack={() => desk.opened.hide()}
        />
      )}
      {!isFigures && open !== null && row !== null && <Details {...{ open, row, labels, times }} />}
      {dialog === "keys" && <ShortcutsDialog labels={labels} onClose={() => setDialog(null)} />}
      {dialog === "online" && <OnlineDialog {...{ desk, labels, times }} onClose={() => setDialog(null)} />}
      {dialog === "block" && row !== null && (
        <BlockDialog
          name={nameOf(row.userId)}
          labels={labels}
          onBlock={() => void desk.command("block", row.sessionId)}
          onClose={() => setDialog(null)}
        />
      )}
    </div>
  );

  function show(sessionId: string): void {
    setFigures(false);
    desk.show(sessionId);
  }

  function step(by: 1 | -1): void {
    const at = rows.findIndex(({ sessionId }) => sessionId === selected);
    const next = rows[at === -1 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
    if (next !== undefined) show(next.sessionId);
  }

  function nextWaiting(): void {
    const waiting = shownRows(all, { filter: "waiting", query: "", now, nameOf });
    const at = waiting.findIndex(({ sessionId }) => sessionId === selected);
    const next = waiting[(at + 1) % waiting.length];
    if (next !== undefined) show(next.sessionId);
  }

  function write(next: ComposerMode): void {
    setMode(next);
    // What is written there may be another text now.
    draw((version) => version + 1);
    // Once that is drawn, and before the next key: Preact draws in the next microtask.
    if (open !== null && !isFigures) queueMicrotask(focusOnComposer);
  }

  function leave(): void {
    const { activeElement } = document;
    if (activeElement?.id === searchId && query !== "") setQuery("");
    else if (activeElement instanceof HTMLElement && activeElement.matches("input, textarea")) activeElement.blur();
    else if (isFigures) setFigures(false);
    else desk.opened.hide();
  }
}

function focusOnSearch(): void {
  document.getElementById(searchId)?.focus();
}

function useAttention(desk: Desk, labels: Labels, show: (sessionId: string) => void): Attention {
  const shower = useRef(show);
  shower.current = show;
  const attention = useMemo(() => new Attention(labels, (sessionId) => shower.current(sessionId)), [labels]);
  useEffect(() => {
    let looking: ReturnType<typeof setTimeout> | null = null;
    // By timers, not by frames: a page that nobody sees draws none.
    const look = () => {
      looking = null;
      attention.look(desk.inbox.rows, { now: Date.now(), isCurrent: desk.isCurrent });
    };
    const stop = desk.onChange(() => (looking ??= setTimeout(look, attentionMs)));
    const ticking = setInterval(look, 5000);
    return () => {
      stop();
      clearInterval(ticking);
      if (looking !== null) clearTimeout(looking);
    };
  }, [desk, attention]);
  const notice = desk.notice === null ? "" : (labels.failures[desk.notice] ?? labels.failed);
  useEffect(() => announce(notice), [notice]);
  return attention;
}

/** What a search has found besides what was known. */
interface Found {
  /** The server has no more. */
  readonly isAll: boolean;
  /** How often something was found. */
  readonly count: number;
}

/** What is over, and what a search finds, is asked for when somebody looks for it. */
function useFound(desk: Desk, filter: Filter, query: string): Found {
  const [found, setFound] = useState<Found>({ isAll: true, count: 0 });
  const { isListed } = desk;
  useEffect(() => {
    setFound(({ count }) => ({ isAll: true, count }));
    if (!isListed) return;
    const asked =
      query !== "" ? [{ q: query }] : filter === "resolved" ? [{ status: "resolved" }, { status: "closed" }] : [];
    let isOver = false;
    void Promise.all(asked.map((each) => desk.find(each))).then((answers) => {
      if (!isOver) setFound(({ count }) => ({ isAll: answers.every(Boolean), count: count + 1 }));
    });
    return () => void (isOver = true);
  }, [desk, isListed, filter, query]);
  return found;
}
