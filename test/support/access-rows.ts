import type { clientEvents } from "../../server/messaging/messages-channel.js";
import { isBusinessId } from "../../protocol/payloads.js";
import { chatRows } from "./chat-rows.js";
import { scheduleRows } from "./schedule-rows.js";
import { isAllowedBy, readAccessTable, type What, type Who } from "./access-table.js";
import { expiredToken, forgeries, goodToken } from "./forged-tokens.js";
import { here, known, nowhere, there } from "./principals.js";

// One row for each route, event and topic: which action of the SPEC's table it is, and what to try.

const table = readAccessTable();
const described: ReadonlySet<string> = new Set([here, there]);
const welcoming: ReadonlySet<string> = new Set([here]);
const unknownMessage = "00000000-0000-7000-8000-000000000000";
export const unknownSession = "8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11";

/** What a server has. */
export interface Place {
  readonly isOpen: boolean;
  /** What its tokens are signed with. */
  readonly secret: string;
  /** Sessions by `<businessId>:<userId>`. */
  readonly sessions: ReadonlyMap<string, string>;
}

/** Whether there is such a business: on an open server every one that can be. */
export function exists({ isOpen }: Place, businessId: string | null): boolean {
  return businessId !== null && (isOpen ? isBusinessId(businessId) : described.has(businessId));
}

export interface Question {
  readonly what: string;
  readonly path: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the table is asked about; a function where it depends on who asks. */
  readonly about: What | ((who: Who) => What);
  readonly exists: boolean;
  /** What those who may are answered, where it is not what the route otherwise answers. */
  readonly done?: number;
}

export interface RouteRow {
  readonly action: string;
  /** The status of what may be done. */
  readonly done: number;
  /** The path of something that does not exist, for all: what may not be seen is answered like it. */
  readonly missing: string;
  readonly questions: (place: Place) => readonly Question[];
}

const noSuchRoute = "/api/no-such-thing";
const anything: What = { businessId: null };
const pathNames = [
  here,
  there,
  nowhere,
  here.toLowerCase(),
  "__proto__",
  "constructor",
  "%EF%BC%A20100001",
  "*",
  "a%2Fb",
];

