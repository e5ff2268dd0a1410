import type { Desk } from "./desk.js";
import type { Labels } from "./labels.js";

const idShownMax = 40;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** As the server names visitors whom it welcomes, and a page those whom nobody does. */
const visitorPrefix = /^(visitor-|web:)/;

/** How a coordinator is called. On an open server ids are those of sockets, and a piece of one has to do. */
export function coordinatorName(
  desk: Pick<Desk, "isOwn">,
  coordinatorId: string | null | undefined,
  labels: Labels,
): string {
  if (coordinatorId == null) return labels.coordinator;
  if (desk.isOwn(coordinatorId)) return labels.you;
  return uuid.test(coordinatorId) ? labels.colleagueNamed(pieceOf(coordinatorId)) : short(coordinatorId);
}

/** How a customer is called: a visitor by a piece of an id that nobody can read, everybody else by his own. */
export function customerName(userId: string | null, labels: Labels): string {
  if (userId === null) return labels.nobody;
  const id = userId.replace(visitorPrefix, "");
  return uuid.test(id) ? labels.visitorNamed(pieceOf(id)) : short(userId);
}

function pieceOf(id: string): string {
  return id.slice(-4);
}

function short(id: string): string {
  return id.length > idShownMax ? `${id.slice(0, idShownMax)}…` : id;
}
