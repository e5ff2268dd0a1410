import { expect, test } from "@jest/globals";
import { runPages } from "../support/page-run.js";

test("[M12] [M26] [M40] [M41] 40 runs of pages that lose their line and are shown anew while they are answered: the page shows what is stored", async () => {
  const seen = await runPages(40);
  // Otherwise nothing was tried.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
});