export const routeRows: Readonly<Record<string, RouteRow>> = {
  ...chatRows,
  ...scheduleRows,
  "get /healthz": pageRow("/healthz"),
  "get /readyz": pageRow("/readyz"),
  "get /docs": pageRow("/docs"),
  "get /docs/openapi.json": pageRow("/docs/openapi.json"),
  "get /docs/style.css": pageRow("/docs/style.css"),
  "get /api/sessions/business/:businessId/active": {
    action: "sessions.list",
    done: 200,
    missing: noSuchRoute,
    questions: (place) =>
      pathNames.flatMap((name) => {
        const businessId = decodeURIComponent(name);
        const one = { what: businessId, about: { businessId }, exists: exists(place, businessId) };
        const path = `/api/sessions/business/${name}/active`;
        return name === here ? readingsOf(one, path) : [{ ...one, path }];
      }),
  },
  "get /api/sessions": {
    action: "session.read",
    done: 200,
    missing: noSuchRoute,
    questions: (place) => [
      ...pathNames.map((name) => {
        const businessId = decodeURIComponent(name);
        // A user who names nobody asks for what is his.
        const about = ({ role, userId }: Who) => (role === "user" ? { businessId, userId } : { businessId });
        const one = { what: `all of ${businessId}`, about, exists: exists(place, businessId) };
        return { ...one, path: `/api/sessions?businessId=${name}` };
      }),
      ...[here, there, nowhere].flatMap((businessId) =>
        ["ana", "bob", "Ana", "silent", "__proto__", "a%20b"].map((name) => {
          const userId = decodeURIComponent(name);
          const isThere = exists(place, businessId) && userId !== "a b";
          const one = { what: `${userId} of ${businessId}`, about: { businessId, userId }, exists: isThere };
          return { ...one, path: `/api/sessions?businessId=${businessId}&userId=${name}&chatId=w&q=a` };
        }),
      ),
    ],
  },
  "get /api/sessions/:sessionId": {
    action: "session.read",
    done: 200,
    missing: `/api/sessions/${unknownSession}`,
    questions: (place) => namedSessions(place).flatMap(({ path, ...one }) => readingsOf(one, path)),
  },
  "patch /api/sessions/:sessionId": {
    action: "session.change",
    done: 400,
    missing: `/api/sessions/${unknownSession}`,
    questions: (place) =>
      namedSessions(place).flatMap((one) => [
        { ...one, method: "PATCH", body: { title: "a title" }, done: 200 },
        { ...one, method: "PATCH", body: { title: 7 } },
      ]),
  },
  // Nobody's is deleted, or the others would miss it: who may is told that there are no parameters.
  "delete /api/sessions/:sessionId": {
    action: "session.delete",
    done: 400,
    missing: `/api/sessions/${unknownSession}`,
    questions: (place) =>
      namedSessions(place).map((one) => ({ ...one, method: "DELETE", path: `${one.path}?only=some` })),
  },
  "get /api/sessions/:sessionId/messages": {
    action: "session.read",
    done: 200,
    missing: `/api/sessions/${unknownSession}/messages`,
    questions: (place) => sessionQuestions(place),
  },
  // What is said would have to be answered: who may is told what is missing.
  "post /api/messages": {
    action: "message.send",
    done: 400,
    missing: noSuchRoute,
    questions: (place) => [
      ...[here, there, nowhere].flatMap((businessId) =>
        ["ana", "bob", "Ana", "__proto__"].map((userId) => ({
          ...{ what: `${userId} of ${businessId}`, method: "POST", path: "/api/messages" },
          body: { businessId, userId, locationId: "default" },
          about: { businessId, userId },
          exists: exists(place, businessId),
        })),
      ),
      {
        ...{ what: "nothing", method: "POST", path: "/api/messages", body: {}, exists: true },
        about: ({ businessId, userId }) => ({ businessId, userId }),
      },
    ],
  },
  "post /api/tokens": {
    action: "token.issue",
    done: 201,
    missing: noSuchRoute,
    questions: (place) => [
      ...[here, there, nowhere, here.toLowerCase(), "__proto__"].flatMap((businessId) =>
        (businessId === here ? ["user", "coordinator", "agent", "service"] : ["service"]).map((role) => ({
          ...tokenQuestion(`${role} of ${businessId}`, { sub: "somebody", role, businessId }),
          about: { businessId },
          exists: exists(place, businessId),
        })),
      ),
      tokenQuestion("a service of all", { sub: "somebody", role: "service" }),
      // Only who may do it for somebody is told what is wrong.
      { ...tokenQuestion("nothing", {}), about: ({ businessId }) => ({ businessId }), done: 400 },
    ],
  },
  "delete /api/tokens": {
    action: "token.revoke",
    done: 200,
    missing: noSuchRoute,
    questions: () => [
      ...[here, there, nowhere, null].map((businessId) => ({
        what: `of ${businessId}`,
        method: "DELETE",
        path: `/api/tokens?sub=gone${businessId === null ? "" : `&businessId=${businessId}`}`,
        about: { businessId },
        exists: true,
      })),
      {
        what: "of nobody",
        method: "DELETE",
        path: "/api/tokens",
        about: ({ businessId }) => ({ businessId }),
        exists: true,
        done: 400,
      },
    ],
  },
  "get /api/businesses/:businessId/users/:userId": {
    action: "user.manage",
    done: 200,
    missing: noSuchRoute,
    questions: (place) => userQuestions(place),
  },
  "patch /api/businesses/:businessId/users/:userId": {
    action: "user.manage",
    done: 200,
    missing: noSuchRoute,
    questions: (place) =>
      userQuestions(place).flatMap((question) => {
        const patch = { ...question, method: "PATCH" };
        // Only those who may are told what is wrong, and before it is looked for whom.
        const { businessId } = question.about as What;
        const bad = { ...patch, body: { blocked: "yes" }, exists: exists(place, businessId), done: 400 };
        return [{ ...patch, body: { blocked: false } }, bad];
      }),
  },
  "get /api/businesses/:businessId": {
    action: "business.read",
    done: 200,
    missing: noSuchRoute,
    questions: (place) =>
      pathNames.flatMap((name) => {
        const businessId = decodeURIComponent(name);
        const one = { what: businessId, about: { businessId }, exists: exists(place, businessId) };
        return name === here ? readingsOf(one, businessPath(name)) : [{ ...one, path: businessPath(name) }];
      }),
  },
  // Those who may are told that it is no business; what they store has tests of its own.
  "put /api/businesses/:businessId": {
    action: "business.write",
    done: 400,
    missing: noSuchRoute,
    questions: () => pathNames.map((name) => ({ ...badPut(name, businessPath(name)), exists: isName(name) })),
  },
  "get /api/businesses/:businessId/documents/:documentId": {
    action: "business.read",
    done: 200,
    missing: noSuchRoute,
    questions: (place) =>
      documentQuestions(place).map((question) => ({ ...question, exists: question.exists && question.isKnown })),
  },
  "put /api/businesses/:businessId/documents/:documentId": {
    action: "business.write",
    done: 400,
    missing: noSuchRoute,
    questions: (place) =>
      documentQuestions(place).map((question) => ({ ...question, method: "PUT", body: { title: "" } })),
  },
  "delete /api/businesses/:businessId/documents/:documentId": {
    action: "business.write",
    done: 412,
    missing: noSuchRoute,
    questions: (place) =>
      documentQuestions(place).map((question) => ({
        ...question,
        method: "DELETE",
        exists: question.exists && question.isKnown,
        headers: { "if-match": '"another"' },
      })),
  },
  "get /api/businesses/:businessId/stats": {
    action: "business.stats",
    done: 200,
    missing: noSuchRoute,
    questions: (place) =>
      pathNames.flatMap((name) => {
        const businessId = decodeURIComponent(name);
        const one = { what: businessId, about: { businessId }, exists: exists(place, businessId) };
        const path = `${businessPath(name)}/stats`;
        // Only those who may are told what is wrong.
        const bad = { ...one, what: `${businessId}, by the week`, path: `${path}?by=week`, done: 400 };
        return [{ ...one, path }, bad];
      }),
  },
  "post /agents/:agentId/connect": connectRow(""),
  "post /api/agents/:agentId/connect": connectRow("/api"),
  ...conversationRows(""),
  ...conversationRows("/api"),
  "post /api/visitors/:businessId": {
    action: "visitor.create",
    done: 201,
    missing: noSuchRoute,
    questions: () =>
      pathNames.map((name) => ({
        what: name,
        method: "POST",
        path: `/api/visitors/${name}`,
        about: { businessId: decodeURIComponent(name) },
        exists: welcoming.has(decodeURIComponent(name)),
      })),
  },
};

