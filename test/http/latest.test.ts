import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { AgentError } from "../../server/messaging/agent.js";
import { latestLengthMax } from "../../server/messaging/latest.js";
import { ClientSeats } from "../support/client-seats.js";
import { ask, problemCode } from "../support/plain-http.js";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

type Row = Readonly<Record<string, unknown>>;

const businessId = "B1";
const agent = new ScriptedAgent();
let app: TestApp;
let seats: ClientSeats;

beforeAll(async () => {
  app = await startTestApp({}, { agents: { echo: agent } });
  seats = new ClientSeats(businessId, () => app.url);
});

afterEach(() => seats.leaveAll());

afterAll(() => app.dispose());

const routes: readonly (readonly [string, (sessionId: string) => Promise<Row | undefined>])[] = [
  [
    "active",
    async (sessionId) => rowOf(await read(`/api/sessions/business/${businessId}/active?include=latest`), sessionId),
  ],
  ["list", async (sessionId) => rowOf(await read(`/api/sessions?businessId=${businessId}&include=latest`), sessionId)],
  ["one", (sessionId) => read(`/api/sessions/${sessionId}?include=latest`)],
];

describe.each(routes)("[H28] %s", (name, rowOfSession) => {
  const question = `Are you open for ${name}?`;

  test("tells what was said last, and which questions are open", async () => {
    const chat = await seats.online({ userId: `ana-${name}` });
    const first = await chat.send(question);
    const { sessionId } = first;
    const open = [{ messageId: first.messageId, timestamp: first.timestamp }];
    const asked = { type: "user", content: question, timestamp: first.timestamp };
    expect(await rowOfSession(sessionId)).toMatchObject({ sessionId, latest: asked, openQuestions: open });

    (await agent.call(question)).answer("Yes.");
    await until("it is answered", () => chat.messages.length === 2);
    const answered = await rowOfSession(sessionId);
    expect(answered).toMatchObject({ latest: { type: "agent", content: "Yes." }, openQuestions: [] });
    expect((answered?.latest as Row).timestamp).toBe(answered?.lastMessageAt);

    const colleague = await seats.consoleOnline();
    await colleague.takeOver(sessionId);
    const waiting = await chat.send(`${name} tomorrow?`);
    await colleague.note(sessionId, "A note is nothing that was said");
    expect(await rowOfSession(sessionId)).toMatchObject({
      latest: { type: "user", content: `${name} tomorrow?` },
      openQuestions: [{ messageId: waiting.messageId, timestamp: waiting.timestamp }],
    });
    await colleague.reply(sessionId, "x".repeat(latestLengthMax - 1) + "🙂");
    // Half a character is none.
    const cut = `${"x".repeat(latestLengthMax - 1)}\ufffd`;
    expect(await rowOfSession(sessionId)).toMatchObject({
      latest: { type: "coordinator", content: cut },
      openQuestions: [],
    });
  });

  test("tells of a failure that it is one, and of a command that it is no question", async () => {
    const chat = await seats.online({ userId: `bob-${name}` });
    const { sessionId } = await chat.send(`fail ${name}`);
    (await agent.call(`fail ${name}`)).say(new AgentError("broken"));
    await until("it has failed", () => chat.messages.length === 2);
    expect(await rowOfSession(sessionId)).toMatchObject({
      latest: { type: "system", code: "agent_failed" },
      openQuestions: [],
    });
  });
});

test("[H28] without it nothing else is read or told, and another word is none", async () => {
  const { sessionId } = await (await seats.online({ userId: "carla" })).send("hello");
  for (const path of [`/api/sessions/${sessionId}`, `/api/sessions?businessId=${businessId}&q=carla`]) {
    expect((await ask(app, path)).text).not.toContain("latest");
    const wrong = await ask(app, `${path}${path.includes("?") ? "&" : "?"}include=last`);
    expect([wrong.status, problemCode(wrong)]).toEqual([400, "invalid_payload"]);
  }
  const wrong = await ask(app, `/api/sessions/business/${businessId}/active?include=thinking`);
  expect([wrong.status, problemCode(wrong)]).toEqual([400, "invalid_payload"]);
});

async function read(path: string): Promise<Row> {
  const { status, text } = await ask(app, path);
  expect(status).toBe(200);
  return JSON.parse(text) as Row;
}

function rowOf({ sessions, activeSessions }: Row, sessionId: string): Row | undefined {
  return ((sessions ?? activeSessions) as readonly Row[]).find((row) => row.sessionId === sessionId);
}
