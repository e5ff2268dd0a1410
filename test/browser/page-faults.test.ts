import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { AgentComponent, ComponentField } from "../../server/messaging/agent.js";
import { desktop, expectClean, online, PageDesk, retryAtOnce, say } from "../support/page-desk.js";

let desk: PageDesk;

beforeAll(async () => {
  desk = await PageDesk.build();
});

afterAll(() => desk?.stop());

beforeEach(() => desk.start());

afterEach(() => desk.app.dispose());

function formOf(names: readonly string[]): AgentComponent {
  const fields = names.map((name): ComponentField => ({ name, label: `The ${name}`, type: "text", required: true }));
  return { type: "component", kind: "form", title: "Your visit", fields };
}

test("[M63] a form whose fields are called as a form's own parts are is a form like any other", async () => {
  const names = ["elements", "append", "addEventListener", "querySelector", "querySelectorAll", "submit", "noValidate"];
  const opened = await desk.open(desktop);
  const { page } = opened;
  const call = await desk.ask(page, "book me in");
  call.say(formOf(names));
  call.answer("Gladly.");
  const form = page.getByRole("form", { name: "Your visit" });
  await form.getByRole("button", { name: "Send" }).click();
  expect(await form.getByText("Please fill this in.").count()).toBe(names.length);
  for (const name of names) await form.getByLabel(`The ${name}`, { exact: true }).fill(`my ${name}`);
  await form.getByRole("button", { name: "Send" }).click();
  const next = await desk.agent.call(names.map((name) => `The ${name}: my ${name}`).join("\n"));
  next.answer("Thank you");
  await form.waitFor({ state: "detached" });
  expectClean(opened);
});

test("[M63] while the forms cannot be loaded the text asks as always, and they are tried again", async () => {
  const asked: string[] = [];
  let isBroken = true;
  const { page, pageErrors } = await desk.open(desktop, async (page) => {
    await page.addInitScript(retryAtOnce);
    await page.route("**/form.js*", (route) => {
      asked.push(route.request().url());
      return isBroken ? route.abort() : route.continue();
    });
  });
  const call = await desk.ask(page, "book me in");
  call.say(formOf(["day"]));
  call.answer("Gladly.");
  const text = page.locator("#log .agent .content");
  await text.getByText("The day").waitFor();
  isBroken = false;
  await page.getByRole("form", { name: "Your visit" }).getByLabel("The day").waitFor();
  expect(await text.textContent()).toBe("Gladly.");
  expect(asked.length).toBeGreaterThan(1);
  expect(new Set(asked).size).toBe(asked.length);
  expect(pageErrors).toEqual([]);
});

/** Run in the page. */
const storages = {
  full: () => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  },
  forbidden: () => {
    const get = () => {
      throw new DOMException("no", "SecurityError");
    };
    for (const kind of ["localStorage", "sessionStorage"]) Object.defineProperty(window, kind, { get });
  },
};

test.each(["full", "forbidden"] as const)(
  "[X11] where the browser's storage is %s, a visitor is made once and can write",
  async (kind) => {
    const visitors: string[] = [];
    const opened = await desk.open(desktop, async (page) => {
      await page.addInitScript(storages[kind]);
      page.on("request", (request) => request.url().includes("/api/visitors/") && visitors.push(request.url()));
    });
    const { page } = opened;
    const call = await desk.ask(page, "hello");
    call.answer("Good morning");
    await page.locator("#log .agent", { hasText: "Good morning" }).waitFor();
    expect(visitors).toHaveLength(1);
    expectClean(opened);
  },
);

test("[H23] what was said in a session that is deleted goes from the page", async () => {
  const opened = await desk.open(desktop);
  const { page } = opened;
  const call = await desk.ask(page, "hello");
  call.answer("Good morning");
  await page.locator("#log .agent").waitFor();
  expect((await fetch(`${desk.app.url}/api/sessions/${call.turn.sessionId}`, { method: "DELETE" })).status).toBe(204);
  await page.locator("#log .bubble").first().waitFor({ state: "detached" });
  await page.locator("#empty").waitFor();
  await say(page, "again");
  (await desk.agent.call("again")).answer("Good evening");
  await page.locator("#log .agent", { hasText: "Good evening" }).waitFor();
  expect(await page.locator("#log .bubble").count()).toBe(2);
  await online(page);
  expectClean(opened);
});

test("[U-04] a key that is held down and a button that is clicked twice say a thing once", async () => {
  const { page } = await desk.open(desktop);
  await page.fill("#text", "hello");
  await page.locator("#text").focus();
  // Every further `down` of a key that is not let go is a repetition.
  for (let n = 0; n < 3; n += 1) await page.keyboard.down("Enter");
  await page.keyboard.up("Enter");
  (await desk.agent.call("hello")).answer();
  await page.fill("#text", "again");
  await page.locator("#send").dblclick();
  (await desk.agent.call("again")).answer();
  await page.locator("#log .agent").nth(1).waitFor();
  expect(desk.agent.asked).toEqual(["hello", "again"]);
  expect(await page.locator("#log .user").count()).toBe(2);
});
