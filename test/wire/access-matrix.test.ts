import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rules } from "../../server/auth/access.js";
import { type ApiDeps, apiRoutes } from "../../server/http/api.js";
import { hearers } from "../../server/messaging/audience.js";
import { conversationTopics } from "../../server/messaging/conversation/conversation-channel.js";
import { agentTopics } from "../../server/messaging/conversation/agent-channel.js";
import { type ClientEvent, clientEvents, messagesTopics } from "../../server/messaging/messages-channel.js";
import { findHead, readCurrentSession } from "../../server/messaging/sessions.js";
import {
  agentNames,
  besideRoutes,
  conversationActions,
  conversationNames,
  eventRows,
  exists,
  hearingActions,
  insideRoutes,
  noEvents,
  noTopics,
  type Place,
  type Push,
  type Question,
  routeRows,
  type RouteRow,
  topicNames,
  topicRows,
  unknownSession,
} from "../support/access-rows.js";
import { isAllowedBy, readAccessTable, type Who } from "../support/access-table.js";
import { goodToken } from "../support/forged-tokens.js";
import { LingeringAgent } from "../support/lingering-agent.js";
import { mountedRoutes } from "../support/mounted-routes.js";
import { ask, type HttpAnswer, problemCode } from "../support/plain-http.js";
import {
  ana,
  believed,
  believedOverHttp,
  forgers,
  forgersInTheOpen,
  here,
  knownByToken,
  nowhere,
  type Principal,
  revoked,
  robotOfAll,
  speakers,
  strangers,
  there,
  unbelievable,
  withToken,
} from "../support/principals.js";
import { RawSocket } from "../support/raw-socket.js";
import { showingAgent } from "../support/showing-agent.js";
import { startTestApp, type TestApp } from "../support/start-app.js";
import { type Frame, WireClient } from "../support/wire.js";

// Every principal at every door. What is expected follows from the table of the SPEC alone; the server never says what
// is right. Whoever adds a route, an event or a topic adds its row to access-rows.ts, or a test fails.

const table = readAccessTable();
const secret = "a secret of more than thirty-two bytes";
/** Whoever forged his token is asked this much at each route: all that the token would be good for is among it. */
const forgedMax = 4;

/** A server, and what is in it. */
interface World extends Place {
  readonly app: TestApp;
  readonly agent: LingeringAgent;
  /** What those who may do everything are answered about what does not exist, by its path. */
  readonly missing: ReadonlyMap<string, HttpAnswer>;
}

describe("[X8] the matrix is whole", () => {
  const routes = apiRoutes({} as ApiDeps);
  const keyOf = ({ method, path }: { readonly method: string; readonly path: string }) => `${method} ${path}`;

  test("every route has a row, every row a route, and both ask for the same", () => {
    const inCode = Object.fromEntries(routes.map((route) => [keyOf(route), route.action]));
    expect(routes).toHaveLength(Object.keys(inCode).length);
    expect(Object.fromEntries(Object.entries(routeRows).map(([key, { action }]) => [key, action]))).toEqual(inCode);
  });

  test("the server has no other route than those of the list", () => {
    expect(mountedRoutes()).toEqual(Object.keys(routeRows).toSorted());
  });

  test("every event that a client may push has a row, and asks for what the table has", () => {
    expect(Object.keys(eventRows)).toEqual(Object.keys(clientEvents));
    for (const [event, action] of Object.entries(clientEvents)) expect(table.get(action)?.names).toContain(event);
    // The channel looks at no names of its own.
    expect(sourceOf("messaging/messages-channel.ts")).not.toMatch(/\bevent === "/);
  });

  test("every pushed event is one that the table names, and every name there is a pushed event", () => {
    const named = hearingActions.flatMap((action) => table.get(action)?.names ?? []);
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(hearers).toSorted());
  });

  test("every topic has a row", () => {
    const [, channels = ""] = /\bchannels: \{([^}]*)\}/.exec(sourceOf("desk-mount.ts")) ?? [];
    expect(channels.trim()).toBe(
      "[messagesTopics]: messages, [agentTopics]: agent, [conversationTopics]: conversation",
    );
    expect([messagesTopics, agentTopics, conversationTopics]).toEqual(Object.keys(topicRows));
    const mounts = /\bmounts: \{\s*("[^"]+"): deskMount\([^)]*\)/.exec(sourceOf("app.ts"))?.[1];
    expect(mounts).toBe('"/socket"');
  });

  test("every action of the table is asked for somewhere", () => {
    const asked = [
      ...Object.values(routeRows).map(({ action }) => action),
      ...Object.values(clientEvents),
      ...hearingActions,
      ...insideRoutes,
      ...conversationActions,
      ...Object.values(topicRows),
    ];
    expect([...new Set(asked)].toSorted()).toEqual([...table.keys()].toSorted());
    expect([...table.keys()].toSorted()).toEqual(Object.keys(rules).toSorted());
  });

  test("it has thousands of cells", () => {
    const place = { isOpen: false, secret, sessions: new Map(speakers.map((who) => [ownerOf(who), unknownSession])) };
    const rows = [...Object.values(routeRows), besideRoutes(false)];
    const atMost = (max: number) => rows.flatMap((row) => row.questions(place).slice(0, max)).length;
    const known = [...knownByToken(secret), ...believed(secret), ...believedOverHttp()].length;
    const [unknown, forged] = [strangers(secret), forgers(secret)].map((groups) => Object.values(groups).flat().length);
    const cells = atMost(Infinity) * (known + unknown!) + atMost(forgedMax) * forged!;
    expect(cells).toBeGreaterThan(5000);
  });
});

