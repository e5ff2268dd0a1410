import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { labelsFor } from "../../client/page/labels.js";
import { troubleLabelsFor } from "../../client/page/trouble-labels.js";
import { violations, withAxe } from "../support/axe.js";
import { watchShifts } from "../support/layout-shifts.js";
import { artifacts, desktop, expectClean, online, PageDesk, phone, say } from "../support/page-desk.js";
import { join } from "node:path";
import { mkdir } from "node:fs/promises";

let desk: PageDesk;

beforeAll(async () => {
  desk = await PageDesk.build();
  await mkdir(artifacts, { recursive: true });
});

afterAll(() => desk?.stop());

afterEach(() => desk.app.dispose());

describe.each([
  ["desktop", desktop],
  ["phone", phone],
])("on a %s", (size, options) => {
  const labels = labelsFor(options.locale!);
  const trouble = troubleLabelsFor(labels.lang);

  test("[L10] what is longer than the server takes is written in full, and how much is too much is said", async () => {
    await desk.start({ MAX_MESSAGE_BYTES: "100" });
    const opened = await desk.open(options, async (page) => {
      await withAxe(page);
      await page.addInitScript(watchShifts);
    });
    const { page } = opened;
    const input = page.getByRole("textbox", { name: labels.message });
    // Two bytes each, as the server counts.
    await input.fill("ă".repeat(61));
    const excess = page.locator("#excess");
    await excess.getByText(trouble.tooLong(11)).waitFor();
    await page.screenshot({ path: join(artifacts, `too-long-${size}.png`) });
    expect(await violations(page)).toEqual([]);
    expect(await input.getAttribute("aria-invalid")).toBe("true");
    expect(await input.getAttribute("aria-describedby")).toBe("excess");
    await input.press("Enter");
    await page.getByRole("alert").getByText(trouble.tooLong(11)).waitFor();
    expect(await input.inputValue()).toBe("ă".repeat(61));
    expect(await page.locator(".bubble").count()).toBe(0);
    await input.press("Backspace");
    await excess.getByText(trouble.tooLong(10)).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    await input.fill("ă".repeat(50));
    await excess.waitFor({ state: "hidden" });
    expect(await input.getAttribute("aria-invalid")).toBe("false");
    await input.press("Enter");
    await page.locator(".user.stored").waitFor();
    // What is told is told over what is there.
    const moved = await page.evaluate<{ hadRecentInput: boolean }[]>("window.shifts");
    expect(moved.filter(({ hadRecentInput }) => !hadRecentInput)).toEqual([]);
    expectClean(opened);
  });

  test("[page] what is too long says so without a connection too, as far as that is known, and in full with the next", async () => {
    await desk.start({ MAX_MESSAGE_BYTES: "100" });
    const { page } = await desk.open(options);
    await page.context().setOffline(true);
    const input = page.getByRole("textbox", { name: labels.message });
    await input.fill("a".repeat(101));
    await input.press("Enter");
    await page.getByRole("alert").getByText(labels.offline).waitFor();
    expect(await input.inputValue()).toHaveLength(101);
    await page.context().setOffline(false);
    await page.locator("#excess").getByText(trouble.tooLong(1)).waitFor();
  });

  test("[M10] what trying again cannot mend is not offered to be tried again, but to be changed", async () => {
    const app = await desk.start();
    const opened = await desk.open(options, withAxe);
    const { page } = opened;
    (await desk.ask(page, "hello")).answer("Good morning");
    await page.locator("#log .agent").waitFor();
    const userId = await page.evaluate<string>("JSON.parse(localStorage['bennu.visitor:B0100001']).sub");
    const user = `${app.url}/api/businesses/B0100001/users/${userId}`;
    const block = async (blocked: boolean) => {
      const headers = { "content-type": "application/json", "x-role": "coordinator" };
      expect((await fetch(user, { method: "PATCH", headers, body: JSON.stringify({ blocked }) })).status).toBe(200);
    };
    await block(true);
    await say(page, "are you there?");
    await page.getByRole("alert").getByText(trouble.codes.blocked!).waitFor();
    const failed = page.locator(".bubble.failed");
    await failed.getByRole("button", { name: trouble.edit }).waitFor();
    expect(await failed.getByRole("button", { name: trouble.retry }).count()).toBe(0);
    await page.screenshot({ path: join(artifacts, `blocked-${size}.png`) });
    expect(await violations(page)).toEqual([]);
    await page.reload();
    await failed.getByText("are you there?").waitFor();
    await block(false);
    await page.fill("#text", "hm");
    await failed.getByRole("button", { name: trouble.edit }).click();
    // Nothing that was written is lost, and it stands in one place.
    expect(await page.locator("#text").inputValue()).toBe("are you there?\nhm");
    await failed.waitFor({ state: "detached" });
    await page.locator("#text").press("Enter");
    (await desk.agent.call("are you there?\nhm")).answer("Yes");
    await page.locator("#log .agent", { hasText: "Yes" }).waitFor();
    expect(await page.locator("#log .user .content").allTextContents()).toEqual(["hello", "are you there?\nhm"]);
    expectClean(opened);
  });

  test("[M12] the chat goes by the name of the business", async () => {
    await desk.start();
    const { page } = await desk.open(options);
    await page.getByRole("heading", { name: "Cabinet Stomatologic Zâmbet" }).waitFor();
    expect(await page.title()).toBe("Cabinet Stomatologic Zâmbet");
  });

  test("[page] after a while without a connection one is offered to try at once", async () => {
    await desk.start();
    const { page } = await desk.open(options, async (page) => {
      await withAxe(page);
      await page.addInitScript(watchShifts);
      // Whatever would be tried again by itself is tried too late.
      await page.addInitScript(() => (Math.random = () => 1000));
      await page.addInitScript(() => {
        const set = globalThis.setTimeout;
        const soon = (callback: () => void, ms = 0) => set(callback, ms === 8000 ? 50 : ms);
        Object.assign(globalThis, { setTimeout: soon });
      });
    });
    const { dataDir, port } = desk.app;
    await desk.app.stop();
    const now = page.getByRole("button", { name: labels.now });
    await now.waitFor();
    const { width, height } = (await now.boundingBox())!;
    expect([width >= 44, height >= 44]).toEqual([true, true]);
    await page.screenshot({ path: join(artifacts, `away-${size}.png`) });
    const shifts = await page.evaluate("window.shifts");
    await desk.start({ DATA_DIR: dataDir, PORT: String(port) });
    await now.click();
    await online(page);
    expect(shifts).toEqual([]);
  });
});
