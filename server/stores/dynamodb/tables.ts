import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";

/** The tables by what they hold; their names have the deployment's prefix. */
export interface TableNames {
  readonly sessions: string;
  readonly messages: string;
  readonly records: string;
  readonly events: string;
}

export function tableNames(prefix: string): TableNames {
  return {
    sessions: `${prefix}sessions`,
    messages: `${prefix}messages`,
    records: `${prefix}records`,
    events: `${prefix}events`,
  };
}

/** The attribute of an event, and of a node's beat, after which DynamoDB may delete it. Nothing else has it. */
export const expiry = "expiresAt";

/** DynamoDB wants seconds. */
export function expiryAt(ms: number): number {
  return Math.ceil(ms / 1000);
}

/** All tables as they are created: on demand, every index with keys only. (docs/decisions/0003) */
export function tableDefinitions(prefix: string): readonly CreateTableCommandInput[] {
  const names = tableNames(prefix);
  return [
    {
      ...definition(names.sessions, ["sessionId"]),
      AttributeDefinitions: attributes([...new Set(["sessionId", ...sessionIndexes.flatMap(({ keys }) => keys)])]),
      GlobalSecondaryIndexes: sessionIndexes.map(({ name, keys }) => ({
        IndexName: name,
        KeySchema: keySchema(keys),
        Projection: { ProjectionType: "KEYS_ONLY" },
      })),
    },
    definition(names.messages, ["partition", "place"]),
    definition(names.records, ["partition", "id"]),
    definition(names.events, ["partition", "cursor"]),
  ];
}

const sessionIndexes: readonly { readonly name: string; readonly keys: readonly [string, string] }[] = [
  { name: "owner", keys: ["owner", "createdAt"] },
  { name: "business", keys: ["businessIn", "createdAt"] },
  { name: "active", keys: ["activeIn", "activeAt"] },
  { name: "work", keys: ["workIn", "workAt"] },
  { name: "phase", keys: ["phaseIn", "phaseAt"] },
];

function definition(TableName: string, keys: readonly string[]): CreateTableCommandInput {
  return {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: keySchema(keys),
    AttributeDefinitions: attributes(keys),
  };
}

function keySchema([hash, range]: readonly string[]) {
  const keys = [{ AttributeName: hash, KeyType: "HASH" as const }];
  return range === undefined ? keys : [...keys, { AttributeName: range, KeyType: "RANGE" as const }];
}

function attributes(names: readonly string[]) {
  return names.map((AttributeName) => ({ AttributeName, AttributeType: "S" as const }));
}
