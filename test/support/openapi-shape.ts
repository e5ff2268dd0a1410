import { z } from "zod";

// What OpenAPI 3.1 and JSON Schema 2020-12 allow, as far as we use them, and nothing else: a name that is misspelt, or not
// known there, is refused. (https://spec.openapis.org/oas/v3.1.0, https://json-schema.org/draft/2020-12)

const words = z.string().min(1);
const wholes = z.int().min(0);
const list = <T extends z.ZodType>(each: T) => z.array(each).min(1);
const named = <T extends z.ZodType>(each: T) => z.record(words, each);

const typeName = z.enum(["string", "number", "integer", "boolean", "array", "object", "null"]);

const schema: z.ZodType = z.lazy(() =>
  z.union([
    z.boolean(),
    z.strictObject({
      $ref: z
        .string()
        .regex(/^#\/components\/schemas\/\w+$/)
        .optional(),
      type: z.union([typeName, list(typeName)]).optional(),
      enum: list(z.unknown()).optional(),
      const: z.unknown().optional(),
      anyOf: list(schema).optional(),
      allOf: list(schema).optional(),
      oneOf: list(schema).optional(),
      properties: named(schema).optional(),
      required: z.array(words).optional(),
      additionalProperties: schema.optional(),
      propertyNames: schema.optional(),
      minProperties: wholes.optional(),
      maxProperties: wholes.optional(),
      items: schema.optional(),
      minItems: wholes.optional(),
      maxItems: wholes.optional(),
      minLength: wholes.optional(),
      maxLength: wholes.optional(),
      pattern: z
        .string()
        .refine((text) => new RegExp(text, "u"))
        .optional(),
      format: z.enum(["date-time", "email", "uri", "uuid"]).optional(),
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      exclusiveMinimum: z.number().optional(),
      exclusiveMaximum: z.number().optional(),
      default: z.unknown().optional(),
      description: words.optional(),
    }),
  ]),
);

const content = named(z.strictObject({ schema: schema.optional() }));

const parameter = z
  .strictObject({
    name: words,
    in: z.enum(["path", "query", "header"]),
    required: z.boolean(),
    description: words,
    schema,
  })
  .refine((it) => it.in !== "path" || it.required, "what is in a path is required")
  .refine(
    (it) => it.in !== "header" || !/^(accept|content-type|authorization)$/i.test(it.name),
    "that header is described elsewhere",
  );

const response = z.strictObject({
  description: words,
  headers: named(z.strictObject({ description: words, required: z.boolean(), schema })).optional(),
  content: content.optional(),
});

const operation = z.strictObject({
  operationId: words,
  summary: words,
  security: z.array(z.record(words, z.array(z.string()))),
  parameters: z.array(parameter),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(z.string().regex(/^[1-5]\d\d$/), response),
});

const description = { description: words };
const securityScheme = z.union([
  z.strictObject({ ...description, type: z.literal("http"), scheme: z.literal("bearer"), bearerFormat: words }),
  z.strictObject({ ...description, type: z.literal("apiKey"), in: z.literal("header"), name: words }),
]);

/** An OpenAPI document, of which every operation says all that ours must. */
export const openApiDocument = z.strictObject({
  openapi: z.literal("3.1.0"),
  info: z.strictObject({ title: words, version: words, description: words }),
  paths: z.record(
    z.string().startsWith("/"),
    z.partialRecord(z.enum(["get", "post", "put", "patch", "delete"]), operation),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[\w.-]+$/), schema),
    securitySchemes: named(securityScheme),
  }),
});

export type OpenApi = z.infer<typeof openApiDocument>;
