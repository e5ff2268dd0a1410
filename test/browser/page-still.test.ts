import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { AgentComponent } from "../../server/messaging/agent.js";
import type { TestPage } from "../support/browser.js";
import { ClientSeats } from "../support/client-seats.js";
import { watchShifts } from "../support/layout-shifts.js";
import { desktop, expectClean, PageDesk, phone, say } from "../support/page-desk.js";
import { until } from "../support/until.js";

const marked = "Good morning, this is **bold** and\n\n- a list\n- of two";
const visit: AgentComponent = {
  ...{ type: "component", kind: "form", title: "Your visit" },
  fields: [
    { name: "day", label: "Day", type: "text", required: true },
    { name: "kind", label: "Kind", type: "choice", required: true, options: ["First visit", "Check-up"] },
  ],
};
const when: AgentComponent = {
  ...{ type: "component", kind: "choices", title: "When?" },
  choices: [
    { value: "am", label: "Morning" },
    { value: "pm", label: "Evening" },
  ],
};

let desk: PageDesk;

beforeAll(async () => {
  desk = await PageDesk.build();
});

afterAll(() => desk?.stop());

beforeEach(() => desk.start());

afterEach(() => desk.app.dispose());

describe.each([
  ["the page, on a desktop", false, desktop],
  ["the page, on a phone", false, phone],
  ["the widget, on a desktop", true, desktop],
  ["the widget, on a phone", true, phone],
])("[page] nothing moves in %s", (_name, isWidget, options) => {
  test("while it loads, nor while steps, text and the answer come", async () => {
    const { opened, page, moved, look } = await begin();
    await look("loaded");
    // What is longer than the window is seen by its end, and whatever grows or shrinks there moves all of it.
    (await desk.ask(page, "tell me all")).answer("a line\n".repeat(60).trim());
    await page.locator("#log .agent").waitFor();
    await look("a long answer");
    const call = await desk.ask(page, "hello");
    await look("said");
    call.say({ type: "thinking", step: "retrieval", label: "Looking it up", status: "started" });
    await page.locator(".step.started", { hasText: "Looking it up" }).waitFor();
    await look("a step");
    const place = await contentPlace(page, ".running");
    call.say({ type: "delta", text: "Good morning, this is " });
    await page.locator(".running .content", { hasText: "Good" }).waitFor();
    await look("text");
    // The text takes the place of the step, and the answer that of the text: nobody's eye has to look for it.
    expect(await contentPlace(page, ".running")).toEqual(place);
    call.say({ type: "delta", text: "plain" });
    await page.locator(".running .content", { hasText: "plain" }).waitFor();
    const grown = await contentPlace(page, ".running");
    call.answer("Good morning, this is plain");
    await page.locator("#log .agent .content", { hasText: "is plain" }).waitFor();
    await look("answered");
    expect(await contentPlace(page, ".agent:not(.running)")).toEqual(grown);
    await page.locator("#newest").waitFor({ state: "hidden" });
    expect(moved).toEqual({});
    expectClean(opened);
  });

  test("when the first answer that needs Markdown comes at once, and one that grows", async () => {
    const { opened, page, moved, look } = await begin();
    (await desk.ask(page, "hello")).answer(marked);
    await page.locator("#log .agent strong").waitFor();
    await look("at once");
    const call = await desk.ask(page, "again");
    call.say({ type: "delta", text: "Good morning, this is **bold**" });
    await page.locator(".running strong").waitFor();
    await look("growing");
    const place = await contentPlace(page, ".running");
    call.answer("Good morning, this is **bold**");
    await page.locator("#log .agent strong").nth(1).waitFor();
    await look("answered");
    expect(await contentPlace(page, "#log > :last-child")).toEqual(place);
    expect(moved).toEqual({});
    expectClean(opened);
  });

  test("when a form comes, is filled in, and choices and the confirmation follow", async () => {
    const { opened, page, moved, look } = await begin();
    const asked = await desk.ask(page, "book me in");
    asked.say(visit);
    asked.answer("Gladly.");
    await page.locator("#log .send-form").waitFor();
    await look("form");
    await page.getByLabel("Day").fill("Friday");
    await page.getByLabel("Kind").selectOption("Check-up");
    await page.locator(".send-form").click();
    const next = await desk.agent.call("Day: Friday\nKind: Check-up");
    await page.locator("#log .user.stored", { hasText: "Check-up" }).waitFor();
    await look("filled in");
    next.say(when);
    next.answer("Almost done.");
    await page.getByRole("button", { name: "Evening" }).waitFor();
    await look("choices");
    await page.getByRole("button", { name: "Evening" }).click();
    const last = await desk.agent.call("Evening");
    await look("chosen");
    last.answer("See you on Friday.");
    await page.locator("#log .agent", { hasText: "See you" }).waitFor();
    await look("confirmed");
    expect(moved).toEqual({});
    expectClean(opened);
  });

  test("when the connection goes and comes back, with what was said meanwhile", async () => {
    const { page, moved, look } = await begin();
    (await desk.ask(page, "hello")).answer("Good morning");
    await page.locator("#log .agent").waitFor();
    await look("said");
    const { dataDir, port } = desk.app;
    await desk.app.stop();
    await page.locator("#status[data-state=offline]").waitFor();
    await look("offline");
    await say(page, "still there?");
    await page.locator(".bubble.sending").waitFor();
    await look("unsent");
    await desk.start({ DATA_DIR: dataDir, PORT: String(port) });
    await page.locator("#status[data-state=online]").waitFor();
    (await desk.agent.call("still there?")).answer("Yes");
    await page.locator("#log .agent", { hasText: "Yes" }).waitFor();
    await look("back");
    expect(moved).toEqual({});
  });

  test("when what was said before comes, at the end or above, Markdown among it", async () => {
    const { page, moved, look } = await begin();
    const userId = await page.evaluate<string>("JSON.parse(localStorage['bennu.visitor:B0100001']).sub");
    const seats = new ClientSeats("B0100001", () => desk.app.url);
    const chat = await seats.online({ userId });
    for (let n = 1; n <= 30; n += 1) {
      await chat.send(`message ${n}`);
      (await desk.agent.call(`message ${n}`)).answer(`answer ${n}, **bold** and\n\n- a list\n- of two`);
      await until("its answer", () => chat.messages.length === 2 * n);
    }
    await seats.leaveAll();
    await page.reload();
    if (isWidget) await page.locator("bennu-chat .launcher").click();
    await page.locator("#log .bubble").nth(49).waitFor();
    await look("the newest");
    await page.locator("#scroll").evaluate((scroll) => (scroll.scrollTop = 0));
    await page.locator("#log .bubble").nth(59).waitFor();
    await look("above");
    expect(moved).toEqual({});
  });

  /** The chat, open and online; what is moved in it, by what had happened before one looked. */
  async function begin() {
    const opened = isWidget ? await openWidget(options) : await desk.open(options, watched);
    const { page } = opened;
    const moved: Record<string, unknown> = {};
    const look = async (phase: string) => {
      await frames(page);
      const shifts = await page.evaluate<unknown[]>("window.shifts.splice(0)");
      if (shifts.length > 0) moved[phase] = shifts;
    };
    return { opened, page, moved, look };
  }
});

