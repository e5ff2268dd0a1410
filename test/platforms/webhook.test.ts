import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { secretOfBusiness } from "../../server/agents/http-request.js";
import { systemClock } from "../../server/clock.js";
import { type Business, defaultBusiness } from "../../server/messaging/business.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import { createWebhook } from "../../server/platforms/webhook.js";
import { FakeTool } from "../support/fake-tool.js";

const secret = "a secret of thirty-two bytes or more";
const stored: Business = defaultBusiness("B1", "UTC");
const message: ChatMessage = {
  ...{ messageId: "m2", sessionId: "s1", offset: 2, businessId: "B1", userId: "agent", content: "Bună", type: "agent" },
  ...{ timestamp: "2026-03-02T10:00:00.000Z", metadata: { source: "webhook", responseId: "r2", inReplyTo: "m1" } },
};
const piece = { text: message.content, message, userId: "sms:7" };
const never = new AbortController().signal;

let program: FakeTool;

beforeEach(async () => {
  program = await FakeTool.start(secretOfBusiness(secret, "B1"));
});

afterEach(() => program.stop());

test("[M113] [B6] an address that a business stored may not be a private one, in whatever way it is written", async () => {
  const line = createWebhook({ clock: systemClock, secret });
  for (const host of ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433"]) {
    const taken = await line(stored, `http://${host}:${program.port}/`).send(piece, never);
    expect([host, taken]).toEqual([host, { kind: "failed", code: "forbidden_address", retryAfterMs: null }]);
  }
  expect(program.hits).toEqual([]);
});

test("[M113] [A12] what goes to one is signed with the business's own secret", async () => {
  const line = createWebhook({ clock: systemClock, secret, mayConnectTo: () => true });
  expect(await line(stored, program.url).send(piece, never)).toEqual({ kind: "taken" });
  expect(await line({ ...stored, origin: "file" }, program.url).send(piece, never)).toEqual({ kind: "taken" });
  expect(program.hits.map(({ isSigned, key }) => [isSigned, key])).toEqual([
    [true, "m2"],
    [false, "m2"],
  ]);
});

test.each([
  [200, "taken"],
  [204, "taken"],
  [301, "failed"],
  ...[400, 403, 410, 413, 422].map((status) => [status, "refused"] as const),
  ...[401, 404, 408, 425, 429, 500, 502, 503, 504].map((status) => [status, "failed"] as const),
])("[M112] a status of %d means that it is %s", async (status, kind) => {
  program.next({ status, headers: { location: "/elsewhere" } });
  const line = createWebhook({ clock: systemClock, secret, mayConnectTo: () => true });
  const taken = await line(stored, program.url).send(piece, never);
  expect(taken).toMatchObject(kind === "taken" ? { kind } : { kind, code: `status_${status}` });
});
