import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { FakeClock } from "../support/fake-clock.js";
import { ask, problemCode } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { WireClient } from "../support/wire.js";

let app: TestApp;
let folder: string;

afterEach(async () => {
  await app.dispose();
  await rm(folder, { recursive: true, force: true });
});

test("[B8] a day's messages are those of every door: then 402, and nothing is stored; a retry is no message", async () => {
  folder = await mkdtemp(join(tmpdir(), "bennu-quota-"));
  const limited = "businessId: B7\nname: Small\nlocale: en\ntimeZone: UTC\nlimits: { messagesPerDayPerUser: 3 }\n";
  await writeFile(join(folder, "B7.yaml"), limited);
  // A clock that stands still: no day ends meanwhile.
  app = await startTestApp({ BUSINESSES_DIR: folder, MAX_MESSAGE_BYTES: "10" }, { clock: new FakeClock() });
  const headers = { "x-user-id": "ana", "x-business-id": "B7", "content-type": "application/json" };
  const post = (path: string, body: unknown, key?: string) =>
    ask(app, path, {
      method: "POST",
      headers: { ...headers, ...(key === undefined ? {} : { "idempotency-key": key }) },
      body: JSON.stringify(body),
    });
  const { _id } = JSON.parse((await post("/chats", {})).text) as { _id: string };
  const message = { businessId: "B7", userId: "ana", locationId: "default" };

  const tab = await WireClient.connect(app.url);
  await tab.call("messages:B7", "phx_join", { userId: "ana" });
  expect((await tab.call("messages:B7", "new_message", { ...message, message: "1" })).status).toBe("ok");
  expect((await post("/api/messages", { ...message, message: "2" }, "two")).status).toBe(202);
  for (const text of ["longer than it may be", " "]) {
    expect((await post("/api/messages", { ...message, message: text })).status).toBeGreaterThan(399);
  }
  for (let retry = 0; retry < 3; retry += 1) {
    expect((await post("/api/messages", { ...message, message: "2" }, "two")).status).toBe(202);
  }
  expect((await post(`/chats/${_id}/messages`, { content: "3" }, "three")).status).toBe(202);

  const refused = await post(`/chats/${_id}/messages`, { content: "4" });
  expect([refused.status, problemCode(refused)]).toEqual([402, "quota_exceeded"]);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  const { status, response } = await tab.call("messages:B7", "new_message", { ...message, message: "4" });
  expect([status, response]).toMatchObject(["error", { code: "quota_exceeded" }]);
  // What is stored is answered to whoever asks again.
  expect((await post(`/chats/${_id}/messages`, { content: "3" }, "three")).status).toBe(202);
  const { messages } = JSON.parse((await ask(app, `/chats/${_id}/messages`, { headers })).text) as {
    messages: { content: string; messageType: string }[];
  };
  expect(messages.filter(({ messageType }) => messageType === "user").map(({ content }) => content)).toEqual(["3"]);
  tab.close();
});
