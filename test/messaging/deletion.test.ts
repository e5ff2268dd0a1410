import { expect, test } from "@jest/globals";
import { createDeletion } from "../../server/messaging/deletion.js";
import type { Store } from "../../server/messaging/store.js";
import type { DeskEvents } from "../../server/desk-telemetry.js";
import { Telemetry } from "../../server/telemetry.js";
import { FakeClock } from "../support/fake-clock.js";
import { interceptedStore, soon } from "../support/intercepted-store.js";
import { openTemporaryStore } from "../support/temporary-store.js";

const life = { idleMs: 1, retentionMs: 1 };
/** More steps than the end of the work has. */
const stepsMax = 12;

test("[M22] a session that is handed in just as the work on the others ends is not left lying", async () => {
  const under = await openTemporaryStore();
  for (let steps = 0; steps < stepsMax; steps += 1) {
    const looked: string[] = [];
    const store: Store = interceptedStore(under.store, async (name, given, call) => {
      if (name !== "readHead") return call();
      looked.push(String(given[0]));
      return Promise.resolve(null);
    });
    const deletion = createDeletion({ store, clock: new FakeClock(), telemetry: new Telemetry<DeskEvents>(), life });
    expect(deletion.finishLater("first")).toBe(true);
    for (let step = 0; step < steps; step += 1) await Promise.resolve();
    expect(deletion.finishLater("second")).toBe(true);
    await soon();
    expect([steps, looked]).toEqual([steps, ["first", "second"]]);
    await deletion.stop();
  }
  await under.dispose();
});