/** What answers beside the routes: pages, and what there must not be. */
export const besideRoutes = (isOpen: boolean): RouteRow => ({
  action: "page.read",
  done: 200,
  missing: noSuchRoute,
  questions: () => [
    ...["/", "/index.html", "/page.js"].map((path) => ({ what: path, path, about: anything, exists: true })),
    { what: "the metrics", path: "/metrics", about: anything, exists: isOpen },
    ...["/../package.json", "/%2e%2e/package.json", "/.env", "/api"].map((path) => ({
      what: path,
      path,
      about: anything,
      exists: false,
    })),
    // What is not listed may not be done, not even to what is there, and everybody is told the same.
    ...["POST", "PUT", "PATCH", "DELETE"].flatMap((method) =>
      [`/api/sessions/business/${here}/active`, `/api/sessions/${unknownSession}/messages`, "/healthz"].map((path) =>
        notDone(method, path),
      ),
    ),
    ...["GET", "PUT", "PATCH"].map((method) => notDone(method, "/api/tokens")),
    notDone("GET", "/internal/chat-ai-worker"),
  ],
});

function notDone(method: string, path: string): Question {
  return { what: `${method} ${path}`, method, path, about: anything, exists: true, done: 405 };
}

/** Conversations that are there have tests of their own. (test/wire/conversation-matrix.test.ts) */
function conversationRows(prefix: string): Record<string, RouteRow> {
  const path = `${prefix}/conversations`;
  const one = `${path}/:conversationId`;
  const about = ({ businessId, userId }: Who): What => ({ businessId, userId });
  const row = (action: string, method: string, of: string): RouteRow => ({
    action,
    ...{ done: 200, missing: `/api/sessions/${unknownSession}` },
    questions: ({ sessions }) =>
      [unknownSession, "__proto__", ...sessions.values()].slice(0, prefix === "" ? 3 : 1).map((id) => ({
        ...{ what: id, method, path: `${path}/${id}${of}`, about, exists: false },
        ...(method === "POST" || method === "PATCH" ? { body: {} } : {}),
      })),
  });
  return {
    [`get ${path}`]: {
      action: "conversation.read",
      ...{ done: 200, missing: noSuchRoute },
      questions: (place) =>
        pathNames.slice(0, prefix === "" ? 5 : 2).map((name) => {
          const businessId = decodeURIComponent(name);
          const whose = ({ role, userId }: Who) =>
            role === "user" || role === "agent" ? { businessId, userId } : { businessId };
          return {
            ...{ what: businessId, path: `${path}?businessId=${name}`, about: whose },
            exists: exists(place, businessId),
          };
        }),
    },
    // Nothing is made here: only who may do it for somebody is told what is missing.
    [`post ${path}`]: {
      action: "conversation.create",
      ...{ done: 400, missing: noSuchRoute },
      questions: () => [{ what: "nothing", method: "POST", path, body: {}, about, exists: true }],
    },
    [`get ${one}`]: row("conversation.read", "GET", ""),
    [`patch ${one}`]: row("conversation.change", "PATCH", ""),
    [`delete ${one}`]: row("conversation.change", "DELETE", ""),
    [`get ${one}/messages`]: row("conversation.read", "GET", "/messages"),
    [`post ${one}/participants/add`]: row("conversation.invite", "POST", "/participants/add"),
    [`post ${one}/participants/remove`]: row("conversation.invite", "POST", "/participants/remove"),
  };
}

