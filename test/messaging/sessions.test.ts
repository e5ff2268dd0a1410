import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { close, type Head } from "../../server/messaging/head.js";
import type { Intent, Session } from "../../server/messaging/model.js";
import { changeAndTell } from "../../server/messaging/sessions.js";
import type { SessionChange, Store } from "../../server/messaging/store.js";
import { forgetfulStore, interceptedStore } from "../support/intercepted-store.js";
import { headOf } from "../support/heads.js";
import { openTemporaryStore, type TemporaryStore } from "../support/temporary-store.js";

const now = Date.parse("2026-03-02T10:00:00.000Z");
let under: TemporaryStore;
let head: Head;
let told: (Session | Intent)[];

beforeEach(async () => {
  under = await openTemporaryStore();
  head = headOf();
  told = [];
  await under.store.createHead(head);
});

afterEach(() => under.dispose());

function change<T>(decide: (head: Head) => SessionChange<T>, store: Store = under.store): Promise<T | null> {
  const tell = (what: Session | Intent) => void told.push(what);
  return changeAndTell({ store, onChanged: tell, onIntent: tell }, head.session.sessionId, decide);
}

const closed = (now_: Head) => close(now_, "closed", now);
const holder = { coordinatorId: "carla", expiresAt: "2026-03-02T10:05:00.000Z" };
const withSession = (changes: Partial<Session>) => (before: Head) => ({
  result: true,
  head: { ...before, session: { ...before.session, ...changes } },
});

describe("[M72] what becomes of a session is told", () => {
  test.each<[string, (head: Head) => SessionChange<unknown>, boolean]>([
    ["another status", closed, true],
    ["another holder", withSession({ holder }), true],
    ["the same status, something else", withSession({ status: "active", offset: 7 }), false],
    ["nothing", () => ({ result: true }), false],
  ])("%s", async (_name, decide, isTold) => {
    await change(decide);
    const { session } = (await under.store.readHead(head.session.sessionId))!;
    expect(told).toEqual(isTold ? [session] : []);
  });

  test("once it is written, not before; and not when that failed", async () => {
    let isDown = true;
    const store = interceptedStore(under.store, async (name, _given, call) => {
      if (name !== "changeSession") return call();
      if (isDown) throw new Error("on purpose");
      const result = await call();
      expect(told).toEqual([]);
      return result;
    });
    await expect(change(closed, store)).rejects.toThrow("on purpose");
    expect(told).toEqual([]);
    isDown = false;
    await change(closed, store);
    expect(told).toHaveLength(1);
  });

  test("also when the store lost its answer, and is asked again", async () => {
    const { store, forgetOnce } = forgetfulStore(under.store);
    forgetOnce();
    await change(closed, store);
    expect(told).toMatchObject([{ status: "closed" }]);
  });

  test("not what was decided of a session that another changed before it was written", async () => {
    const store = interceptedStore(under.store, async (name, given, call) => {
      if (name !== "changeSession") return call();
      const [sessionId, decide] = given as Parameters<Store["changeSession"]>;
      decide(head, null);
      await under.store.changeSession(sessionId, (before) => close(before, "resolved", now));
      return call();
    });
    await change(closed, store);
    expect(told).toEqual([]);
  });
});
