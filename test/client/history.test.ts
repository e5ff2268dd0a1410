import { expect, test } from "@jest/globals";
import { History } from "../../client/history.js";
import { limits } from "../../client/limits.js";

const options = { baseUrl: "http://desk.test", sessionId: "s/1", businessId: "B1", userId: "u1" };

test("[H3] reads backwards, page by page, until there is no more", async () => {
  const server = pagedServer(120);
  const history = new History({ ...options, fetch: server.fetch });
  const pages = [await history.older(), await history.older(), await history.older(), await history.older()];
  expect(pages.map((page) => page.map((entry) => entry.offset!))).toEqual([
    range(71, 120),
    range(21, 70),
    range(1, 20),
    [],
  ]);
  expect(history.hasMore).toBe(false);
  expect(server.requests).toHaveLength(3);
});

test("[H3] says who asks: by header in open mode, by token with auth", async () => {
  const open = pagedServer(1);
  await new History({ ...options, fetch: open.fetch }).older();
  expect(open.requests[0]).toMatchObject({
    url: "http://desk.test/api/sessions/s%2F1/messages?limit=50",
    headers: { "x-role": "user", "x-user-id": "u1", "x-business-id": "B1" },
  });
  const closed = pagedServer(1);
  await new History({ ...options, token: () => "jwt", fetch: closed.fetch }).older();
  expect(closed.requests[0]?.headers).toEqual({ authorization: "Bearer jwt" });
});

test("[H3] closes a gap by reading back to what is known", async () => {
  const server = pagedServer(1000);
  const history = new History({ ...options, fetch: server.fetch });
  const entries = await history.since((entry) => entry.offset === 890);
  expect(entries.map((entry) => entry.offset)).toEqual(range(851, 1000));
  expect(server.requests).toHaveLength(3);
});

test("[H3] a gap that is too wide is read only so far", async () => {
  const server = pagedServer(1000);
  const entries = await new History({ ...options, fetch: server.fetch }).since(() => false);
  expect(entries).toHaveLength(limits.gapPagesMax * limits.historyPageSize);
});

test("[H3] a refusal is thrown with the server's code", async () => {
  const refuse = () => Promise.resolve(Response.json({ code: "session_not_found", title: "x" }, { status: 404 }));
  await expect(new History({ ...options, fetch: refuse }).older()).rejects.toMatchObject({ code: "session_not_found" });
});

interface Asked {
  readonly url: string;
  readonly headers: unknown;
}

function pagedServer(last: number): { readonly fetch: typeof fetch; readonly requests: Asked[] } {
  const requests: Asked[] = [];
  const answer: typeof fetch = (input, init) => {
    requests.push({ url: input as string, headers: init?.headers });
    const { searchParams } = new URL(input as string);
    const end = Number(searchParams.get("before") ?? last + 1);
    const start = Math.max(1, end - Number(searchParams.get("limit")));
    const messages = range(start, end - 1).map((offset) => ({
      messageId: `m${offset}`,
      offset,
      content: "x",
      type: "user",
      timestamp: "2026-01-01T00:00:00.000Z",
      metadata: {},
    }));
    const hasMore = start > 1;
    return Promise.resolve(
      Response.json({ messages, pagination: { hasMore, nextCursor: hasMore ? String(start) : null } }),
    );
  };
  return { fetch: answer, requests };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
