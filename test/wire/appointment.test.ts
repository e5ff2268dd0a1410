import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { parse, stringify } from "yaml";
import type { Aside, ChatMessage } from "../../server/messaging/model.js";
import { DeskWindow } from "../support/desk-window.js";
import { FakeClock } from "../support/fake-clock.js";
import { FakeTool } from "../support/fake-tool.js";
import type { Payload } from "../support/phoenix.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

// The conversation of the seed 001_5279e810485ea1a1, from the first word to the appointment, which the practice's own
// software gives.

const root = join(import.meta.dirname, "..", "..");
const businessId = "B0100001";
const userId = "user_123";
const secret = "a secret of more than thirty-two bytes";
/** Two dozen durable writes and a restart, on a machine that does other things too. */
const conversationMs = 120_000;
const stepShownAfterMs = 150;

const opening = "Vreau să fac o programare";
const parameters = {
  ...{ serviciu: "Detartraj", data: "2026-03-06", ora: "10:30" },
  ...{ nume: "Ana Pop", telefon: "0722123456" },
};
const confirmation =
  "Programarea a fost înregistrată: Detartraj, vineri, 6 martie 2026, ora 10:30, pe numele Ana Pop, telefon 0722123456. Te așteptăm!";

/** What is said, and what is answered. */
type Exchange = readonly [said: string, answered: string];

const questions: readonly Exchange[] = [
  [opening, "Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?"],
  ["Detartraj", "În ce zi ai vrea să vii?"],
  ["vineri la 10:30", "Pe ce nume facem programarea?"],
  ["Ana Pop, 0722 123 456", confirmation],
];

const form: readonly Exchange[] = [
  [
    opening,
    `Bună! Te ajut să faci o programare.

Completează, te rog, sau scrie-mi aici:
- Ce tip de serviciu dorești? Consultație, Detartraj, Plombă, Extracție, Tratament de canal, Albire, Coroană, Aparat dentar, Consultație de urgență
- În ce zi ai vrea să vii?
- La ce oră îți este bine?
- Pe ce nume facem programarea?
- La ce număr de telefon te putem suna?`,
  ],
  [
    `Ce tip de serviciu dorești? Detartraj
În ce zi ai vrea să vii? 2026-03-06
La ce oră îți este bine? 10:30
Pe ce nume facem programarea? Ana Pop
La ce număr de telefon te putem suna? 0722123456`,
    confirmation,
  ],
];

let tool: FakeTool;
let folder: string;
let clock: FakeClock;
let app: TestApp;
let customer: DeskWindow;
let console: DeskWindow;
/** What coordinators were told of outcomes before a restart. */
let earlier: readonly Payload[];

beforeEach(async () => {
  tool = await FakeTool.start(secret);
  folder = await mkdtemp(join(tmpdir(), "bennu-businesses-"));
  // Monday, noon in Bucharest.
  clock = new FakeClock(Date.parse("2026-03-02T10:00:00.000Z"));
  earlier = [];
});

afterEach(async () => {
  await closeWindows();
  await app.dispose();
  await tool.stop();
  await rm(folder, { recursive: true });
});

/** The practice as it ships, but that it books with its tool. */
async function open(ask: "form" | "questions"): Promise<void> {
  const shipped = parse(await readFile(join(root, "businesses", `${businessId}.yaml`), "utf8")) as Payload;
  const [booking, ...others] = shipped.intents as readonly Payload[];
  const intents = [{ ...booking, ask, tool: { kind: "webhook", url: tool.url } }, ...others];
  await writeFile(join(folder, `${businessId}.yaml`), stringify({ ...shipped, intents }));
  await start();
}

async function start(dataDir?: string): Promise<void> {
  const environment = { AGENT: "assistant", AGENT_SECRET: secret, BUSINESSES_DIR: folder, IDLE_TIMEOUT_MS: "0" };
  app = await startTestApp({ ...environment, ...(dataDir === undefined ? {} : { DATA_DIR: dataDir }) }, { clock });
  customer = await DeskWindow.open(app.url, businessId, { userId });
  console = await DeskWindow.open(app.url, businessId, {});
}

async function closeWindows(): Promise<void> {
  earlier = console.heard("message_processed");
  for (const window of [customer, console]) await window.close();
}

interface Way {
  readonly ask: "form" | "questions";
  readonly exchanges: readonly Exchange[];
  /** Gives the practice's tool the last that it needs. @returns the reply */
  readonly finish: (sessionId: unknown) => Promise<Payload>;
}

