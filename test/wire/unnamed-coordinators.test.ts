import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ScriptedAgent } from "../support/scripted-agent.js";
import { type Fields, Seat } from "../support/seat.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { until } from "../support/until.js";

// With another store there may be other servers, whose sockets this one does not know.
const environment = { STORE: "embedded" };

let app: TestApp;
let agent: ScriptedAgent;
let seats: Seat[] = [];
let tab: Seat;
let sessionId: string;

beforeEach(async () => {
  agent = new ScriptedAgent();
  app = await startTestApp(environment, { agents: { echo: agent } });
  tab = await seat({ userId: "ana" });
  ({ sessionId } = await tab.says("hello"));
});

afterEach(async () => {
  for (const { client } of seats) client.close();
  seats = [];
  await app.dispose();
});

async function seat(payload: Fields): Promise<Seat> {
  const taken = await Seat.take(app, payload, { on: "messages:B1" });
  seats.push(taken);
  return taken;
}

const taken = async (console: Seat, event = "take_over") =>
  (await console.ask(event, { sessionId, message: "hi" })).status;

/** Ends a console's connection, and waits until the others heard of it. */
async function goes(console: Seat, witness: Seat): Promise<void> {
  console.client.close();
  const leaves = (payload: Fields) =>
    Object.keys(payload.leaves as Fields).some((key) => key.startsWith("coordinator:"));
  await until("it has gone", () =>
    witness.client.frames.some(([, , , event, payload]) => event === "presence_diff" && leaves(payload)),
  );
}

describe("[M30] an unnamed coordinator of an open server", () => {
  test.each(["take_over", "reply", "hand_back", "resolve", "typing"])(
    "holds a session as long as its socket is there: then another's %s is taken at once",
    async (event) => {
      const [holder, other] = [await seat({}), await seat({})];
      const ask = async () => (await other.ask(event, { sessionId, message: "hi", typing: true })).status;
      expect(await taken(holder)).toBe("ok");
      expect(await ask()).toBe("error");
      await goes(holder, other);
      expect(await ask()).toBe("ok");
    },
  );

  test("that takes it from one who has gone holds it itself, and what waited is for its reply", async () => {
    const [holder, other, third] = [await seat({}), await seat({}), await seat({})];
    await taken(holder);
    await goes(holder, other);
    const { response } = await other.ask("take_over", { sessionId });
    const { coordinatorId } = (response.session as { readonly holder: { readonly coordinatorId: string } }).holder;
    expect((await third.ask("reply", { sessionId, message: "me too" })).response).toMatchObject({
      ...{ code: "held_by_other", holder: { coordinatorId } },
    });
    expect(await taken(other, "reply")).toBe("ok");
    expect(await tab.hears("new_message")).toMatchObject({ from: "coordinator", message: "hi" });
  });

  test("finds its session free after a restart of the server", async () => {
    expect(await taken(await seat({}))).toBe("ok");
    await app.stop();
    app = await startTestApp({ ...environment, DATA_DIR: app.dataDir }, { agents: { echo: agent } });
    expect(await taken(await seat({}))).toBe("ok");
  });
});
