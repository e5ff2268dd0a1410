import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiDeps, apiRoutes } from "../../server/http/api.js";
import { conversationEvents } from "../../server/messaging/conversation/members.js";
import { unknownSession } from "../support/access-rows.js";
import { isAllowedBy, readAccessTable, type Who } from "../support/access-table.js";
import { goodToken } from "../support/forged-tokens.js";
import { ask } from "../support/plain-http.js";
import { ana, known, here, nobody, robotOfAll, there } from "../support/principals.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { secret } from "../support/tokens.js";

// Everybody at the doors of a conversation and of a chat that are there: the agent's, with a user in it, and that user's.
// What is expected follows from the table of the SPEC alone, where `own` is of those who take part.

const table = readAccessTable();
const bot: Who = { role: "agent", userId: "bot", businessId: here };
const zoe: Who = { role: "user", userId: "zoe", businessId: here };

const cast: Readonly<Record<string, Who>> = {
  ...known,
  "its agent": bot,
  "another agent": { ...bot, userId: "other" },
  "an agent elsewhere, of the same id": { ...bot, businessId: there },
  "somebody unknown": nobody,
};
const names = Object.keys(cast);

let folder: string;
let app: TestApp;
let conversationId: string;
let chatId: string;
let messageId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bennu-matrix-"));
  await cp(join(import.meta.dirname, "..", "..", "businesses"), folder, { recursive: true });
  const yaml = `businessId: ${there}\nname: Bakery\nlocale: en\ntimeZone: Europe/London\n`;
  await writeFile(join(folder, `${there}.yaml`), yaml);
  app = await startTestApp({ AUTH_SECRET: secret, BUSINESSES_DIR: folder });
  const { _id } = await made(bot, "/conversations", { agentId: "bot" });
  conversationId = String(_id);
  await made(robotOfAll, `/conversations/${conversationId}/participants/add`, participant("ana"));
  chatId = String((await made(ana, "/chats", {}))._id);
  const said = await made(ana, `/chats/${chatId}/messages`, { content: "hello" });
  messageId = String((said.message as Fields)._id);
});

afterAll(async () => {
  await app.dispose();
  await rm(folder, { recursive: true, force: true });
});

const participant = (participantId: string) => ({ participantType: "user", participantId });

