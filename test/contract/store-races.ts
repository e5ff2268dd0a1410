import { describe, expect, test } from "@jest/globals";
import { defaultBusiness } from "../../server/messaging/business.js";
import { type Conversations, createConversations } from "../../server/messaging/conversations.js";
import {
  abandon,
  answer,
  beginDeletion,
  claim,
  close,
  type Head,
  type Questions,
  takeOver,
} from "../../server/messaging/head.js";
import { turnsOf } from "../../server/messaging/open-turns.js";
import { end, handBack, hold, holdingMs, reply, type Saying } from "../../server/messaging/holding.js";
import { createIds, cursorAt } from "../../server/messaging/ids.js";
import type { ChatMessage } from "../../server/messaging/model.js";
import type { Store } from "../../server/messaging/store.js";
import { FakeClock } from "../support/fake-clock.js";
import { intentLife, userMessageOf } from "../support/heads.js";
import { createRandom, seedOfRun } from "../support/random.js";
import {
  allOf,
  annotate,
  asidesOf,
  at,
  backwards,
  deleteAll,
  forwards,
  headAfter,
  hourMs,
  importedMessage,
  messageIdsOf,
  minuteMs,
  newHead,
  offsetsOf,
  respond,
  say,
  t0,
} from "./store-acts.js";
import { contractOver, eventually, type OpenStore, range, type Scale } from "./store-harness.js";
import { checkFollowing, checkHistory, checkIndexes, checkOutcomes } from "./store-invariants.js";

const far = "9999-01-01T00:00:00.000Z";
const business = defaultBusiness("B1", "Europe/Bucharest");

/** One round of a race: a session of its own, two nodes, and chance. */
interface Round {
  readonly sessionId: string;
  readonly stores: readonly [Store, Store];
  readonly random: () => number;
  /** One of the two nodes. */
  readonly anyone: () => Store;
  /** Lets others go first, sometimes. */
  readonly pause: () => Promise<void>;
}

/** Rounds that run side by side, so that they disturb each other too. */
const sideBySide = 10;