function connectRow(prefix: string): RouteRow {
  return {
    action: "agent.connect",
    done: 200,
    missing: noSuchRoute,
    questions: (place) => [
      ...(prefix === "" ? [here, there, nowhere] : [here]).flatMap((businessId) =>
        ["bot", "ana", "__proto__", "a%3Ab"].map((name) => {
          const agentId = decodeURIComponent(name);
          return {
            ...{ what: `${agentId} of ${businessId}`, method: "POST", path: `${prefix}/agents/${name}/connect` },
            body: { businessId },
            about: { businessId, userId: agentId },
            exists: exists(place, businessId) && !/[ :]/.test(agentId),
          };
        }),
      ),
      // Only who may do it for somebody is told what is wrong.
      {
        ...{ what: "nonsense", method: "POST", path: `${prefix}/agents/bot/connect`, body: { businessId: 7 } },
        about: ({ businessId, userId }) => ({ businessId, userId }),
        ...{ exists: true, done: 400 },
      },
    ],
  };
}

function pageRow(path: string): RouteRow {
  const one = { what: path, about: anything, exists: true };
  return { action: "page.read", done: 200, missing: noSuchRoute, questions: () => readingsOf(one, path) };
}

/** The ways to ask for the same thing: none of them knows more than the others. */
function readingsOf(one: Omit<Question, "path">, path: string): Question[] {
  const loud = path.replace(/^\/(?:api\/sessions\/business|api\/sessions)?/, (start) => start.toUpperCase());
  return [
    { ...one, path },
    { ...one, what: `${one.what}, HEAD`, method: "HEAD", path },
    { ...one, what: `${one.what}, loud`, path: loud },
    { ...one, what: `${one.what}, with a slash`, path: `${path}/` },
    { ...one, what: `${one.what}, by parameters`, path: `${path}?userId=ana&businessId=${here}&role=service` },
  ];
}

