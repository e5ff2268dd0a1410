import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { ChatMessage, User } from "../../server/messaging/model.js";
import { threadIdOf } from "../../server/messaging/steps/onboarding.js";
import { findUser } from "../../server/messaging/users.js";
import { FakeBotApi } from "../support/fake-bot-api.js";
import { FakeClock } from "../support/fake-clock.js";
import { ask, problemCode } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { ana, botBusiness, botToken, botVariables, bring, businessFolder, updateOf } from "../support/telegram-desk.js";

const { businessId } = botBusiness;
const userId = `telegram:${ana.id}`;
const typing = { method: "sendChatAction", chat_id: ana.id, action: "typing" };

let api: FakeBotApi;
let folder: Awaited<ReturnType<typeof businessFolder>>;
let clock: FakeClock;
let app: TestApp;

beforeEach(async () => {
  api = await FakeBotApi.start();
  folder = await businessFolder(botBusiness, { ...botBusiness, businessId: "T2", platforms: {} } as typeof botBusiness);
  clock = new FakeClock();
});

afterEach(async () => {
  await app.dispose();
  await api.stop();
  await folder.remove();
});

const start = async (environment: Readonly<Record<string, string>> = {}) => {
  const all = { ...botVariables, TELEGRAM_API_URL: api.url, BUSINESSES_DIR: folder.path, ...environment };
  app = await startTestApp(all, { clock });
};

async function get<T>(path: string): Promise<T> {
  return JSON.parse((await ask(app, path)).text) as T;
}

async function sessionsOf(of = userId): Promise<readonly { readonly sessionId: string; readonly threadId: string }[]> {
  type Sessions = { readonly sessions: { readonly sessionId: string; readonly threadId: string }[] };
  return (await get<Sessions>(`/api/sessions?businessId=${businessId}&userId=${of}`)).sessions;
}

async function saidIn(sessionId: string): Promise<readonly ChatMessage[]> {
  return (await get<{ messages: ChatMessage[] }>(`/api/sessions/${sessionId}/messages`)).messages;
}

