import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { PageDesk, say } from "../support/page-desk.js";
import { readmeShot, screenshots } from "../support/screenshots.js";

const bytesMax = 150 * 1024;
let desk: PageDesk;

beforeAll(async () => {
  desk = await PageDesk.build();
  await desk.start({ AGENT: "assistant" });
});

afterAll(async () => {
  await desk?.app.dispose();
  await desk?.stop();
});

test.each(["light", "dark"] as const)("[page] the README's conversation, %s", async (colorScheme) => {
  const { page } = await desk.open({
    viewport: { width: 880, height: 820 },
    deviceScaleFactor: 2,
    locale: "ro-RO",
    colorScheme,
  });
  const answers = page.locator("#log .agent");
  for (const [index, text] of ["Vreau să fac o programare", "Detartraj", "vineri la 10:30"].entries()) {
    await say(page, text);
    await answers.nth(index).waitFor();
  }
  await page.locator("#text").blur();
  await readmeShot(page, `chat-${colorScheme}`);
  expect(await answers.locator(".content").allTextContents()).toEqual([
    "Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?",
    "În ce zi ai vrea să vii?",
    "Pe ce nume facem programarea?",
  ]);
});

test("[page] the pictures that the README names are there, and small", async () => {
  const readme = await readFile(join(screenshots, "..", "..", "README.md"), "utf8");
  const named = [...readme.matchAll(/docs\/screenshots\/([\w-]+\.png)/g)].map(([, name]) => name!);
  expect(named).toEqual(expect.arrayContaining(["chat-light.png", "chat-dark.png"]));
  for (const name of named) expect((await stat(join(screenshots, name))).size).toBeLessThanOrEqual(bytesMax);
});
