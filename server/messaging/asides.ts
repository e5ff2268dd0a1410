import type { Head } from "./head.js";
import type { Aside, Session } from "./model.js";
import { type SessionChange, type Store, StoreError } from "./store.js";

/** An aside on its way: on which message it hangs is decided when it is written. */
export type NewAside = Omit<Aside, "sessionId" | "businessId" | "afterOffset">;

/** What became of an aside. */
export type Hung =
  | { readonly kind: "hung"; readonly aside: Aside; readonly session: Session }
  /** The session is not there, or being deleted. */
  | { readonly kind: "gone" }
  /** As many as there may be hang on its last message. */
  | { readonly kind: "full" };

/** Notes and drafts on one message. A page of history has all that hangs on a message, so that must come to an end. */
export const hangingMax = 50;
/** Of one outcome, the newest. They are part of its write, which must fit. */
export const stepsMax = 20;
/** All that can hang on one message. */
export const onOneMax = hangingMax + stepsMax;
/** Others write to the session at the same time; each time we look again. */
const attemptsMax = 5;

/** Asides that follow what was said last in a session. */
export function placedOn({ session }: Head, asides: readonly NewAside[]): readonly Aside[] {
  const { sessionId, businessId, offset } = session;
  return asides.map((aside) => ({ ...aside, sessionId, businessId, afterOffset: offset }));
}

/** Hangs a note or a draft on what was said last. Nothing else of the session changes by it. (SPEC M50, L25) */
export function hang(head: Head, said: NewAside): SessionChange<Hung> {
  if (head.deletingSince !== null) return { result: { kind: "gone" } };
  const { session, asides: before } = head;
  const count = before?.afterOffset === session.offset ? before.count : 0;
  if (count >= hangingMax) return { result: { kind: "full" } };
  const [aside] = placedOn(head, [said]) as [Aside];
  const next = { ...head, asides: { afterOffset: session.offset, count: count + 1 } };
  return { result: { kind: "hung", aside, session }, head: next, asides: [aside] };
}

/**
 * Stores a note or a draft, once. Asked again, what was decided before may be written though the store was never told
 * so: it is looked for where it would hang, and hung anew when it does not.
 * @throws StoreError
 */
export async function storeAside(store: Store, sessionId: string, said: NewAside): Promise<Hung> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const decided: Hung[] = [];
    const result = await store.changeSession(sessionId, (head): SessionChange<Hung | "unsure"> => {
      if (decided.length > 0) return { result: "unsure" };
      const change = hang(head, said);
      if (change.result.kind === "hung") decided.push(change.result);
      return change;
    });
    if (result === null) return { kind: "gone" };
    if (result !== "unsure") return result;
    const [before] = decided;
    if (before?.kind === "hung" && (await isStored(store, before.aside))) return before;
  }
  throw new StoreError("storing an aside", { retryable: true, cause: new Error(`not decided ${attemptsMax} times`) });
}

async function isStored(store: Store, { sessionId, messageId, afterOffset }: Aside): Promise<boolean> {
  const range = { from: afterOffset, to: afterOffset, limit: onOneMax };
  const { items } = await store.readAsides(sessionId, range);
  return items.some((aside) => aside.messageId === messageId);
}
