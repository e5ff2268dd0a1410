import { afterEach, expect, test } from "@jest/globals";
import { beatKey, currentSessionKey, jobKey } from "../../../server/messaging/records.js";
import { dynamoStores, type DynamoUnderTest } from "../../support/dynamo-store.js";

const { open } = dynamoStores();
let under: DynamoUnderTest | null = null;

afterEach(async () => {
  await under?.dispose();
  under = null;
});

test("[M24] a beat expires a day after it was written last, and no other record ever does", async () => {
  under = await open();
  const { store, proxy } = under;
  const keys = [beatKey("n1"), jobKey("cleanup"), currentSessionKey({ businessId: "node", userId: "node" })];
  for (const key of keys) {
    const { record } = await store.writeRecord(key, null, { count: 1 });
    await store.writeRecord(key, record!.rev, { count: 2 });
  }
  const items = proxy.requests
    .filter(({ operation }) => operation === "PutItem")
    .map(({ body }) => body.Item as { readonly partition: { S: string }; readonly expiresAt?: { N: string } });
  const expiring = items.filter(({ expiresAt }) => expiresAt !== undefined);
  expect(expiring.map(({ partition }) => partition.S)).toEqual(["node#n1", "node#n1"]);
  const inADay = Date.now() / 1000 + 24 * 60 * 60;
  for (const { expiresAt } of expiring) expect(Math.abs(Number(expiresAt!.N) - inADay)).toBeLessThan(60);
});
