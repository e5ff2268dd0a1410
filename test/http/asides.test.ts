import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Aside, ChatMessage } from "../../server/messaging/model.js";
import { annotate, newHead, respond, say } from "../contract/store-acts.js";
import { isAllowedBy, readAccessTable } from "../support/access-table.js";
import { goodToken } from "../support/forged-tokens.js";
import { ask, type HttpAnswer, problemCode } from "../support/plain-http.js";
import { here, known, there } from "../support/principals.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret } from "../support/tokens.js";

const table = readAccessTable();
const owner = { businessId: here, userId: "ana" };

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ AUTH_SECRET: secret });
  await talk("with", true);
  await talk("without", false);
});

afterAll(() => app.dispose());

/** Two questions and answers with their steps; with notes and drafts, or as if there were none. */
async function talk(sessionId: string, hasMore: boolean): Promise<void> {
  const { store } = app;
  await store.createHead(newHead(sessionId, owner));
  for (const round of [1, 2]) {
    await say(store, sessionId, `q${round}`, { userId: owner.userId });
    if (hasMore) await annotate(store, sessionId, `n${round}`);
    await respond(store, sessionId, `q${round}`, `a${round}`, { thinking: ["looking", "reading"] });
    if (hasMore) await annotate(store, sessionId, `x${round}`, { type: "draft", userId: "agent", content: "too late" });
  }
}

interface Page {
  readonly messages: readonly (ChatMessage | Aside)[];
  readonly pagination: { readonly hasMore: boolean; readonly nextCursor: string | null };
}

function get(path: string, who = known["a coordinator"]!): Promise<HttpAnswer> {
  return ask(app, `/api/sessions/${path}`, { headers: { authorization: `Bearer ${goodToken(who, secret)}` } });
}

async function page(query: string, who = known["a coordinator"]!, sessionId = "with"): Promise<Page> {
  const { status, text } = await get(`${sessionId}/messages?${query}`, who);
  expect(status).toBe(200);
  return JSON.parse(text) as Page;
}

const idsOf = ({ messages }: Page) => messages.map(({ messageId }) => messageId);
const steps = (answer: string) => [`${answer}-step000`, `${answer}-step001`];

describe("[H8] include", () => {
  test.each<[string, string[]]>([
    ["", ["q1", "a1", "q2", "a2"]],
    ["include=thinking", ["q1", ...steps("a1"), "a1", "q2", ...steps("a2"), "a2"]],
    ["include=note", ["q1", "n1", "a1", "q2", "n2", "a2"]],
    ["include=draft", ["q1", "a1", "x1", "q2", "a2", "x2"]],
    ["include=draft,note", ["q1", "n1", "a1", "x1", "q2", "n2", "a2", "x2"]],
    ["include=note,note", ["q1", "n1", "a1", "q2", "n2", "a2"]],
    ["include=thinking,note,draft", ["q1", ...steps("a1"), "n1", "a1", "x1", "q2", ...steps("a2"), "n2", "a2", "x2"]],
    ["include=thinking&limit=2", ["q2", ...steps("a2"), "a2"]],
    ["include=thinking&before=o3&limit=1", ["a1"]],
    ["include=thinking&after=o1&limit=1", [...steps("a1"), "a1"]],
    ["include=draft&after=o4", ["x2"]],
  ])("%j", async (query, ids) => {
    expect(idsOf(await page(query))).toEqual(ids);
  });

  test("what hangs has a place and no offset, and the page goes on by its messages", async () => {
    const { messages, pagination } = await page("include=thinking,note&limit=2");
    expect(messages.map((row) => ("offset" in row ? row.offset : { on: row.afterOffset, type: row.type }))).toEqual([
      3,
      { on: 3, type: "thinking" },
      { on: 3, type: "thinking" },
      { on: 3, type: "note" },
      4,
    ]);
    expect(messages[1]).toMatchObject({ content: "looking", data: { step: "tool", status: "done" }, userId: "agent" });
    expect(messages[3]).toMatchObject({ userId: "coordinator", metadata: { coordinatorId: "carla" } });
    expect(pagination).toEqual({ hasMore: true, nextCursor: "o3" });
  });

  test.each([
    "include=",
    "include=all",
    "include=user",
    "include=thinking,",
    "include=thinking,%20note",
    "include=Thinking",
    "include=__proto__",
    "include=thinking&include=note",
    "include[]=note",
    "Include=note",
  ])("%j is refused, whoever asks, and tells nothing of a session", async (query) => {
    for (const who of [known["a coordinator"]!, known["a user"]!]) {
      const [answer, unknown] = [await get(`with/messages?${query}`, who), await get(`gone/messages?${query}`, who)];
      expect([answer.status, problemCode(answer)]).toEqual([400, "invalid_payload"]);
      expect(answer.text).toBe(unknown.text);
    }
  });
});

describe("[H8] [X7] [X8] who sees what hangs on a conversation", () => {
  const everything = "include=thinking,note,draft";

  test.each(Object.entries(known))("%s, as the table says", async (_name, who) => {
    const mayRead = isAllowedBy(table, who, "session.read", owner);
    const answer = await get(`with/messages?${everything}`, who);
    expect(answer.status).toBe(mayRead ? 200 : 404);
    if (!mayRead) return;
    const types = new Set((JSON.parse(answer.text) as Page).messages.map(({ type }) => type));
    const forColleagues = isAllowedBy(table, who, "asides.read", owner) ? (["note", "draft"] as const) : [];
    expect([...types].toSorted()).toEqual(["agent", "thinking", "user", ...forColleagues].toSorted());
  });

  test("a user is answered as if there were no notes and drafts, to the byte, however they ask", async () => {
    const ana = known["a user"]!;
    for (const include of ["note", "draft", "note,draft", "thinking,note", "thinking,note,draft"]) {
      for (const more of ["", "&limit=1", "&after=o1", "&after=o4", "&before=o3&limit=1"]) {
        const [has, hasNot] = await Promise.all(
          ["with", "without"].map((id) => get(`${id}/messages?include=${include}${more}`, ana)),
        );
        expect(has!.status).toBe(200);
        expect(has!.text.replaceAll('"with"', '"without"')).toBe(hasNot!.text);
      }
    }
  });

  test("and so is everybody who does not ask for them", async () => {
    for (const who of [known["a user"]!, known["a coordinator"]!]) {
      expect(idsOf(await page("", who))).toEqual(["q1", "a1", "q2", "a2"]);
    }
    const elsewhere = { ...known["a coordinator"]!, businessId: there };
    expect((await get(`with/messages?${everything}`, elsewhere)).status).toBe(404);
  });
});
