import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { ConsoleDesk, row, sizes } from "../support/console-desk.js";
import { expectClean, online } from "../support/console-page.js";
import { watchShifts } from "../support/layout-shifts.js";
import { until } from "../support/until.js";

let desk: ConsoleDesk;

beforeAll(async () => {
  desk = await ConsoleDesk.build();
});

afterAll(() => desk?.browser.stop());

beforeEach(() => desk.start());

afterEach(() => desk.end());

test.each(sizes)(
  "[U-03] on a %s a server that is away for a minute is asked at most twenty times, and nothing is lost or said twice",
  async (_name, size) => {
    const { chat, call, sessionId } = await desk.asked("ana", "Hello");
    call.answer();
    const tries: string[] = [];
    const open = new Set<number>();
    const { page, pageErrors } = await desk.open(size, async (page) => {
      await page.clock.install();
      page.on("websocket", (socket) => {
        const at = tries.push(socket.url());
        open.add(at);
        socket.on("close", () => open.delete(at));
      });
      page.on("request", (request) => tries.push(request.url()));
    });
    await row(page, "ana").click();
    await page.locator(".message.agent").waitFor();
    const field = page.getByRole("textbox", { name: "Write to the customer" });
    await field.fill("I am on it");
    await desk.app.stop();
    await page.locator(".connection[data-state=offline]").waitFor();
    for (let pressed = 0; pressed < 3; pressed += 1) await field.press("Enter");
    const before = tries.length;
    for (let second = 0; second < 60; second += 1) {
      await page.clock.runFor(1000);
      // A try that has failed is what the next one waits for.
      await until("it has failed", () => open.size === 0);
    }
    const asked = tries.length - before;
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThanOrEqual(20);
    await desk.startAgain();
    await page.clock.runFor(60_000);
    await online(page);
    await chat.send("Still there?");
    await page.locator(".message.user", { hasText: "Still there?" }).waitFor();
    expect(await field.inputValue()).toBe("I am on it");
    await field.press("Enter");
    await page.locator(".message.coordinator", { hasText: "I am on it" }).waitFor();
    await until("the customer has it", () => chat.messages.length === 4);
    const { messages } = (await (await fetch(`${desk.app.url}/api/sessions/${sessionId}/messages`)).json()) as {
      readonly messages: readonly { readonly content: string }[];
    };
    const said = messages.map(({ content }) => content);
    expect(said).toEqual(["Hello", "answer to Hello", "Still there?", "I am on it"]);
    expect(await page.locator(".message .said").allTextContents()).toEqual(said);
    expect(pageErrors).toEqual([]);
  },
);

test.each(sizes)(
  "[U-01] on a %s an answer that is one line of 200 KB widens nothing: in the making, live and from history",
  async (_name, size) => {
    const line = `<img src=x onerror=alert(1)>${"W".repeat(200_000)}`;
    const { call } = await desk.asked("ana", "Hello");
    const opened = await desk.open(size);
    const { page } = opened;
    await row(page, "ana").click();
    await page.locator(".message.user").waitFor();
    call.say({ type: "delta", text: line });
    await page.locator(".making .said", { hasText: "<img src=x" }).waitFor();
    await expectHarmless(page);
    call.answer(line);
    await page.locator(".message.agent:not(.making)").waitFor();
    await expectHarmless(page);
    await page.reload();
    await online(page);
    await page.locator(".message.agent:not(.making) .said", { hasText: "<img src=x" }).waitFor();
    await expectHarmless(page);
    await page.getByRole("button", { name: /^Show all 200,0\d\d characters$/ }).click();
    await page.locator(".message.agent .said").getByText(line, { exact: true }).waitFor();
    await expectHarmless(page);
    expectClean(opened);
  },
);

const prices = `**Consultation** costs *150 lei*, see [the list](https://example.com/prices):

- cleaning
- \`whitening\`

| what | lei |
|---|---|
| X-ray | 80 |

[run](javascript:alert(1)) ![seen](https://elsewhere.example/seen.png)
<b onclick="alert(1)">bold</b> <script>document.title="hurt"</script>
`;

