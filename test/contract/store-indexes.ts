import { describe, expect, test } from "@jest/globals";
import { abandon, beginDeletion, close, type Head, takeOver } from "../../server/messaging/head.js";
import type { Session } from "../../server/messaging/model.js";
import type { IndexPage, IndexRange, SessionOwner, SessionPhase, Store } from "../../server/messaging/store.js";
import {
  allOf,
  at,
  business,
  garbagePositions,
  hourMs,
  idsOf,
  minuteMs,
  newAgentHead,
  newHead,
  pagesOf,
  respond,
  say,
  t0,
  user,
  workOf,
} from "./store-acts.js";
import { contractOver, eventually, type OpenStore, range, type Scale } from "./store-harness.js";

const far = "9999-01-01T00:00:00.000Z";

/** Sessions are found by what is asked of them, within a second. */
export function indexContract(open: OpenStore, scale: Scale): void {
  describe("indexes", () => {
    const contract = contractOver(open, scale);

    test("[H5] active sessions: the latest minute first, in a page the latest millisecond, at any page size", async () => {
      const { store } = contract;
      // Several in one minute, in an order of their own.
      const times = [0, 5, 3, 61_000, 60_500, 60_500, 3 * minuteMs, 3 * minuteMs + 59_999, 2 * hourMs, 24 * hourMs, 1];
      await Promise.all(times.map((_, index) => store.createHead(newHead(`s${index}`, { userId: `u${index}` }))));
      await Promise.all(times.map((ms, index) => say(store, `s${index}`, `m${index}`, { now: t0 + ms })));
      const minutes = times.map((ms) => at(ms).slice(0, 16)).toSorted((a, b) => (a < b ? 1 : -1));
      for (const limit of [1, 2, 3, 7, 11, 50]) {
        await eventually(
          () => pagesOf((page) => store.readActiveSessions(business, page), limit),
          (pages) => {
            const sessions = pages.flat();
            expect(sessions.map(({ lastMessageAt }) => lastMessageAt.slice(0, 16))).toEqual(minutes);
            expect(idsOf(sessions).toSorted()).toEqual(times.map((_, index) => `s${index}`).toSorted());
            for (const page of pages) {
              const ms = page.map(({ lastMessageAt }) => lastMessageAt);
              expect(ms).toEqual(ms.toSorted((a, b) => (a < b ? 1 : -1)));
            }
          },
        );
      }
      expect((await store.readActiveSessions(business, { limit: 50 })).next).toBeNull();
      expect((await store.readActiveSessions(business, { limit: 11 })).next).toBeNull();
    });

    test("[H5] they are read as they are, and counted, those of their own business only", async () => {
      const { store } = contract;
      const heads = [
        newHead("s0"),
        newHead("s1"),
        newHead("s2", { status: "resolved" }),
        newHead("s3", { businessId: "B1x" }),
        newHead("s4", { businessId: "B" }),
        newAgentHead("s5", "agent-1"),
      ];
      await Promise.all(heads.map((head) => store.createHead(head)));
      await say(store, "s1", "m1", { now: t0 + hourMs, context: { a: 1 } });
      const s1 = (await store.readHead("s1"))!.session;
      await eventually(
        () => active(store, business),
        (seen) => expect(bySessionId(seen)).toEqual([heads[0]!.session, s1, heads[5]!.session]),
      );
      await eventually(
        () => Promise.all([business, "B1x", "B", "unknown"].map((each) => store.countActiveSessions(each))),
        (seen) => expect(seen).toEqual([3, 1, 1, 0]),
      );
      expect(await active(store, "unknown")).toEqual([]);
    });

    test("[H5] a session is among the active ones while it is active, and where its last message puts it", async () => {
      const { store } = contract;
      await Promise.all(["s0", "s1"].map((id) => store.createHead(newHead(id))));
      const steps: [string, () => Promise<unknown>, string[]][] = [
        ["made", () => Promise.resolve(), ["s0", "s1"]],
        ["said something", () => say(store, "s1", "m1", { now: t0 + minuteMs }), ["s1", "s0"]],
        ["the other too", () => say(store, "s0", "m2", { now: t0 + 5 * minuteMs }), ["s0", "s1"]],
        ["answered", () => respond(store, "s1", "m1", "a1", { now: t0 + 9 * minuteMs }), ["s1", "s0"]],
        ["abandoned", () => change(store, "s1", (head) => abandon(head, far, t0 + hourMs)), ["s0"]],
        ["back", () => say(store, "s1", "m3", { now: t0 + 2 * hourMs }), ["s1", "s0"]],
        ["taken over", () => change(store, "s1", (head) => takeOver(head, holder, t0 + 3 * hourMs)), ["s1", "s0"]],
        ["closed", () => change(store, "s1", (head) => close(head, "closed", t0 + 3 * hourMs)), ["s0"]],
        ["resolved", () => change(store, "s0", (head) => close(head, "resolved", t0 + 3 * hourMs)), []],
      ];
      for (const [step, act, ids] of steps) {
        await act();
        await eventually(
          async () => idsOf(await active(store, business)).toSorted(),
          (seen) => expect([step, seen]).toEqual([step, ids.toSorted()]),
        );
        await eventually(
          async () => idsOf(await active(store, business)),
          (seen) => expect([step, seen]).toEqual([step, step === "made" ? seen : ids]),
        );
        await eventually(
          () => store.countActiveSessions(business),
          (count) => expect([step, count]).toEqual([step, ids.length]),
        );
      }
    });

    test("[M3] sessions of an owner: the latest first, whatever their status, users and agents apart", async () => {
      const { store } = contract;
      const statuses = ["active", "closed", "resolved", "abandoned", "active", "closed"] as const;
      const heads = [
        ...statuses.map((status, index) => newHead(`u${index}`, { createdAt: at(index * hourMs), status })),
        ...range(3).map((index) => newAgentHead(`a${index}`, user, { createdAt: at(index) })),
        newHead("x0", { userId: `${user}0` }),
        newHead("x1", { businessId: "B1x" }),
        newAgentHead("x2", "agent-2"),
      ];
      await Promise.all(heads.map((head) => store.createHead(head)));
      const owners: [SessionOwner, string[]][] = [
        [{ businessId: business, userId: user }, ["u5", "u4", "u3", "u2", "u1", "u0"]],
        [{ businessId: business, agentId: user }, ["a2", "a1", "a0"]],
        [{ businessId: business, userId: `${user}0` }, ["x0"]],
        [{ businessId: "B1x", userId: user }, ["x1"]],
        [{ businessId: business, agentId: "agent-2" }, ["x2"]],
        [{ businessId: business, userId: "user" }, []],
        [{ businessId: business, agentId: "agent" }, []],
      ];
      for (const [owner, ids] of owners) {
        for (const limit of [1, 2, 3, 6, 9]) {
          await eventually(
            () => allOf((page) => store.readSessionsOf(owner, page), limit),
            (seen) => expect([owner, limit, idsOf(seen)]).toEqual([owner, limit, ids]),
          );
        }
      }
      const [first] = (await store.readSessionsOf({ businessId: business, userId: user }, { limit: 1 })).items;
      expect(first).toEqual(heads[5]!.session);
    });

    test("[M3] those that were created in a span: from its first moment to before its last", async () => {
      const { store } = contract;
      const hours = [0, 1, 1, 2, 30];
      await Promise.all(
        hours.map((hour, index) => store.createHead(newHead(`s${index}`, { createdAt: at(hour * hourMs) }))),
      );
      const spans: [{ createdFrom?: string; createdTo?: string }, string[]][] = [
        [{}, ["s4", "s3", "s2", "s1", "s0"]],
        [{ createdFrom: at(hourMs) }, ["s4", "s3", "s2", "s1"]],
        [{ createdTo: at(hourMs) }, ["s0"]],
        [{ createdFrom: at(hourMs), createdTo: at(2 * hourMs) }, ["s2", "s1"]],
        [{ createdFrom: at(hourMs), createdTo: at(hourMs) }, []],
        [{ createdFrom: at(hourMs + 1), createdTo: at(2 * hourMs + 1) }, ["s3"]],
        [{ createdFrom: at(0), createdTo: at(hourMs) }, ["s0"]],
        [{ createdFrom: at(31 * hourMs) }, []],
        [{ createdFrom: at(hourMs), createdTo: at(0) }, []],
      ];
      const owner = { businessId: business, userId: user };
      for (const [span, ids] of spans) {
        for (const limit of [1, 2, 5]) {
          await eventually(
            () => allOf((page) => store.readSessionsOf(owner, { ...page, ...span }), limit),
            // Of two that were created in the same millisecond any one may come first.
            (seen) => expect([span, idsOf(seen).toSorted()]).toEqual([span, ids.toSorted()]),
          );
        }
        const seen = await allOf((page) => store.readSessionsOf(owner, { ...page, ...span }), 2);
        const created = seen.map(({ createdAt }) => createdAt);
        expect(created).toEqual(created.toSorted((a, b) => (a < b ? 1 : -1)));
      }
    });

    test("[S8] [M111] sessions with something to send are found, until it has left", async () => {
      const { store } = contract;
      const outbound = { platform: "telegram", isOn: true, sent: 0, pieces: 0, due: 0, sender: null } as const;
      const ids = range(4).map((index) => `s${index}`);
      const heads = ids.map((id) => newHead(id, { userId: id }));
      await Promise.all(heads.map((head) => store.createHead({ ...head, outbound })));
      await change(store, "s1", (head) => ({ result: null, head: { ...head, outbound: { ...outbound, due: 2 } } }));
      await change(store, "s2", (head) => ({ result: null, head: { ...head, outbound: { ...outbound, due: 2 } } }));
      await eventually(
        () => workOf(store),
        (seen) => expect(seen).toEqual(["s1", "s2"]),
      );
      await change(store, "s1", (head) => ({
        result: null,
        head: { ...head, outbound: { ...outbound, sent: 2, due: 2 } },
      }));
      await eventually(
        () => workOf(store),
        (seen) => expect(seen).toEqual(["s2"]),
      );
    });

    test("[S8] sessions with open turns are found, in pages, until the last turn is answered", async () => {
      const { store } = contract;
      const ids = range(7).map((index) => `s${index}`);
      await Promise.all(ids.map((id) => store.createHead(newHead(id, { userId: id }))));
      await Promise.all(ids.slice(1).map((id) => say(store, id, `m-${id}`)));
      await say(store, "s2", "second");
      for (const limit of [1, 2, 3, 6, 7]) {
        await eventually(
          () => workOf(store, limit),
          (seen) => expect(seen).toEqual(ids.slice(1)),
        );
      }
      await respond(store, "s1", "m-s1", "a1");
      await respond(store, "s2", "m-s2", "a2");
      await change(store, "s3", (head) => close(head, "closed", t0));
      await change(store, "s4", (head) => takeOver(head, holder, t0));
      await eventually(
        () => workOf(store),
        (seen) => expect(seen).toEqual(ids.slice(2)),
      );
      await respond(store, "s2", "second", "a3");
      await eventually(
        () => workOf(store),
        (seen) => expect(seen).toEqual(ids.slice(3)),
      );
    });

    test("[S-08] sessions of a phase that have not changed for long, the oldest first, in pages", async () => {
      const { store } = contract;
      const hours = [0, 3, 1, 2, 4];
      for (const [index, hour] of hours.entries()) {
        const createdAt = at(hour * hourMs + 7 * minuteMs);
        await store.createHead(newHead(`active${index}`, { createdAt, userId: `u${index}` }));
        await store.createHead(
          newHead(`over${index}`, { createdAt, status: index % 2 === 0 ? "closed" : "abandoned" }),
        );
        const over = newHead(`deleting${index}`, { createdAt: at(-hourMs), status: "resolved" });
        await store.createHead({ ...over, deletingSince: createdAt });
      }
      for (const phase of ["active", "over", "deleting"] as const) {
        for (const limit of [1, 2, 5, 9]) {
          const unchanged = (hour: number) => () => unchangedOf(store, phase, at(hour * hourMs), limit);
          // With an hour in between they are named; those of a later hour are not. In between it may be either.
          await eventually(unchanged(6), (seen) => expect(seen).toEqual(named(phase, [0, 2, 3, 1, 4])));
          await eventually(unchanged(0), (seen) => expect(seen).toEqual([]));
          await eventually(unchanged(3), (seen) => {
            expect(seen.slice(0, 2)).toEqual(named(phase, [0, 2]));
            for (const id of named(phase, [4])) expect(seen).not.toContain(id);
          });
        }
      }
    });

    test("[S-08] a session has one phase, and counts from when it entered it or something was last said", async () => {
      const { store } = contract;
      await store.createHead(newHead("s1"));
      const steps: [string, () => Promise<unknown>, SessionPhase | null, number][] = [
        ["made", () => Promise.resolve(), "active", 0],
        ["said something", () => say(store, "s1", "m1", { now: t0 + 2 * hourMs }), "active", 2],
        ["answered", () => respond(store, "s1", "m1", "a1", { now: t0 + 4 * hourMs }), "active", 4],
        ["abandoned", () => change(store, "s1", (head) => abandon(head, far, t0 + 6 * hourMs)), "over", 6],
        ["back", () => say(store, "s1", "m2", { now: t0 + 8 * hourMs }), "active", 8],
        ["answered again", () => respond(store, "s1", "m2", "a2", { now: t0 + 8 * hourMs }), "active", 8],
        ["closed", () => change(store, "s1", (head) => close(head, "closed", t0 + 10 * hourMs)), "over", 10],
        ["deleting", () => change(store, "s1", (head) => beginDeletion(head, far, t0 + 12 * hourMs)), "deleting", 12],
        ["deleted", () => store.deleteHead("s1"), null, 0],
      ];
      for (const [step, act, phase, hour] of steps) {
        await act();
        for (const each of ["active", "over", "deleting"] as const) {
          await eventually(
            () => unchangedOf(store, each, at((hour + 2) * hourMs)),
            (seen) => expect([step, each, seen]).toEqual([step, each, each === phase ? ["s1"] : []]),
          );
          await eventually(
            () => unchangedOf(store, each, at((hour - 1) * hourMs)),
            (seen) => expect([step, each, seen]).toEqual([step, each, []]),
          );
        }
      }
    });

    test("[H20] all sessions of a business: the latest created first, whatever becomes of them meanwhile", async () => {
      const { store } = contract;
      const statuses = ["active", "closed", "resolved", "abandoned", "active", "closed"] as const;
      const heads = [
        ...statuses.map((status, index) =>
          newHead(`s${index}`, { userId: `u${index % 2}`, createdAt: at(index * hourMs), status }),
        ),
        newAgentHead("s6", "agent-1", { createdAt: at(6 * hourMs) }),
        newHead("s7", { createdAt: at(6 * hourMs) }),
        newHead("x0", { businessId: "B1x" }),
        newHead("x1", { businessId: "B" }),
      ];
      await Promise.all(heads.map((head) => store.createHead(head)));
      await Promise.all(["s0", "s4"].map((id) => say(store, id, `m-${id}`, { now: t0 + 24 * hourMs })));
      const all = ["s7", "s6", "s5", "s4", "s3", "s2", "s1", "s0"];
      for (const limit of [1, 2, 3, 8, 50]) {
        await eventually(
          () => allOf((page) => store.readSessionsOfBusiness(business, page), limit),
          (seen) => expect([limit, idsOf(seen)]).toEqual([limit, all]),
        );
      }
      expect(idsOf((await store.readSessionsOfBusiness("B", { limit: 9 })).items)).toEqual(["x1"]);
      expect((await store.readSessionsOfBusiness("unknown", { limit: 9 })).items).toEqual([]);
      // A place holds, whoever says something and whatever ends between two pages.
      const first = await store.readSessionsOfBusiness(business, { limit: 3 });
      await say(store, "s0", "m-late", { now: t0 + 48 * hourMs });
      await change(store, "s4", (head) => close(head, "closed", t0 + 48 * hourMs));
      await change(store, "s1", (head) => beginDeletion(head, far, t0 + 48 * hourMs));
      await eventually(
        () => store.readSessionsOfBusiness(business, { limit: 9, from: first.next }),
        (rest) => expect(idsOf([...first.items, ...rest.items])).toEqual(all.filter((id) => id !== "s1")),
      );
    });

    test("[S6] a position that nobody gave out is one like any other: a page, and no failure", async () => {
      const { store } = contract;
      await Promise.all(range(3).map((index) => store.createHead(newHead(`s${index}`))));
      await say(store, "s1", "m1");
      await change(store, "s2", (head) => close(head, "closed", t0));
      await eventually(
        () => store.countActiveSessions(business),
        (count) => expect(count).toBe(2),
      );
      const strange = await positionsOf(store);
      for (const from of [...garbagePositions, ...strange]) {
        for (const [name, read] of questions(store)) {
          const page = await read({ limit: 2, from });
          expect([name, page.items.length <= 2, [null, "string"].includes(page.next && typeof page.next)]).toEqual([
            ...[name, true, true],
          ]);
          for (const item of page.items) expect(["s0", "s1", "s2"]).toContain(idOf(item));
        }
      }
    });

    test("[S6] no position is the same as the first one", async () => {
      const { store } = contract;
      await Promise.all(range(3).map((index) => store.createHead(newHead(`s${index}`))));
      for (const [, read] of questions(store)) {
        await eventually(
          () => Promise.all([read({ limit: 9 }), read({ limit: 9, from: null })]),
          ([without, withNull]) => expect(without).toEqual(withNull),
        );
      }
    });
  });
}