function sessionQuestions(place: Place): Question[] {
  const noon = Date.now() - 43_200_000;
  const real = [...place.sessions].map(([owner, sessionId]): Omit<Question, "path"> & { id: string } => {
    const [businessId = "", userId = ""] = owner.split(":");
    return { what: `the session of ${owner}`, id: sessionId, about: { businessId, userId }, exists: true };
  });
  const owners: [string, string][] = [
    [here, "ana"],
    [here, "bob"],
    [there, "ana"],
    [here, "Ana"],
    [here, "silent"],
    [here, "__proto__"],
    [here, "ana:1"],
    [nowhere, "ana"],
    [here.toLowerCase(), "ana"],
    ["__proto__", "ana"],
    ["Ｂ0100001", "ana"],
    ["", "ana"],
  ];
  const madeUp = owners.map(([businessId, userId]) => ({
    what: `the day of ${businessId}:${userId}`,
    id: encodeURIComponent(`${businessId}:${userId}:${noon}`),
    about: { businessId, userId },
    exists: exists(place, businessId),
  }));
  const none = [
    unknownSession,
    "__proto__",
    "constructor",
    ":",
    "::",
    `${here}:ana`,
    `${here}:ana:`,
    "%00",
    "x".repeat(600),
  ];
  const unknown = none.map((id) => ({ what: id, id, about: anything, exists: false }));
  const upper = [...place.sessions.values()].map((id) => ({
    what: "a session's id in upper case",
    id: id.toUpperCase(),
    about: anything,
    exists: false,
  }));
  const withAsides = [...real, ...madeUp].map((one) => ({
    ...one,
    what: `${one.what}, with what hangs on it`,
    path: `/api/sessions/${one.id}/messages?include=thinking,note,draft`,
  }));
  return [
    ...real.slice(0, 1).flatMap((one) => readingsOf(one, `/api/sessions/${one.id}/messages`)),
    ...[...real, ...madeUp, ...unknown, ...upper].map((one) => ({ ...one, path: `/api/sessions/${one.id}/messages` })),
    ...withAsides,
  ];
}

/** Sessions by their ids, those that are there and those that are not. */
function namedSessions({ sessions }: Place): Question[] {
  const real = [...sessions].map(([owner, id]) => {
    const [businessId = "", userId = ""] = owner.split(":");
    return {
      what: `the session of ${owner}`,
      path: `/api/sessions/${id}`,
      about: { businessId, userId },
      exists: true,
    };
  });
  const none = [unknownSession, "__proto__", `${here}:silent:${Date.now()}`, "x".repeat(600)];
  const unknown = none.map((id) => ({ what: id, path: `/api/sessions/${id}`, about: anything, exists: false }));
  return [...real, ...unknown];
}

/** Users who have said something, one who has not, and names that are none. */
function userQuestions({ sessions }: Place): Question[] {
  return pathNames.flatMap((name) =>
    ["ana", "silent", "__proto__", "%EF%BD%81na", "a%20b"].map((user) => {
      const [businessId, userId] = [decodeURIComponent(name), decodeURIComponent(user)];
      return {
        what: `${userId} of ${businessId}`,
        path: `/api/businesses/${name}/users/${user}`,
        about: { businessId },
        exists: sessions.has(`${businessId}:${userId}`),
      };
    }),
  );
}

const businessPath = (name: string) => `/api/businesses/${name}`;
const isName = (name: string) => isBusinessId(decodeURIComponent(name));
/** One that comes with the server, and of whom it is. */
const knownDocument = { documentId: "reguli", businessId: here };

function badPut(name: string, path: string) {
  return {
    what: decodeURIComponent(name),
    method: "PUT",
    path,
    body: {},
    about: { businessId: decodeURIComponent(name) },
  };
}

function documentQuestions(place: Place): (Question & { readonly isKnown: boolean })[] {
  return pathNames.flatMap((name) =>
    [knownDocument.documentId, "none", "__proto__"].map((documentId) => {
      const businessId = decodeURIComponent(name);
      return {
        what: `${documentId} of ${businessId}`,
        path: `${businessPath(name)}/documents/${documentId}`,
        about: { businessId },
        exists: exists(place, businessId),
        isKnown: businessId === knownDocument.businessId && documentId === knownDocument.documentId,
      };
    }),
  );
}