/** Whoever writes at the same time: one wins, and nothing is lost or there twice. */
export function raceContract(open: OpenStore, scale: Scale): void {
  describe("races", () => {
    const contract = contractOver(open, scale);

    async function race(rounds: number, run: (round: Round) => Promise<void>): Promise<void> {
      const stores = [contract.store, await contract.under.another()] as const;
      for (let from = 0; from < rounds; from += sideBySide) {
        const indexes = range(Math.min(sideBySide, rounds - from)).map((each) => from + each);
        await Promise.all(indexes.map((index) => runRound(index, stores, run)));
      }
    }

    const raceTest = (name: string, run: (round: Round) => Promise<void>, rounds = scale.rounds) =>
      test(`${name}, ${rounds} rounds`, () => race(rounds, run), scale.timeoutMs);

    raceTest("[M4] [I-4] the same session: every message has an offset of its own, without gap", async (round) => {
      const { sessionId, stores, random, anyone, pause } = round;
      await stores[0].createHead(newHead(sessionId));
      const writers = range(2 + Math.floor(random() * 4)).map(async (writer) => {
        const said: ChatMessage[] = [];
        for (const index of range(1 + Math.floor(random() * 3))) {
          await pause();
          const result = await say(anyone(), sessionId, `${sessionId}-${writer}-${index}`, { now: t0 + index });
          if (result?.kind !== "admitted") throw new Error("a message was not admitted");
          said.push(result.message);
        }
        return said;
      });
      const said = (await Promise.all(writers)).flat();
      const history = await checkHistory(anyone(), sessionId, said);
      expect(history).toHaveLength(said.length);
      expect((await anyone().readHead(sessionId))?.turns.map(({ offset }) => offset)).toEqual(offsetsOf(history));
    });

    raceTest("[D-03] [I-2] [M6] the same client id: stored once, and every sender is told the same", async (round) => {
      const { sessionId: userId, stores, random, pause } = round;
      const nodes = stores.map((store, index) => conversationsOver(store, index));
      const hasSession = random() < 0.5;
      if (hasSession) await nodes[0]!.accept(userMessageOf(business, userId, "earlier"));
      const attempts = range(2 + Math.floor(random() * 3)).map(async (index) => {
        await pause();
        const message = userMessageOf(business, userId, "the same");
        return nodes[index % 2]!.accept({ ...message, clientMessageId: "c1" });
      });
      const other = nodes[1]!.accept({ ...userMessageOf(business, userId, "another"), clientMessageId: "c2" });
      const told = (await Promise.all(attempts)).map((result) => (result.ok ? result.value : null));
      const [first] = told;
      expect(told.map((accepted) => accepted?.message)).toEqual(told.map(() => first!.message));
      expect(told.filter((accepted) => accepted?.duplicate === false)).toHaveLength(1);
      const { message } = first!;
      // Before the history is looked at: it would grow meanwhile.
      expect((await other).ok).toBe(true);
      const history = await checkHistory(stores[1], message.sessionId, [message]);
      expect(history.filter(({ content }) => content === "the same")).toHaveLength(1);
      const mismatch = { ...userMessageOf(business, userId, "not the same"), clientMessageId: "c1" };
      expect(await nodes[1]!.accept(mismatch)).toEqual({ ok: false, reason: "idempotency_mismatch" });
    });

    raceTest(
      "[T-03] [M2] the first messages of a user's day: one session",
      async ({ sessionId: userId, stores, ...round }) => {
        const nodes = stores.map((store, index) => conversationsOver(store, index));
        const yesterday = round.random() < 0.5;
        if (yesterday)
          await conversationsOver(stores[0], 0, t0 - 24 * hourMs).accept(userMessageOf(business, userId, "old"));
        const firsts = range(2 + Math.floor(round.random() * 3)).map(async (index) => {
          await round.pause();
          const result = await nodes[index % 2]!.accept(userMessageOf(business, userId, `first ${index}`));
          if (!result.ok) throw new Error(result.reason);
          return result.value.message;
        });
        const said = await Promise.all(firsts);
        const [sessionId, ...others] = new Set(said.map((message) => message.sessionId));
        expect(others).toEqual([]);
        expect(await checkHistory(stores[1], sessionId!, said)).toHaveLength(said.length);
        await eventually(
          () => allOf((page) => stores[1].readSessionsOf({ businessId: business.businessId, userId }, page)),
          (seen) => expect(seen).toHaveLength(yesterday ? 2 : 1),
        );
      },
      scale.firstRounds,
    );

    raceTest("[I-3] [M7] [M8] the same turn: one outcome, and one event of it", async (round) => {
      const { sessionId, stores, pause } = round;
      const now = Date.now();
      await stores[0].createHead(newHead(sessionId));
      await say(stores[0], sessionId, `${sessionId}-q`, { now, chatId: "w" });
      const answers = await Promise.all(
        range(3).map(async (index) => {
          await pause();
          const node = `node ${index}`;
          const options = { now, node, chatId: "w" };
          return respond(stores[index % 2]!, sessionId, `${sessionId}-q`, `${sessionId}-r${index}`, options);
        }),
      );
      const stored = answers.filter((answered) => answered !== null);
      expect(stored).toHaveLength(1);
      await checkHistory(stores[1], sessionId, [stored[0]!.message]);
      await checkOutcomes(stores[0], sessionId);
    });

    test(
      "[M17] [M12] [S8] after such a race events, windows and indexes say what the heads say",
      async () => {
        const ids: string[] = [];
        await race(Math.min(scale.rounds, 20), async ({ sessionId, stores, pause }) => {
          ids.push(sessionId);
          const now = Date.now();
          const userId = sessionId;
          await stores[0].createHead(newHead(sessionId, { userId }));
          await Promise.all(
            stores.map(async (store, index) => {
              const question = `${sessionId}-q${index}`;
              await say(store, sessionId, question, { now, userId, chatId: "w" });
              await pause();
              for (let attempt = 0; attempt < 50; attempt += 1) {
                const options = { now, chatId: "w", node: `node ${index}` };
                const answered = await respond(store, sessionId, question, `${sessionId}-r${index}`, options);
                if (answered !== null) break;
              }
            }),
          );
          if (sessionId.endsWith("1")) await stores[1].changeSession(sessionId, (head) => close(head, "closed", now));
        });
        for (const sessionId of ids) await checkFollowing(contract.store, sessionId);
        await checkIndexes(contract.store, ids);
      },
      scale.timeoutMs,
    );

    raceTest(
      "[A-14] takeover against answer: no answer of the agent once the takeover is acknowledged",
      async (round) => {
        const { sessionId, stores, pause } = round;
        const question = `${sessionId}-q`;
        await stores[0].createHead(newHead(sessionId));
        await say(stores[0], sessionId, question);
        const fence = (await stores[0].changeSession(sessionId, (head) => claim(head, "node", () => true)))!.fence;
        const answering = async (store: Store, id: string) => {
          await pause();
          return respond(store, sessionId, question, `${sessionId}-${id}`, { fence });
        };
        const taking = async () => {
          await pause();
          const holder = { coordinatorId: "c1", expiresAt: far };
          const session = await stores[1].changeSession(sessionId, (head) => takeOver(head, holder, t0));
          // Begun now, on the node that knows nothing of it yet.
          const late = await Promise.all([answering(stores[0], "late"), answering(stores[1], "later")]);
          expect(late).toEqual([null, null]);
          return session!;
        };
        const [early, session] = await Promise.all([answering(stores[0], "early"), taking()]);
        const history = await checkHistory(stores[0], sessionId, early === null ? [] : [early.message]);
        expect(messageIdsOf(history).slice(1)).toEqual(early === null ? [] : [`${sessionId}-early`]);
        // When the coordinator was told how long the session is, that was all an agent ever said.
        expect(session.offset).toBe(history.length);
        const now = (await stores[1].readHead(sessionId))!;
        expect(await respond(stores[0], sessionId, question, "never", { fence: now.fence })).toBeNull();
        expect(await stores[0].changeSession(sessionId, (head) => claim(head, "node", () => true))).toBeNull();
      },
    );

    raceTest(
      "[M31] [M33] [M34] a coordinator's deeds against each other, the end of the holding and an agent: one outcome each",
      async (round) => {
        const { sessionId, stores, random, pause } = round;
        const ids = createIds(new FakeClock(Date.now()));
        const nobody = newHead(sessionId, { businessId: `b-${sessionId}` });
        await stores[0].createHead(nobody);
        const carla = { coordinatorId: "carla", now: t0 };
        const asking = range(1 + Math.floor(random() * 6)).map((index) =>
          say(stores[0], sessionId, `${sessionId}-q${index}`),
        );
        await Promise.all(asking);
        await stores[1].changeSession(sessionId, (head) => hold(head, carla));
        const readAll = async (store: Store, head: Head): Promise<Questions> =>
          new Map(
            await Promise.all(
              turnsOf(head).map(async ({ messageId }) => {
                const message = (await store.findMessage(sessionId, messageId))!;
                return [messageId, { message, cursor: ids.sortable() }] as const;
              }),
            ),
          );
        const human = async (store: Store, type: "reply" | "resolve") => {
          const saying: Saying = {
            ...{ messageId: ids.sortable(), responseId: ids.sortable(), cursor: ids.sortable() },
            ...{ content: type, respondsTo: null, inReplyTo: null, source: "websocket" as const, chatId: null },
          };
          for (;;) {
            await pause();
            const questions = await readAll(store, (await store.readHead(sessionId))!);
            const result = await store.changeSession(sessionId, (head) =>
              type === "reply"
                ? reply(head, saying, { ...carla, questions })
                : end(head, saying, { ...carla, status: "resolved", questions }),
            );
            if (result?.kind !== "unread") return;
          }
        };
        // Who took each other's lease every time would do so for ever.
        const agent = async (store: Store, node: string, now: number, isAbandoned = () => random() < 0.7) => {
          for (;;) {
            await pause();
            const head = await store.changeSession(sessionId, (seen) => claim(seen, node, isAbandoned, now));
            const turn = head?.turns[0];
            if (head === null || turn === undefined) return;
            const questions = await readAll(store, head);
            const outcome = {
              ...{
                messageId: ids.sortable(),
                responseId: ids.sortable(),
                type: "agent" as const,
                content: node,
                tokens: 0,
              },
              metadata: { source: "websocket" as const, inReplyTo: turn.messageId },
            };
            const question = questions.get(turn.messageId)!.message;
            const given = { now, fence: head.fence, cursor: ids.sortable(), questions };
            await store.changeSession(sessionId, (seen) =>
              answer(
                seen,
                question,
                { ...outcome, metadata: { ...outcome.metadata, responseId: outcome.responseId } },
                given,
              ),
            );
          }
        };
        const deeds: readonly ((store: Store) => Promise<unknown>)[] = [
          (store) => human(store, "reply"),
          (store) => human(store, "reply"),
          (store) => human(store, "resolve"),
          (store) => store.changeSession(sessionId, (head) => handBack(head, carla)),
          (store) => store.changeSession(sessionId, (head) => hold(head, carla)),
          (store) => say(store, sessionId, `${sessionId}-late`),
          (store) => agent(store, "one", t0),
          (store) => agent(store, "other", t0 + holdingMs),
        ];
        const chosen = deeds.filter(() => random() < 0.6);
        const doing = chosen.map(async (deed) => {
          await pause();
          await deed(round.anyone());
        });
        await Promise.all(doing);
        await agent(stores[1], "last", t0 + 2 * holdingMs, () => true);
        expect((await stores[0].readHead(sessionId))?.turns).toEqual([]);
        const history = await checkHistory(stores[0], sessionId, []);
        const questions = history.filter(({ type }) => type === "user");
        await eventually(
          async () => {
            await stores[0].settle(sessionId);
            return (await stores[0].readEvents(nobody.session.businessId, { after: cursorAt(0), limit: 200 })).items;
          },
          (events) => {
            const told = events.filter(({ message }) => message !== "").map(({ messageId }) => messageId);
            expect(told.toSorted()).toEqual(messageIdsOf(questions).toSorted());
            const outcomes = history.filter(({ type }) => type !== "user").map(({ metadata }) => metadata.responseId);
            expect([...new Set(events.map(({ responseId }) => responseId))].toSorted()).toEqual(outcomes.toSorted());
          },
        );
      },
    );

    raceTest(
      "[M50] [S-08] notes against the beginning of a deletion: what hangs was there before it, and goes with it",
      async (round) => {
        const { sessionId, stores, pause } = round;
        await stores[0].createHead(newHead(sessionId));
        await say(stores[0], sessionId, `${sessionId}-q`);
        await respond(stores[0], sessionId, `${sessionId}-q`, `${sessionId}-r`, { thinking: ["one", "two"] });
        await stores[0].changeSession(sessionId, (head) => close(head, "closed", t0));
        const noting = stores.flatMap((store, node) =>
          range(4).map(async (index) => {
            await pause();
            const messageId = `${sessionId}-n${node}${index}`;
            const hung = await annotate(store, sessionId, messageId);
            return hung?.kind === "hung" ? [messageId] : [];
          }),
        );
        const deleting = async () => {
          await pause();
          await stores[1].changeSession(sessionId, (head) => beginDeletion(head, far, t0 + hourMs));
          return (await asidesOf(stores[0], sessionId)).map(({ messageId }) => messageId);
        };
        const [whenMarked, ...hung] = await Promise.all([deleting(), ...noting]);
        // Told to a coordinator, and there when the mark was: nothing comes after it.
        expect(whenMarked.filter((id) => id.includes("-n")).toSorted()).toEqual(hung.flat().toSorted());
        await Promise.all(stores.map((store) => store.settle(sessionId)));
        await deleteAll(stores[0], sessionId);
        expect(await asidesOf(stores[1], sessionId)).toEqual([]);
        expect(await stores[1].readHead(sessionId)).toBeNull();
      },
    );

    raceTest(
      "[S-08] [S-09] cleanup on two nodes against revival: it lives and all is there, or all is gone",
      async (round) => {
        const { sessionId, stores, random, anyone, pause } = round;
        const messages = range(5).map((index) => importedMessage(newHead(sessionId), index + 1));
        await stores[0].importSession(headAfter(newHead(sessionId), messages), messages);
        await stores[0].changeSession(sessionId, (head) => abandon(head, far, t0 + minuteMs));
        const cleaning = stores.map(async (store) => {
          await pause();
          const begun = await store.changeSession(sessionId, (head) => beginDeletion(head, far, t0 + hourMs));
          if (begun === true) await deleteAll(store, sessionId, 1 + Math.floor(random() * 5));
          return begun === true;
        });
        await pause();
        const said = await say(anyone(), sessionId, `${sessionId}-new`, { now: t0 + hourMs });
        const begun = await Promise.all(cleaning);
        if (said?.kind === "admitted") {
          expect(begun).toEqual([false, false]);
          expect(await checkHistory(stores[1], sessionId, [...messages, said.message])).toHaveLength(6);
          const head = await stores[1].readHead(sessionId);
          expect([head?.deletingSince, head?.session.status]).toEqual([null, "active"]);
        } else {
          expect([null, "over"]).toContain(said === null ? null : said.kind);
          for (const store of stores) {
            expect(await store.readHead(sessionId)).toBeNull();
            expect((await store.readMessages(sessionId, { limit: 9 })).items).toEqual([]);
            expect(await store.findMessage(sessionId, messages[0]!.messageId)).toBeNull();
            expect(await store.findMessage(sessionId, `${sessionId}-new`)).toBeNull();
          }
        }
      },
    );

    raceTest(
      "[H-01] [H-02] paging by offset and by timestamp while messages arrive, many in one millisecond",
      async ({ sessionId, stores, random, pause }) => {
        const old = range(20).map((index) =>
          importedMessage(newHead(sessionId), index + 1, { timestamp: at(index >> 3) }),
        );
        await stores[0].importSession(headAfter(newHead(sessionId), old), old);
        const arriving = (async () => {
          for (const index of range(25)) {
            await pause();
            await say(stores[0], sessionId, `${sessionId}-new-${index}`, { now: t0 + 2 + (index >> 3) });
          }
        })();
        const limit = 3 + Math.floor(random() * 7);
        for (const store of stores) {
          await pause();
          const known = (await store.readHead(sessionId))!.session.offset;
          for (const seen of [await backwards(store, sessionId, limit), await forwards(store, sessionId, limit)]) {
            expect(offsetsOf(seen)).toEqual(range(seen.length).map((index) => index + 1));
            expect(seen.length).toBeGreaterThanOrEqual(known);
          }
          // 8 messages each of the first two milliseconds; the third one is still going on.
          for (const ms of range(3)) {
            const offset = 8 * ms + 1;
            expect(await store.offsetAt(sessionId, at(ms))).toBe(offset);
            const before = await backwards(store, sessionId, limit, offset);
            expect(offsetsOf(before)).toEqual(range(offset - 1).map((index) => index + 1));
          }
          const after = (await store.offsetAt(sessionId, at(3))) - 1;
          const newer = await forwards(store, sessionId, limit, after);
          expect(offsetsOf(newer)).toEqual(range(newer.length).map((index) => after + index + 1));
        }
        await arriving;
        const all = await checkHistory(stores[1], sessionId, old);
        expect(all).toHaveLength(45);
        expect(await stores[1].offsetAt(sessionId, at(3))).toBe(
          all.findIndex(({ timestamp }) => timestamp >= at(3)) + 1,
        );
      },
      Math.ceil(scale.rounds / 5),
    );

    raceTest("[S1] a record that many count in: no count is lost", async ({ sessionId: id, stores, pause }) => {
      const key = { partition: "counts", id };
      const counting = range(4).map(async (index) => {
        for (let done = false; !done;) {
          const store = stores[index % 2]!;
          const read = await store.readRecord<number>(key);
          await pause();
          done = (await store.writeRecord(key, read?.rev ?? null, (read?.value ?? 0) + 1)).isWritten;
        }
      });
      await Promise.all(counting);
      expect(await stores[1].readRecord(key)).toMatchObject({ value: 4 });
    });
  });
}

async function runRound(
  index: number,
  stores: readonly [Store, Store],
  run: (round: Round) => Promise<void>,
): Promise<void> {
  const random = createRandom(seedOfRun + index);
  const pause = async () => {
    for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await new Promise(setImmediate);
  };
  try {
    await run({ sessionId: `s${index}`, stores, random, pause, anyone: () => stores[random() < 0.5 ? 0 : 1] });
  } catch (cause) {
    const message = `round ${index} with BENNU_SEED=${seedOfRun}: ${(cause as Error).message}`;
    throw new Error(message, { cause });
  }
}

function conversationsOver(store: Store, index: number, now = t0): Conversations {
  const clock = new FakeClock(now);
  return createConversations({
    store,
    clock,
    ids: createIds(clock),
    node: `node ${index}`,
    onError: () => undefined,
    onChanged: () => undefined,
    onIntent: () => undefined,
    intentLife,
  });
}
