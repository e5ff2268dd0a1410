import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import type { Session } from "../../server/messaging/model.js";
import { Table } from "../../server/stores/embedded/table.js";
import { FakeClock } from "../support/fake-clock.js";
import { headOf } from "../support/heads.js";
import { ask } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const start = Date.parse("2026-03-02T10:00:00.000Z");
const many = { businessId: "B10000", count: 10_000 };
const few = { businessId: "B100", count: 100 };

let app: TestApp;

beforeAll(async () => {
  // Time stands still, and with it whatever else reads the store.
  app = await startTestApp({ STORE: "embedded" }, { clock: new FakeClock() });
  for (const { businessId, count } of [many, few]) {
    const heads = Array.from({ length: count }, (_, index) => {
      // Some in the same minute, and some in the same millisecond.
      const lastMessageAt = new Date(start + Math.floor(index / 3) * 1000).toISOString();
      return headOf({
        session: { sessionId: `${businessId}-${index}`, businessId, userId: `u${index}`, lastMessageAt },
      });
    });
    await Promise.all(heads.map((head) => app.store.createHead(head)));
  }
});

afterAll(() => app.dispose());

interface ActivePage {
  readonly activeSessions: readonly Session[];
  readonly pagination: { readonly hasMore: boolean; readonly nextCursor: string | null };
}

async function pageOf(businessId: string, query: string): Promise<ActivePage> {
  const { status, text } = await ask(app, `/api/sessions/business/${businessId}/active?${query}`);
  expect(status).toBe(200);
  return JSON.parse(text) as ActivePage;
}

/** What is read of the store to answer something. */
async function readsOf(run: () => Promise<unknown>): Promise<{ readonly entries: number; readonly gets: number }> {
  let entries = 0;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the table that is read
  const original = Table.prototype.entries;
  const ranges = jest.spyOn(Table.prototype, "entries").mockImplementation(function* (this: Table<unknown>, bounds) {
    for (const entry of original.call(this, bounds)) {
      entries += 1;
      yield entry;
    }
  });
  const gets = jest.spyOn(Table.prototype, "get");
  await run();
  const count = gets.mock.calls.length;
  ranges.mockRestore();
  gets.mockRestore();
  return { entries, gets: count };
}

test.each([500, 1000])("[H-10] [H5] 10,000 active sessions come in pages of %d, each once", async (limit) => {
  const seen: Session[] = [];
  let cursor = "";
  for (let page = 0; page < many.count / limit; page += 1) {
    const { activeSessions, pagination } = await pageOf(many.businessId, `limit=${limit}${cursor}`);
    expect([activeSessions.length, pagination.hasMore]).toEqual([limit, page < many.count / limit - 1]);
    seen.push(...activeSessions);
    cursor = `&cursor=${pagination.nextCursor}`;
  }
  expect(new Set(seen.map(({ sessionId }) => sessionId)).size).toBe(many.count);
  const minutes = seen.map(({ lastMessageAt }) => lastMessageAt.slice(0, 16));
  expect(minutes).toEqual(minutes.toSorted().toReversed());
});

test("[H-10] [H5] without a limit they come in pages, too", async () => {
  const { activeSessions, pagination } = await pageOf(many.businessId, "");
  expect([activeSessions.length, pagination.hasMore]).toEqual([1000, true]);
});

test("[H-10] [S6] a page of 10,000 costs what the same page of 100 costs: no more is read for it", async () => {
  const of100 = await readsOf(() => pageOf(few.businessId, "limit=50"));
  const of10000 = await readsOf(() => pageOf(many.businessId, "limit=50"));
  const { pagination } = await pageOf(many.businessId, "limit=1000");
  const later = await readsOf(() => pageOf(many.businessId, `limit=50&cursor=${pagination.nextCursor}`));
  for (const { entries, gets } of [of100, of10000, later]) {
    expect(entries).toBe(51);
    // The sessions of the page, as far as they are not remembered.
    expect(gets).toBeLessThanOrEqual(51);
  }
});
