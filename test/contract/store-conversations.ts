import { describe, expect, test } from "@jest/globals";
import { defaultBusiness } from "../../server/messaging/business.js";
import { createAgentConversations, type Wanted } from "../../server/messaging/conversation/agent-conversations.js";
import { comeIn, letIn, type Party, takeOut } from "../../server/messaging/conversation/participants.js";
import { abandon, beginDeletion, close } from "../../server/messaging/head.js";
import { createIds } from "../../server/messaging/ids.js";
import { currentSessionKey } from "../../server/messaging/records.js";
import { retireCurrentSession } from "../../server/messaging/sessions.js";
import type { Store } from "../../server/messaging/store.js";
import { FakeClock } from "../support/fake-clock.js";
import { allOf, hourMs, idsOf, newAgentHead, t0 } from "./store-acts.js";
import { contractOver, eventually, type OpenStore, range, type Scale } from "./store-harness.js";

const far = "9999-01-01T00:00:00.000Z";
const business = defaultBusiness("B1", "Europe/Bucharest");
const wanted: Wanted = { title: "Orders", description: null, createdBy: "carla", key: null };
const ana: Party = { type: "user", id: "ana" };
const bob: Party = { type: "user", id: "bob" };

/** Conversations of agents, whoever looks for them at the same time. */
export function conversationContract(open: OpenStore, scale: Scale): void {
  describe("conversations of agents", () => {
    const contract = contractOver(open, scale);
    const over = (store: Store, now = t0) => {
      const clock = new FakeClock(now);
      return createAgentConversations({ store, clock, ids: createIds(clock) });
    };
    const nodes = async () => [contract.store, await contract.under.another()].map((store) => over(store));

    test(
      `[M90] ${scale.rounds} agents that connect twice at once: one conversation each, which one of the two has made`,
      async () => {
        const both = await nodes();
        const agents = range(scale.rounds).map((index) => ({ business, agentId: `agent-${index}` }));
        const told = await Promise.all(
          agents.map((agent) => Promise.all(both.map((conversations) => conversations.current(agent)))),
        );
        for (const [index, [one, other]] of told.entries()) {
          expect(one!.head).toEqual(other!.head);
          expect([one!.isNew, other!.isNew].toSorted()).toEqual([false, true]);
          expect(one!.head.session).toMatchObject({
            kind: "agent",
            title: `Agent agent-${index} - Auto Conversation`,
            description: "Automatically created conversation for agent",
            participants: [{ type: "agent", id: `agent-${index}` }],
          });
          expect(one!.head.session.userId).toBeUndefined();
        }
        await eventually(
          () => Promise.all(agents.map(({ agentId }) => sessionsOf(contract.store, agentId))),
          (seen) => expect(seen).toEqual(told.map(([one]) => [one!.head.session.sessionId])),
        );
      },
      scale.timeoutMs,
    );

    test("[M90] it is the same one until it is closed, and then another one; business and agent name it", async () => {
      const conversations = over(contract.store);
      const agent = { business, agentId: "a1" };
      const first = await conversations.current(agent);
      expect(await conversations.current(agent)).toEqual({ head: first.head, isNew: false });
      const { sessionId } = first.head.session;
      await contract.store.changeSession(sessionId, (head) => close(head, "closed", t0));
      const second = await conversations.current(agent);
      expect(second.isNew).toBe(true);
      expect(second.head.session.previousSessionId).toBe(sessionId);
      const elsewhere = await conversations.current({ ...agent, business: defaultBusiness("B2", "UTC") });
      const another = await conversations.current({ ...agent, agentId: "a2" });
      const ids = [first, second, elsewhere, another].map(({ head }) => head.session.sessionId);
      expect(new Set(ids).size).toBe(4);
    });

    test("[M90] one whose maker ended before it was there is made by whoever looks next", async () => {
      const conversations = over(contract.store);
      const agent = { business, agentId: "a1" };
      // Made elsewhere, and only what says so reached this store.
      const participants = [{ type: "agent" as const, id: "a1", joined: new Date(t0).toISOString() }];
      const head = newAgentHead("8c2f2b5e-5f0a-4f8e-9d57-0a4c0c8f3f11", "a1", { participants });
      await contract.store.writeRecord(currentSessionKey({ businessId: "B1", agentId: "a1" }), null, {
        sessionId: head.session.sessionId,
        day: "2026-03-02",
        seed: head,
      });
      expect(await conversations.current(agent)).toEqual({ head, isNew: false });
      expect(await contract.store.readHead(head.session.sessionId)).toEqual(head);
    });

    test("[M90] [M22] one that is being deleted is none, and stays gone", async () => {
      const { store } = contract;
      const conversations = over(store);
      const agent = { business, agentId: "a1" };
      const { sessionId } = (await conversations.current(agent)).head.session;
      await store.changeSession(sessionId, (head) => close(head, "closed", t0));
      await store.changeSession(sessionId, (head) => beginDeletion(head, far, t0));
      await retireCurrentSession(store, { businessId: "B1", agentId: "a1" }, sessionId);
      await store.deleteHead(sessionId);
      const next = await conversations.current(agent);
      expect(next.isNew).toBe(true);
      expect(next.head.session.previousSessionId).toBeUndefined();
      expect(await store.readHead(sessionId)).toBeNull();
    });

    test("[M90] silence ends no conversation of an agent, and nobody looks for it in vain", async () => {
      const { store } = contract;
      const { sessionId } = (await over(store).current({ business, agentId: "a1" })).head.session;
      expect(await store.changeSession(sessionId, (head) => abandon(head, far, t0 + 1000 * hourMs))).toBe(false);
      const unchanged = (phase: "active" | "over") =>
        allOf((page) => store.readSessionsUnchanged(phase, { ...page, before: far }));
      expect(await unchanged("active")).toEqual([]);
      await store.changeSession(sessionId, (head) => close(head, "closed", t0));
      await eventually(
        () => unchanged("over"),
        (seen) => expect(seen).toEqual([sessionId]),
      );
    });

    test("[M91] what is made is the present one where there is none, and else beside it; a key names one", async () => {
      const both = await nodes();
      const agent = { business, agentId: "a1" };
      const made = await Promise.all(
        range(6).map(async (index) => both[index % 2]!.create(agent, { ...wanted, key: "k1" })),
      );
      const heads = made.map((result) => (result.ok ? result.value.head : null));
      expect(new Set(heads.map((head) => head?.session.sessionId)).size).toBe(1);
      expect(made.filter((result) => result.ok && result.value.isNew)).toHaveLength(1);
      expect((await both[1]!.current(agent)).head).toEqual(heads[0]);
      expect(await both[1]!.create(agent, { ...wanted, title: "Other", key: "k1" })).toEqual({
        ok: false,
        reason: "idempotency_mismatch",
      });
      const beside = await both[0]!.create(agent, wanted);
      expect(beside.ok && beside.value.head.session).toMatchObject({ title: "Orders", createdBy: "carla" });
      expect((await both[1]!.current(agent)).head).toEqual(heads[0]);
      await eventually(
        () => sessionsOf(contract.store, "a1"),
        (seen) => expect(seen).toHaveLength(2),
      );
    });

    test("[M93] two users who come in at the same time: one is in, and the other finds nothing", async () => {
      const stores = [contract.store, await contract.under.another()];
      for (const index of range(scale.rounds)) {
        const { head } = await over(stores[0]!).current({ business, agentId: `agent-${index}` });
        const { sessionId } = head.session;
        const came = await Promise.all(
          [ana, bob].map((party, at) => stores[at]!.changeSession(sessionId, (now) => comeIn(now, party, t0))),
        );
        expect(came.map((taking) => taking?.kind).toSorted()).toEqual(["closed", "done"]);
        const { participants } = (await stores[1]!.readHead(sessionId))!.session;
        expect(participants.map(({ type }) => type)).toEqual(["agent", "user"]);
      }
    });

    test("[M93] who is taken out does not come in again, nor does anybody else; who is let in does", async () => {
      const { store } = contract;
      const { sessionId } = (await over(store).current({ business, agentId: "a1" })).head.session;
      const kindOf = async (act: typeof comeIn, party: Party) =>
        (await store.changeSession(sessionId, (head) => act(head, party, t0)))?.kind;
      expect(await kindOf(comeIn, ana)).toBe("done");
      expect(await kindOf(takeOut, ana)).toBe("done");
      expect(await kindOf(comeIn, ana)).toBe("closed");
      expect(await kindOf(comeIn, bob)).toBe("closed");
      expect(await kindOf(letIn, bob)).toBe("done");
      expect(await kindOf(comeIn, bob)).toBe("done");
    });
  });
}

async function sessionsOf(store: Store, agentId: string): Promise<string[]> {
  return idsOf(await allOf((page) => store.readSessionsOf({ businessId: "B1", agentId }, page)));
}
