import { readConfig } from "../config.js";
import { dynamoClient, placeOf, reasonOf } from "../open-store.js";
import { isLocalEndpoint } from "../stores/dynamodb/client.js";
import { checkTables, type TableFinding } from "../stores/dynamodb/check-tables.js";

/**
 * Says of each table of the configured DynamoDB whether a server can use it.
 * @returns whether one could start
 */
export async function checkDynamo(environment: NodeJS.ProcessEnv): Promise<boolean> {
  // Only what says where the tables are: the rest has been looked at, and has nothing to do with them.
  const { DYNAMODB_ENDPOINT, DYNAMODB_TABLE_PREFIX, DYNAMODB_TIMEOUT_MS, AWS_REGION } = environment;
  const place = { DYNAMODB_ENDPOINT, DYNAMODB_TABLE_PREFIX, DYNAMODB_TIMEOUT_MS, AWS_REGION };
  const config = readConfig({ STORE: "dynamodb", ...place });
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  say(placeOf(config));
  try {
    const client = await dynamoClient(config);
    const findings = await checkTables(client, config.DYNAMODB_TABLE_PREFIX).finally(() => client.destroy());
    for (const { table, wrong } of findings) say(`  ${table} ${wrong.length === 0 ? "is there" : wrong.join("; ")}`);
    return conclude(findings, isLocalEndpoint(config.DYNAMODB_ENDPOINT), say);
  } catch (cause) {
    say(`The tables cannot be looked at: ${reasonOf(cause)}`);
    return false;
  }
}

function conclude(findings: readonly TableFinding[], isLocal: boolean, say: (line: string) => void): boolean {
  const isMissing = findings.some((finding) => finding.isMissing);
  const isWrong = findings.some((finding) => !finding.isMissing && finding.wrong.length > 0);
  // What is there is never changed, not even by the command: somebody has to decide what becomes of it.
  if (isWrong) say("A server cannot work with these tables: name others with DYNAMODB_TABLE_PREFIX, or remove them.");
  if (isMissing && isLocal) say("On this machine a server makes what is missing when it starts.");
  else if (isMissing) say("No server starts without them; make what is missing with: npm run dynamodb:create-tables");
  if (!isWrong && !isMissing) say("A server can start on them. What is in them was not read.");
  return !isWrong && (!isMissing || isLocal);
}
