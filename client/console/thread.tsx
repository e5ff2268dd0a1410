import { useLayoutEffect, useRef } from "preact/hooks";
import type { SessionTypist } from "../console-events.js";
import type { RunningAnswer } from "../running.js";
import type { Desk } from "./desk.js";
import type { Labels } from "./labels.js";
import { Message, Said, senderOf, Steps } from "./message.js";
import { coordinatorName } from "./names.js";
import type { OpenSession } from "./opened.js";
import type { Times } from "./times.js";
import type { Entry } from "./transcript.js";

/** How near to the end, in pixels, somebody counts as reading it; and how near to the top, more is fetched. */
const nearPx = 120;

interface ThreadProps {
  readonly desk: Desk;
  readonly open: OpenSession;
  readonly labels: Labels;
  readonly times: Times;
  readonly onUse: ((text: string) => void) | null;
}

/** What was said in the session that is open, and what is being said. */
export function Thread({ desk, open, labels, times, onUse }: ThreadProps) {
  const { transcript, running, hasFailed } = open;
  const { entries, sessionId } = transcript;
  const box = useRef<HTMLDivElement>(null);
  const place = useRef({ sessionId: "", atEnd: true, first: "", height: 0 });

  useLayoutEffect(() => {
    const { current } = box;
    const before = place.current;
    const first = entries[0]?.id ?? "";
    const isOther = before.sessionId !== sessionId;
    if (isOther || before.atEnd) current!.scrollTop = current!.scrollHeight;
    // What was added on top pushes nothing away.
    else if (before.first !== first) current!.scrollTop += current!.scrollHeight - before.height;
    place.current = { sessionId, atEnd: isOther || before.atEnd, first, height: current!.scrollHeight };
  });
  useLayoutEffect(() => {
    // Markdown is drawn once what draws it is there.
    const grown = new ResizeObserver(() => {
      if (place.current.atEnd) box.current!.scrollTop = box.current!.scrollHeight;
    });
    grown.observe(box.current!.firstElementChild!);
    return () => grown.disconnect();
  }, []);
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    place.current.atEnd = scrollHeight - scrollTop - clientHeight < nearPx;
    if (scrollTop < nearPx && transcript.cursor !== null && !place.current.atEnd) void desk.opened.older();
  };
  return (
    <div ref={box} class="thread" tabIndex={0} role="region" aria-label={labels.conversation} onScroll={scrolled}>
      <div class="column">
        {!transcript.isLoaded && !hasFailed && <p class="centre quiet">{labels.loading}</p>}
        {hasFailed && (
          <p class="centre quiet">
            {`${labels.loadFailed} `}
            <button type="button" class="small" onClick={() => desk.opened.retry()}>
              {labels.retry}
            </button>
          </p>
        )}
        {transcript.cursor !== null && (
          <button type="button" class="small earlier" onClick={() => void desk.opened.older()}>
            {labels.earlier}
          </button>
        )}
        <div class="messages" role="log" aria-label={labels.conversation} aria-live="polite">
          {entries.map((entry, index) => (
            <Dated key={entry.id} entry={entry} before={entries[index - 1]} times={times}>
              <Message
                {...{ entry, labels, times, onUse }}
                by={senderOf(entry, desk, labels)}
                mark={markOf(desk, sessionId, entry)}
              />
            </Dated>
          ))}
        </div>
        {running.map((answer) => (
          <InTheMaking key={answer.messageId} answer={answer} labels={labels} />
        ))}
        <p class="typing" aria-live="polite">
          {typingText(desk, open, labels)}
        </p>
      </div>
    </div>
  );
}

interface DatedProps {
  readonly entry: Entry;
  readonly before: Entry | undefined;
  readonly times: Times;
  readonly children: preact.ComponentChildren;
}

function Dated({ entry, before, times, children }: DatedProps) {
  const day = times.day(entry.timestamp);
  const isNew = before === undefined || times.day(before.timestamp) !== day;
  return (
    <>
      {isNew && <p class="day">{day}</p>}
      {children}
    </>
  );
}

/** Not read aloud while it grows; the answer is, when it is whole. */
function InTheMaking({ answer, labels }: { readonly answer: RunningAnswer; readonly labels: Labels }) {
  const { steps, text, hasGap } = answer;
  return (
    <section class="message agent making" aria-label={labels.answering}>
      <p class="by">{labels.answering}</p>
      <Steps steps={steps} labels={labels} />
      {text !== "" && <Said text={hasGap ? `${text} …` : text} labels={labels} isMarked />}
    </section>
  );
}

function markOf(desk: Desk, sessionId: string, { kind, offset }: Entry): "delivered" | "read" | null {
  const mark = desk.mark(sessionId);
  if (mark === null || (kind !== "coordinator" && kind !== "agent")) return null;
  return offset <= mark.read ? "read" : offset <= mark.delivered ? "delivered" : null;
}

// Who types is told of it too.
function typingText(desk: Desk, { typists }: OpenSession, labels: Labels): string {
  const isSelf = ({ from, coordinatorId }: SessionTypist) => from === "coordinator" && desk.isOwn(coordinatorId);
  const [typist] = typists.filter((each) => each.from !== "agent" && !isSelf(each));
  if (typist === undefined) return "";
  if (typist.from === "user") return labels.customerTypes;
  return labels.colleagueTypes(coordinatorName(desk, typist.coordinatorId, labels));
}
