import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import { Chat } from "../../client/chat.js";
import type { ChatOptions } from "../../client/chat-view.js";
import type { ChatError } from "../../client/chat-error.js";
import { limits } from "../../client/limits.js";
import { error, ok } from "../../server/bennu.js";
import { FakeClock } from "../support/fake-clock.js";
import { type Payload, ScriptedDesk } from "../support/scripted-desk.js";
import { until } from "../support/until.js";

let desk: ScriptedDesk;
let url: string;
const chats: Chat[] = [];

beforeEach(async () => {
  desk = new ScriptedDesk();
  url = await desk.start();
  desk.onPush = (event, payload) => (event === "new_message" ? ok(store(payload)) : ok({}));
});

afterEach(async () => {
  await Promise.all(chats.splice(0).map((chat) => chat.leave()));
  await desk.stop();
});

test("[M12] joins as the user, and names the window", async () => {
  await connected(open({ chatId: "window-1" }));
  expect(desk.joins).toEqual([{ userId: "u1", chatId: "window-1" }]);
});

test("[M14] sends all that the desk asks for, and gives its receipt", async () => {
  const chat = await connected(open());
  const receipt = await chat.send("Bună");
  expect(receipt).toEqual({ messageId: "m1", sessionId: "s1", offset: 1, timestamp: "2026-01-01T10:00:01.000Z" });
  expect(said()[0]).toMatchObject({
    businessId: "B1",
    locationId: "default",
    userId: "u1",
    message: "Bună",
    chatId: chat.chatId,
  });
  expect(chat.messages).toMatchObject([{ state: "stored", from: "user", content: "Bună", messageId: "m1" }]);
});