test.each(sizes)(
  "[U-01] [U-02] [console] on a %s an agent's Markdown is drawn as its customer sees it, and nothing else of it: in the making, live, as a draft and from history",
  async (size, options) => {
    const asked: URL[] = [];
    const { call, chat, sessionId } = await desk.asked("ana", "Prices?");
    const opened = await desk.open(options, (page) =>
      Promise.resolve(page.on("request", (request) => asked.push(new URL(request.url())))),
    );
    const { page } = opened;
    const isLoaded = () => asked.some(({ pathname }) => pathname === "/markdown.js");
    await row(page, "ana").click();
    await page.locator(".message.user").waitFor();
    expect(isLoaded()).toBe(false);
    call.say({ type: "delta", text: prices });
    await expectDrawn(page.locator(".making .said"));
    call.answer(prices);
    await expectDrawn(page.locator(".message.agent:not(.making) .said"));
    await desk.browser.look(opened, `markdown-${size}`);
    const late = await desk.asked("ana", "**And** tomorrow?");
    await page.locator(".message.user .said").getByText("**And** tomorrow?", { exact: true }).waitFor();
    const colleague = await desk.seats.consoleOnline();
    await colleague.takeOver(sessionId);
    late.call.answer(prices);
    await expectDrawn(page.locator(".message.draft .said"));
    await page.reload();
    await online(page);
    await expectDrawn(page.locator(".message.agent:not(.making) .said"));
    await expectDrawn(page.locator(".message.draft .said"));
    await expectHarmless(page);
    // Its end is in sight, however late it was drawn.
    await page.waitForFunction(atEnd);
    expect(await page.title()).not.toContain("hurt");
    expect(new Set(asked.map(({ origin }) => origin))).toEqual(new Set([desk.app.url]));
    expect(isLoaded()).toBe(true);
    expect(chat.messages[1]!.content).toBe(prices);
    expectClean(opened);
  },
);

const atEnd =
  "(({ scrollTop, scrollHeight, clientHeight }) => scrollHeight - scrollTop - clientHeight < 2)(document.querySelector('.thread'))";

async function expectDrawn(said: Locator): Promise<void> {
  await said.locator("strong", { hasText: "Consultation" }).waitFor();
  expect(await said.locator("em, code, li, td").allTextContents()).toEqual([
    ...["150 lei", "cleaning", "whitening", "whitening", "X-ray", "80"],
  ]);
  const links = await said.getByRole("link").evaluateAll((all) => all.map((each) => (each as HTMLAnchorElement).href));
  expect(links).toEqual(["https://example.com/prices", "https://elsewhere.example/seen.png"]);
  await said.getByText('<b onclick="alert(1)">bold</b>').waitFor();
  expect(await said.locator("script, img, b, [onclick]").count()).toBe(0);
}

test.each(sizes)("[console] on a %s nothing moves that nobody has touched", async (_name, size) => {
  const { call } = await desk.asked("ana", "Hello");
  const { page } = await desk.open(size, (page) => page.addInitScript(watchShifts));
  await row(page, "ana").waitFor();
  call.answer("Good morning");
  await row(page, "ana").getByText("Assistant: Good morning").waitFor();
  await desk.asked("bob", "/human please");
  await row(page, "bob").waitFor();
  await row(page, "ana").click();
  await page.locator(".message.agent").waitFor();
  const more = await desk.asked("ana", "And tomorrow?");
  await page.locator(".message.user", { hasText: "And tomorrow?" }).waitFor();
  more.call.say({ type: "thinking", step: "retrieval", label: "Looking it up", status: "started" });
  await page.locator(".making .started", { hasText: "Looking it up" }).waitFor();
  more.call.answer("Closed");
  await page.locator(".message.agent", { hasText: "Closed" }).waitFor();
  await desk.app.stop();
  await page.locator(".connection[data-state=offline]").waitFor();
  // What is told is told over what is there; a word in a line of its own may grow longer.
  expect(await page.evaluate("shifts.filter(({ value, hadRecentInput }) => !hadRecentInput && value > 0.005)")).toEqual(
    [],
  );
});

async function expectHarmless(page: Page): Promise<void> {
  expect(await page.locator(".thread img, .row img").count()).toBe(0);
  const wide = await page
    .locator("html, .thread, .list, .details, .head")
    .evaluateAll((all) => all.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length);
  expect(wide).toBe(0);
}