test.each([
  ["a desktop", desktop],
  ["a phone", phone],
])("[page] on %s nothing moves when the page is drawn before its chat was read", async (_size, options) => {
  const { page } = await desk.open(options, watched);
  // What a slow line does: the body is there and drawn, and what is in it comes some frames later.
  await page.evaluate(() => {
    const chat = document.querySelector("#chat")!;
    chat.remove();
    Object.assign(globalThis, { chat });
  });
  await frames(page);
  await page.evaluate("shifts.splice(0)");
  await page.evaluate("document.body.append(chat)");
  await frames(page);
  expect(await page.evaluate("shifts")).toEqual([]);
});

function watched(page: Page): Promise<unknown> {
  return page.addInitScript(watchShifts);
}

async function openWidget(options: BrowserContextOptions): Promise<TestPage> {
  const opened = await desk.browser.openPage(options);
  const { page } = opened;
  await watched(page);
  const head = `<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">`;
  const body = `${head}<title>A practice</title><script src="/widget.js" data-locale="${options.locale}"></script>`;
  await page.route("**/site", (route) => route.fulfill({ contentType: "text/html", body: `<!doctype html>${body}` }));
  await page.goto(`${desk.app.url}/site`);
  await page.locator("bennu-chat .launcher").click();
  await page.locator("#status[data-state=online]").waitFor();
  return opened;
}

/** Where on the screen its text begins. */
function contentPlace(page: Page, bubble: string): Promise<unknown> {
  return page
    .locator(`${bubble} .content`)
    .last()
    .evaluate((content) => {
      const { x, y } = content.getBoundingClientRect();
      return { x: Math.round(x), y: Math.round(y) };
    });
}

/** Two frames: what moved in the first is told in the second. */
async function frames(page: Page): Promise<void> {
  await page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))",
  );
}
