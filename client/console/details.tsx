import type { Labels } from "./labels.js";
import type { OpenSession } from "./opened.js";
import type { Row } from "./rows.js";
import type { Times } from "./times.js";

interface DetailsProps {
  readonly open: OpenSession;
  readonly row: Row;
  readonly labels: Labels;
  readonly times: Times;
}

/** What is known of the session that is open; beside it where there is room. */
export function Details({ open, row, labels, times }: DetailsProps) {
  const { facts } = labels;
  const { intent } = open;
  return (
    <aside class="details" aria-label={labels.details}>
      <h2>{labels.details}</h2>
      <dl>
        <Fact name={facts.status} value={labels.statuses[row.status] ?? row.status} />
        <Fact name={facts.started} value={times.whole(row.createdAt)} />
        <Fact name={facts.last} value={times.whole(row.lastMessageAt)} />
        <Fact name={facts.customer} value={row.userId} />
        <Fact name={facts.session} value={row.sessionId} />
      </dl>
      {intent !== null && (
        <>
          <h2>{facts.task}</h2>
          <dl>
            <Fact name={intent.name} value={intent.status} />
            {Object.entries(intent.parameters).map(([name, value]) => (
              <Fact key={name} name={name} value={typeof value === "string" ? value : JSON.stringify(value)} />
            ))}
            {intent.missing.length > 0 && <Fact name={facts.missing} value={intent.missing.join(", ")} />}
          </dl>
        </>
      )}
    </aside>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string | null }) {
  if (value === null || value === "") return null;
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd dir="auto">{value}</dd>
    </div>
  );
}
