import { storeContract } from "../contract/store-contract.js";
import { httpScale } from "../contract/store-harness.js";
import { dynamoStores } from "../support/dynamo-store.js";

const { open } = dynamoStores();

storeContract("the store over DynamoDB, stopped at every write,", () => open(), {
  ...httpScale,
  rounds: 30,
  firstRounds: 30,
  stopEvery: 1,
  timeoutMs: 900_000,
});