async function request(who: Who, method: string, path: string, body?: unknown) {
  const authorization = who.role === "nobody" ? {} : { authorization: `Bearer ${goodToken(who, secret)}` };
  return ask(app, path, {
    method,
    headers: { "content-type": "application/json", ...authorization },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function made(who: Who, path: string, body: unknown): Promise<Fields> {
  const { status, text } = await request(who, "POST", path, body);
  if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
  return JSON.parse(text) as Fields;
}

const takesPart = ({ role, userId, businessId }: Who) =>
  businessId === here && ((role === "user" && userId === "ana") || (role === "agent" && userId === "bot"));

/** What the table says of this conversation. */
function isAllowed(who: Who, action: string): boolean {
  return isAllowedBy(table, who, action, { businessId: here, userId: takesPart(who) ? who.userId : null });
}

interface Trial {
  readonly done: number;
  readonly body?: unknown;
  /** What the table cannot say: users let in and take out nobody but themselves. */
  readonly notBy?: Who["role"];
}

const ofConversation = "/conversations/:conversationId";
const ofChat = "/chats/:sessionId";

/** What changes nothing for the others. Whoever may delete is tried apart. */
const trials: Readonly<Record<string, Trial>> = {
  [`get ${ofConversation}`]: { done: 200 },
  [`patch ${ofConversation}`]: { done: 200, body: { title: "a title" } },
  [`get ${ofConversation}/messages`]: { done: 200 },
  [`post ${ofConversation}/participants/add`]: { done: 200, body: participant("ana") },
  [`post ${ofConversation}/participants/remove`]: { done: 200, body: participant("zed"), notBy: "user" },
  [`get ${ofChat}`]: { done: 200 },
  [`patch ${ofChat}`]: { done: 200, body: { title: "a title" } },
  [`get ${ofChat}/messages`]: { done: 200 },
  [`post ${ofChat}/messages`]: { done: 202, body: { content: "hello" } },
  [`get ${ofChat}/messages/:messageId`]: { done: 200 },
};

/** A route as one asks for it. */
function pathOf(route: string, ids: { readonly conversation: string; readonly chat: string }): string {
  return route
    .replace(":conversationId", ids.conversation)
    .replace(":sessionId", ids.chat)
    .replace(":messageId", messageId);
}

const missing = { conversation: unknownSession, chat: unknownSession };

test("[X8] every route of one conversation or one chat is tried, under /api too", () => {
  const inCode = apiRoutes({} as ApiDeps)
    .map(({ method, path }) => `${method} ${path}`)
    .filter((route) => route.includes(ofConversation) || route.includes(ofChat));
  const deleted = [`delete ${ofConversation}`, `delete ${ofChat}`];
  const tried = [...Object.keys(trials), ...deleted];
  const underApi = tried.map((route) => route.replace(" ", " /api"));
  expect(inCode.toSorted()).toEqual([...tried, ...underApi].toSorted());
});

test("[X8] what is told in a conversation is what the table names, and so is what is said there", () => {
  expect(table.get("conversation.hear")?.names.toSorted()).toEqual([...conversationEvents].toSorted());
  expect(table.get("conversation.speak")?.names).toEqual(["message:send", "typing"]);
});

describe("[X-09] [X-11] [X7] over HTTP", () => {
  const actions = new Map(apiRoutes({} as ApiDeps).map(({ method, path, action }) => [`${method} ${path}`, action]));

  /** @returns a line for what is not as the table has it */
  async function tryOne(who: Who, prefix: string, [route, trial]: readonly [string, Trial]): Promise<string[]> {
    const { done, body, notBy } = trial;
    const action = actions.get(route)!;
    const isOwnChat = who.role === "user" && takesPart(who);
    const may = route.includes(ofChat) ? isOwnChat : isAllowed(who, action) && who.role !== notBy;
    const expected = who.role === "nobody" ? 401 : may ? done : 404;
    const [method = "", path = ""] = route.split(" ");
    const at = (ids: typeof missing) => request(who, method.toUpperCase(), prefix + pathOf(path, ids), body);
    const answer = await at({ conversation: conversationId, chat: chatId });
    if (answer.status !== expected) return [`${prefix} ${route}: ${answer.status} where it is ${expected}`];
    if (expected !== 404) return [];
    const unknown = await at(missing);
    return unknown.text === answer.text ? [] : [`${prefix} ${route}: not as what does not exist`];
  }

  test.each(names)("%s finds and does what the table says, and learns of nothing else", async (name) => {
    const who = cast[name]!;
    const faults: string[] = [];
    for (const prefix of ["", "/api"]) {
      for (const trial of Object.entries(trials)) faults.push(...(await tryOne(who, prefix, trial)));
    }
    expect(faults).toEqual([]);
  });

  test.each(names)("%s lists what the table says", async (name) => {
    const who = cast[name]!;
    const listed = await request(who, "GET", `/conversations?businessId=${here}`);
    expect(listed.text.includes(conversationId)).toBe(isAllowed(who, "conversation.read"));
    const chats = await request(who, "GET", "/chats");
    expect(chats.text.includes(chatId)).toBe(takesPart(who) && who.role === "user");
  });

  test.each(names)("%s deletes what the table says", async (name) => {
    const who = cast[name]!;
    const one = String((await made(robotOfAll, "/conversations", { agentId: "bot", businessId: here }))._id);
    const refused = who.role === "nobody" ? 401 : 404;
    const isGone = isAllowed(who, "conversation.change");
    expect((await request(who, "DELETE", `/conversations/${one}`)).status).toBe(isGone ? 204 : refused);
    expect((await request(robotOfAll, "GET", `/conversations/${one}`)).status).toBe(isGone ? 404 : 200);
    const chat = String((await made(ana, "/chats", {}))._id);
    const isOwner = takesPart(who) && who.role === "user";
    expect((await request(who, "DELETE", `/chats/${chat}`)).status).toBe(isOwner ? 204 : refused);
    expect((await request(ana, "GET", `/chats/${chat}`)).status).toBe(isOwner ? 404 : 200);
  });
});

describe("[X-09] [X-10] on its sockets", () => {
  const tokenQuery = (who: Who) => `&token=${goodToken(who, secret)}`;
  const seatOn = (who: Who, on: string) => Seat.take(app, {}, { on, query: tokenQuery(who) });
  const onSocket = names.filter((name) => cast[name]!.role !== "nobody");

  test.each(onSocket)("%s joins it, and speaks there, as the table says", async (name) => {
    const who = cast[name]!;
    const joining = seatOn(who, `conversation:${conversationId}`);
    if (!isAllowed(who, "conversation.hear")) {
      await expect(joining).rejects.toThrow("not_found");
      await expect(seatOn(who, `conversation:${unknownSession}`)).rejects.toThrow("not_found");
      return;
    }
    const seat = await joining;
    const may = isAllowed(who, "conversation.speak") ? "ok" : "error";
    expect((await seat.ask("typing", { typing: false })).status).toBe(may);
    expect((await seat.ask("message:send", { content: "" })).response.code).toBe("missing_parameters");
    for (const event of conversationEvents.filter((each) => each !== "typing")) {
      expect((await seat.ask(event, {})).response.code).toBe("unknown_event");
    }
    seat.client.close();
  });

  test.each(onSocket)(
    "[M101] %s joins a chat, and speaks there, if it is theirs: if not, it is not there",
    async (name) => {
      const who = cast[name]!;
      const joining = seatOn(who, `conversation:${chatId}`);
      if (!isAllowedBy(table, who, "chat.use", { businessId: here, userId: "ana" })) {
        await expect(joining).rejects.toThrow('{"reason":"not_found"}');
        return;
      }
      const seat = await joining;
      expect([who, seat.joined.conversationId]).toEqual([ana, chatId]);
      expect((await seat.ask("typing", { typing: false })).status).toBe("ok");
      expect((await seat.ask("message:send", { content: "" })).response.code).toBe("missing_parameters");
      seat.client.close();
    },
  );

  test("everybody hears what the table says, each event, and nobody else any of them", async () => {
    const members: [string, Seat][] = [];
    const others: [string, Seat][] = [];
    for (const name of onSocket) {
      const who = cast[name]!;
      if (isAllowed(who, "conversation.hear"))
        members.push([name, await seatOn(who, `conversation:${conversationId}`)]);
      for (const on of who.role === "agent" ? [`agent:${who.userId}`] : [`messages:${here}`, `messages:${there}`]) {
        const seat = await seatOn(who, on).catch(() => null);
        if (seat !== null) (who === bot ? members : others).push([`${name} on ${on}`, seat]);
      }
    }
    const settled = () => Promise.all([...members, ...others].map(([, { client }]) => client.heartbeat()));
    await settled();
    const before = new Map([...members, ...others].map(([, seat]) => [seat, seat.frames.length]));
    await made(robotOfAll, `/conversations/${conversationId}/participants/add`, participant("zoe"));
    const [asker, robot] = [await seatOn(zoe, `conversation:${conversationId}`), await seatOn(bot, "agent:bot")];
    const said = await asker.ask("message:send", { content: "a question" });
    const { messageId: inReplyTo } = said.response;
    await robot.hears("message:new", (payload) => payload.messageId === inReplyTo);
    await asker.ask("typing", { typing: true });
    await robot.ask("typing", { conversationId, typing: true });
    expect((await robot.ask("message:send", { conversationId, inReplyTo, content: "an answer" })).status).toBe("ok");
    await asker.hears("message:updated");
    await settled();
    const heardBy = ([name, seat]: [string, Seat]) => {
      const frames = seat.frames.slice(before.get(seat));
      const isTold = ([event]: [string, Fields]) => (conversationEvents as readonly string[]).includes(event);
      return [name, [...new Set(frames.filter(isTold).map(([event]) => event))].toSorted()] as const;
    };
    const all = [...conversationEvents].toSorted();
    expect(members.map(heardBy)).toEqual(members.map(([name]) => [name, all]));
    expect(others.map(heardBy)).toEqual(others.map(([name]) => [name, []]));
    expect([members.length, others.length].every((count) => count >= 5)).toBe(true);
    for (const [, { client }] of [...members, ...others]) client.close();
    for (const { client } of [asker, robot]) client.close();
  });

  test("[H43] a user takes out themself, and is out", async () => {
    const seat = await seatOn(zoe, `conversation:${conversationId}`);
    const path = `/conversations/${conversationId}/participants/remove`;
    expect((await request(ana, "POST", path, participant("zoe"))).status).toBe(404);
    expect((await request(zoe, "POST", path, participant("zoe"))).status).toBe(200);
    await seat.hears("phx_close");
    await expect(seatOn(zoe, `conversation:${conversationId}`)).rejects.toThrow("not_found");
    seat.client.close();
  });
});
