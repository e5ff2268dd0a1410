import { storeContract } from "../../contract/store-contract.js";
import { httpScale } from "../../contract/store-harness.js";
import { dynamoStores } from "../../support/dynamo-store.js";

const { open } = dynamoStores();

// Every stop of every scenario, and more rounds: test/fault/dynamo-contract.test.ts.
storeContract("the store over DynamoDB", () => open(), {
  ...httpScale,
  rounds: 4,
  crowd: 60,
  bigCount: 20,
  stopEvery: 5,
});
