import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { desktop, expectClean, online, PageDesk, phone } from "../support/page-desk.js";

let desk: PageDesk;
let elsewhere: Server;
let fetched: string[];

beforeAll(async () => {
  desk = await PageDesk.build();
  elsewhere = createServer((request, response) => {
    fetched.push(request.url!);
    response.end();
  });
  await new Promise<void>((done) => elsewhere.listen(0, "127.0.0.1", done));
});

afterAll(async () => {
  elsewhere?.close();
  await desk?.stop();
});

beforeEach(async () => {
  fetched = [];
  await desk.start();
});

afterEach(() => desk.app.dispose());

const prices = `# Prices

**Consultation** costs *150 lei*, see [the list](https://example.com/prices):

- cleaning
- \`whitening\`

1. call
2. come

| what | lei |
|---|---|
| X-ray | 80 |

> Bring your card.
`;

/** What each kind of mark must become; nothing else may be in an answer. */
const allowed = "p br strong em del code pre ul ol li a blockquote hr table thead tbody tr th td".split(" ");

test("[page] an answer in Markdown is drawn as it grows, when it is whole, and from history", async () => {
  const opened = await desk.open(desktop);
  const { page } = opened;
  const files: string[] = [];
  page.on("request", (request) => files.push(new URL(request.url()).pathname));
  const plain = await desk.ask(page, "hello");
  plain.answer("Good morning.\nHow are you?");
  await page.locator("#log .agent").waitFor();
  expect(files).not.toContain("/markdown.js");
  const call = await desk.ask(page, "prices?");
  call.say({ type: "delta", text: prices.slice(0, 40) });
  await page.locator(".running strong", { hasText: "Consultation" }).waitFor();
  call.say({ type: "delta", text: prices.slice(40) });
  await page.locator(".running li").nth(3).waitFor();
  call.answer(prices);
  for (const when of ["live", "history"]) {
    if (when === "history") await page.reload();
    const answer = page.locator("#log .agent .content").nth(1);
    await answer.locator("strong", { hasText: "Consultation" }).waitFor();
    expect(await answer.locator("td").allTextContents()).toEqual(["X-ray", "80"]);
    expect(await answer.locator("ol > li").allTextContents()).toEqual(["call", "come"]);
    const link = answer.getByRole("link", { name: "the list" });
    expect(
      await link.evaluate((a: HTMLAnchorElement) => [a.href, a.target, a.rel]),
    ).toEqual(["https://example.com/prices", "_blank", "noopener noreferrer"]); // prettier-ignore
  }
  expect(await page.locator("#log .agent .content").first().textContent()).toBe("Good morning.\nHow are you?");
  expectClean(opened);
});

test.each([
  ["desktop", desktop],
  ["phone", phone],
])("[page] on a %s a long line of code scrolls in its block, and moves nothing else", async (_size, options) => {
  const code = ["Run this:", "", "```", `npx bennu ${"--option=value ".repeat(40)}`, "```", ""].join("\n");
  const opened = await desk.open(options);
  const { page } = opened;
  const call = await desk.ask(page, "how?");
  call.say({ type: "delta", text: code });
  await page.locator(".running pre").waitFor();
  expect(await page.evaluate(overflows)).toEqual({ page: false, conversation: false, block: true });
  call.answer(code);
  await page.locator("#log .agent pre").waitFor();
  expect(await page.evaluate(overflows)).toEqual({ page: false, conversation: false, block: true });
  expectClean(opened);
});

/** Runs in the page. @returns what is wider than the room it has */
function overflows(): Readonly<Record<string, boolean>> {
  const isWider = (each: Element) => each.scrollWidth > each.clientWidth;
  return {
    page: isWider(document.documentElement),
    conversation: isWider(document.querySelector("#scroll")!),
    block: isWider(document.querySelector("pre")!),
  };
}

