import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { artifacts } from "./page-desk.js";

/** Of the README. */
export const screenshots = join(import.meta.dirname, "..", "..", "docs", "screenshots");

/** Takes a picture for the README: into test-artifacts, and with UPDATE_SCREENSHOTS=1 into docs/screenshots too. */
export async function readmeShot(page: Page, name: string): Promise<void> {
  const path = join(artifacts, `${name}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  if (process.env.UPDATE_SCREENSHOTS !== "1") return;
  await mkdir(screenshots, { recursive: true });
  await copyFile(path, join(screenshots, `${name}.png`));
}
