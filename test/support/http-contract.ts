import type { OutgoingHttpHeader } from "node:http";
import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type { ApiDeps } from "../../server/http/api.js";
import { apiRoutes } from "../../server/http/api.js";
import { describeApi } from "../../server/http/openapi.js";
import { beside } from "../../server/http/pages.js";

/** One answer of a server, as it was sent. */
export interface Answer {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, OutgoingHttpHeader | undefined>>;
  readonly text: string;
}

interface Header {
  readonly required: boolean;
}

interface Described {
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Described>>;
}

interface Path {
  readonly path: string;
  readonly pattern: RegExp;
  readonly methods: Readonly<Record<string, Operation>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const problemType = "application/problem+json";
const problemSchema: Schema = { $ref: "#/components/schemas/Problem" };
/** What a request may be told that nobody looked at for the sake of its path. */
const unroutedStatuses: ReadonlySet<number> = new Set([400, 403, 404, 405, 415, 417, 500]);

/** The document as it is served, where a field that it does not name is one that nobody decided to tell. */
const document = closed(
  JSON.parse(JSON.stringify(describeApi([...apiRoutes({} as ApiDeps), ...beside]))) as unknown,
) as Document;
const validators = new Map<string, Validator>();
// What has no parameters goes before what has.
const paths: readonly Path[] = Object.entries(document.paths)
  .map(([path, methods]) => ({ path, methods, pattern: patternOf(path) }))
  .toSorted((one, other) => Number(one.path.includes("{")) - Number(other.path.includes("{")));

/** @returns null for what is as the document has it; else what is otherwise */
export function faultOf(answer: Answer): string | null {
  const path = answer.url.split("?", 1)[0]!;
  const found = paths.find(({ pattern }) => pattern.test(path));
  const fault = answer.method === "OPTIONS" ? faultOfOptions(found, answer) : faultUnder(found, answer);
  return fault === null ? null : `${answer.method} ${found?.path ?? path}: ${answer.status} ${fault}`;
}

function faultUnder(found: Path | undefined, answer: Answer): string | null {
  const asked = answer.method === "HEAD" ? "get" : answer.method.toLowerCase();
  // Whatever is asked of a socket's door is answered as Phoenix does.
  const operation = found?.methods[asked] ?? (answer.url.startsWith("/socket/") ? found?.methods.get : undefined);
  if (operation === undefined) return faultOfUnrouted(Object.keys(found?.methods ?? {}), answer);
  const described = operation.responses[answer.status];
  // Any answer may be that its request could not be read.
  if (described === undefined) return answer.status === 417 ? faultOfProblem(answer) : "is no status that is described";
  return faultOfHeaders(described, answer) ?? faultOfBody(described, answer, `${asked} ${found!.path}`);
}

function faultOfOptions(found: Path | undefined, answer: Answer): string | null {
  if (answer.status === 204 || answer.status === 200) return answer.text === "" ? null : "has a body";
  return faultUnder(found, answer);
}

function faultOfUnrouted(methods: readonly string[], answer: Answer): string | null {
  if (!unroutedStatuses.has(answer.status)) return "is no status of what is not described";
  if (answer.status === 405) {
    const allowed = String(answer.headers.allow ?? "")
      .toLowerCase()
      .split(", ");
    const known = [...methods, ...(methods.includes("get") ? ["head"] : []), "options"];
    if (allowed.toSorted().join() !== known.toSorted().join()) return `allows ${allowed.join()}, not ${known.join()}`;
  }
  return faultOfProblem(answer);
}

function faultOfProblem(answer: Answer): string | null {
  return faultOfBody({ content: { [problemType]: { schema: problemSchema } } }, answer, "problem");
}

function faultOfHeaders({ headers = {} }: Described, answer: Answer): string | null {
  const missing = Object.entries(headers).find(
    ([name, { required }]) => required && answer.headers[name.toLowerCase()] === undefined,
  );
  return missing === undefined ? null : `has no ${missing[0]}`;
}

function faultOfBody({ content }: Described, { method, status, headers, text }: Answer, name: string): string | null {
  if (content === undefined) return text === "" ? null : "has a body";
  const type = String(headers["content-type"] ?? "").split(";", 1)[0]!;
  const media = content[type] ?? content["*/*"] ?? (text === "" || type === "" ? content["text/plain"] : undefined);
  if (media === undefined) return `came as ${type === "" ? "nothing" : type}`;
  if (method === "HEAD") return text === "" ? null : "has a body";
  if (media.schema === undefined) return null;
  return mismatch(validatorOf(`${name} ${status}`, media.schema), text);
}

function validatorOf(name: string, schema: Schema): Validator {
  const known = validators.get(name);
  if (known !== undefined) return known;
  const made = new Validator({ ...schema, components: document.components }, "2020-12", false);
  validators.set(name, made);
  return made;
}

function mismatch(validator: Validator, text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "is no JSON";
  }
  const { valid, errors } = validator.validate(value);
  return valid
    ? null
    : errors.map(({ instanceLocation, error }: OutputUnit) => `${instanceLocation}: ${error}`).join("; ");
}

function patternOf(path: string): RegExp {
  const pattern = path.replaceAll(/[.[\]]/g, "\\$&").replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}/?$`, "i");
}

/** The same where objects have the fields that they name, and no others. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, closed(each)] as const);
  const isOpen = "properties" in value && !("additionalProperties" in value) && "type" in value;
  return Object.fromEntries(isOpen ? [...entries, ["additionalProperties", false]] : entries);
}