test("[M13] messages written at once are sent in their order", async () => {
  const chat = open();
  const receipts = Promise.all(["a", "b", "c"].map((text) => chat.send(text)));
  chat.connect();
  expect((await receipts).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  expect(said().map(({ message }) => message)).toEqual(["a", "b", "c"]);
});

test("[M13] a message whose reply was lost is sent again with the same clientMessageId", async () => {
  const chat = await connected(open());
  desk.onPush = () => undefined;
  const receipt = chat.send("once");
  await until("the first try", () => said().length === 1);
  desk.onPush = (_event, payload) => ok({ ...store(payload), duplicate: true });
  desk.breakConnections();
  await expect(receipt).resolves.toMatchObject({ messageId: "m2" });
  expect(said()[1]?.clientMessageId).toBe(said()[0]?.clientMessageId);
  expect(chat.messages).toHaveLength(1);
});

test("[M15] message_accepted is as good as the reply", async () => {
  const chat = await connected(open());
  desk.onPush = (_event, payload, line) => line.push("message_accepted", { ...store(payload), ...payload });
  await expect(chat.send("hello")).resolves.toMatchObject({ messageId: "m1", offset: 1 });
  expect(chat.messages).toHaveLength(1);
});

test("[M15] message_accepted for another text under the same id confirms nothing", async () => {
  const chat = await connected(open());
  desk.onPush = (_event, payload, line) => {
    line.push("message_accepted", { ...store(payload), message: "another text" });
    return error({ code: "idempotency_mismatch" });
  };
  await expect(chat.send("hello", { clientMessageId: "c1" })).rejects.toMatchObject({ code: "idempotency_mismatch" });
});

test("[M64] message_accepted is as good as the reply for a form too, whose text only the server knows", async () => {
  const chat = await connected(open());
  desk.onPush = (_event, payload, line) => {
    line.push("message_accepted", { ...store(payload), offset: 1, message: "Day: 2026-03-05", ...payload });
  };
  await expect(chat.submit("c1", { day: "2026-03-05" })).resolves.toMatchObject({ offset: 1 });
  expect(chat.messages).toMatchObject([{ content: "Day: 2026-03-05", state: "stored" }]);
});

test("[M10] a refused message rejects with the code, can be tried again, and is then no failure any more", async () => {
  const chat = await connected(open());
  const retryAfterMs = limits.retryAfterMaxMs + 1;
  desk.onPush = () => error({ code: "busy", reason: "busy", message: "Încearcă mai târziu", error: "…", retryAfterMs });
  await expect(chat.send("hello")).rejects.toMatchObject({
    code: "busy",
    message: "Încearcă mai târziu",
    retryAfterMs,
  });
  const failed = chat.messages[0]!;
  expect(failed).toMatchObject({ state: "failed", code: "busy" });
  desk.onPush = (_event, payload) => ok(store(payload));
  await chat.send(failed.content, { clientMessageId: failed.clientMessageId! });
  expect(chat.messages).toMatchObject([{ id: failed.id, state: "stored" }]);
});

test.each(["rate_limited", "busy", "storage_unavailable"])(
  "[M10] a message that is refused as %s waits, and what was written after it, but not for ever",
  async (code) => {
    const clock = new FakeClock();
    const chat = await connected(open({ clock }));
    const retryAfterMs = limits.retryAfterMaxMs;
    desk.onPush = (_event, payload) =>
      payload.message === "a" ? error({ code, message: "x", retryAfterMs }) : ok(store(payload));
    const first = expect(chat.send("a")).rejects.toMatchObject({ code });
    const second = chat.send("b");
    const waits = limits.refusedMaxMs / retryAfterMs;
    for (let wait = 0; wait < waits; wait += 1) {
      await until("it is told to wait", () => clock.timerCount === 1);
      expect(said().map(({ message }) => message)).toEqual(Array(wait + 1).fill("a"));
      expect(chat.messages).toMatchObject([{ state: "sending" }, { state: "sending" }]);
      clock.advance(retryAfterMs);
    }
    await Promise.all([first, second]);
    expect(said().map(({ message }) => message)).toEqual([...Array<string>(waits + 1).fill("a"), "b"]);
  },
);

test("[M10] the time without a connection is no time of waiting to be taken", async () => {
  const clock = new FakeClock();
  const chat = await connected(open({ clock }));
  const retryAfterMs = limits.retryAfterMaxMs;
  desk.onPush = () => error({ code: "busy", message: "x", retryAfterMs });
  const sent = chat.send("a");
  await until("it is told to wait", () => clock.timerCount === 1);
  desk.breakConnections();
  await until("it notices", () => chat.status.state !== "online");
  clock.advance(limits.refusedMaxMs);
  await until("it is there again, and told to wait once more", () => said().length === 2 && clock.timerCount === 1);
  desk.onPush = (_event, payload) => ok(store(payload));
  clock.advance(retryAfterMs);
  await expect(sent).resolves.toMatchObject({ messageId: "m3" });
});

test("[M13] a message that breaks the channel every time is given up", async () => {
  const chat = await connected(open());
  desk.onPush = () => {
    throw new Error("crashed on purpose");
  };
  await expect(chat.send("poison")).rejects.toMatchObject({ code: "undelivered" });
  expect(said()).toHaveLength(limits.sendTriesMax);
});

test("[U-03] the outbox is bounded, and what does not fit is not shown", async () => {
  const chat = open();
  const kept = Array.from({ length: limits.outboxMax }, (_, index) =>
    chat.send(`text ${index}`).catch((cause: unknown) => cause),
  );
  await expect(chat.send("one too many")).rejects.toMatchObject({ code: "outbox_full" });
  expect(chat.messages).toHaveLength(limits.outboxMax);
  await chat.leave();
  expect(((await kept[0]) as ChatError).code).toBe("left");
});

test("[U-04] one action of the user is one message, however often it is triggered", async () => {
  const chat = open();
  void chat.send("again", { clientMessageId: "c1" }).catch(() => undefined);
  await expect(chat.send("again", { clientMessageId: "c1" })).rejects.toMatchObject({ code: "already_sending" });
});

test("[U-03] unsent messages survive a reload and are sent with their id", async () => {
  const storage = memoryStorage();
  const before = open({ storage });
  void before.send("written offline").catch(() => undefined);
  const { clientMessageId } = before.messages[0]!;
  const after = await connected(open({ storage }));
  await until("it is stored", () => after.messages[0]?.state === "stored");
  expect(said()).toMatchObject([{ message: "written offline", clientMessageId }]);
  expect([...storage.values()]).toEqual(["[]"]);
});

describe("[U-03] a message that failed, after a reload,", () => {
  test("is there with its reason, is not sent by itself, and can be tried again", async () => {
    const { storage, after } = await reloaded();
    await connected(after);
    expect(after.messages).toMatchObject([{ content: "hello", state: "failed", code: "blocked" }]);
    expect([said().length, after.unsentCount]).toEqual([1, 0]);
    desk.onPush = (_event, payload) => ok(store(payload));
    const [{ content, clientMessageId }] = after.messages as [(typeof after.messages)[number]];
    await after.send(content, { clientMessageId: clientMessageId! });
    expect(after.messages).toMatchObject([{ content: "hello", state: "stored" }]);
    expect([...storage.values()]).toEqual(["[]"]);
  });

  test("is gone once it is discarded", async () => {
    const { storage, after } = await reloaded();
    after.discard(after.messages[0]!.id);
    expect(after.messages).toEqual([]);
    expect([...storage.values()]).toEqual(["[]"]);
  });

  test("is no failure any more when it turns out that it had arrived", async () => {
    const { storage, after } = await reloaded();
    const { clientMessageId } = said()[0]!;
    const stored = { ...row(1), content: "hello", type: "user", metadata: { clientMessageId } };
    desk.onJoin = () => ok({ sessionId: "s1", offset: 1, epoch: "e1", messages: [stored], recovered: true });
    await connected(after);
    await until("it is stored", () => after.messages[0]?.state === "stored");
    expect(after.messages).toHaveLength(1);
    expect([...storage.values()]).toEqual(["[]"]);
  });

  test("gives way to what waits to be sent", async () => {
    const { after } = await reloaded();
    for (let index = 0; index < limits.outboxMax; index += 1) void after.send(`text ${index}`).catch(() => undefined);
    expect(after.unsentCount).toBe(limits.outboxMax);
  });

  /** A chat that begins over the storage of one whose only message was refused. */
  async function reloaded() {
    const storage = memoryStorage();
    const before = await connected(open({ storage }));
    desk.onPush = () => error({ code: "blocked", message: "x" });
    await expect(before.send("hello")).rejects.toMatchObject({ code: "blocked" });
    await before.leave();
    return { storage, after: open({ storage }) };
  }
});

describe("leave()", () => {
  test.each<[string, () => ReturnType<typeof memoryStorage>]>([
    ["nothing is sent yet", memoryStorage],
    ["a storage was full, and is not any more", () => Object.assign(memoryStorage(), { fullFor: 1 })],
  ])("[M13] keeps what was not sent for the next chat over its storage: %s", async (_what, makeStorage) => {
    const storage = makeStorage();
    const before = open({ storage });
    const told = ["a", "b"].map((text) => before.send(text).catch((cause: unknown) => cause));
    const ids = before.messages.map(({ clientMessageId }) => clientMessageId);
    await before.leave();
    expect(await Promise.all(told)).toMatchObject([{ code: "left" }, { code: "left" }]);
    const after = open({ storage });
    expect(after.messages).toMatchObject([{ state: "sending" }, { state: "sending" }]);
    // Whoever says it again, because it failed, says it once.
    await expect(after.send("a", { clientMessageId: ids[0]! })).rejects.toMatchObject({ code: "already_sending" });
    await connected(after);
    await until("they are stored", () => after.messages.every(({ state }) => state === "stored"));
    expect(said()).toMatchObject([
      { message: "a", clientMessageId: ids[0] },
      { message: "b", clientMessageId: ids[1] },
    ]);
    expect([...storage.values()]).toEqual(["[]"]);
  });

  test("[M13] what was under way is said again with its clientMessageId, so that it is stored once", async () => {
    const storage = memoryStorage();
    desk.onPush = () => undefined;
    const before = await connected(open({ storage }));
    const told = before.send("once").catch((cause: unknown) => cause);
    await until("the first try", () => said().length === 1);
    await before.leave();
    expect(await told).toMatchObject({ code: "left" });
    desk.onPush = (_event, payload) => ok({ ...store(payload), duplicate: true });
    const after = await connected(open({ storage }));
    await until("it is stored", () => after.messages[0]?.state === "stored");
    const [first, second, ...more] = said();
    expect([second?.clientMessageId, more]).toEqual([first?.clientMessageId, []]);
  });

  test("a chat that was left does not touch what the next one keeps", async () => {
    const storage = memoryStorage();
    const before = open({ storage });
    void before.send("a").catch(() => undefined);
    const after = open({ storage });
    void after.send("b").catch(() => undefined);
    await before.leave();
    const [said] = before.messages;
    before.merge([{ ...said!, state: "stored", messageId: "m1", sessionId: "s1", offset: 1 }]);
    expect(open({ storage }).messages.map(({ content }) => content)).toEqual(["a", "b"]);
  });

  test.each<[string, ReturnType<typeof memoryStorage> | undefined]>([
    ["no storage", undefined],
    ["one that is full", Object.assign(memoryStorage(), { fullFor: Infinity })],
  ])("with %s it is not said that anything is kept", async (_what, storage) => {
    const chat = open(storage === undefined ? {} : { storage });
    const told = chat.send("a").catch((cause: unknown) => cause);
    await chat.leave();
    expect(await told).toMatchObject({ code: "left", message: "The message was not sent." });
    expect(chat.messages).toMatchObject([{ state: "failed", code: "left" }]);
  });
});

test("[M12] a rejoin resumes where the conversation was left, and what was missed is there once", async () => {
  const chat = await connected(open());
  await chat.send("hello");
  desk.line!.push("new_message", answer(2));
  await until("the answer", () => chat.messages.length === 2);
  desk.onJoin = () => ok({ sessionId: "s1", offset: 3, epoch: "e1", messages: [answer(2), row(3)], recovered: true });
  desk.breakConnections();
  await until("what was missed", () => chat.messages.length === 3);
  expect(desk.joins[1]).toMatchObject({ resume: { sessionId: "s1", offset: 2, epoch: "e1" } });
  expect(chat.messages.map(({ offset, from }) => [offset, from])).toEqual([
    [1, "user"],
    [2, "agent"],
    [3, "coordinator"],
  ]);
});

test("[M12] says that more was missed than the join could tell", async () => {
  const chat = await connected(open());
  desk.onJoin = () => ok({ sessionId: "s1", offset: 900, epoch: "e2", messages: [], recovered: false });
  desk.breakConnections();
  await until("the rejoin", () => desk.joins.length === 2 && chat.status.state === "online");
  expect(chat.status).toMatchObject({ state: "online", sessionId: "s1", recovered: false, first: false });
});

test("[M10] a refused join tells why", async () => {
  desk.onJoin = () => error({ reason: "token_expired" });
  const chat = open();
  chat.connect();
  await until("the refusal", () => chat.status.state === "refused");
  expect(chat.status).toMatchObject({ error: { code: "token_expired" } });
});

test("[M12] a window that the server closes stays closed until it is asked to come back", async () => {
  const chat = await connected(open());
  desk.line!.stop("normal");
  await until("the end", () => chat.status.state === "closed");
  chat.connect();
  await until("the return", () => chat.status.state === "online");
  await expect(chat.send("back")).resolves.toMatchObject({ offset: 1 });
});

test("[M10] an error push is told once: to the send it belongs to, else to those who listen", async () => {
  const chat = await connected(open());
  const errors: ChatError[] = [];
  chat.onError((cause) => errors.push(cause));
  desk.onPush = (_event, { clientMessageId }, line) => {
    line.push("error", { code: "busy", message: "x", error: "y", clientMessageId });
    line.push("error", { code: "agent_failed", message: "x", error: "y", messageId: "m1" });
    return error({ code: "busy", message: "x" });
  };
  await expect(chat.send("hello")).rejects.toMatchObject({ code: "busy" });
  await until("the other", () => errors.length > 0);
  expect(errors).toMatchObject([{ code: "agent_failed", messageId: "m1" }]);
});

test("[X4] a token that is about to end is renewed in place", async () => {
  let issued = 0;
  await connected(open({ token: () => `token-${(issued += 1)}` }));
  desk.line!.push("token_expiring", { expiresAt: "2026-01-01T00:00:00.000Z" });
  await until("the renewal", () => desk.pushes.find(({ event }) => event === "access_token"));
  expect(desk.pushes).toEqual([{ event: "access_token", payload: { token: "token-2" } }]);
});

test("a strange row does not stop the others", async () => {
  desk.onJoin = () => ok({ sessionId: "s1", offset: 3, messages: [null, 7, { content: 5 }, row(3)] });
  const chat = await connected(open());
  expect(chat.messages).toHaveLength(1);
});

function open(options: Partial<ChatOptions> = {}): Chat {
  const chat = new Chat({
    url,
    businessId: "B1",
    userId: "u1",
    transport: WebSocket,
    reconnectAfterMs: () => 10,
    ...options,
  });
  chats.push(chat);
  return chat;
}

async function connected(chat: Chat): Promise<Chat> {
  chat.connect();
  await until("the chat is online", () => chat.status.state === "online");
  return chat;
}

function said(): Payload[] {
  return desk.pushes.filter(({ event }) => event === "new_message").map(({ payload }) => payload);
}

function store({ clientMessageId, message }: Payload): Payload {
  const offset = said().length;
  return { messageId: `m${offset}`, sessionId: "s1", offset, timestamp: timeOf(offset), clientMessageId, message };
}

function answer(offset: number): Payload {
  const place = { sessionId: "s1", messageId: `m${offset}`, offset, timestamp: timeOf(offset) };
  return {
    ...place,
    responseId: `r${offset}`,
    message: "an answer",
    actions: [],
    inReplyTo: "m1",
    from: "agent",
    isComplete: false,
  };
}

function row(offset: number): Payload {
  const place = { sessionId: "s1", messageId: `m${offset}`, offset, timestamp: timeOf(offset) };
  return { ...place, content: "a row", type: "coordinator", userId: "coordinator", metadata: { source: "websocket" } };
}

function timeOf(offset: number): string {
  return new Date(Date.UTC(2026, 0, 1, 10, 0, offset)).toISOString();
}

interface MemoryStorage extends Map<string, string> {
  /** So many writes fail. */
  fullFor: number;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

function memoryStorage(): MemoryStorage {
  const values = new Map<string, string>();
  const storage: MemoryStorage = Object.assign(values, {
    fullFor: 0,
    getItem: (key: string) => values.get(key) ?? null,
    setItem(key: string, value: string) {
      storage.fullFor -= 1;
      if (storage.fullFor >= 0) throw new Error("The storage is full.");
      values.set(key, value);
    },
  });
  return storage;
}
