import { describe, expect, test } from "@jest/globals";
import { type Action, may, type Resource, rules } from "../../server/auth/access.js";
import { type Identity, type Role, roles } from "../../server/auth/identity.js";
import { type Cell, columns, readAccessTable } from "../support/access-table.js";

const actions = Object.keys(rules) as Action[];
const here = "B0100001";
const there = "B0200002";

describe("[X8] the table of the SPEC and the rules of the code", () => {
  const table = readAccessTable();

  test("have the same actions, in the same order", () => {
    expect([...table.keys()]).toEqual(actions);
  });

  test("have the same columns as there are roles, and one for nobody", () => {
    expect(columns).toEqual(["nobody", ...roles]);
  });

  test.each(actions)("say the same of %s", (action) => {
    const rule: unknown = rules[action];
    const inCode = columns.map((column): Cell => {
      if (rule === "anyone") return "yes";
      const reach = (rule as Partial<Record<string, Cell | "nobody">>)[column] ?? "nobody";
      return reach === "nobody" ? "—" : reach;
    });
    expect(columns.map((column) => table.get(action)?.[column])).toEqual(inCode);
  });

  test("leave nothing to those of whom nothing is known but what everybody may", () => {
    for (const [action, row] of table) {
      expect([action, row.nobody]).toEqual([action, row.service === "yes" ? "yes" : "—"]);
    }
  });
});

describe("[X8] may", () => {
  const ana = identity("user", "ana", here);
  const anywhere = identity("user", "ana", null);
  const agent = identity("agent", "ana", here);
  const carla = identity("coordinator", "carla", here);
  const console = identity("coordinator", null, null);
  const robot = identity("service", "robot", here);
  const robotOfAll = identity("service", "robot", null);
  const own: Resource = { businessId: here, userId: "ana" };

  const decisions: [string, Identity | null, Action, Resource, boolean][] = [
    ["a user, what is his", ana, "session.read", own, true],
    ["a user, what is another's", ana, "session.read", { ...own, userId: "bob" }, false],
    ["a user, what is his namesake's elsewhere", ana, "session.read", { ...own, businessId: there }, false],
    ["a user, what is nobody's in particular", ana, "session.read", { businessId: here, userId: null }, false],
    ["a user, what has no word of whose it is", ana, "session.read", { businessId: here }, false],
    ["a user, the list of all", ana, "sessions.list", own, false],
    ["a user, what is for consoles", ana, "console.hear", own, false],
    ["a user, the topic of the business", ana, "messages.join", { businessId: here }, true],
    ["a user, the topic of another one", ana, "messages.join", { businessId: there, userId: "ana" }, false],
    ["a user of no business, what is his here", anywhere, "session.read", own, true],
    ["a user of no business, what is his there", anywhere, "session.read", { ...own, businessId: there }, true],
    ["a user of no business, what is another's", anywhere, "session.read", { ...own, userId: "bob" }, false],
    [
      "a user without an id, what is nobody's",
      identity("user", null, here),
      "session.read",
      { businessId: here },
      false,
    ],
    ["a user without an id, null's", identity("user", null, here), "message.send", { ...own, userId: null }, false],
    ["an agent of the same id, the user's", agent, "session.read", own, false],
    ["an agent, the topic of the users", agent, "messages.join", own, false],
    ["an agent, its token", agent, "token.renew", own, true],
    ["a coordinator, anybody's here", carla, "session.read", own, true],
    ["a coordinator, anybody's there", carla, "session.read", { ...own, businessId: there }, false],
    ["a coordinator, to speak as a user", carla, "message.send", own, false],
    ["a coordinator, to speak as a user called carla", carla, "message.send", { ...own, userId: "carla" }, false],
    ["a coordinator, what a user hears", carla, "user.hear", { ...own, userId: "carla" }, false],
    ["a coordinator, a token for somebody", carla, "token.issue", { businessId: here }, false],
    ["a coordinator of no business, any list", console, "sessions.list", { businessId: there }, true],
    ["a service, a token for somebody here", robot, "token.issue", { businessId: here }, true],
    ["a service, a token for somebody there", robot, "token.issue", { businessId: there }, false],
    ["a service of one business, a token for all", robot, "token.issue", { businessId: null }, false],
    ["a service of all, a token for all", robotOfAll, "token.issue", { businessId: null }, true],
    ["a service of all, a token for somebody there", robotOfAll, "token.revoke", { businessId: there }, true],
    ["a service of all, to speak as a user", robotOfAll, "message.send", { ...own, userId: "robot" }, false],
    ["nobody, a page", null, "page.read", { businessId: null }, true],
    ["nobody, to become a visitor", null, "visitor.create", { businessId: here }, true],
    ["nobody, the topic", null, "messages.join", { businessId: here }, false],
    ["nobody, what is nobody's", null, "session.read", { businessId: null, userId: null }, false],
  ];

  test.each(decisions)("%s", (_name, who, action, resource, expected) => {
    expect(may(who, action, resource)).toBe(expected);
  });

  const others = ["b0100001", "Ｂ0100001", "B0100001 ", " B0100001", "B0100001\0", "B010000", "", "__proto__"];

  test.each(others)("[X-16] %j is not the business B0100001", (businessId) => {
    for (const action of actions) {
      const isFree = (rules[action] as unknown) === "anyone";
      for (const role of roles) {
        expect(may(identity(role, "ana", here), action, { businessId, userId: "ana" })).toBe(isFree);
        expect(may(identity(role, "ana", businessId), action, own)).toBe(isFree);
      }
    }
  });

  test.each(["Ana", "ANA", "ａｎａ", "ana ", "an", "ana:1", "", "__proto__", "constructor"])(
    "[X-16] the user %j is not the user ana",
    (userId) => {
      for (const action of ["session.read", "message.send", "user.hear"] as const) {
        expect(may(ana, action, { businessId: here, userId })).toBe(false);
        expect(may(identity("user", userId, here), action, own)).toBe(false);
      }
    },
  );

  test("ids that every object has a property of are ids like any other", () => {
    for (const id of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect(may(identity("user", id, id), "session.read", { businessId: id, userId: id })).toBe(true);
      expect(may(identity("user", id, id), "session.read", own)).toBe(false);
      expect(may(identity("coordinator", id, id), "sessions.list", { businessId: here })).toBe(false);
    }
  });

  test("a role that nobody named may what everybody may, and nothing else", () => {
    for (const role of ["__proto__", "constructor", "toString", "admin", "User", "nobody", ""]) {
      for (const action of actions) {
        const isFree = (rules[action] as unknown) === "anyone";
        expect([role, action, may(identity(role as Role, "ana", null), action, own)]).toEqual([role, action, isFree]);
      }
    }
  });

  test("it decides by nothing but what it is given, and changes none of it", () => {
    const frozen = Object.freeze({ ...ana });
    for (const action of actions) {
      const first = may(frozen, action, Object.freeze({ ...own }));
      expect(may(frozen, action, Object.freeze({ ...own }))).toBe(first);
    }
  });
});

function identity(role: Role, userId: string | null, businessId: string | null): Identity {
  return { role, userId, businessId };
}
