import { exists, type Place, type Question, type RouteRow } from "./access-rows.js";
import type { What, Who } from "./access-table.js";
import { here } from "./principals.js";

// Nobody in the matrix has a chat, so nobody finds one: who finds which is in test/wire/conversation-matrix.test.ts.

const unknownChat = "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f12";
const own = ({ businessId, userId }: Who): What => ({ businessId, userId });

// What is wrong with a question is told to those who may ask it, and to those alone.
function ofList(path: string): Readonly<Record<string, RouteRow>> {
  const row = { action: "chat.use", done: 400, missing: "/api/no-such-thing" };
  const ofThere = (place: Place) => (who: Who) =>
    who.businessId === null || exists(place, who.businessId) ? own(who) : { businessId: "" };
  const question = (place: Place) => ({ what: "one's own", about: ofThere(place), exists: true });
  return {
    [`get ${path}`]: { ...row, questions: (place) => [{ ...question(place), path: `${path}?limit=0` }] },
    [`post ${path}`]: {
      ...row,
      questions: (place) => [{ ...question(place), path, method: "POST", body: { title: 7 } }],
    },
  };
}

function ofOne(path: string): Readonly<Record<string, RouteRow>> {
  const rows: [method: string, rest: string][] = [
    ["get", ""],
    ["patch", ""],
    ["delete", ""],
    ["get", "/messages"],
    ["post", "/messages"],
    ["get", "/messages/:messageId"],
  ];
  return Object.fromEntries(
    rows.map(([method, rest]) => {
      const at = (id: string) => `${path}/${id}${rest.replace(":messageId", unknownChat)}`;
      const row: RouteRow = {
        action: "chat.use",
        done: 404,
        missing: at(unknownChat),
        questions: ({ sessions }) =>
          [unknownChat, ...[...sessions.values()].slice(0, 1)].map((id): Question => {
            const body = method === "get" || method === "delete" ? {} : { body: {} };
            const what = `a session that is no chat, ${id}`;
            return { what, method: method.toUpperCase(), path: at(id), ...body, about: own, exists: false };
          }),
      };
      return [`${method} ${path}/:sessionId${rest}`, row];
    }),
  );
}

function noHook(path: string, body: object): RouteRow {
  const question = { what: "a call", method: "POST", path, body, about: { businessId: null }, exists: true };
  return { action: "hook.call", done: 404, missing: "/api/no-such-thing", questions: () => [question] };
}

export const chatRows: Readonly<Record<string, RouteRow>> = {
  ...ofList("/chats"),
  ...ofList("/api/chats"),
  ...ofOne("/chats"),
  ...ofOne("/api/chats"),
  // Without an issuer, and without a secret, there are none.
  "post /internal/chat-ai-worker": noHook("/internal/chat-ai-worker", { messageId: unknownChat }),
  "post /api/webhooks/telegram/:businessId": noHook(`/api/webhooks/telegram/${here}`, { update_id: 1 }),
  "post /api/webhooks/generic/:businessId": noHook(`/api/webhooks/generic/${here}`, { businessId: here }),
};