const ways: readonly Way[] = [
  { ask: "questions", exchanges: questions, finish: () => customer.say(questions.at(-1)![0]) },
  { ask: "form", exchanges: form, finish: fillIn },
];

/** Fills in the form that the history shows: that of the page is gone when the page is. */
async function fillIn(sessionId: unknown): Promise<Payload> {
  const shown = (await history(sessionId)).at(-1)!.data as { readonly components: readonly Payload[] };
  const [{ componentId }] = shown.components as [Payload];
  const values = { ...parameters, telefon: "0722 123 456" };
  return customer.push("component_submit", { componentId, values });
}

/** All that is said before the tool is needed, each when what was said before is answered. */
async function talk(exchanges: readonly Exchange[]): Promise<Payload> {
  let reply: Payload = {};
  for (const [said, answered] of exchanges) {
    reply = await customer.say(said);
    expect(await customer.answerTo(reply)).toMatchObject({ message: answered, isComplete: false, from: "agent" });
  }
  return reply;
}

async function history<Row = ChatMessage>(sessionId: unknown, query = ""): Promise<readonly Row[]> {
  const response = await fetch(`${app.url}/api/sessions/${String(sessionId)}/messages${query}`);
  return ((await response.json()) as { readonly messages: readonly Row[] }).messages;
}

const interruptions = [
  "nothing",
  "a connection that drops while the practice is asked",
  "a restart before the last answer",
] as const;
const cases = ways.flatMap((way) => interruptions.map((interruption) => ({ ...way, interruption })));

describe("[A21] [A24] [M60] an appointment, from the first word to the word of the practice", () => {
  test.each(cases)(
    "by $ask, with $interruption in between",
    async ({ ask, exchanges, finish, interruption }) => {
      await open(ask);
      const { sessionId } = await talk(exchanges.slice(0, -1));
      const begun = await customer.hears("intent_updated", ({ name }) => name === "programare");
      const { intentId } = begun;
      expect(begun).toMatchObject({ sessionId, status: "active", parameters: {} });
      if (interruption === "a restart before the last answer") await restart(exchanges.length - 1);

      const answerTool = holdTool();
      const last = await finish(sessionId);
      expect(last).toMatchObject({ sessionId, offset: exchanges.length * 2 - 1 });
      expect(await tool.hit(1)).toMatchObject({
        ...{ key: intentId, isSigned: true },
        body: { businessId, userId, sessionId, intentId, intent: "programare", parameters, locale: "ro" },
      });
      clock.advance(stepShownAfterMs);
      await customer.hears("thinking", ({ step, status }) => step === "tool" && status === "started");
      if (interruption === "a connection that drops while the practice is asked") {
        await customer.drop();
        const [{ thinking }] = customer.joins.at(-1)!.running as [{ readonly thinking: readonly Payload[] }];
        expect(thinking).toContainEqual({ step: "tool", label: "Trimit cererea", status: "started" });
      }
      answerTool();
      expect(await customer.answerTo(last)).toMatchObject({ message: confirmation, isComplete: true, from: "agent" });
      const steps = customer.heard("thinking").map(({ step, status }) => [step, status]);
      expect(steps.filter(([step]) => step === "tool")).toEqual([
        ["tool", "started"],
        ["tool", "done"],
      ]);
      const completed = await customer.hears("intent_updated", ({ status }) => status === "completed");
      expect(completed).toMatchObject({ intentId, sessionId, parameters, missing: [] });

      await expectHistory(exchanges, { sessionId, intentId });
      await expectProcessed(exchanges);
      expect(tool.hits.map(({ key }) => key)).toEqual([intentId]);
    },
    conversationMs,
  );
});

/** The practice does not answer its next call before it is told to. */
function holdTool(): () => void {
  let held: ServerResponse | undefined;
  tool.next((response) => void (held = response));
  return () => held!.writeHead(204).end();
}

/** The page is closed, the server stopped and started on the same data, and the page opened again. */
async function restart(exchangeCount: number): Promise<void> {
  await until("the coordinators were told", () => console.heard("message_processed").length === exchangeCount);
  await closeWindows();
  await app.stop();
  await start(app.dataDir);
}