function hostile(port: number): readonly string[] {
  const there = `http://127.0.0.1:${port}`;
  return [
    `**x** <img src=x onerror="document.title='hurt'">`,
    `**x** <img src="${there}/pixel.png">`,
    `**x** ![a dog](${there}/dog.png)`,
    `**x** [![a dog](${there}/dog2.png)](${there}/page)`,
    "**x** <svg onload=\"document.title='hurt'\"><a href='javascript:1'>y</a></svg>",
    "**x** [click](javascript:document.title='hurt')",
    "**x** [click](JaVaScRiPt&colon;document.title='hurt')",
    "**x** [click](data:text/html,<script>document.title='hurt'</script>)",
    "**x** [click](vbscript:1) [home](/console) [ref][1]\n\n[1]: javascript:document.title='hurt'",
    `**x** [click](https://example.com/"onmouseover="document.title='hurt')`,
    "**x** <javascript:document.title='hurt'>",
    `**x** "onmouseover="document.title='hurt'"`,
    `**x** <style>* { display: none }</style><form action="${there}/form"><input name=elements></form>`,
    `**x** <iframe src="${there}/frame"></iframe><object data="${there}/object"></object><base href="${there}/">`,
    "**x** <script>document.title='hurt'</script><noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    '**x** <math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<div id="log" class="error">**x**</div>',
    "```html\n<img src=x onerror=alert(1)>\n```",
    `**x** - [ ] todo\n- [x] <b onclick=alert(1)>done</b>`,
    `${"> ".repeat(2000)}**x**`,
    `**x** ${"[".repeat(3000)}`,
    `**x** ${"y".repeat(60_000)}`,
  ];
}

test("[U-01] hostile Markdown draws nothing but what is on the list: growing, live, and from history", async () => {
  const { port } = elsewhere.address() as AddressInfo;
  const texts = hostile(port);
  const opened = await desk.open(desktop);
  const { page } = opened;
  for (const [index, text] of texts.entries()) {
    const call = await desk.ask(page, `say ${index}`);
    call.say({ type: "delta", text });
    await page.locator(".running .content", { hasText: /\S/ }).waitFor();
    expect(await page.evaluate(strangers, allowed)).toEqual([]);
    call.answer(text);
    await page.locator("#log .agent").nth(index).waitFor();
  }
  expect(await page.evaluate(strangers, allowed)).toEqual([]);
  await page.reload();
  await online(page);
  await page
    .locator("#log .agent")
    .nth(texts.length - 1)
    .waitFor();
  await page.locator("#log .agent .marked").first().waitFor();
  expect(await page.evaluate(strangers, allowed)).toEqual([]);
  await page.locator("#log .agent .content", { hasText: `<img src=x onerror="document.title='hurt'">` }).waitFor();
  expect(await page.title()).toBe("Cabinet Stomatologic Zâmbet");
  expect(fetched).toEqual([]);
  expectClean(opened);
});

test("[U-01] what a user says in Markdown is shown as it was said", async () => {
  const opened = await desk.open(desktop);
  const said = "**bold** [click](https://example.com) `code` <b>x</b>";
  await desk.ask(opened.page, said);
  await opened.page.locator("#log .user .content").getByText(said, { exact: true }).waitFor();
  expect(await opened.page.locator("#log .user .content :not(a)").count()).toBe(0);
  expectClean(opened);
});

/** Runs in the page. @returns what an answer has that it must not: elements, attributes, links that lead elsewhere than into the web */
function strangers(tags: readonly string[]): string[] {
  const found: string[] = [];
  for (const each of document.querySelectorAll(".agent .content *")) {
    if (!tags.includes(each.localName)) found.push(each.localName);
    for (const { name, value } of each.attributes) {
      const isOurs = each.localName === "a" && ["class", "target", "rel"].includes(name);
      const isWeb = each.localName === "a" && name === "href" && /^(https?:\/\/|mailto:|tel:)/.test(value);
      if (!isOurs && !isWeb && name !== "start") found.push(`${each.localName} ${name}=${value}`);
    }
    if (each.localName === "a" && (each as HTMLAnchorElement).rel !== "noopener noreferrer")
      found.push("a without rel");
  }
  return found;
}