describe("[H37] POST /api/webhooks/telegram/:businessId", () => {
  test("[M110] what is said to the bot is answered by the Bot API, and its user is known by what Telegram says", async () => {
    await start();
    const answer = await bring(app, updateOf(1, "Bună ziua"));
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, typing]);
    expect(await api.read(ana.id, 1)).toEqual(["Bună ziua"]);
    expect(api.calls).toEqual([
      { token: botToken, method: "sendMessage", body: { chat_id: ana.id, text: "Bună ziua" } },
    ]);
    const [session] = await sessionsOf();
    const [said] = await saidIn(session!.sessionId);
    expect(said).toMatchObject({ userId, type: "user", content: "Bună ziua" });
    expect(said!.metadata).toMatchObject({ source: "webhook", externalId: "1001", clientMessageId: "telegram:1" });
    const user = await get<User>(`/api/businesses/${businessId}/users/${userId}`);
    expect(user).toMatchObject({ userId, name: "Ana Pop", locale: "ro", platforms: ["telegram"] });
  });

  test("[M6] a repeated update is done once, and answered 200", async () => {
    await start();
    const answers = await Promise.all([1, 1, 1].map((id) => bring(app, updateOf(id, "Salut"))));
    answers.push(await bring(app, updateOf(1, "Salut")), await bring(app, updateOf(2, "Gata")));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(answers.map(({ text }) => text).filter((text) => text === "{}")).toHaveLength(3);
    expect(await api.read(ana.id, 2)).toEqual(["Salut", "Gata"]);
    const [session] = await sessionsOf();
    const contents = (await saidIn(session!.sessionId)).map(({ type, content }) => [type, content]);
    expect(contents.filter(([type]) => type === "user")).toEqual([
      ["user", "Salut"],
      ["user", "Gata"],
    ]);
  });

  test("another secret, or none, is 401 and nothing is stored; a business without a bot is 404", async () => {
    await start();
    for (const secret of [null, "", "a-secret-of-the-webhooK", "a-secret-of-the-webhook-"]) {
      const refused = await bring(app, updateOf(1, "Salut"), { secret });
      expect([refused.status, problemCode(refused)]).toEqual([401, "unauthorized"]);
      expect(refused.headers["www-authenticate"]).toBe("X-Telegram-Bot-Api-Secret-Token");
      expect(refused.text).not.toContain(botToken);
    }
    for (const to of ["T2", "T3", "T%201"]) {
      const refused = await bring(app, updateOf(1, "Salut"), { to });
      expect([refused.status, problemCode(refused)]).toEqual([404, "not_found"]);
    }
    expect(await sessionsOf()).toEqual([]);
  });

  const { message } = updateOf(7, "Salut");
  const group = { id: -5, type: "group", title: "Grup" };
  test.each<[string, object]>([
    ["an edit", { edited_message: message }],
    ["another kind of update", { callback_query: { id: "1", from: ana } }],
    ["a picture", { message: { ...message, text: undefined, photo: [] } }],
    ["blank text", { message: { ...message, text: " \n" } }],
    ["a group", { message: { ...message, chat: group } }],
    ["a bot", { message: { ...message, from: { ...ana, is_bot: true } } }],
    ["nobody", { message: { ...message, from: undefined } }],
  ])("%s is answered 200 and left out on purpose", async (_name, content) => {
    await start();
    const answer = await bring(app, { update_id: 7, ...content });
    expect([answer.status, answer.text]).toEqual([200, "{}"]);
    expect(await sessionsOf()).toEqual([]);
  });

  test("what is no update is 400, and what is too large 413", async () => {
    await start();
    for (const body of ["[]", "{}", '{"update_id":"1"}', "no json"]) {
      const refused = await bring(app, body);
      expect([refused.status, problemCode(refused)]).toEqual([400, "invalid_payload"]);
    }
    expect((await bring(app, updateOf(1, "x".repeat(270_000)))).status).toBe(413);
  });

  test("/start greets, and what Telegram puts behind a command is left out", async () => {
    await start();
    await bring(app, updateOf(1, "/start from-an-advertisement-with-a-long-name"));
    const [greeting] = await api.read(ana.id, 1);
    expect(greeting).toMatch(/^Bun venit la Cabinet!\n\n\/new/);
    // The assistant does not say it again.
    expect(await findUser(app.store, { businessId, userId })).toMatchObject({ greeted: true });
    await bring(app, updateOf(2, "/lang@CabinetBot en"));
    expect((await api.read(ana.id, 2))[1]).toBe("From now on we speak English.");
  });

  test("[M18] a user's name is as Telegram said last, their language as they chose it", async () => {
    await start();
    await bring(app, updateOf(1, "/lang en", { ...ana, language_code: "ro-RO" }));
    await api.read(ana.id, 1);
    await bring(app, updateOf(2, "Salut", { ...ana, first_name: "Ana Maria", language_code: "ro" }));
    await api.read(ana.id, 2);
    const user = await get<User>(`/api/businesses/${businessId}/users/${userId}`);
    expect(user).toMatchObject({ name: "Ana Maria Pop", locale: "en", platforms: ["telegram"] });
  });

  const inEnglish = { ...ana, language_code: "en" };
  const toldBy = ({ status, text }: { readonly status: number; readonly text: string }) => [
    status,
    JSON.parse(text) as unknown,
  ];
  const word = (text: string) => [200, { method: "sendMessage", chat_id: ana.id, text }];

  test("what can never be taken is answered 200, with a word to the user; what can in a moment is not", async () => {
    await start({ MAX_MESSAGE_BYTES: "10", MESSAGES_PER_MINUTE_PER_USER: "1" });
    expect(toldBy(await bring(app, updateOf(1, "more than ten bytes")))).toEqual(
      word("Mesajul este prea lung. Te rog trimite-l în mai multe bucăți."),
    );
    expect(toldBy(await bring(app, updateOf(1, "more than ten bytes", inEnglish)))).toEqual(
      word("The message is too long. Please send it in several pieces."),
    );
    expect((await bring(app, updateOf(2, "one"))).status).toBe(200);
    const soon = await bring(app, updateOf(3, "two"));
    expect([soon.status, problemCode(soon)]).toEqual([429, "rate_limited"]);
    expect(soon.headers["retry-after"]).toBeDefined();
    expect(await api.read(ana.id, 1)).toEqual(["one"]);
  });

  test("one who is blocked is answered 200, and told so", async () => {
    await start();
    await bring(app, updateOf(1, "one"));
    await api.read(ana.id, 1);
    const path = `/api/businesses/${businessId}/users/${userId}`;
    const headers = { "content-type": "application/json" };
    await ask(app, path, { method: "PATCH", headers, body: JSON.stringify({ blocked: true }) });
    expect(toldBy(await bring(app, updateOf(2, "two")))).toEqual(word("Nu mai primim mesaje de la tine."));
    expect(toldBy(await bring(app, updateOf(3, "three", inEnglish)))).toEqual(
      word("We take no more messages from you."),
    );
    expect(await api.read(ana.id, 1)).toEqual(["one"]);
  });

  test("[M18] one thread of a business, a user and Telegram, on every day; another's is another", async () => {
    await start();
    await bring(app, updateOf(1, "one"));
    await api.read(ana.id, 1);
    clock.advance(26 * 60 * 60 * 1000);
    await bring(app, updateOf(2, "two"));
    await api.read(ana.id, 2);
    await bring(app, updateOf(3, "three", { ...ana, id: 4712 }));
    await api.read(4712, 1);
    const threads = (await sessionsOf()).map(({ threadId }) => threadId);
    expect(threads).toHaveLength(2);
    expect(new Set(threads)).toEqual(new Set([threadIdOf(businessId, userId, "telegram")]));
    expect(threads).not.toContain((await sessionsOf("telegram:4712"))[0]!.threadId);
  });
});