const holder = { coordinatorId: "c1", expiresAt: far };

type Question = (range: IndexRange) => Promise<IndexPage<Session | string>>;

function questions(store: Store): readonly [string, Question][] {
  return [
    ["active", (page) => store.readActiveSessions(business, page)],
    ["owner", (page) => store.readSessionsOf({ businessId: business, userId: user }, page)],
    ["business", (page) => store.readSessionsOfBusiness(business, page)],
    ["owner in a span", (page) => store.readSessionsOf({ businessId: business, userId: user }, { ...page, ...span })],
    ["work", (page) => store.readSessionsWithWork(page)],
    ["active unchanged", (page) => store.readSessionsUnchanged("active", { ...page, before: far })],
    ["over unchanged", (page) => store.readSessionsUnchanged("over", { ...page, before: far })],
  ];
}

const span = { createdFrom: at(-hourMs), createdTo: at(hourMs) };

/** Positions of one question are garbage to another. */
async function positionsOf(store: Store): Promise<readonly string[]> {
  const pages = await Promise.all(questions(store).map(([, read]) => read({ limit: 1 })));
  return pages.map(({ next }) => next).filter((next) => next !== null);
}

function idOf(item: Session | string): string {
  return typeof item === "string" ? item : item.sessionId;
}

function active(store: Store, businessId: string): Promise<Session[]> {
  return allOf((page) => store.readActiveSessions(businessId, page));
}

function bySessionId(sessions: readonly Session[]): readonly Session[] {
  return sessions.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
}

function change(store: Store, sessionId: string, decide: (head: Head) => { result: unknown; head?: Head }) {
  return store.changeSession(sessionId, decide);
}

function unchangedOf(store: Store, phase: SessionPhase, before: string, limit = 50): Promise<string[]> {
  return allOf((page) => store.readSessionsUnchanged(phase, { ...page, before }), limit);
}

function named(phase: SessionPhase, indexes: readonly number[]): string[] {
  return indexes.map((index) => `${phase}${index}`);
}
