import { expect, test } from "@jest/globals";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { createDynamoClient, dynamoLimits } from "../../../server/stores/dynamodb/client.js";
import { range } from "../../contract/store-harness.js";
import { startDynamo } from "../../support/dynalite.js";
import { startFaultProxy } from "../../support/fault-proxy.js";

test("[S-02] when many requests fail they are not tried three times each: there is no storm", async () => {
  const dynamo = await startDynamo();
  const proxy = await startFaultProxy({ endpoint: dynamo.endpoint });
  const client = await createDynamoClient({ endpoint: proxy.endpoint });
  proxy.add({ fault: { kind: "error" } });
  const read = () => client.send(new GetItemCommand({ TableName: "t-records", Key: { id: { S: "1" } } }));
  await expect(read()).rejects.toThrow();
  expect(proxy.requests).toHaveLength(dynamoLimits.attemptsMax);
  await Promise.allSettled(range(60).map(read));
  const before = proxy.requests.length;
  await expect(read()).rejects.toThrow();
  expect(proxy.requests.length - before).toBe(1);
  client.destroy();
  await proxy.stop();
  await dynamo.stop();
});
