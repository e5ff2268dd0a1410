import { createHash } from "node:crypto";
import { failure, type Result, success } from "../../protocol/result.js";
import type { DocumentChange, StoredBusiness } from "./business-records.js";
import { brokenReferences } from "./business-references.js";
import { businessFields } from "./business-schema.js";
import { type Business, type BusinessDocument, businessSchema, defaultBusiness } from "./business.js";
import { type BusinessProblem, isWritten, problemsIn } from "./business-problems.js";

/** Of JSON in UTF-8: as large as a file may be. */
export const businessBytesMax = 1_048_576;

/** Why a business stays as it is. */
export type BusinessRefusal =
  | { readonly kind: "invalid"; readonly problems: readonly BusinessProblem[] }
  | { readonly kind: "too_large" }
  | { readonly kind: "too_many" }
  /** It is not what the caller had seen. */
  | { readonly kind: "changed" }
  | { readonly kind: "not_found" };

/** As it is written down, which is what the schema takes. */
export function writtenOf(business: Business): Omit<Business, "origin"> {
  const { origin, ...written } = business;
  void origin;
  return written;
}

/** Names a value: another one has another name, and the same one the same on every node. (RFC 9110) */
export function etagOf(value: unknown): string {
  return `"${createHash("sha256").update(JSON.stringify(value, inOrder)).digest("base64url")}"`;
}

// What was left out and got its default has its keys in another order than what was written in full.
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * Reads a business that somebody gave.
 * @param alsoWrong what else is wrong with it, so far as its fields are sound: told together with what the schema says
 */
export function readBusiness(
  given: unknown,
  alsoWrong: (business: Business) => readonly BusinessProblem[] = () => [],
): Result<Business, BusinessRefusal> {
  const parsed = businessSchema.safeParse(given);
  if (!parsed.success) {
    const { business, broken } = soundPart(given);
    return invalid([...problemsIn(parsed.error, (path) => isWritten(given, path)), ...broken, ...alsoWrong(business)]);
  }
  const problems = alsoWrong(parsed.data);
  if (problems.length > 0) return invalid(problems);
  if (Buffer.byteLength(JSON.stringify(parsed.data)) > businessBytesMax) return failure({ kind: "too_large" });
  return success(parsed.data);
}

/** The fields that are as they must be, in a business that is not; and what else would be refused of them. */
function soundPart(given: unknown): { readonly business: Business; readonly broken: readonly BusinessProblem[] } {
  const fields = typeof given === "object" && given !== null ? given : {};
  const sound = Object.entries(fields).flatMap(([name, value]) => {
    const schema = Object.hasOwn(businessFields.shape, name) ? businessFields.shape[name as BusinessField] : undefined;
    const parsed = schema?.safeParse(value);
    return parsed?.success === true ? [[name, parsed.data] as const] : [];
  });
  const business: Business = { ...defaultBusiness("unnamed", "UTC"), ...Object.fromEntries(sound) };
  const isSound = referring.every((name) => !Object.hasOwn(fields, name) || sound.some(([each]) => each === name));
  // The schema has come to these by itself when no field is wrong.
  const isShaped = businessFields.safeParse(given).success;
  return { business, broken: isSound && !isShaped ? brokenReferences(business) : [] };
}

type BusinessField = keyof typeof businessFields.shape;

/** What refers to one another. */
const referring: readonly BusinessField[] = ["locations", "services", "documents", "intents"];

export function invalid(problems: readonly BusinessProblem[]): { ok: false; reason: BusinessRefusal } {
  return failure({ kind: "invalid", problems });
}

/**
 * The business that something stored makes, and whose word it is.
 * @param base what there is without it
 */
export function compose(stored: StoredBusiness, base: Business | null): Result<Business, BusinessRefusal> {
  if ("business" in stored) return readBusiness(stored.business);
  if (base === null) return failure({ kind: "not_found" });
  const composed = readBusiness({ ...writtenOf(base), documents: withChanges(base.documents, stored.documents) });
  return composed.ok && base.origin !== undefined ? success({ ...composed.value, origin: base.origin }) : composed;
}

/**
 * What is to be stored when one document of a business changes.
 * @param base what there is without it: only of a document of that is it stored that it is gone
 */
export function withDocument(
  stored: StoredBusiness | null,
  change: DocumentChange,
  base: Pick<Business, "documents"> | null,
): StoredBusiness {
  if (stored !== null && "business" in stored) {
    // Of what is stored, not of what goes in its place where it cannot be used. (SPEC B5)
    const whole = stored.business as Omit<Business, "documents"> & Partial<Pick<Business, "documents">>;
    return { business: { ...whole, documents: withChanges(whole.documents ?? [], [change]) } };
  }
  const inBase = new Set(base?.documents.map(({ documentId }) => documentId));
  const others = (stored?.documents ?? []).filter(({ documentId }) => documentId !== change.documentId);
  const says = ({ documentId, document }: DocumentChange) => document !== null || inBase.has(documentId);
  return { documents: [...others, change].filter(says) };
}

/** A document that is changed stays where it was, a new one comes last. */
function withChanges(
  documents: readonly BusinessDocument[],
  changes: readonly DocumentChange[],
): readonly BusinessDocument[] {
  const byId = new Map<string, BusinessDocument | null>(documents.map((one) => [one.documentId, one]));
  for (const { documentId, document } of changes) byId.set(documentId, document);
  return [...byId.values()].filter((document) => document !== null);
}
