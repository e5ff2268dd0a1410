import type { DynamoDBClient, KeySchemaElement, TableDescription } from "@aws-sdk/client-dynamodb";
import { isUsable, describeTable } from "./create-tables.js";
import { tableDefinitions } from "./tables.js";

/** A table, and what keeps a server from using it. */
export interface TableFinding {
  readonly table: string;
  readonly isMissing: boolean;
  /** In a few words each; none: it is as the server needs it. */
  readonly wrong: readonly string[];
}

type Definition = ReturnType<typeof tableDefinitions>[number];

/** Looks at what DynamoDB says of the tables, and at nothing that is in them. @throws what the SDK or the network says */
export function checkTables(client: DynamoDBClient, prefix: string): Promise<readonly TableFinding[]> {
  return Promise.all(
    tableDefinitions(prefix).map(async (definition) => {
      const table = definition.TableName!;
      const found = await describeTable(client, table);
      if (found === null) return { table, isMissing: true, wrong: ["is missing"] };
      return { table, isMissing: false, wrong: differences(definition, found) };
    }),
  );
}

function differences(definition: Definition, found: TableDescription): readonly string[] {
  const keysOf = (schema: readonly KeySchemaElement[] | undefined, { AttributeDefinitions = [] }: TableDescription) =>
    (schema ?? [])
      .map(({ AttributeName, KeyType }) => {
        const type = AttributeDefinitions.find((attribute) => attribute.AttributeName === AttributeName)?.AttributeType;
        return `${AttributeName} (${KeyType}, ${type})`;
      })
      .join(" and ");
  const expected: TableDescription = definition;
  const compare = (what: string, wanted: KeySchemaElement[] | undefined, there: KeySchemaElement[] | undefined) => {
    const [should, is] = [keysOf(wanted, expected), keysOf(there, found)];
    return should === is ? [] : [`${what} ${is}, not ${should}`];
  };
  const indexes = (definition.GlobalSecondaryIndexes ?? []).flatMap(({ IndexName, KeySchema }) => {
    const index = found.GlobalSecondaryIndexes?.find((each) => each.IndexName === IndexName);
    if (index === undefined) return [`has no index ${IndexName}`];
    const wrong = compare(`has the index ${IndexName} by`, KeySchema, index.KeySchema);
    return index.IndexStatus === "CREATING" ? [...wrong, `is still making the index ${IndexName}`] : wrong;
  });
  return [
    ...(isUsable(found.TableStatus) ? [] : [`is ${found.TableStatus}`]),
    ...compare("has the key", definition.KeySchema, found.KeySchema),
    ...indexes,
  ];
}
