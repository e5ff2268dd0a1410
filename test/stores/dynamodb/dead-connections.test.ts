import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createIds } from "../../../server/messaging/ids.js";
import { createDynamoClient } from "../../../server/stores/dynamodb/client.js";
import { DynamoStore } from "../../../server/stores/dynamodb/store.js";
import { makeTables, startDynamo, type TestDynamo } from "../../support/dynalite.js";
import { FakeClock } from "../../support/fake-clock.js";

const key = { partition: "test", id: "one" };

let dynamo: TestDynamo;
let relay: Relay;

beforeEach(async () => {
  dynamo = await startDynamo();
  relay = await Relay.to(Number(new URL(dynamo.endpoint).port));
});

afterEach(async () => {
  await relay.close();
  await dynamo.stop();
});

test("[S-02] connections that have died without a word cost one request, not one each", async () => {
  const setUp = await createDynamoClient({ endpoint: dynamo.endpoint });
  const tablePrefix = await makeTables(setUp);
  setUp.destroy();
  const clock = new FakeClock();
  const limits = { attemptsMax: 1, requestTimeoutMs: 4000 };
  const client = await createDynamoClient({ endpoint: relay.endpoint, limits });
  const store = await DynamoStore.open({ client, tablePrefix, clock, ids: createIds(clock), onError: () => undefined });
  await Promise.all(Array.from({ length: 40 }, () => store.readRecord(key)));
  expect(relay.openCount).toBeGreaterThan(20);
  relay.forgetAll();
  clock.advance(2000);
  await expect(store.readRecord(key)).rejects.toThrow("read in DynamoDB failed");
  await expect(store.readRecord(key)).rejects.toThrow("read in DynamoDB failed");
  clock.advance(1000);
  expect(await store.readRecord(key)).toBeNull();
  expect(store.failure).toBeNull();
  await store.close();
  client.destroy();
});

/** Passes bytes on, until it forgets a connection: then nothing comes back over it, and nobody is told. */
class Relay {
  readonly #server: Server;
  readonly #open = new Set<{ isForgotten: boolean; readonly ends: readonly Socket[] }>();

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, "127.0.0.1");
      const connection = { isForgotten: false, ends: [near, far] };
      this.#open.add(connection);
      near.on("data", (bytes) => connection.isForgotten || far.write(bytes));
      far.on("data", (bytes) => connection.isForgotten || near.write(bytes));
      for (const end of connection.ends) end.on("error", () => undefined);
      near.on("close", () => {
        this.#open.delete(connection);
        far.destroy();
      });
    });
  }

  static async to(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get openCount(): number {
    return this.#open.size;
  }

  forgetAll(): void {
    for (const connection of this.#open) connection.isForgotten = true;
  }

  async close(): Promise<void> {
    for (const { ends } of this.#open) for (const end of ends) end.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
