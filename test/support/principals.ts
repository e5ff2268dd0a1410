import type { Who } from "./access-table.js";
import { claimsOf, expiredToken, forgeries, goodToken, signed } from "./forged-tokens.js";

/** Who it is by its words, and what it sends to say so. */
export interface Principal {
  readonly name: string;
  readonly who: Who;
  /** Over HTTP. */
  readonly headers: Readonly<Record<string, string>>;
  /** When it connects a socket, after `vsn`. */
  readonly query: string;
  /** When it joins, unless the test says otherwise. */
  readonly join: Readonly<Record<string, unknown>>;
  /** The token that says who it is; null: its own words do, or nothing does. */
  readonly token: string | null;
}

export const nobody: Who = { role: "nobody", userId: null, businessId: null };

/** Says over each door that it is somebody else, whom no server that checks tokens may believe. */
const pretence = {
  headers: { "x-user-id": "ana", "x-role": "service" },
  query: "&userId=ana&role=coordinator",
} as const;

/** Somebody with a token, who pretends to be somebody else wherever nobody can check it. */
export function withToken(name: string, who: Who, token: string): Principal {
  return {
    name,
    who,
    headers: { ...pretence.headers, authorization: `Bearer ${token}` },
    query: `${pretence.query}&token=${encodeURIComponent(token)}`,
    join: { userId: "bob" },
    token,
  };
}

/** A business that welcomes visitors, one that does not, and one that nobody described. */
export const [here, there, nowhere] = ["B0100001", "B0200002", "B0999999"] as const;

const startedAt = Math.floor(Date.now() / 1000);

export const ana: Who = { role: "user", userId: "ana", businessId: here };
export const bob: Who = { role: "user", userId: "bob", businessId: here };
export const anaElsewhere: Who = { role: "user", userId: "ana", businessId: there };
export const carla: Who = { role: "coordinator", userId: "carla", businessId: here };
export const robotOfAll: Who = { role: "service", userId: "robot", businessId: null };
export const speakers = [ana, bob, anaElsewhere];

export const known: Readonly<Record<string, Who>> = {
  "a user": ana,
  "another user": bob,
  "a user elsewhere, of the same id": anaElsewhere,
  "a user whose id differs in its case": { ...ana, userId: "Ana" },
  "a user whose business differs in its case": { ...ana, businessId: here.toLowerCase() },
  "a user of a name that objects have": { ...ana, userId: "constructor" },
  "a coordinator": carla,
  "a coordinator called as the user": { ...carla, userId: "ana" },
  "a coordinator elsewhere": { ...carla, businessId: there },
  "a coordinator whose business differs in its case": { ...carla, businessId: here.toLowerCase() },
  "an agent called as the user": { ...ana, role: "agent" },
  "an agent elsewhere": { role: "agent", userId: "bot", businessId: there },
  "a service": { ...robotOfAll, businessId: here },
  "a service elsewhere": { ...robotOfAll, businessId: there },
  "a service of all": robotOfAll,
  "a service of a business that is none": { ...robotOfAll, businessId: nowhere },
};

/** One of each role, for tokens that are no good. */
const roleModels = [ana, carla, { ...ana, role: "agent" as const, userId: "bot" }, robotOfAll];
export const revoked = roleModels.map((who): Who => ({ ...who, userId: `revoked-${who.role}` }));

export function knownByToken(key: string): Principal[] {
  const returned: Who = { ...ana, userId: "returned" };
  const later = Math.floor(Date.now() / 1000) + 30;
  return [
    ...Object.entries(known).map(([name, who]) => withToken(name, who, goodToken(who, key))),
    withToken("a user with a new token after the old was revoked", returned, goodToken(returned, key, { iat: later })),
  ];
}

/** Those whom nobody may take for somebody, by what is wrong with them. */
export function strangers(key: string): Readonly<Record<string, readonly Principal[]>> {
  const token = goodToken(robotOfAll, key);
  const stranger: Principal = { name: "a stranger", who: nobody, headers: {}, query: "", join: {}, token: null };
  const undated = (who: Who) => signed({ ...claimsOf(who), exp: Date.now() }, key);
  return {
    "no token": [stranger, { ...withToken("an empty token", nobody, ""), query: "&token=&userId=ana" }],
    "a token where none is looked for": [
      { ...stranger, headers: { cookie: `token=${token}; authToken=${token}; Authorization=Bearer ${token}` } },
      { ...stranger, headers: { "x-token": token, "x-access-token": token, authorization: `Basic ${token}` } },
      { ...stranger, headers: { authorization: token }, query: `&access_token=${token}&token[]=${token}` },
    ],
    "an expired token": roleModels.map((who) => withToken(who.role, nobody, expiredToken(who, key))),
    "a revoked token": revoked.map((who) => withToken(who.role, nobody, goodToken(who, key, { iat: startedAt }))),
    "a revoked token that does not say since when": revoked.map((who) => withToken(who.role, nobody, undated(who))),
  };
}

