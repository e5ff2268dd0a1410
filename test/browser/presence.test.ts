import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { Channel, Endpoint, type HandleResult, ok, type PresenceState, Presence } from "../../server/bennu.js";
import { startBrowser, type TestBrowser, type TestPage } from "../support/browser.js";
import { type PhoenixVersion, phoenixVersions } from "../support/phoenix.js";
import { until } from "../support/until.js";

const topic = "room:1";
const modules = join(import.meta.dirname, "..", "..", "node_modules");

/** What a client says about itself: its key, and what there is to know of it. */
interface Said {
  readonly key: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** Does to Presence what its client asks for. */
class Room extends Channel {
  override join(said: unknown) {
    this.send(said);
    return ok();
  }

  override handleInfo(said: unknown) {
    this.handleIn("track", said);
    this.push("presence_state", presence.list(this.topic));
  }

  override handleIn(event: string, said: unknown): HandleResult {
    const { key, meta = {} } = said as Said;
    if (event === "untrack") presence.untrack(this, key);
    else if (event !== "track" && event !== "update") throw new Error("on purpose");
    else if (!presence[event](this, key, meta).ok) throw new Error(`the test may not ${event} ${key}`);
    return ok();
  }
}

/** What a page runs beside an unchanged phoenix.js. */
const script = `
  const id = new URLSearchParams(location.search).get("id");
  const socket = new Phoenix.Socket("/socket", {
    params: { id },
    reconnectAfterMs: () => 10,
    rejoinAfterMs: () => 10,
  });
  socket.connect();
  let channel;
  let presence;
  const settled = (push) =>
    new Promise((resolve, reject) => push.receive("ok", resolve).receive("error", reject).receive("timeout", reject));
  const join = (said) => {
    channel = socket.channel("${topic}", said);
    presence = new Phoenix.Presence(channel);
    return settled(channel.join());
  };
  const listed = () => inOrder(presence.list((key, { metas }) => [key, metas]));
  // Of the order of metas nothing is promised to who has seen an update.
  const inOrder = (list) => JSON.stringify(list.map(([key, metas]) => [key, metas.slice().sort(by("phx_ref"))]).sort(by(0)));
  const by = (name) => (one, other) => (one[name] < other[name] ? -1 : 1);
`;

/** One page, and its client of the room. */
class Tab {
  isJoined = false;

  constructor(
    readonly id: string,
    readonly opened: TestPage,
  ) {}

  async join(key: string, meta: Said["meta"] = {}): Promise<void> {
    await this.#run(`join(${JSON.stringify({ key, meta })})`);
    this.isJoined = true;
  }

  async push(event: "track" | "update" | "untrack", key: string, meta: Said["meta"] = {}): Promise<void> {
    await this.#run(`settled(channel.push("${event}", ${JSON.stringify({ key, meta })}))`);
  }

  async crashChannel(): Promise<void> {
    await this.#run('void channel.push("crash", {})');
  }

  async leave(): Promise<void> {
    this.isJoined = false;
    await this.#run("settled(channel.leave())");
  }

  async close(): Promise<void> {
    this.isJoined = false;
    await this.opened.page.close();
  }

  /** Its process ends, without time to say goodbye. */
  async kill(): Promise<void> {
    this.isJoined = false;
    const { page } = this.opened;
    const session = await page.context().newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    // Who is killed answers no more.
    void session.send("Page.crash").catch(() => undefined);
    await crashed;
  }

  async lists(state: PresenceState): Promise<void> {
    const list = JSON.stringify(Object.entries(state).map(([key, { metas }]) => [key, metas]));
    await this.opened.page.waitForFunction(`listed() === inOrder(${list})`);
  }

  #run(code: string): Promise<unknown> {
    return this.opened.page.evaluate(code);
  }
}

let browser: TestBrowser;
let server: Server;
let endpoint: Endpoint;
let presence: Presence;
let tabs: Tab[];

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser?.stop());

beforeEach(async () => {
  tabs = [];
  const connect = ({ id }: { readonly id?: unknown }) => ({ id: String(id) });
  endpoint = new Endpoint({ mounts: { "/socket": { connect, channels: { "room:*": Room } } } });
  presence = new Presence(endpoint);
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://localhost");
    void pageOf(pathname.slice(1) as PhoenixVersion).then((html) =>
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html),
    );
  });
  endpoint.attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  for (const { opened } of tabs) await opened.page.context().close();
  await endpoint.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect([presence.topicCount, endpoint.pubsub.topicCount]).toEqual([0, 0]);
});

async function pageOf(version: PhoenixVersion): Promise<string> {
  const phoenix = await readFile(join(modules, phoenixVersions[version], "priv", "static", "phoenix.js"), "utf8");
  return `<!doctype html><link rel="icon" href="data:,"><script>${phoenix}</script><script>${script}</script>`;
}

