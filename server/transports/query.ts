/** Connect parameters as Phoenix reads them from a query: `a[b]=c` nests, `a[]=c` collects, the last of a name wins. */
export type Params = Record<string, unknown>;

/** Thrown for a query that is not UTF-8; the request is answered 400. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

/** Depth of nested parameters; what is deeper stays one flat name. */
const depthMax = 16;

/**
 * Parses the part of a URL after `?`. Objects have no prototype, so that any name is just a name.
 * @throws QueryError when a percent-escape is not UTF-8; an escape that is none, such as `%zz`, stays as it is
 */
export function parseQuery(query: string): Params {
  const params = emptyParams();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    assign(params, name, equals < 0 ? "" : decode(pair.slice(equals + 1)));
  }
  return params;
}

function assign(params: Params, name: string, value: string): void {
  if (name.includes("[")) assignNested(params, name, value);
  else params[name] = value;
}

function assignNested(params: Params, name: string, value: string): void {
  const match = /^([^[]+)((?:\[[^[\]]*\])+)$/.exec(name);
  const keys = match === null ? [name] : [match[1]!, ...match[2]!.slice(1, -1).split("][")];
  if (keys.length > depthMax) {
    params[name] = value;
    return;
  }
  let target: Params | unknown[] = params;
  keys.forEach((key, index) => {
    const isLast = index === keys.length - 1;
    const next = keys[index + 1];
    if (Array.isArray(target)) {
      const item = isLast ? value : emptyFor(next);
      target.push(item);
      if (!isLast) target = item as Params;
    } else if (isLast) {
      target[key] = value;
    } else {
      const existing: unknown = target[key];
      const fits = next === "" ? Array.isArray(existing) : isParams(existing);
      if (!fits) target[key] = emptyFor(next);
      target = target[key] as Params | unknown[];
    }
  });
}

function emptyFor(nextKey: string | undefined): Params | unknown[] {
  return nextKey === "" ? [] : emptyParams();
}

// V8 makes a dictionary of what Object.create(null) makes, which is slow to fill and to read. Node's own querystring does
// the same as this.
function NoPrototype(this: void) {}
NoPrototype.prototype = Object.create(null) as object;
const Empty = NoPrototype as unknown as new () => Params;

function emptyParams(): Params {
  return new Empty();
}

function isParams(value: unknown): value is Params {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  const source = Buffer.from(text.replaceAll("+", " "), "utf8");
  const bytes = Buffer.allocUnsafe(source.length);
  let length = 0;
  for (let at = 0; at < source.length; at += 1) {
    const escape = source[at] === 0x25 ? source.toString("latin1", at + 1, at + 3) : "";
    if (/^[0-9a-fA-F]{2}$/.test(escape)) {
      bytes[length] = parseInt(escape, 16);
      at += 2;
    } else {
      bytes[length] = source[at]!;
    }
    length += 1;
  }
  try {
    return utf8.decode(bytes.subarray(0, length));
  } catch {
    throw new QueryError("the query is not UTF-8");
  }
}
