import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { systemClock } from "../../server/clock.js";
import { DataDirInUse } from "../../server/stores/data-dir.js";
import { EmbeddedStore } from "../../server/stores/embedded.js";
import { storeContract } from "../contract/store-contract.js";
import { openTemporaryStore } from "../support/temporary-store.js";

const open = (directory: string) => EmbeddedStore.open(directory, systemClock, () => undefined);

storeContract("the embedded store", openTemporaryStore);

test("[S9] [S-11] a second server of the same directory is refused, and told who has it", async () => {
  const directory = await mkdtemp(join(tmpdir(), "bennu-store-"));
  const first = await open(directory);
  await expect(open(directory)).rejects.toThrow(DataDirInUse);
  await expect(open(directory)).rejects.toThrow(`process ${process.pid} on`);
  await first.close();
  const second = await open(directory);
  await second.close();
  await rm(directory, { recursive: true, force: true });
});
