import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connect, type TestChannel } from "bennu/testing";
import { clientMessageKey } from "../../server/messaging/records.js";
import { readCurrentSession } from "../../server/messaging/sessions.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const topic = "messages:B0100001";

describe("messages:<businessId>, without a network", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
  });

  afterAll(async () => {
    await app.dispose();
  });

  async function join(params: Readonly<Record<string, string>>): Promise<TestChannel> {
    const socket = await connect(app.endpoint, "/socket", params, { headers: { host: "localhost" } });
    return socket.join(topic, {});
  }

  function say(channel: TestChannel, userId: string, message: string): string {
    return channel.push("new_message", { businessId: "B0100001", locationId: "default", userId, message });
  }

  test("[M14] [M15] [M16] [M17] reply, message_accepted, answer, and the outcome to the console", async () => {
    const [customer, console] = [await join({ userId: "ana" }), await join({})];
    expect(customer.reply).toMatchObject({ status: "ok", response: { role: "user", userId: "ana" } });
    expect(console.reply).toMatchObject({ status: "ok", response: { role: "coordinator" } });
    const ref = say(customer, "ana", "Bună ziua");
    const stored = (await customer.assertReply(ref, "ok", { offset: 1 })) as { readonly messageId: string };
    const accepted = { messageId: stored.messageId, message: "Bună ziua", userId: "ana", locationId: "default" };
    for (const channel of [customer, console]) await channel.assertBroadcast("message_accepted", accepted);
    const answer = { message: "Bună ziua", inReplyTo: stored.messageId, offset: 2, from: "agent" };
    await customer.assertBroadcast("new_message", answer);
    await console.assertBroadcast("message_processed", { messageId: stored.messageId, status: "answered" });
    for (const event of ["new_message", "error"]) console.refute(event);
    customer.refute("message_processed");
  });

  test("[X3] a customer hears nothing of another, and may not speak for one", async () => {
    const [ana, ion] = [await join({ userId: "ana_2" }), await join({ userId: "ion" })];
    await ana.assertReply(say(ana, "ion", "I am Ion"), "error", { code: "forbidden", reason: "forbidden" });
    await ana.assertBroadcast("error", { code: "forbidden" });
    await ana.assertReply(say(ana, "ana_2", "a secret"), "ok");
    await ana.assertBroadcast("new_message");
    // Whatever was for Ion would have come before the reply to this.
    await ion.assertReply(say(ion, "ion", "anything for me?"), "ok");
    for (const event of ["new_message", "message_accepted"]) ion.refute(event, { message: "a secret" });
    ion.refute("error");
  });

  test("[C4] an event that the desk does not know is answered, and the channel lives", async () => {
    const ana = await join({ userId: "ana_3" });
    await ana.assertReply(ana.push("no_such_event", {}), "error", { code: "unknown_event" });
    await ana.assertReply(say(ana, "ana_3", "still here"), "ok");
  });

  test("[M21] when there is no room a retry of what is stored gets its first reply, and what is new is busy", async () => {
    const agent = new ScriptedAgent();
    const small = await startTestApp({ MAX_BACKLOG_PER_BUSINESS: "1" }, { agents: { echo: agent } });
    const socket = await connect(small.endpoint, "/socket", { userId: "ana" }, { headers: { host: "localhost" } });
    const channel = await socket.join(topic, {});
    const push = (message: string, clientMessageId?: string) =>
      channel.push("new_message", {
        ...{ businessId: "B0100001", locationId: "default", userId: "ana", message },
        ...(clientMessageId === undefined ? {} : { clientMessageId }),
      });
    const { messageId } = (await channel.assertReply(push("one", "c1"), "ok")) as { readonly messageId: string };
    const call = await agent.call("one");
    await channel.assertReply(push("one", "c1"), "ok", { messageId, duplicate: true });
    await channel.assertReply(push("one!", "c1"), "error", { code: "idempotency_mismatch" });
    for (const clientMessageId of ["c2", undefined]) {
      const busy = { code: "busy", retryAfterMs: 1000 };
      await channel.assertReply(push("two", clientMessageId), "error", busy);
    }
    // Nothing of what was refused is stored.
    expect(await small.store.readRecord(clientMessageKey("B0100001", "ana", "c2"))).toBeNull();
    call.answer();
    await channel.assertBroadcast("new_message", { offset: 2 });
    expect(agent.asked).toEqual(["one"]);
    await small.dispose();
  });

  test("[M21] [L27] a user who floods from several sockets is busy, and the others of the business are served", async () => {
    const agent = new ScriptedAgent();
    const app = await startTestApp({ MAX_BACKLOG_PER_USER: "20" }, { agents: { echo: agent } });
    const channelOf = async (userId: string) => {
      const socket = await connect(app.endpoint, "/socket", { userId }, { headers: { host: "localhost" } });
      return socket.join(topic, {});
    };
    const sockets = [await channelOf("ana"), await channelOf("ana"), await channelOf("ana")];
    for (let index = 0; index < 20; index += 1)
      await sockets[index % 3]!.assertReply(say(sockets[index % 3]!, "ana", `message ${index}`), "ok");
    for (const socket of sockets)
      await socket.assertReply(say(socket, "ana", "one more"), "error", { code: "busy", retryAfterMs: 1000 });
    const current = await readCurrentSession(app.store, { businessId: "B0100001", userId: "ana" });
    expect((await app.store.readHead(current!.value.sessionId))?.session.offset).toBe(20);
    const ion = await channelOf("ion");
    await ion.assertReply(say(ion, "ion", "hello"), "ok");
    (await agent.call("hello")).answer("good day");
    await ion.assertBroadcast("new_message", { message: "good day" });
    await app.dispose();
  });

  test("[L14] a session with too many open turns is busy", async () => {
    const agent = new ScriptedAgent();
    const small = await startTestApp({ MAX_BACKLOG_PER_BUSINESS: "1000" }, { agents: { echo: agent } });
    const socket = await connect(small.endpoint, "/socket", { userId: "ana" }, { headers: { host: "localhost" } });
    const channel = await socket.join(topic, {});
    for (let index = 0; index < 100; index += 1)
      await channel.assertReply(say(channel, "ana", `message ${index}`), "ok");
    const { store } = small;
    const current = await readCurrentSession(store, { businessId: "B0100001", userId: "ana" });
    await channel.assertReply(say(channel, "ana", "one more"), "error", { code: "busy", retryAfterMs: 1000 });
    expect((await store.readHead(current!.value.sessionId))?.turns).toHaveLength(100);
    await small.dispose();
  });
});
