import type { SeenRequest } from "./fault-proxy.js";

const operators: ReadonlySet<string> = new Set(["SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"]);
const functions: ReadonlySet<string> = new Set([
  "attribute_exists",
  "attribute_not_exists",
  "attribute_type",
  "begins_with",
  "contains",
  "if_not_exists",
  "list_append",
  "size",
]);
const expressions = [
  "ConditionExpression",
  "FilterExpression",
  "KeyConditionExpression",
  "ProjectionExpression",
  "UpdateExpression",
] as const;
const refused: ReadonlySet<string> = new Set([
  "Scan",
  "TransactGetItems",
  "TransactWriteItems",
  "ExecuteStatement",
  "BatchExecuteStatement",
]);

type Asked = Pick<SeenRequest, "operation" | "body">;

/** What a store must not ask of DynamoDB, and has asked: no scan, no transaction, no bare name, no read of yesterday. */
export function dynamoViolations(requests: readonly Asked[]): readonly string[] {
  return [...new Set(requests.flatMap(violationsOf))];
}

function violationsOf({ operation, body }: Asked): readonly string[] {
  if (refused.has(operation)) return [operation];
  return [...bareNames(operation, body), ...inconsistentReads(operation, body), ...costs(operation, body)];
}

function bareNames(operation: string, body: Asked["body"]): readonly string[] {
  return expressions.flatMap((kind) => {
    const text = body[kind];
    if (typeof text !== "string") return [];
    const words = [...text.matchAll(/[#:]?[A-Za-z_][\w.#]*/g)].flatMap(([word]) => word.split("."));
    return words
      .filter((word) => !word.startsWith("#") && !word.startsWith(":") && !operators.has(word) && !functions.has(word))
      .map((word) => `${operation}: ${word} stands bare in ${kind}`);
  });
}

function inconsistentReads(operation: string, body: Asked["body"]): readonly string[] {
  const isRead = operation === "GetItem" || (operation === "Query" && body.IndexName === undefined);
  if (isRead && body.ConsistentRead !== true) return [`${operation} of ${String(body.TableName)} is not consistent`];
  if (operation !== "BatchGetItem") return [];
  return Object.entries(body.RequestItems as Record<string, { readonly ConsistentRead?: boolean }>)
    .filter(([, { ConsistentRead }]) => ConsistentRead !== true)
    .map(([table]) => `${operation} of ${table} is not consistent`);
}

// What a request costs is known only if it is asked for; a query without a limit costs what is stored. A count is one.
function costs(operation: string, body: Asked["body"]): readonly string[] {
  const hasCost = /Item$|^Query$/.test(operation);
  return [
    ...(hasCost && body.ReturnConsumedCapacity !== "INDEXES" ? [`${operation} does not say what it costs`] : []),
    ...(operation === "Query" && body.Limit === undefined && body.Select !== "COUNT" ? ["Query without a limit"] : []),
  ];
}