function sourceOf(file: string): string {
  return readFileSync(join(import.meta.dirname, "..", "..", "server", file), "utf8");
}

let folder: string;
const worlds: World[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bennu-matrix-"));
  const businesses = join(folder, "businesses");
  await cp(join(import.meta.dirname, "..", "..", "businesses"), businesses, { recursive: true });
  await writeFile(
    join(businesses, `${there}.yaml`),
    `businessId: ${there}\nname: Bakery\nlocale: en\ntimeZone: Europe/London\n`,
  );
  const publicDir = join(folder, "public");
  await mkdir(publicDir);
  await writeFile(join(publicDir, "index.html"), "");
  await writeFile(join(publicDir, "page.js"), "");
  worlds.push(await startWorld({ AUTH_SECRET: secret }, businesses, publicDir));
  worlds.push(await startWorld({}, businesses, publicDir));
});

afterAll(async () => {
  for (const { app } of worlds) await app.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function startWorld(
  environment: Readonly<Record<string, string>>,
  businesses: string,
  publicDir: string,
): Promise<World> {
  const agent = new LingeringAgent(showingAgent(question), lingered);
  const app = await startTestApp(
    { ...environment, BUSINESSES_DIR: businesses },
    { publicDir, agents: { echo: agent } },
  );
  const isOpen = environment.AUTH_SECRET === undefined;
  const key = isOpen ? (await readFile(join(app.dataDir, "token-secret"), "utf8")).trim() : secret;
  const sessions = new Map<string, string>();
  for (const who of speakers) sessions.set(ownerOf(who), await talk(app, who, key));
  const headers = { authorization: `Bearer ${goodToken(robotOfAll, key)}` };
  for (const { userId, businessId } of [...revoked, { ...ana, userId: "returned" }]) {
    const path = `/api/tokens?sub=${userId}${businessId === null ? "" : `&businessId=${businessId}`}`;
    if ((await ask(app, path, { method: "DELETE", headers })).status !== 200) throw new Error("nothing was revoked");
  }
  const missing = new Map<string, HttpAnswer>();
  // The way in which all are asked: an answer says what becomes of its connection.
  const connections = keptConnections();
  for (const { missing: path } of Object.values(routeRows)) {
    missing.set(path, await ask(app, path, { headers, agent: connections }));
  }
  connections.destroy();
  return { isOpen, app, agent, secret: key, sessions, missing };
}

function ownerOf({ businessId, userId }: Who): string {
  return `${businessId}:${userId}`;
}

/** Says something and waits for the answer. @returns the session */
async function talk(app: TestApp, who: Who, key: string): Promise<string> {
  const client = await WireClient.connect(app.url, withToken("", who, goodToken(who, key)).query);
  await client.call(`messages:${who.businessId}`, "phx_join", {});
  const payload = { businessId: who.businessId, userId: who.userId, locationId: "default", message: "hello" };
  const { response } = await client.call(`messages:${who.businessId}`, "new_message", payload);
  await client.event("new_message");
  client.close();
  return String(response.sessionId);
}

describe.each([
  ["that checks tokens", 0],
  ["that is open", 1],
] as const)("a server %s", (_name, at) => {
  const isOpen = at === 1;
  // The secret of an open server is made when it starts, and with it whatever its tokens are.
  const world = () => worlds[at]!;
  const principals = () => (isOpen ? believed(world().secret) : knownByToken(secret));
  const names = (isOpen ? believed(secret) : knownByToken(secret)).map(({ name }) => name);
  const named = (name: string) => principals().find((each) => each.name === name)!;

  describe("[X-09] [X-11] [X-16] over HTTP", () => {
    const httpNames = isOpen ? [...names, ...believedOverHttp().map(({ name }) => name)] : names;

    test.each(httpNames)("%s does what the table says, and finds nothing else", async (name) => {
      const principal = [...principals(), ...believedOverHttp()].find((each) => each.name === name)!;
      expect(await askAll(world(), principal)).toEqual([]);
    });
  });

  describe("[X-09] [X-11] [X-16] on its sockets", () => {
    test("everybody whom it knows comes in, whichever way the token goes", async () => {
      for (const principal of principals()) expect(await knock(world(), principal, "open")).toEqual([]);
    });

    test.each(names)("%s joins what the table says, and finds nothing else", async (name) => {
      const principal = named(name);
      const joinings = isOpen ? [principal.join] : [principal.join, {}, { userId: "ana" }, { role: "coordinator" }];
      for (const joining of joinings) expect(await joinAll(world(), { ...principal, join: joining })).toEqual([]);
    });

    test.each(names)("[X3] %s says what the table says, and nothing else is stored", async (name) => {
      expect(await pushAll(world(), named(name))).toEqual([]);
    });

    test("[X-10] everybody hears what the table says, and no frame of anybody else", async () => {
      expect(await scene(world(), principals())).toEqual([]);
    });
  });
});

describe("strangers", () => {
  const groups = Object.keys({ ...strangers(secret), ...forgers(secret) });

  describe.each([
    ["that checks tokens", 0],
    ["that is open", 1],
  ] as const)("[X-01] [X-06] [X-07] at a server %s", (_name, at) => {
    // An open one takes a token that is not its own for none.
    const refused = at === 0 ? groups : groups.filter((group) => /expired|revoked/.test(group));

    test.each(refused)("%s reads, joins and does nothing", async (group) => {
      const world = worlds[at]!;
      const forged = forgers(world.secret)[group];
      for (const principal of forged ?? strangers(world.secret)[group]!) {
        const read = await askAll(world, principal, forged === undefined ? Infinity : forgedMax);
        expect([principal.name, read, await knock(world, principal, "403")]).toEqual([principal.name, [], []]);
      }
    });
  });

  test("[X2] [X-06] on an open server a forged token says nothing, and its owner is whoever else he says", async () => {
    for (const principal of forgersInTheOpen(worlds[1]!.secret)) {
      const read = await askAll(worlds[1]!, principal, forgedMax);
      const joined = await joinAll(worlds[1]!, principal);
      expect([principal.name, read, joined]).toEqual([principal.name, [], []]);
    }
  });

  test("[X2] headers that say what cannot be are 400 on an open server, whoever they say it is", async () => {
    const { app } = worlds[1]!;
    for (const headers of unbelievable) {
      for (const { action, questions } of Object.values(routeRows)) {
        if (table.get(action)?.nobody === "yes") continue;
        for (const { method = "GET", path } of questions(worlds[1]!)) {
          const { status } = await ask(app, path, { method, headers });
          expect([headers, path, status]).toEqual([headers, path, 400]);
        }
      }
    }
  });
});

// How each door is tried. Each gives a line for every cell that is not as the table has it.

async function askAll(world: World, principal: Principal, eachMax = Infinity): Promise<string[]> {
  const rows = [...Object.values(routeRows), besideRoutes(world.isOpen)];
  const agent = keptConnections();
  const cells = rows.flatMap((row) => {
    const missing = world.missing.get(row.missing)!;
    const questions = row.questions(world).slice(0, eachMax);
    return questions.map((question) => askOne(world, principal, { row, question, missing, agent }));
  });
  const faults = (await Promise.all(cells)).flat();
  agent.destroy();
  return faults;
}

/** A connection for each of thousands of questions takes longer than the questions. So few that none of them is idle. */
function keptConnections(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 8 });
}