function tokenQuestion(what: string, body: unknown): Question {
  return { what, method: "POST", path: "/api/tokens", body, about: anything, exists: true };
}

/** What a client may push, and what of: the pushes of each principal. */
export interface Push {
  readonly what: string;
  readonly payload: unknown;
  readonly isGood: boolean;
  /** How it is refused, where that depends on who asks. */
  readonly refusal?: string;
}

type EventRow = (place: Place, who: Who, businessId: string) => readonly Push[];

export const eventRows: Readonly<Record<keyof typeof clientEvents, EventRow>> = {
  new_message: (_place, who, businessId) => {
    const named: [string, string | null][] = [
      [businessId, who.userId],
      [businessId, "ana"],
      [businessId, "bob"],
      [businessId, "Ana"],
      [businessId, "__proto__"],
      [businessId, "agent"],
      [businessId === here ? there : here, who.userId],
      [businessId === here ? there : here, "ana"],
      [businessId.toLowerCase(), who.userId],
      ["Ｂ0100001", who.userId],
      [nowhere, who.userId],
      ["__proto__", who.userId],
    ];
    return named.map(([ofBusiness, userId]) => ({
      what: `as ${userId} of ${ofBusiness}`,
      payload: { businessId: ofBusiness, userId: userId ?? "somebody", locationId: "default", message: "a message" },
      isGood: ofBusiness === businessId && isAllowedBy(table, who, "message.send", { businessId: ofBusiness, userId }),
    }));
  },
  // Nothing was ever shown that could be filled in, for whoever it is asked: what was has tests of its own.
  component_submit: (place, who, joined) =>
    [unknownSession, ...place.sessions.values()].map((sessionId) => ({
      what: `what was shown in ${sessionId}`,
      payload: { componentId: `${sessionId}~${unknownMessage}~0`, values: {} },
      isGood: false,
      refusal: mayDo(who, "message.send", joined) ? "not_found" : "forbidden",
    })),
  access_token: ({ secret }, who) => {
    const others = Object.entries(known).map(([name, other]): [string, Who] => [`of ${name}`, other]);
    const own = others.map(([what, other]) => {
      const isSame = other.userId === who.userId && other.businessId === who.businessId && other.role === who.role;
      // One of the same somebody in another role ends the channel, which is not asked here.
      const isOther = other.userId !== who.userId || other.businessId !== who.businessId;
      const isGood = isSame && isAllowedBy(table, who, "token.renew", other);
      return isSame || isOther ? [{ what, payload: { token: goodToken(other, secret) }, isGood }] : [];
    });
    const bad = Object.entries(forgeries).map(([what, forge]) => ({
      what,
      payload: { token: forge(who, secret) },
      isGood: false,
    }));
    return [...own.flat(), ...bad, { what: "expired", payload: { token: expiredToken(who, secret) }, isGood: false }];
  },
  // Nothing is being answered that could be stopped: that one stops their own and no other is shown where there is.
  cancel: () => [{ what: "of a message", payload: { messageId: unknownMessage }, isGood: false }],
  feedback: (place, who, joined) =>
    [unknownSession, ...place.sessions.values()].map((sessionId) => ({
      what: `on nothing in ${sessionId}`,
      payload: { messageId: unknownMessage, sessionId, score: 1 },
      isGood: false,
      refusal: mayDo(who, "message.score", joined) ? "not_found" : "forbidden",
    })),
  delivered: acknowledgements,
  read: acknowledgements,
  // What is taken over is handed back at once, so that the next who may finds it free.
  take_over: deedsOf("session.hold"),
  hand_back: deedsOf("session.hold"),
  // Those who may are not asked to: what they end or block the others would miss. Their deeds have tests of their own.
  reply: (place, who, joined) => badOnes(deedsOf("session.hold")(place, who, joined)),
  note: (place, who, joined) => badOnes(deedsOf("session.note")(place, who, joined)),
  resolve: (place, who, joined) => badOnes(deedsOf("session.hold")(place, who, joined)),
  reopen: deedsOf("session.hold"),
  close: (place, who, joined) => badOnes(deedsOf("session.close")(place, who, joined)),
  block: (place, who, joined) => badOnes(deedsOf("user.block")(place, who, joined)),
  watch: deedsOf("session.watch"),
  unwatch: deedsOf("session.watch"),
  typing: deedsOf("session.type"),
};

