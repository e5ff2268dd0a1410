import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { labelsFor } from "../../client/page/labels.js";
import { artifacts, desktop, expectClean, online, PageDesk, phone, say } from "../support/page-desk.js";

const firstLoadBytesMax = 20 * 1024;
const sizes = [
  ["desktop", desktop],
  ["phone", phone],
] as const;

let desk: PageDesk;

beforeAll(async () => {
  desk = await PageDesk.build();
  await mkdir(artifacts, { recursive: true });
});

afterAll(() => desk?.stop());

beforeEach(() => desk.start());

afterEach(() => desk.app.dispose());

test("[page] the first load is at most 20 KB, and asks nobody else for anything", async () => {
  const opened = await desk.browser.openPage(desktop);
  const { page } = opened;
  const asked: URL[] = [];
  page.on("request", (request) => asked.push(new URL(request.url())));
  await page.goto(desk.app.url);
  await online(page);
  const files = asked.filter(({ pathname }) => !pathname.startsWith("/api/")).map(({ pathname }) => pathname);
  expect(files.toSorted()).toEqual(["/", "/page.css", "/page.js"]);
  expect(new Set(asked.map(({ origin }) => origin))).toEqual(new Set([desk.app.url]));
  let bytes = 0;
  // The icon is asked for by browsers that show one.
  for (const file of [...files, "icon.svg"])
    bytes += gzipSync(await readFile(join(desk.publicDir, file === "/" ? "index.html" : file))).length;
  expect(bytes).toBeLessThanOrEqual(firstLoadBytesMax);
  expectClean(opened);
});

// How long it takes depends on the machine, and is written down; what it takes does not.
test.each(sizes)(
  "[page] on a %s a message can be written after three files, and is stored after a token and a socket",
  async (size, options) => {
    const { page } = await desk.browser.openPage(options);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    page.on("websocket", (socket) => asked.push(new URL(socket.url()).pathname));
    // Until it is let go nobody knows who is writing; one writes all the same.
    let letIn!: () => void;
    const welcome = new Promise<void>((resolve) => (letIn = resolve));
    await page.route("**/api/visitors/*", async (route) => {
      await welcome;
      await route.continue();
    });
    await page.goto(desk.app.url, { waitUntil: "commit" });
    await page.getByRole("textbox", { name: labelsFor(options.locale!).message }).waitFor();
    await say(page, "hello");
    expect(await page.locator("#text").inputValue()).toBe("");
    const usableMs = await page.evaluate("performance.now()");
    expect(asked.slice(0, 3).toSorted()).toEqual(["/", "/page.css", "/page.js"]);
    letIn();
    await page.locator("#log .user.stored").waitFor();
    const storedMs = await page.evaluate("performance.now()");
    expect(asked.slice(3)).toEqual(["/api/visitors/B0100001", "/socket/websocket"]);
    await writeFile(join(artifacts, `first-message-${size}.json`), JSON.stringify({ usableMs, storedMs }));
  },
);

test("[page] what is written before the script is there is not lost by a click on Send", async () => {
  const opened = await desk.browser.openPage(desktop);
  const { page } = opened;
  let letIn!: () => void;
  const script = new Promise<void>((resolve) => (letIn = resolve));
  await page.route("**/page.js*", async (route) => {
    await script;
    await route.continue();
  });
  await page.goto(desk.app.url, { waitUntil: "commit" });
  await page.fill("#text", "hello");
  await page.click("#send");
  letIn();
  await online(page);
  expect(await page.locator("#text").inputValue()).toBe("hello");
  await page.click("#send");
  await page.locator("#log .user.stored", { hasText: "hello" }).waitFor();
  expectClean(opened);
});
