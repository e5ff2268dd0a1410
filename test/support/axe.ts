import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const path = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** To be done before the page is loaded. */
export function withAxe(page: Page): Promise<unknown> {
  return page.addInitScript({ path });
}

/** Which rules of accessibility the page breaks as it is now, and where. */
export function violations(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(
    `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, any }) => id + " " + target + " " + html.slice(0, 160) + " " + (any[0]?.message ?? ""))))`,
  );
}
