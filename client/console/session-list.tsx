import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Desk } from "./desk.js";
import { StateIcon } from "./icons.js";
import type { Labels } from "./labels.js";
import { coordinatorName, customerName } from "./names.js";
import { isHeld, type Row, stateOf, waitingSince } from "./rows.js";
import { lengthOf, type Times } from "./times.js";

/** Every row is as high as the style makes it: so only those that are seen are drawn, however many there are. */
export const rowPx = 72;
const beyond = 6;
export const listId = "list";

interface ListProps {
  readonly desk: Desk;
  readonly rows: readonly Row[];
  readonly newsCount: number;
  readonly selected: string | null;
  readonly online: ReadonlySet<string>;
  readonly now: number;
  readonly labels: Labels;
  readonly times: Times;
  readonly onOpen: (sessionId: string) => void;
  readonly onStill: (by: "pointer" | "focus", isStill: boolean) => void;
  readonly onSettle: () => void;
}

export function SessionList(props: ListProps) {
  const { rows, newsCount, selected, labels, onOpen, onStill, onSettle } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 0 });
  const selectedAt = rows.findIndex(({ sessionId }) => sessionId === selected);

  useLayoutEffect(() => {
    const { current } = box;
    const look = () => setView({ top: current!.scrollTop, height: current!.clientHeight });
    const sizes = new ResizeObserver(look);
    sizes.observe(current!);
    current!.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      current!.removeEventListener("scroll", look);
    };
  }, []);
  useEffect(() => {
    const { current } = box;
    if (selectedAt === -1) return;
    const top = selectedAt * rowPx;
    if (top < current!.scrollTop) current!.scrollTop = top;
    else if (top + rowPx > current!.scrollTop + current!.clientHeight)
      current!.scrollTop = top + rowPx - current!.clientHeight;
    // Only when another one is selected: rows that move under their reader take nobody along.
  }, [selected]);

  const first = Math.max(0, Math.floor(view.top / rowPx) - beyond);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / rowPx) + beyond);
  const isDrawn = selectedAt >= first && selectedAt < last;
  const move = (event: KeyboardEvent) => {
    const next = targetOf(event.key, selectedAt, rows.length);
    if (next === null) return;
    event.preventDefault();
    if (event.key === "Home") onSettle();
    onOpen(rows[next]!.sessionId);
  };
  const settle = () => {
    onSettle();
    box.current!.scrollTop = 0;
  };
  return (
    <div
      class="list-frame"
      onPointerEnter={() => onStill("pointer", true)}
      onPointerLeave={() => onStill("pointer", false)}
    >
      {newsCount > 0 && (
        <button type="button" class="news" onClick={settle}>
          {`↑ ${labels.news(newsCount)}`}
        </button>
      )}
      <div
        ref={box}
        id={listId}
        class="list"
        role="listbox"
        tabIndex={0}
        aria-label={labels.sessions}
        aria-activedescendant={isDrawn ? `row-${selected}` : undefined}
        onKeyDown={move}
        // A click gives it the focus too, and says nothing of what comes next.
        onFocus={({ currentTarget }) => onStill("focus", currentTarget.matches(":focus-visible"))}
        onBlur={() => onStill("focus", false)}
      >
        <div class="rows" role="presentation" style={{ height: `${rows.length * rowPx}px` }}>
          {rows.slice(first, last).map((row, index) => (
            <ListRow key={row.sessionId} row={row} at={first + index} list={props} />
          ))}
        </div>
      </div>
    </div>
  );
}

function targetOf(key: string, at: number, count: number): number | null {
  if (count === 0) return null;
  switch (key) {
    case "ArrowDown":
      return Math.min(at + 1, count - 1);
    case "ArrowUp":
      return Math.max(at - 1, 0);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

function ListRow({ row, at, list }: { readonly row: Row; readonly at: number; readonly list: ListProps }) {
  const { selected, online, now, labels, times, rows, onOpen } = list;
  const { sessionId, userId, last, lastMessageAt } = row;
  const state = stateOf(row, now);
  const since = waitingSince(row, now);
  const time = since === null ? times.brief(lastMessageAt, now) : lengthOf(now - since);
  return (
    <div
      id={`row-${sessionId}`}
      class={`row ${state}`}
      role="option"
      aria-selected={sessionId === selected}
      aria-setsize={rows.length}
      aria-posinset={at + 1}
      style={{ transform: `translateY(${at * rowPx}px)` }}
      onClick={() => onOpen(sessionId)}
    >
      <StateIcon state={state} />
      <span class="row-name">
        <bdi class="cut" title={userId ?? undefined}>
          {customerName(userId, labels)}
        </bdi>
        {userId !== null && online.has(userId) && <span class="here" title={labels.online} />}
      </span>
      <span class="row-time">{time}</span>
      <span class="row-text">
        {last !== null && last.from !== "user" && <span class="row-from">{`${senderOf(last.from, labels)}: `}</span>}
        <bdi>{last?.text ?? "…"}</bdi>
      </span>
      <span class="row-state">{stateText(row, list)}</span>
    </div>
  );
}

function senderOf(from: "agent" | "coordinator" | "system", labels: Labels): string {
  // A line knows that one of the team wrote, and not who.
  return from === "coordinator" ? labels.team : labels[from];
}

function stateText(row: Row, { desk, now, labels }: ListProps): string {
  const state = stateOf(row, now);
  if (isHeld(row, now)) {
    const name = coordinatorName(desk, row.holder?.coordinatorId, labels);
    return state === "waiting" ? `${name} · ${labels.waitsForReply}` : name;
  }
  if (state === "waiting" && row.wantsHuman) return labels.wantsHuman;
  if (state === "waiting" && row.last?.isFailure === true) return labels.noAnswer;
  if (state === "resolved") return labels.statuses[row.status] ?? row.status;
  return state === "answered" && row.open.size > 0 ? labels.answering : labels.states[state];
}
