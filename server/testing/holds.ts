import { inspect, isDeepStrictEqual, types } from "node:util";

/** What stands for many values, such as `expect.any(String)`: jest's, vitest's and jasmine's look like this. */
interface Matcher {
  asymmetricMatch(actual: unknown): boolean;
  toAsymmetricMatcher?(): string;
}

/**
 * Everything that `expected` names is in `actual`: of an object the fields that it names, of a list each element. Bytes
 * are the same when they are, whatever class carries them. `undefined` expects nothing.
 */
export function holds(actual: unknown, expected: unknown): boolean {
  if (expected === undefined) return true;
  if (isMatcher(expected)) return expected.asymmetricMatch(actual);
  const bytes = bytesOf(expected);
  if (bytes !== null) return bytesOf(actual)?.equals(bytes) === true;
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false;
    return expected.every((element, index) => holds(actual[index], element));
  }
  if (!isPlain(expected)) return isDeepStrictEqual(actual, expected);
  if (typeof actual !== "object" || actual === null || Array.isArray(actual)) return false;
  const fields = actual as Readonly<Record<string, unknown>>;
  return Object.entries(expected).every(([key, value]) =>
    holds(Object.hasOwn(fields, key) ? fields[key] : undefined, value),
  );
}

const depthMax = 10;
const bytesMax = 64;

/** A value as it is shown in a failure: as JSON, bytes as `<09 ff>`. */
export function show(value: unknown, depth = 0): string {
  if (isMatcher(value)) return value.toAsymmetricMatcher?.() ?? "a matcher";
  const bytes = bytesOf(value);
  if (bytes !== null) return showBytes(bytes);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (depth >= depthMax) return "…";
  if (Array.isArray(value)) return `[${value.map((element) => show(element, depth + 1)).join(",")}]`;
  if (!isPlain(value)) return inspect(value);
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}:${show(field, depth + 1)}`);
  return `{${fields.join(",")}}`;
}

function showBytes(bytes: Buffer): string {
  const shown = [...bytes.subarray(0, bytesMax)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `<${shown}${bytes.length > bytesMax ? ` … ${bytes.length} bytes` : ""}>`;
}

/** The bytes of what carries bytes, of whichever realm it comes from, else null. */
export function bytesOf(value: unknown): Buffer | null {
  if (types.isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return types.isAnyArrayBuffer(value) ? Buffer.from(value) : null;
}

function isMatcher(value: unknown): value is Matcher {
  return typeof (value as Partial<Matcher> | null | undefined)?.asymmetricMatch === "function";
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Not compared with our own Object.prototype: a test runner's objects have another one.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