interface HttpCell {
  readonly row: RouteRow;
  readonly question: Question;
  readonly missing: HttpAnswer;
  readonly agent: Agent;
}

async function askOne(
  world: World,
  { who, headers }: Principal,
  { row, question, missing, agent }: HttpCell,
): Promise<string[]> {
  const { what, path, method = "GET", body, headers: more } = question;
  const about = typeof question.about === "function" ? question.about(who) : question.about;
  const answer = await ask(world.app, path, {
    method,
    headers: { ...headers, ...more, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    agent,
  });
  const mayAll = table.get(row.action)?.nobody === "yes";
  const isAllowed = isAllowedBy(table, who, row.action, about) && question.exists;
  const expected = who.role === "nobody" && !mayAll ? 401 : isAllowed ? (question.done ?? row.done) : 404;
  const line = (fault: string) => [`${method} ${path} (${what}): ${fault}`];
  if (answer.status !== expected) return line(`${answer.status} where the table says ${expected}`);
  if (expected === 404 && shown(answer, method) !== shown(missing, method)) return line("not as what does not exist");
  if (expected !== 401 || method === "HEAD") return [];
  const isSaid = /^Bearer( error="invalid_token")?$/.test(String(answer.headers["www-authenticate"]));
  return isSaid && problemCode(answer) === "unauthorized" ? [] : line("not as an unknown one is answered");
}

// To the byte, but for when it was.
function shown({ status, headers, text }: HttpAnswer, method: string): string {
  const lasting = Object.entries(headers).filter(([name]) => name !== "date" && name !== "connection");
  return JSON.stringify([status, lasting, method === "HEAD" ? "" : text]);
}

/** Tries to open a socket in every way there is. */
async function knock(
  { app: { port }, isOpen }: World,
  principal: Principal,
  expected: "open" | "403",
): Promise<string[]> {
  const { token, query } = principal;
  const headers = Object.fromEntries(Object.entries(principal.headers).filter(([name]) => name !== "authorization"));
  const hidden = `phoenix, base64url.bearer.phx.${Buffer.from(token ?? "")
    .toString("base64")
    .replaceAll("=", "")}`;
  const ways: [transport: string, query: string, headers: Principal["headers"], expected: string][] = [
    ["websocket", query, headers, expected],
    ["longpoll", query, headers, expected],
  ];
  if (token !== null && token !== "") {
    ways.push(["websocket", "", { ...headers, "sec-websocket-protocol": hidden }, expected]);
    ways.push(["longpoll", "", { ...headers, "x-phoenix-authtoken": token }, expected]);
  }
  // What is good over HTTP is nothing here, and neither is what nobody checked.
  for (const transport of isOpen ? [] : ["websocket", "longpoll"]) {
    ways.push([transport, "&userId=ana&role=coordinator", principal.headers, "403"]);
  }
  const faults: string[] = [];
  for (const [transport, more, sent, due] of ways) {
    const got = await opening(port, { transport, path: `/socket/${transport}?vsn=2.0.0${more}`, headers: sent });
    if (got !== due) faults.push(`${transport} ${Object.keys(sent).join()} ${more}: ${got} instead of ${due}`);
  }
  return faults;
}

/** What an attempt comes to: it is open, or refused with a status. */
async function opening(
  port: number,
  { transport, path, headers }: { transport: string; path: string; headers: Principal["headers"] },
): Promise<string> {
  if (transport === "longpoll") {
    const answer = await ask({ port }, path, { headers });
    const { status, token } = JSON.parse(answer.text) as { status: number; token?: unknown };
    return status === 410 && token !== undefined ? "open" : String(token === undefined ? status : "a token");
  }
  const socket = await RawSocket.upgrade(port, { path, headers });
  socket.reset();
  return socket.status === 101 ? "open" : String(socket.status);
}

async function joinAll(world: World, { who, query, join: payload }: Principal): Promise<string[]> {
  const client = await WireClient.connect(world.app.url, query);
  const faults: string[] = [];
  const trial = async (topic: string, expected: unknown) => {
    const { status, response } = await client.call(topic, "phx_join", payload);
    const got = status === "ok" ? { role: response.role } : response;
    if (JSON.stringify([status, got]) !== JSON.stringify(expected)) {
      faults.push(`${topic}: ${JSON.stringify([status, got])} where the table says ${JSON.stringify(expected)}`);
    }
  };
  for (const businessId of topicNames) await trial(`messages:${businessId}`, joinExpected(world, who, businessId));
  for (const agentId of agentNames) await trial(`agent:${agentId}`, agentExpected(world, who, agentId));
  const ofSessions = [...conversationNames, ...world.sessions.values()];
  for (const id of ofSessions) await trial(`conversation:${id}`, ["error", { reason: "not_found" }]);
  for (const topic of noTopics) await trial(topic, ["error", { reason: "unmatched topic" }]);
  client.close();
  return faults;
}

function joinExpected(world: World, who: Who, businessId: string): unknown {
  const isOfIt = who.businessId === null || who.businessId === businessId;
  if (!isOfIt || !exists(world, businessId)) return ["error", { reason: "not_found" }];
  const isAllowed = isAllowedBy(table, who, "messages.join", { businessId });
  if (!isAllowed) return ["error", { reason: "forbidden" }];
  const isConsole = isAllowedBy(table, who, "console.hear", { businessId });
  return ["ok", { role: isConsole ? "coordinator" : "user" }];
}

function agentExpected(world: World, who: Who, agentId: string): unknown {
  const { businessId, userId } = who;
  const isAgent = isAllowedBy(table, who, "agent.join", { businessId, userId });
  if (!isAgent) return ["error", { reason: "forbidden" }];
  const isOwn = isAllowedBy(table, who, "agent.join", { businessId, userId: agentId });
  return isOwn && exists(world, businessId) ? ["ok", {}] : ["error", { reason: "not_found" }];
}

/** The businesses on whose topic somebody can be. */
function joinable(world: World, who: Who): string[] {
  return [here, there].filter(
    (businessId) => exists(world, businessId) && isAllowedBy(table, who, "messages.join", { businessId }),
  );
}

async function pushAll(world: World, principal: Principal): Promise<string[]> {
  const { who, query } = principal;
  const client = await WireClient.connect(world.app.url, query);
  const faults: string[] = [];
  const trial = async (topic: string, event: string, { what, payload }: Omit<Push, "isGood">, expected: string) => {
    const { status, response } = await client.call(topic, event, payload);
    const got = status === "ok" ? "ok" : String(response.code ?? response.reason);
    if (got !== expected) faults.push(`${topic} ${event} ${what}: ${got} where the table says ${expected}`);
  };
  const before = await stored(world);
  // On a topic that it has not joined nobody says anything.
  for (const businessId of [here, there, nowhere]) {
    const payload = { businessId, userId: who.userId ?? "ana", locationId: "default", message: "unheard" };
    await trial(`messages:${businessId}`, "new_message", { what: "unjoined", payload }, "unmatched topic");
  }
  const good: { readonly topic: string; readonly payload: unknown }[] = [];
  for (const businessId of joinable(world, who)) {
    const topic = `messages:${businessId}`;
    await client.call(topic, "phx_join", principal.join);
    for (const event of noEvents) await trial(topic, event, { what: "", payload: {} }, "unknown_event");
    for (const push of eventRows.new_message(world, who, businessId)) {
      if (push.isGood) good.push({ topic, payload: push.payload });
      else await trial(topic, "new_message", push, "forbidden");
    }
    for (const event of ["delivered", "read"] as const) {
      for (const push of eventRows[event](world, who, businessId)) {
        await trial(topic, event, push, push.isGood ? "ok" : "session_not_found");
      }
    }
    for (const event of ["component_submit", "feedback"] as const) {
      for (const push of eventRows[event](world, who, businessId)) await trial(topic, event, push, push.refusal!);
    }
    for (const event of sessionDeeds) {
      for (const push of eventRows[event](world, who, businessId)) {
        await trial(topic, event, push, push.isGood ? "ok" : push.refusal!);
        if (event === "take_over" && push.isGood) await trial(topic, "hand_back", push, "ok");
      }
    }
    if (principal.token !== null) await renewAll(world, who, { topic, businessId, trial });
  }
  if (JSON.stringify(await stored(world)) !== JSON.stringify(before)) faults.push("something was stored");
  for (const { topic, payload } of good) {
    const { status, response } = await client.call(topic, "new_message", payload);
    if (status === "ok")
      await client.next((frame) => frame[3] === "new_message" && frame[4].inReplyTo === response.messageId);
    else faults.push(`${topic} ${JSON.stringify(payload)} was refused`);
  }
  client.close();
  return faults;
}

const triedApart: readonly ClientEvent[] = [
  "new_message",
  "component_submit",
  "feedback",
  "access_token",
  "cancel",
  "delivered",
  "read",
];
/** What is done to one session: every other event, so that a new one is tried. */
const sessionDeeds = (Object.keys(clientEvents) as ClientEvent[]).filter((event) => !triedApart.includes(event));

async function renewAll(
  world: World,
  who: Who,
  {
    topic,
    businessId,
    trial,
  }: {
    readonly topic: string;
    readonly businessId: string;
    readonly trial: (topic: string, event: string, push: Push, expected: string) => Promise<void>;
  },
): Promise<void> {
  for (const push of eventRows.access_token(world, who, businessId)) {
    const refusal = push.what === "expired" ? "token_expired" : "forbidden";
    await trial(topic, "access_token", push, push.isGood ? "ok" : refusal);
  }
}

/** How much there is of everybody who is named anywhere. */
async function stored({ app }: World): Promise<readonly unknown[]> {
  const userIds = ["ana", "bob", "Ana", "carla", "robot", "agent", "somebody", "constructor", "returned", "__proto__"];
  const owners = [here, there, nowhere, here.toLowerCase(), "Ｂ0100001", "__proto__"].flatMap((businessId) =>
    userIds.map((userId) => ({ businessId, userId })),
  );
  return Promise.all(
    owners.map(async (owner) => {
      const current = await readCurrentSession(app.store, owner);
      return current === null ? null : (await findHead(app.store, current.value.sessionId))?.session.offset;
    }),
  );
}

interface Listener {
  readonly name: string;
  readonly who: Who;
  readonly businessId: string;
  readonly client: WireClient;
}

/** Some talk, everybody who can be there listens. */
/** All that can be shown is shown on the way to its answer. */
const question = "a question";
/** Over this its agent takes its time. */
const lingered = "a question that takes long";

async function scene(world: World, principals: readonly Principal[]): Promise<string[]> {
  const listeners: Listener[] = [];
  for (const { name, who, query, join: payload } of principals) {
    for (const businessId of joinable(world, who)) {
      const client = await WireClient.connect(world.app.url, query);
      await client.call(`messages:${businessId}`, "phx_join", payload);
      listeners.push({ name: `${name} on ${businessId}`, who, businessId, client });
    }
  }
  const faults: string[] = [];
  for (const speaker of speakers) faults.push(...(await act(world, speaker, listeners)));
  for (const { client } of listeners) client.close();
  return faults;
}

async function act(world: World, speaker: Who, listeners: readonly Listener[]): Promise<string[]> {
  const everythingArrived = () => Promise.all(listeners.map(({ client }) => client.heartbeat()));
  const { businessId, userId } = speaker;
  const topic = `messages:${businessId}`;
  const client = await WireClient.connect(
    world.app.url,
    withToken("", speaker, goodToken(speaker, world.secret)).query,
  );
  await client.call(topic, "phx_join", {});
  await everythingArrived();
  const heardBefore = listeners.map((listener) => listener.client.frames.length);
  const own = { businessId, userId, locationId: "default", message: question };
  for (const payload of [own, { ...own, userId: "mallory" }, {}]) await client.call(topic, "new_message", payload);
  await client.event("new_message");
  await chat(world, client, speaker);
  await takeOverFrom(world, client, { ...own, message: lingered });
  const sessionId = await readAll(
    client,
    topic,
    listeners.filter((one) => audible(one, speaker).includes("receipt")),
  );
  await client.heartbeat();
  await everythingArrived();
  client.close();
  const faults: string[] = [];
  listeners.forEach((listener, index) => {
    // A receipt may be a second old: those of another session are of a scene before.
    const isOfScene = (frame: Frame) => frame[3] !== "receipt" || frame[4].sessionId === sessionId;
    const frames = listener.client.frames
      .slice(heardBefore[index])
      .filter((frame) => frame[2] !== "phoenix" && isOfScene(frame));
    const heard = [...new Set(frames.map(([, , , event]) => event))].toSorted();
    const may = audible(listener, speaker);
    if (heard.join() === may.join()) return;
    faults.push(`${listener.name} heard ${heard.join()} of ${userId} of ${businessId}; the table says ${may.join()}`);
  });
  return faults;
}

/** They have a chat, too, and are told of its answer. */
async function chat({ app, secret: key }: World, client: WireClient, who: Who): Promise<void> {
  const headers = { authorization: `Bearer ${goodToken(who, key)}`, "content-type": "application/json" };
  const made = await ask(app, "/chats", { method: "POST", headers, body: "{}" });
  const path = `/chats/${(JSON.parse(made.text) as { _id: string })._id}/messages`;
  await ask(app, path, { method: "POST", headers, body: JSON.stringify({ content: question }) });
  await client.event("message:updated");
}

/** A coordinator takes the session while the agent is at work, and gives it back. */
async function takeOverFrom(
  { app, secret: key, agent }: World,
  client: WireClient,
  payload: Readonly<Record<"message", string>> & { readonly businessId: string | null },
): Promise<void> {
  const topic = `messages:${payload.businessId}`;
  const who: Who = { role: "coordinator", userId: "cleo", businessId: payload.businessId };
  const console = await WireClient.connect(app.url, withToken("", who, goodToken(who, key)).query);
  await console.call(topic, "phx_join", {});
  const { response } = await client.call(topic, "new_message", payload);
  const [messageId, sessionId] = [String(response.messageId), String(response.sessionId)];
  await agent.isAsked(messageId);
  await console.call(topic, "take_over", { sessionId });
  await console.call(topic, "note", { sessionId, message: "among ourselves" });
  agent.goOn(messageId);
  await console.event("draft");
  await console.call(topic, "hand_back", { sessionId });
  await client.next((frame) => frame[3] === "new_message" && frame[4].inReplyTo === messageId);
  console.close();
}

/** The user reads what they were told, likes it, and whoever is to know of it is told so. @returns the session */
async function readAll(client: WireClient, topic: string, told: readonly Listener[]): Promise<unknown> {
  const { sessionId, messageId, offset } = client.frames.findLast(([, , , event]) => event === "new_message")![4];
  await client.call(topic, "read", { sessionId, offset });
  await client.call(topic, "feedback", { sessionId, messageId, score: 1 });
  const isReceipt = ([, , , event, payload]: Frame) =>
    event === "receipt" && payload.sessionId === sessionId && payload.read === offset;
  await Promise.all(told.map((listener) => listener.client.next(isReceipt)));
  return sessionId;
}

/** The events about somebody that the table lets a listener hear. All of them happen when somebody talks. */
function audible({ who, businessId }: Listener, about: Who): string[] {
  const actions = hearingActions.filter((action) => isAllowedBy(table, who, action, about));
  const events = businessId === about.businessId ? actions.flatMap((action) => table.get(action)?.names ?? []) : [];
  return [...new Set(events)].toSorted();
}
