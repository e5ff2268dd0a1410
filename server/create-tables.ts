import { ConfigError, readConfig } from "./config.js";
import { dynamoClient, placeOf, reasonOf } from "./open-store.js";
import { createTables } from "./stores/dynamodb/create-tables.js";

// `npm run dynamodb:create-tables`: makes the tables that are missing, and says what it did.
try {
  // Only what says where the tables are: whoever makes them need not know the rest.
  const { DYNAMODB_ENDPOINT, DYNAMODB_TABLE_PREFIX, AWS_REGION } = process.env;
  const config = readConfig({ STORE: "dynamodb", DYNAMODB_ENDPOINT, DYNAMODB_TABLE_PREFIX, AWS_REGION });
  process.stdout.write(`${placeOf(config)}\n`);
  const client = await dynamoClient(config);
  await createTables(client, config.DYNAMODB_TABLE_PREFIX, (line) => process.stdout.write(`  ${line}\n`));
  client.destroy();
} catch (cause) {
  const reason = cause instanceof ConfigError ? cause.message : reasonOf(cause);
  process.stderr.write(`the tables were not made: ${reason}\n`);
  process.exitCode = 1;
}
