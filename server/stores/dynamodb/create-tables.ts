import type { DynamoDBClient, TableDescription } from "@aws-sdk/client-dynamodb";
import { expiry, tableDefinitions, tableNames } from "./tables.js";

/** How long a new table may take until it can be used. */
const activeWithinMs = 300_000;
const pollMs = 20;
const pollMaxMs = 2000;

/**
 * Creates the tables that are missing, waits until all can be used, and has DynamoDB delete what expires.
 * What is there already stays as it is.
 * @param say is told what was done, a line at a time
 */
export async function createTables(client: DynamoDBClient, prefix: string, say: (line: string) => void): Promise<void> {
  const { CreateTableCommand } = await import("@aws-sdk/client-dynamodb");
  await Promise.all(
    tableDefinitions(prefix).map(async (definition) => {
      const name = definition.TableName!;
      const status = (await describeTable(client, name))?.TableStatus ?? null;
      if (status === null) {
        try {
          await client.send(new CreateTableCommand(definition));
        } catch (cause) {
          // Somebody else is creating it: then it is waited for all the same.
          if (!(cause instanceof Error && cause.name === "ResourceInUseException")) throw cause;
        }
      }
      if (status !== "ACTIVE") await untilActive(client, name);
      say(status === null ? `${name}: created` : `${name}: is there`);
    }),
  );
  const { events, records } = tableNames(prefix);
  for (const name of [events, records]) say(await turnExpiryOn(client, name));
}

/** Tables that are missing, or cannot be used yet. */
export async function missingTables(client: DynamoDBClient, prefix: string): Promise<readonly string[]> {
  const names = tableDefinitions(prefix).map(({ TableName }) => TableName!);
  const tables = await Promise.all(names.map((name) => describeTable(client, name)));
  return names.filter((_name, index) => !isUsable(tables[index]?.TableStatus));
}

export function isUsable(status: string | undefined): boolean {
  return status === "ACTIVE" || status === "UPDATING";
}

/** What DynamoDB says of a table; null when there is none. */
export async function describeTable(client: DynamoDBClient, name: string): Promise<TableDescription | null> {
  const { DescribeTableCommand } = await import("@aws-sdk/client-dynamodb");
  try {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    return Table ?? null;
  } catch (cause) {
    if (cause instanceof Error && cause.name === "ResourceNotFoundException") return null;
    throw cause;
  }
}

async function untilActive(client: DynamoDBClient, name: string): Promise<void> {
  const end = Date.now() + activeWithinMs;
  for (
    let waitMs = pollMs;
    !isUsable((await describeTable(client, name))?.TableStatus);
    waitMs = Math.min(2 * waitMs, pollMaxMs)
  ) {
    if (Date.now() > end) throw new Error(`table ${name} cannot be used ${activeWithinMs / 1000} s after it was made`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

// Events have a life of a day, and so has the last beat of a node. What can come back is never deleted this way.
async function turnExpiryOn(client: DynamoDBClient, name: string): Promise<string> {
  const { DescribeTimeToLiveCommand, UpdateTimeToLiveCommand } = await import("@aws-sdk/client-dynamodb");
  try {
    const { TimeToLiveDescription: now } = await client.send(new DescribeTimeToLiveCommand({ TableName: name }));
    const isOn = now?.TimeToLiveStatus === "ENABLED" || now?.TimeToLiveStatus === "ENABLING";
    if (isOn && now.AttributeName === expiry) return `${name}: time to live is on`;
    const TimeToLiveSpecification = { Enabled: true, AttributeName: expiry };
    await client.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }));
    return `${name}: time to live turned on, by ${expiry}`;
  } catch (cause) {
    if (!(cause instanceof Error && cause.name === "UnknownOperationException")) throw cause;
    return `${name}: this DynamoDB has no time to live; what is over stays until somebody deletes it`;
  }
}