/** Whether somebody may do it to anything at all of a business. */
function mayDo(who: Who, action: string, businessId: string): boolean {
  return isAllowedBy(table, who, action, { businessId, userId: who.userId });
}

/** What such a push needs besides: who stops typing before they began is told to nobody. */
const deed = { message: "a reply", typing: false };

/** Something that is done to a session: to each there is, from the topic of one business. */
function deedsOf(action: string): EventRow {
  return (place, who, joined) => {
    const refusal = mayDo(who, action, joined) ? "session_not_found" : "forbidden";
    const sessions = [...place.sessions].map(([owner, sessionId]) => {
      const [businessId = "", userId = ""] = owner.split(":");
      const isGood = businessId === joined && isAllowedBy(table, who, action, { businessId, userId });
      return { what: `the session of ${owner}`, payload: { ...deed, sessionId }, isGood, refusal };
    });
    const payload = { ...deed, sessionId: unknownSession };
    return [...sessions, { what: "an unknown session", payload, isGood: false, refusal }];
  };
}

function badOnes(pushes: readonly Push[]): Push[] {
  return pushes.filter(({ isGood }) => !isGood);
}

function acknowledgements(place: Place, who: Who, joined: string): Push[] {
  const sessions = [...place.sessions].map(([owner, sessionId]) => {
    const [businessId = "", userId = ""] = owner.split(":");
    // On the topic of another business it is not there either.
    const isGood = businessId === joined && isAllowedBy(table, who, "message.acknowledge", { businessId, userId });
    return { what: `the session of ${owner}`, payload: { sessionId, offset: 1 }, isGood };
  });
  const unknown = { what: "an unknown session", payload: { sessionId: unknownSession, offset: 0 }, isGood: false };
  return [...sessions, unknown];
}

/** What has a name and is not there: it may not be done. */
export const noEvents = [
  ...["message_accepted", "message_processed", "error", "message_delta", "thinking", "component"],
  ...["receipt", "session_updated", "intent_updated", "draft", "presence_state", "presence_diff"],
  ...["message:send", "token_expiring", "disconnect", "NEW_MESSAGE", "new_message ", "__proto__", "constructor", ""],
];

/** What a route shows more of to those who may; what they are shown has tests of its own. */
export const insideRoutes = ["asides.read"] as const;

/** Agents on whose topic somebody may want to be. */
export const agentNames = ["ana", "bot", "__proto__", ""];

/** Of conversations that are not there, or none. */
export const conversationNames = [unknownSession, "__proto__"];

/** What is said and heard in conversations has tests of its own. (test/wire/conversation-matrix.test.ts) */
export const conversationActions = ["conversation.speak"] as const;

/** Which actions of the table are to hear something; what there is to hear is named there. */
export const hearingActions = ["user.hear", "console.hear"] as const;

/** Topic patterns of the desk's mount, and what one must be allowed to join. */
export const topicRows: Readonly<Record<string, string>> = {
  "messages:*": "messages.join",
  "agent:*": "agent.join",
  "conversation:*": "conversation.hear",
};

export const topicNames = [
  here,
  there,
  nowhere,
  here.toLowerCase(),
  "Ｂ0100001",
  "__proto__",
  "constructor",
  "*",
  "",
  `${here}:ana`,
];
export const noTopics = [
  "messages",
  "Messages:B0100001",
  " messages:B0100001",
  "user:B0100001:ana",
  "console:B0100001",
].concat(["agent", "conversation", "member:1:user:ana", "overseers:1", "presence:B0100001", "*", "__proto__"]);
