import { afterEach, expect, test } from "@jest/globals";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { systemClock } from "../../../server/clock.js";
import type { Head } from "../../../server/messaging/head.js";
import { createIds } from "../../../server/messaging/ids.js";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { type Item, Requests } from "../../../server/stores/dynamodb/requests.js";
import { SessionWriter } from "../../../server/stores/dynamodb/session-writer.js";
import { tableNames } from "../../../server/stores/dynamodb/tables.js";
import { newHead } from "../../contract/store-acts.js";
import { dynamoStores, type DynamoUnderTest } from "../../support/dynamo-store.js";

const { open } = dynamoStores();
let under: DynamoUnderTest | null = null;

afterEach(async () => {
  await under?.dispose();
  under = null;
});

/** What was read is held back for as long as somebody says so. */
class SlowReads extends Requests {
  hold: Promise<void> = Promise.resolve();

  override async get(table: string, key: Item): Promise<Item | null> {
    const item = await super.get(table, key);
    await this.hold;
    return item;
  }
}

test("[S14] settling does not put what it has read in place of what was written meanwhile", async () => {
  under = await open();
  const { store, proxy, prefix } = under;
  await store.createHead(newHead("s1"));
  const client = await createDynamoClient({ endpoint: proxy.endpoint });
  const requests = new SlowReads(DynamoDBDocumentClient.from(client), systemClock, () => Promise.resolve());
  const ids = createIds(systemClock);
  const writer = new SessionWriter("s1", {
    ...{ requests, names: tableNames(prefix), clock: systemClock, newId: () => ids.random() },
    ...{ newCursor: () => ids.sortable(), readEvent: () => Promise.resolve(null), onLeftOver: () => undefined },
    ...{ findMessage: () => Promise.resolve(null), onError: () => undefined },
  });
  const change = (day: string) =>
    writer.change((head: Head) => ({ result: head.day, head: { ...head, day } }), undefined);
  await change("2026-03-03");
  let release = () => {};
  requests.hold = new Promise((resolve) => (release = resolve));
  const seen = proxy.requests.length;
  const settling = writer.settle();
  while (proxy.requests.length === seen) await new Promise((resolve) => setTimeout(resolve, 5));
  await change("2026-03-04");
  release();
  await settling;
  const before = proxy.requests.length;
  expect(await change("2026-03-05")).toBe("2026-03-04");
  // What it knows is what is there: the write is not refused, and nothing is read again.
  expect(proxy.requests.slice(before).map(({ operation }) => operation)).toEqual(["PutItem"]);
  await writer.close();
  client.destroy();
});
