import type { Desk } from "./desk.js";
import type { Labels } from "./labels.js";
import { countsOf, type Filter, filters, type Row } from "./rows.js";
import { listId, SessionList } from "./session-list.js";
import type { Times } from "./times.js";

interface PaneProps {
  readonly desk: Desk;
  readonly rows: readonly Row[];
  /** Of sessions that are not where they would be, since rows do not move under a pointer. */
  readonly newsCount: number;
  readonly selected: string | null;
  readonly filter: Filter;
  readonly query: string;
  /** Whether the server has found no more than is shown. */
  readonly isAll: boolean;
  readonly now: number;
  readonly labels: Labels;
  readonly times: Times;
  readonly onFilter: (filter: Filter) => void;
  readonly onQuery: (query: string) => void;
  readonly onOpen: (sessionId: string) => void;
  /** Somebody is about to choose a row, or is not any more. */
  readonly onStill: (by: "pointer" | "focus", isStill: boolean) => void;
  /** Every row goes where it belongs. */
  readonly onSettle: () => void;
}

export const searchId = "search";

/** On the left: search, filters, and the sessions. */
export function Pane(props: PaneProps) {
  const { desk, rows, filter, query, isAll, now, labels, onFilter, onQuery, onOpen } = props;
  const counts = countsOf(desk.inbox.rows, now);
  // Who was there when the connection was lost may be there no longer.
  const members = desk.isOnline ? desk.online : [];
  const online = new Set(members.filter(({ role }) => role === "user").map(({ key }) => key.slice("user:".length)));
  const enter = (event: KeyboardEvent) => {
    const [first] = rows;
    if (first === undefined || event.isComposing || (event.key !== "Enter" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    document.getElementById(listId)?.focus();
    onOpen(first.sessionId);
  };
  return (
    <nav class="pane" aria-label={labels.sessions}>
      <input
        id={searchId}
        class="search"
        type="search"
        placeholder={labels.search}
        aria-label={labels.search}
        maxLength={128}
        value={query}
        onInput={(event) => onQuery(event.currentTarget.value)}
        onKeyDown={enter}
      />
      <div class="filters" role="group" aria-label={labels.filterBy}>
        {filters.map((each) => (
          <button key={each} type="button" class="tab" aria-pressed={each === filter} onClick={() => onFilter(each)}>
            {labels.filters[each]}
            {(each === "waiting" || each === "human") && (
              <span class={`count ${counts[each] > 0 ? each : "none"}`}>{counts[each]}</span>
            )}
          </button>
        ))}
      </div>
      <SessionList {...props} online={online} />
      {rows.length === 0 && (
        <p class="empty">
          {emptyText(props)}
          {filter !== "all" && query.trim() !== "" && (
            <button type="button" class="small" onClick={() => onFilter("all")}>
              {labels.searchAll}
            </button>
          )}
        </p>
      )}
      {!isAll && <p class="more">{labels.partOfResults}</p>}
    </nav>
  );
}

function emptyText({ desk, filter, query, labels }: PaneProps): string {
  if (desk.hasListFailed) return labels.loadFailed;
  if (!desk.isListed) return labels.loadingList;
  if (query.trim() !== "")
    return filter === "all" ? labels.nothingFound.all : labels.nothingFound.other(labels.filters[filter]);
  return filter === "all" ? labels.emptyList.all : labels.emptyList.other;
}
