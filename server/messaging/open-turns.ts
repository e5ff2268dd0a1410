import type { ChatMessageMetadata, Session } from "./model.js";

/** A user message that has no outcome yet. */
export interface OpenTurn {
  readonly messageId: string;
  readonly offset: number;
  readonly admittedAt: string;
  readonly locationId: string;
  readonly source: ChatMessageMetadata["source"];
  readonly context: Readonly<Record<string, unknown>>;
  /** No agent and no coordinator is asked about it: the server itself answers, whoever holds the session. (SPEC M43) */
  readonly isCommand?: true;
  /** Turns that end with this one, because a coordinator held the session meanwhile. In offset order. (SPEC M33) */
  readonly earlier?: readonly OpenTurn[];
}

/** The open turns of a session, in offset order. */
interface Turns {
  readonly turns: readonly OpenTurn[];
}

/** All that have no outcome yet, those among them that end with another. Questions are in offset order. */
export function turnsOf({ turns }: Turns): readonly OpenTurn[] {
  return turns.flatMap((turn) => (turn.earlier === undefined ? [turn] : [...turn.earlier, turn]));
}

/** Those that wait for an agent or a coordinator; the others are commands. In offset order. */
export function questionsIn(head: Turns): readonly OpenTurn[] {
  return turnsOf(head).filter(({ isCommand }) => isCommand !== true);
}

export function commandsIn({ turns }: Turns): readonly OpenTurn[] {
  return turns.filter(({ isCommand }) => isCommand === true);
}

/** Which is answered next. While a coordinator holds the session only commands are: the questions wait. (SPEC M30, M43) */
export function dueTurn(head: Turns & { readonly session: Session }): OpenTurn | null {
  return (head.session.holder === undefined ? head.turns : commandsIn(head))[0] ?? null;
}

/** What was open when a coordinator let go of it: the newest question is answered, the others end with it. (SPEC M33) */
export function joined(turns: readonly OpenTurn[]): readonly OpenTurn[] {
  const questions = turns.filter(({ isCommand }) => isCommand !== true);
  const newest = questions.pop();
  if (newest === undefined || questions.length === 0) return turns;
  const before = questions.flatMap((turn) => [...(turn.earlier ?? []), withoutEarlier(turn)]);
  const earlier = [...before, ...(newest.earlier ?? [])];
  return [...commandsIn({ turns }), { ...newest, earlier }].toSorted((one, other) => one.offset - other.offset);
}

// No agent is asked about it, so what it was asked with is not kept.
function withoutEarlier({ messageId, offset, admittedAt, locationId, source }: OpenTurn): OpenTurn {
  return { messageId, offset, admittedAt, locationId, source, context: {} };
}
