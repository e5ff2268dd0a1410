import { z } from "zod";
import { rules } from "../auth/access.js";
import { headerWords, parameterWords } from "./parameters.js";
import { problemType } from "./problem.js";
import type { Route } from "./route.js";
import { problem } from "./schemas.js";

/** What a route is to those who call it. */
export interface RouteDescription {
  readonly summary: string;
  /** The parameters of its query, all of them strings there. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Headers that it looks at, and what they say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where everybody may ask: what it wants of them all the same. Nothing unless it is given. */
  readonly security?: SecurityName;
  /** Headers that every answer has which is no problem, and what they say. */
  readonly answerHeaders?: Readonly<Record<string, string>>;
  /** By status: what is answered when it is no problem; null: nothing. */
  readonly answers: Readonly<Record<number, z.ZodType | { readonly type: string } | null>>;
  /** Statuses of problems, beside those that every route of its kind may have. */
  readonly problems?: readonly number[];
  /** The statuses of all its problems, where it is none of the API's routes. */
  readonly allProblems?: readonly number[];
}

/** What is described: a route of the API, or what the server answers beside it. */
export type Described = Pick<Route, "method" | "path" | "action" | "hasBody" | "doc">;

const securitySchemes = {
  bearer: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "A token of AUTH_SECRET or AUTH_JWKS_URL",
  },
  oidc: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "Of OIDC_ISSUER for OIDC_AUDIENCE" },
  signature: {
    ...{ type: "apiKey", in: "header", name: "X-Bennu-Signature" },
    description: "sha256= and the HMAC of the body with AGENT_SECRET",
  },
  telegram: {
    ...{ type: "apiKey", in: "header", name: "X-Telegram-Bot-Api-Secret-Token" },
    description: "The secret that was given to `setWebhook`",
  },
} as const;

export type SecurityName = keyof typeof securitySchemes;

type Json = Readonly<Record<string, unknown>>;

export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: Json;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes: Json };
}

/** Statuses of the problems that a route may answer with. (SPEC H1) */
function problemsOf({ action, method, hasBody = true, doc }: Described): readonly number[] {
  if (doc.allProblems !== undefined) return doc.allProblems;
  const isFree = rules[action] === "anyone";
  const takesBody = method !== "get" && method !== "delete" && hasBody;
  const all = [400, 403, 404, 415, 500, 503, ...(isFree ? [] : [401]), ...(takesBody ? [413] : [])];
  return [...new Set([...all, ...(doc.problems ?? [])])].sort((one, other) => one - other);
}

/** The description of an API: OpenAPI 3.1, made of its routes. (SPEC H26) */
export function describeApi(routes: readonly Described[]): OpenApiDocument {
  const schemas: Record<string, unknown> = {};
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) (paths[pathOf(route)] ??= {})[route.method] = operationOf(route, schemas);
  return {
    openapi: "3.1.0",
    info: { title: "Bennu", version: "1", description: "The message desk over HTTP." },
    paths,
    components: { schemas, securitySchemes },
  };
}

/** `/a/:b` is `/a/{b}` there. */
export function pathOf({ path }: Pick<Described, "path">): string {
  return path.replaceAll(/:(\w+)/g, "{$1}");
}

function operationOf(route: Described, schemas: Record<string, unknown>): Json {
  const { method, path, action, doc } = route;
  const isFree = rules[action] === "anyone";
  const security = isFree ? doc.security : "bearer";
  const body = doc.body && { required: true, content: jsonOf(schemaOf(doc.body, schemas, "input")) };
  return {
    operationId: `${method} ${path}`,
    summary: doc.summary,
    security: security === undefined ? [] : [{ [security]: [] }],
    parameters: parametersOf(route, schemas),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responsesOf(route, schemas),
  };
}

function responsesOf(route: Described, schemas: Record<string, unknown>): Json {
  const { answers, answerHeaders } = route.doc;
  const described = Object.entries(answers).map(([status, answer]) => {
    const headers = answer === null || answerHeaders === undefined ? {} : { headers: headersOf(answerHeaders) };
    return [status, { description: "Done", ...headers, ...contentOf(answer, schemas) }];
  });
  // Express compares what it is about to send with what the client has.
  const isTagged = route.method === "get" && 200 in answers && route.doc.allProblems === undefined;
  const unchanged = isTagged ? [["304", { description: "It is what If-None-Match names" }]] : [];
  const content = { [problemType]: { schema: schemaOf(problem, schemas, "output") } };
  const problems = problemsOf(route)
    .filter((status) => !(status in answers))
    .map((status) => {
      const isAsked = status === 401 && rules[route.action] !== "anyone";
      const headers = isAsked ? { headers: headersOf({ "WWW-Authenticate": "How one says who one is" }) } : {};
      return [String(status), { description: "A problem", ...headers, content }];
    });
  return Object.fromEntries([...described, ...unchanged, ...problems]) as Json;
}

function headersOf(words: Readonly<Record<string, string>>): Json {
  const headers = Object.entries(words).map(([name, description]) => [
    name,
    { required: true, description, schema: { type: "string" } },
  ]);
  return Object.fromEntries(headers) as Json;
}

function parametersOf({ method, path, doc }: Described, schemas: Record<string, unknown>): readonly Json[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    ...{ name, in: "path", required: true, description: parameterWords[name!] },
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(doc.query?.shape ?? {}).map(([name, given]) => {
    const schema = given as z.ZodType;
    return {
      ...{ name, in: "query", required: !schema.safeParse(undefined).success },
      description: schema.meta()?.description ?? parameterWords[name],
      schema: schemaOf(schema, schemas, "input"),
    };
  });
  const words = { ...(method === "post" && doc.allProblems === undefined ? headerWords : {}), ...doc.headers };
  const inHeaders = Object.entries(words).map(([name, description]) => ({
    ...{ name, in: "header", required: false, description },
    schema: { type: "string" },
  }));
  return [...inPath, ...inQuery, ...inHeaders];
}

function contentOf(answer: RouteDescription["answers"][number], schemas: Record<string, unknown>): Json {
  if (answer === null) return {};
  const isShape = answer instanceof z.ZodType;
  return { content: isShape ? jsonOf(schemaOf(answer, schemas, "output")) : { [answer.type]: {} } };
}

function jsonOf(schema: unknown): Json {
  return { "application/json": { schema } };
}

/** As JSON Schema. What has an id is put among `schemas`, and referred to. A client must take fields that come later. */
function schemaOf(schema: z.ZodType, schemas: Record<string, unknown>, io: "input" | "output"): unknown {
  const made = z.toJSONSchema(z.object({ it: schema.optional() }), {
    io,
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      if (io === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  const { $defs = {}, properties = {} } = JSON.parse(
    JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as typeof made;
  for (const [name, each] of Object.entries($defs)) schemas[name] = withoutId(each);
  return properties.it;
}

function withoutId({ id: _id, ...rest }: Json): Json {
  return rest;
}