/** Those who made their token themselves, by how they did it. */
export function forgers(key: string): Readonly<Record<string, readonly Principal[]>> {
  const whos = [ana, { ...robotOfAll, businessId: here }];
  return Object.fromEntries(
    Object.entries(forgeries).map(([name, forge]) => [
      `a token ${name}`,
      whos.map((who) => withToken(who.role, nobody, forge(who, key))),
    ]),
  );
}

/** Those of an open server, who are whoever they say; the tokens are ours. */
export function believed(key: string): Principal[] {
  const said = (
    name: string,
    who: Who,
    headers: Principal["headers"],
    query = "",
    joining: Principal["join"] = {},
  ) => ({
    name,
    who,
    headers,
    query,
    join: joining,
    token: null,
  });
  const console: Who = { role: "coordinator", userId: null, businessId: null };
  const anywhere = { ...ana, businessId: null };
  const of = (businessId: string) => ({ "x-business-id": businessId });
  const user = { "x-user-id": "ana" };
  const forged = (name: string) => forgeries[name]!(robotOfAll, key);
  return [
    said("says nothing", console, {}),
    said("says an id", anywhere, user, "", { userId: "ana" }),
    said("says an id when it connects", anywhere, user, "&userId=ana"),
    said("says another id when it joins", anywhere, user, "&userId=bob", { userId: "ana" }),
    said("says an id and a business", ana, { ...user, ...of(here) }, `&userId=ana&businessId=${here}`),
    said("says an id and another business", anaElsewhere, { ...user, ...of(there) }, `&userId=ana&businessId=${there}`),
    said("says that it is a user", ana, { ...user, ...of(here), "x-role": "user" }, `&businessId=${here}`, {
      userId: "ana",
      role: "user",
    }),
    said("says a business", { ...console, businessId: here }, of(here), `&businessId=${here}`),
    said("says another business", { ...console, businessId: there }, of(there), `&businessId=${there}`),
    said("says it coordinates", console, { ...user, "x-role": "coordinator" }, "&userId=ana", {
      role: "coordinator",
    }),
    said("says it coordinates when it connects", console, { "x-role": "coordinator" }, "&role=coordinator&userId=ana"),
    said("has no token", console, { authorization: "Bearer " }, "&token="),
    said(
      "has a forged token",
      ana,
      { ...user, ...of(here), authorization: `Bearer ${forged("not signed")}` },
      [`&userId=ana&businessId=${here}`, `token=${forged("of another secret")}`].join("&"),
    ),
    ...["a user", "a coordinator", "an agent called as the user", "a service", "a service of all"].map((name) =>
      withToken(`has a token: ${name}`, known[name]!, goodToken(known[name]!, key)),
    ),
  ];
}

/** Roles that an open server believes over HTTP alone. */
export function believedOverHttp(): Principal[] {
  const agent: Who = { role: "agent", userId: "ana", businessId: here };
  const headers = (who: Who) => ({
    "x-role": who.role,
    ...(who.userId === null ? {} : { "x-user-id": who.userId }),
    ...(who.businessId === null ? {} : { "x-business-id": who.businessId }),
  });
  return [agent, { ...agent, businessId: null }, robotOfAll, known["a service"]!, known["a service elsewhere"]!].map(
    (who) => ({
      name: `says it is ${who.role} of ${who.businessId}`,
      who,
      headers: headers(who),
      query: "",
      join: {},
      token: null,
    }),
  );
}

/** Somebody of an open server whose token is forged, and says nothing there: he is whoever else he says. */
export function forgersInTheOpen(key: string): Principal[] {
  return Object.entries(forgeries).map(([name, forge]) => {
    const { headers, query } = withToken(name, nobody, forge(robotOfAll, key));
    return {
      name: `has a token ${name}`,
      who: ana,
      headers: { ...headers, "x-user-id": "ana", "x-role": "user", "x-business-id": here },
      query: `${query.replace("&role=coordinator", "")}&businessId=${here}`,
      join: {},
      token: null,
    };
  });
}

/** Headers that say what cannot be. */
export const unbelievable: readonly Readonly<Record<string, string>>[] = [
  { "x-role": "admin" },
  { "x-role": "Coordinator" },
  { "x-role": "__proto__", "x-user-id": "ana" },
  { "x-role": "user" },
  { "x-role": "agent" },
  { "x-user-id": "a b" },
  { "x-user-id": "" },
  { "x-business-id": "B0100001 B0200002" },
  { "x-business-id": "" },
];
