import { afterEach, expect, test } from "@jest/globals";
import { Load } from "../support/load.js";
import { withSeed } from "../support/random.js";
import { TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";

const businessId = "K1";
const userCount = 20;
const [delayMinMs, delayMaxMs] = [30, 300];

let server: TestServer | null = null;
let load: Load | null = null;

afterEach(async () => {
  load?.disconnect();
  await server?.dispose();
});

// With room for one, turns pile up, so that a kill finds many of them open.
test.each([
  { agent: "echo", places: 64, kills: 20 },
  { agent: "assistant", places: 1, kills: 10 },
])(
  "[S3] [M6] [M7] [M20] [D-06] [D-07] $kills kills, agent $agent with room for $places turns: nothing is lost, repeated or made up",
  ({ agent, places, kills }) =>
    withSeed(async (random) => {
      server = await TestServer.create({ AGENT: agent, AGENT_CONCURRENCY: String(places) });
      load = new Load(businessId, userCount);
      let [cutOffCount, openCount] = [0, 0];
      for (let kill = 0; kill < kills; kill += 1) {
        await server.start();
        load.connect(server.url);
        // Now and then before anything is under way: while clients join, and open turns are taken up.
        const before = load.acknowledgedCount;
        if (random() < 0.75) await until("the load runs", () => load!.acknowledgedCount > before);
        const delayMs = delayMinMs + random() * (delayMaxMs - delayMinMs);
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        openCount += load.unansweredCount;
        await server.kill();
        cutOffCount += load.unacknowledgedCount;
      }
      await server.start();
      // Half of the users never come back: what they were promised holds, and what they were not is there or not.
      load.users = load.users.filter((_, index) => index % 2 === 0);
      load.connect(server.url);
      await load.finish();

      expect(await load.checkAnswered(server.url)).toEqual([]);
      expect(load.refused).toEqual([]);
      // Otherwise the kills came when there was nothing to lose.
      expect(load.acknowledgedCount).toBeGreaterThan(kills);
      expect(cutOffCount).toBeGreaterThan(0);
      expect(openCount).toBeGreaterThan(0);
      expect(await server.terminate()).toEqual({ code: 0, signal: null });
    }),
  600_000,
);
