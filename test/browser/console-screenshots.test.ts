import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Asked, ConsoleDesk, row } from "../support/console-desk.js";
import { desktop } from "../support/console-page.js";
import { readmeShot, screenshots } from "../support/screenshots.js";
import { until } from "../support/until.js";

const bytesMax = 150 * 1024;
let desk: ConsoleDesk;
let elena: Asked;

beforeAll(async () => {
  desk = await ConsoleDesk.build();
  await desk.start();
  for (const [userId, question, answer] of said) await answered(await desk.asked(userId, question), answer);
  await (await desk.seats.online({ userId: "andrei.popa" })).send("/human");
  elena = await desk.asked("elena.ionescu", "Bună! Cât durează un detartraj?");
});

afterAll(async () => {
  await desk?.end();
  await desk?.browser.stop();
});

const said = [
  ["telegram:55120934", "Aveți loc de parcare?", "Da, în curtea cabinetului sunt patru locuri."],
  ["mihai.d", "Cât costă o consultație?", "Consultația costă 150 de lei."],
  ["ioana.marin", "Vreau să fac o programare", "Bună! Te ajut să faci o programare. Ce tip de serviciu dorești?"],
  ["visitor-7Q2M", "Sunteți deschiși sâmbăta?", "Da, sâmbăta între 9:00 și 13:00."],
] as const;

test("[console] the README's conversation, light and dark", async () => {
  const { page } = await desk.open(desktop);
  await row(page, "elena.ionescu").click();
  const steps = [["retrieval", "Caut în informațiile cabinetului"] as const, ["response", "Scriu răspunsul"] as const];
  for (const [step, label] of steps) {
    elena.call.say({ type: "thinking", step, label, status: "started" });
    await page.locator(".making .started", { hasText: label }).waitFor();
    elena.call.say({ type: "thinking", step, label, status: "done" });
  }
  await answered(elena, "Un detartraj durează în jur de 30 de minute.", ["Servicii și prețuri"]);
  await page.locator(".message.agent:not(.making)").waitFor();
  await page.keyboard.press("t");
  await page.getByText("You have this conversation").waitFor();
  await elena.chat.send("Pot veni vineri, dar am gingiile sensibile. E o problemă?");
  await page.locator(".message.user").nth(1).waitFor();
  await page.keyboard.press("n");
  await page.keyboard.type("Pacientă veche, preferă dimineața.");
  await page.keyboard.press("Enter");
  await page.locator(".message.note").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("r");
  await page.keyboard.type("Nu e nicio problemă, folosim un gel anestezic. Vineri la 9:30 vă convine?");
  await page.locator(".message.agent").getByText("How it was answered").click();
  await page.mouse.move(640, 20);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await readmeShot(page, `console-${colorScheme}`);
  }
  expect(await page.locator(".row").count()).toBe(said.length + 2);
});

test("[console] the pictures that are shown of it are there, and small", async () => {
  const shown = await readFile(join(screenshots, "..", "console.md"), "utf8");
  const named = [...shown.matchAll(/screenshots\/([\w-]+\.png)/g)].map(([, name]) => name!);
  expect(named.toSorted()).toEqual(["console-dark.png", "console-light.png"]);
  for (const name of named) expect((await stat(join(screenshots, name))).size).toBeLessThanOrEqual(bytesMax);
});

async function answered({ chat, call }: Asked, answer: string, sources: readonly string[] = []): Promise<void> {
  call.say({ type: "answer", message: answer, sources });
  await until("it is answered", () => chat.messages.some(({ content }) => content === answer));
  chat.read();
}
