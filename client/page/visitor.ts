import type { TokenReason } from "../connection.js";
import { type KeyValueStorage, outboxOf } from "../outbox.js";
import { randomId } from "../random-id.js";
import type { Place } from "./place.js";
import { storageOf } from "./storage.js";

/** Who is writing, to whom, and in which window. */
export interface Visitor {
  readonly businessId: string;
  readonly userId: string;
  readonly chatId: string;
  /** What was written in this window, and not sent, by whom the server takes for somebody new by now. */
  readonly unsent?: string;
  /** Absent where the page says itself who is writing. */
  readonly token?: (reason: TokenReason) => Promise<string>;
}

interface Known {
  readonly token: string;
  readonly sub: string;
  readonly expiresAt: string;
}

const kept = storageOf("localStorage");
/** Of this window: unsent messages are in it too. */
export const session = storageOf("sessionStorage");

/** One that ends sooner is not begun with. */
const restMsMin = 2 * 60_000;

/**
 * Who is writing the server says, with a token that this browser keeps; where it welcomes no visitors, and where the
 * page has a name for them, the page does, which an open server takes its word for.
 * @throws Error when the server cannot be reached
 */
export async function visitorOf(place: Place): Promise<Visitor> {
  const { businessId } = place;
  const window = { businessId, chatId: remember(session, "bennu.chatId", randomId) };
  if (place.userId !== null) return { ...window, userId: place.userId };
  const known = await welcomed(place, "connect");
  if (known !== null) {
    const { sub } = known;
    return { ...window, userId: sub, unsent: takeUnsent(businessId, sub), token: (reason) => tokenFor(sub, reason) };
  }
  return { ...window, userId: remember(kept, "bennu.userId", () => `web:${randomId()}`) };

  async function tokenFor(sub: string, reason: TokenReason): Promise<string> {
    const next = await welcomed(place, reason);
    if (next === null) throw new Error("no visitors are welcome any more");
    // The server no longer knows who this was: what is shown is somebody else's.
    if (next.sub !== sub) place.anew();
    return next.token;
  }
}

// From then on it is in the field alone.
function takeUnsent(businessId: string, sub: string): string {
  const key = keyOf(businessId);
  const before = session.getItem(key) ?? sub;
  session.setItem(key, sub);
  if (before === sub) return "";
  const outbox = outboxOf(session, businessId, before);
  return joined(
    ...outbox.all.map((unsent) => {
      outbox.remove(unsent);
      return unsent.text;
    }),
  );
}

/** One below the other, without those that say nothing. */
export function joined(...texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("\n");
}

/** Whether somebody has written here before. */
export function isKnown(businessId: string): boolean {
  return readKnown(keyOf(businessId)) !== null;
}

/** @returns null where no visitors are welcome */
async function welcomed({ baseUrl, businessId }: Place, reason: TokenReason): Promise<Known | null> {
  const key = keyOf(businessId);
  const known = readKnown(key);
  const restMs = known === null ? 0 : Date.parse(known.expiresAt) - Date.now();
  if (known !== null && restMs > restMsMin && reason !== "refused") return known;
  const response = await ask(`${baseUrl}/api/visitors/${encodeURIComponent(businessId)}`, known);
  if (response === null) return null;
  const next = (await response.json()) as Known;
  kept.setItem(key, JSON.stringify(next));
  return next;
}

/** Who comes with a good token stays who he is; with another one he is somebody new. */
async function ask(url: string, known: Known | null): Promise<Response | null> {
  const headers: Record<string, string> = known === null ? {} : { authorization: `Bearer ${known.token}` };
  const response = await fetch(url, { method: "POST", headers });
  if (response.ok) return response;
  if (response.status === 404) return null;
  throw new Error(`${response.status}`);
}

function keyOf(businessId: string): string {
  return `bennu.visitor:${businessId}`;
}

function readKnown(key: string): Known | null {
  try {
    const known = JSON.parse(kept.getItem(key) ?? "null") as Known | null;
    return typeof known?.token === "string" && typeof known.sub === "string" ? known : null;
  } catch {
    return null;
  }
}

function remember(storage: KeyValueStorage, key: string, make: () => string): string {
  const known = storage.getItem(key);
  if (known !== null) return known;
  const made = make();
  storage.setItem(key, made);
  return made;
}
