import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  connectPhoenix,
  disconnected,
  type Payload,
  phoenixVersions,
  type PhoenixChannel,
  type PhoenixVersion,
  settled,
} from "../support/phoenix.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const topic = "messages:B0100001";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("[W1] published phoenix.js clients, unchanged", () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ AGENT: "echo" });
  });

  afterAll(async () => {
    await app.dispose();
  });

  test.each(Object.keys(phoenixVersions) as PhoenixVersion[])(
    "phoenix %s has a whole conversation",
    async (version) => {
      const userId = `user_${version}`;
      const [customer, console, stranger] = await Promise.all([
        connectPhoenix(version, app.url, { businessId: "B0100001", userId }),
        connectPhoenix(version, app.url),
        connectPhoenix(version, app.url, { userId: "stranger" }),
      ]);
      const channel = customer.channel(topic, { userId });
      const overhead = stranger.channel(topic, { userId: `stranger_${version}` });
      const watching = console.channel(topic, {});
      const heard: Payload[] = [];
      for (const event of ["new_message", "message_accepted", "message_processed", "error"]) {
        overhead.on(event, (payload) => void heard.push(payload));
      }

      const joined = await settled(channel.join());
      expect(joined).toMatchObject({
        role: "user",
        userId,
        sessionId: null,
        offset: 0,
        messages: [],
        recovered: false,
        running: [],
        intent: null,
      });
      expect(joined.connectionId).toMatch(uuid);
      expect(await settled(watching.join())).toMatchObject({
        role: "coordinator",
        activeSessions: expect.any(Number) as unknown,
        cursor: expect.any(String) as unknown,
      });
      await settled(overhead.join());

      const answer = once(channel, "new_message");
      const processed = once(watching, "message_processed");
      const accepted = await settled(
        channel.push("new_message", { businessId: "B0100001", locationId: "default", userId, message: "Bună ziua" }),
      );
      expect(accepted).toEqual({
        messageId: expect.any(String),
        sessionId: expect.stringMatching(uuid),
        offset: 1,
        timestamp: expect.any(String),
      });

      expect(await answer).toEqual({
        responseId: expect.any(String),
        message: "Bună ziua",
        actions: [],
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        sessionId: accepted.sessionId,
        messageId: expect.any(String),
        inReplyTo: accepted.messageId,
        offset: 2,
        from: "agent",
        isComplete: true,
      });
      expect(await processed).toEqual({
        cursor: expect.any(String),
        businessId: "B0100001",
        locationId: "default",
        userId,
        sessionId: accepted.sessionId,
        messageId: accepted.messageId,
        message: "Bună ziua",
        responseId: (await answer).responseId,
        answer: "Bună ziua",
        status: "answered",
        timestamp: (await answer).timestamp,
        durationMs: expect.any(Number),
        source: "websocket",
      });

      const history = (await (
        await fetch(`${app.url}/api/sessions/${String(accepted.sessionId)}/messages`)
      ).json()) as Payload;
      expect(history).toEqual({
        sessionId: accepted.sessionId,
        businessId: "B0100001",
        userId,
        messages: [
          {
            messageId: accepted.messageId,
            sessionId: accepted.sessionId,
            offset: 1,
            businessId: "B0100001",
            userId,
            content: "Bună ziua",
            type: "user",
            timestamp: accepted.timestamp,
            metadata: { source: "websocket", connectionId: joined.connectionId },
          },
          expect.objectContaining({
            messageId: (await answer).messageId,
            userId: "agent",
            content: "Bună ziua",
            type: "agent",
            metadata: expect.objectContaining({
              source: "websocket",
              node: "echo",
              responseId: (await answer).responseId,
              inReplyTo: accepted.messageId,
            }) as unknown,
          }),
        ],
        pagination: { hasMore: false, nextCursor: null },
      });

      await settled(channel.leave());
      await settled(overhead.leave());
      expect(heard).toEqual([]);
      await Promise.all([customer, console, stranger].map(disconnected));
    },
  );
});

function once(channel: PhoenixChannel, event: string): Promise<Payload> {
  return new Promise((resolve) => channel.on(event, resolve));
}
