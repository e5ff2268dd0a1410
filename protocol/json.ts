import { EncodeError } from "./errors.js";

/** What JSON makes of one byte of a text, where it writes it the longest way: `\u001f`. */
const escapedBytes = 6;

/** Bytes of the longest JSON that holds a text of so many bytes of UTF-8, and so many bytes beside it. */
export function longestJson(textBytes: number, besideBytes: number): number {
  return escapedBytes * textBytes + besideBytes;
}

/** A payload as JSON. @throws EncodeError when JSON has no word for it; TypeError or RangeError of JSON itself */
export function encodeJson(payload: unknown): string {
  const json = JSON.stringify(payload) as string | undefined;
  if (json === undefined) throw new EncodeError("the payload is nothing that JSON knows");
  if (json.length === emptyLength && json === "{}") refuseLossy(payload);
  return json;
}

/** The same for a payload that must be an object. @throws EncodeError as `encodeJson`, and when it is not one */
export function encodeJsonObject(payload: unknown): string {
  const json = encodeJson(payload);
  if (json.charCodeAt(0) !== brace.open) throw new EncodeError(noObject);
  if (ArrayBuffer.isView(payload)) throw new EncodeError(noObject);
  return json;
}

/**
 * Checks a payload that was the last thing in an array which is JSON by now, so that it is not written twice.
 * @param frame the array as JSON
 * @throws EncodeError when the payload is no object
 */
export function checkLastIsObject(frame: string, payload: unknown): void {
  // Nothing but an object ends in a brace: a text ends in a quote, and what JSON does not know became null.
  if (frame.charCodeAt(frame.length - 2) !== brace.close) throw new EncodeError(noObject);
  if (frame.charCodeAt(frame.length - 3) === brace.open) refuseLossy(payload);
  if (ArrayBuffer.isView(payload)) throw new EncodeError(noObject);
}

/** True for what JSON would leave out of an object, where somebody waits for it. */
export function isNoJson(value: unknown): boolean {
  if (value === undefined || typeof value === "function" || typeof value === "symbol") return true;
  if (typeof value !== "object" || value === null) return false;
  return typeof (value as { toJSON?: unknown }).toJSON === "function" && isLeftOut(value);
}

function isLeftOut(value: unknown): boolean {
  return (JSON.stringify(value) as string | undefined) === undefined;
}

const noObject = "the payload of a push or broadcast is an object or bytes";
const emptyLength = 2;
const brace = { open: "{".charCodeAt(0), close: "}".charCodeAt(0) } as const;

// Maps, promises, errors and buffers are empty objects to JSON, and none of them to who sends them.
function refuseLossy(payload: unknown): void {
  const kind = Object.prototype.toString.call(payload);
  if (kind !== "[object Object]") throw new EncodeError(`a payload of ${kind} would leave as {}`);
}