/** Everything is kept as it was said, in its order, the call of the tool with the outcome that it gave. */
async function expectHistory(exchanges: readonly Exchange[], { sessionId, intentId }: Payload): Promise<void> {
  const rows = await history(sessionId);
  expect(rows.map(({ offset, type, content }) => [offset, type, content])).toEqual(
    exchanges.flatMap(([said, answered], n) => [
      [2 * n + 1, "user", said],
      [2 * n + 2, "agent", answered],
    ]),
  );
  // What begins it was said before anybody knew that it does.
  expect(rows.map(({ metadata }) => metadata.intentId)).toEqual([undefined, ...rows.slice(1).map(() => intentId)]);
  const toolCalls = [{ name: "programare", intentId, parameters, status: "done", result: {} }];
  expect(rows.flatMap(({ metadata }) => metadata.toolCalls ?? [])).toEqual(toolCalls);
  expect(rows.at(-1)!.metadata).toMatchObject({ isComplete: true, toolCalls });
  const thought = (await history<ChatMessage | Aside>(sessionId, "?include=thinking")).filter(
    ({ type }) => type === "thinking",
  );
  expect(thought.map(({ data }) => data)).toContainEqual({ step: "tool", status: "done" });
}

/** The coordinators were told of each outcome once, and that of the task. */
async function expectProcessed(exchanges: readonly Exchange[]): Promise<void> {
  const processed = () => [...earlier, ...console.heard("message_processed")];
  await until("all outcomes", () => processed().length >= exchanges.length);
  expect(processed().map(({ message, answer, status }) => [message, answer, status])).toEqual(
    exchanges.map(([said, answered]) => [said, answered, "answered"]),
  );
  await console.hears("intent_updated", ({ status }) => status === "completed");
}

/** The component that was shown last. */
async function shownIn(sessionId: unknown): Promise<unknown> {
  const components = (await history(sessionId)).flatMap(
    ({ data }) => (data as { readonly components?: readonly Payload[] } | undefined)?.components ?? [],
  );
  return components.at(-1)!.componentId;
}

describe("what is asked once is answered once", () => {
  test(
    "[A24] [M64] a form that is sent twice, each time under another id, is one booking and one call",
    async () => {
      await open("form");
      const { sessionId } = await talk(form.slice(0, 1));
      const componentId = await shownIn(sessionId);
      const submit = (clientMessageId: string, values: Payload) =>
        customer.push("component_submit", { componentId, values, clientMessageId });
      const sent = [await submit("one", parameters), await submit("two", { ...parameters, nume: "Ion Pop" })];
      const said = [];
      for (const each of sent) said.push((await customer.answerTo(each)).message);
      expect(said).toEqual([confirmation, `Am primit deja acest răspuns. ${confirmation}`]);
      expect(tool.hits.map(({ body }) => body.parameters)).toEqual([parameters]);
      expect(customer.heard("intent_updated").filter(({ status }) => status === "completed")).toHaveLength(1);
      expect((await history(sessionId)).flatMap(({ metadata }) => metadata.toolCalls ?? [])).toHaveLength(1);
    },
    conversationMs,
  );

  test(
    "[A25] a button that is clicked later is no name: it puts right what it was offered for",
    async () => {
      await open("questions");
      const { sessionId } = await talk(questions.slice(0, 1));
      const componentId = await shownIn(sessionId);
      await talk(questions.slice(1, 3));
      const late = await customer.push("component_submit", { componentId, values: { choice: "Albire" } });
      expect(await customer.answerTo(late)).toMatchObject({ message: "Pe ce nume facem programarea?" });
      const [last] = questions.slice(-1);
      const answered = await customer.answerTo(await customer.say(last![0]));
      expect(answered.message).toBe(confirmation.replace("Detartraj", "Albire"));
      expect(tool.hits.map(({ body }) => body.parameters)).toEqual([{ ...parameters, serviciu: "Albire" }]);
    },
    conversationMs,
  );

  test(
    "[A21] [M42] what is cancelled while the practice is asked, and said again, has the same key",
    async () => {
      await open("questions");
      tool.next("hang");
      const all = "Vreau o programare la detartraj vineri la 10:30, mă numesc Ana Pop, 0722123456";
      const stopped = await customer.say(all);
      await tool.hit(1);
      await customer.push("cancel", { messageId: stopped.messageId });
      expect(await customer.answerTo(stopped)).toMatchObject({ message: "Am oprit răspunsul.", from: "system" });
      expect((await customer.answerTo(await customer.say(all))).message).toBe(`Bună! ${confirmation}`);
      expect(new Set(tool.hits.map(({ key }) => key)).size).toBe(1);
      expect(tool.done).toHaveLength(1);
    },
    conversationMs,
  );
});

test("the README shows this conversation", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  expect(readme).toContain(questions.map(([said, answered]) => `> **${said}**\\\n> ${answered}\n`).join(">\n"));
});