async function openTab(version: PhoenixVersion): Promise<Tab> {
  const opened = await browser.openPage();
  const tab = new Tab(`tab${tabs.length}`, opened);
  tabs.push(tab);
  const { port } = server.address() as AddressInfo;
  await opened.page.goto(`http://127.0.0.1:${port}/${version}?id=${tab.id}`);
  return tab;
}

/** @param counts how many metas each key has on the server, as in "alice 2, bob 1"; every tab must then list the same */
async function expectEverywhere(counts: string): Promise<void> {
  const counted = () => Object.entries(presence.list(topic)).map(([key, { metas }]) => `${key} ${metas.length}`);
  await until(`${counts} on the server`, () => counted().toSorted().join(", ") === counts);
  const state = presence.list(topic);
  for (const tab of tabs) if (tab.isJoined) await tab.lists(state);
}

const refOf = (key: string) => presence.getByKey(topic, key)[0]?.phx_ref;

function expectNoErrors(): void {
  for (const { opened } of tabs) expect(opened.pageErrors).toEqual([]);
}

test.each<readonly PhoenixVersion[]>([
  ["1.8.16", "1.8.16", "1.8.16", "1.8.16"],
  ["1.6.16", "1.6.16", "1.6.16", "1.6.16"],
  ["1.8.16", "1.6.16", "1.7.21", "1.4.17"],
])("[P1] [P2] [P3] [P4] [P6] every tab lists who is there: phoenix %s, %s, %s, %s", async (...versions) => {
  const [one, two, three, four] = (await Promise.all(versions.map(openTab))) as [Tab, Tab, Tab, Tab];

  // They come.
  await one.join("alice", { tab: 1 });
  await expectEverywhere("alice 1");
  await two.join("bob");
  await expectEverywhere("alice 1, bob 1");
  await three.join("alice", { tab: 3, text: "ț😀 </script>" });
  await expectEverywhere("alice 2, bob 1");

  // They say something else, one of two metas of a key too.
  await two.push("update", "bob", { typing: true });
  await expectEverywhere("alice 2, bob 1");
  await one.push("update", "alice", { tab: 1, typing: true });
  await one.push("update", "alice", { tab: 1, typing: false });
  await expectEverywhere("alice 2, bob 1");

  // One of a key's metas goes, and a channel has two keys.
  await three.push("untrack", "alice");
  await expectEverywhere("alice 1, bob 1");
  await three.push("track", "carol");
  await three.push("track", "bob", { phx_ref: "of the app" });
  await expectEverywhere("alice 1, bob 2, carol 1");

  // Who comes late sees the same.
  await four.join("bob", { late: true });
  await expectEverywhere("alice 1, bob 3, carol 1");

  // A channel crashes, and its client joins again.
  const ref = refOf("alice");
  await one.crashChannel();
  await until("alice is back", () => refOf("alice") !== undefined && refOf("alice") !== ref);
  await expectEverywhere("alice 1, bob 3, carol 1");

  // A connection ends, with all keys of its channel; what it joins with comes back.
  endpoint.broadcast(three.id, "disconnect", {});
  await expectEverywhere("alice 2, bob 2");

  // They go: a tab is killed, another closed, a third leaves.
  await one.kill();
  await expectEverywhere("alice 1, bob 2");
  await two.close();
  await expectEverywhere("alice 1, bob 1");
  await three.leave();
  await expectEverywhere("bob 1");
  await four.push("untrack", "bob");
  await expectEverywhere("");
  expectNoErrors();
});

// Older clients take what every object inherits for somebody who is there, and throw.
test("[P5] [P6] [C-17] names that every object has are names like any other: phoenix 1.8.16", async () => {
  const names = ["__proto__", "constructor", "toString"];
  const each = (some: readonly string[], count: number) => some.map((name) => `${name} ${count}`).join(", ");
  const opened = await Promise.all([...names, "again"].map(() => openTab("1.8.16")));
  const last = opened.pop()!;
  for (const [index, tab] of opened.entries()) {
    await tab.join(names[index]!, { index });
    await expectEverywhere(each(names.slice(0, index + 1), 1));
  }
  for (const [index, name] of names.entries()) {
    await opened[index]!.push("update", name, { typing: true });
    await expectEverywhere(each(names, 1));
  }
  await last.join("valueOf");
  for (const name of names) await last.push("track", name, { last: true });
  await expectEverywhere(`${each(names, 2)}, valueOf 1`);

  const ref = refOf("__proto__");
  await opened[0]!.crashChannel();
  await until("it is back", () => presence.getByKey(topic, "__proto__").length === 2 && refOf("__proto__") !== ref);
  await expectEverywhere(`${each(names, 2)}, valueOf 1`);

  await opened[0]!.kill();
  await last.push("untrack", "constructor");
  await expectEverywhere("__proto__ 1, constructor 1, toString 2, valueOf 1");
  await last.close();
  await expectEverywhere("constructor 1, toString 1");
  expectNoErrors();
});
