import { describe, expect, test } from "@jest/globals";
import type { Store } from "../../server/messaging/store.js";
import { seedOfRun } from "../support/random.js";
import { describeStore } from "./describe-store.js";
import { contractOver, eventually, isRejected, type OpenStore, type Scale, type Stop } from "./store-harness.js";
import { checkIndexes, checkWorkIsFound } from "./store-invariants.js";
import { type Case, scenarios } from "./store-scenarios.js";

/** More writes than any scenario makes: one that never gets through is a mistake. */
const writesMax = 100;
/** Sessions that are read out once more at the end. */
const sampleMax = 3;

/**
 * A process stops between any two of its writes; or it has made one and is never told. Another one that lives on finds
 * what it has left, finishes it, and every promise that was made is kept. (D-06, S-01, S-09)
 */
export function stopContract(open: OpenStore, scale: Scale): void {
  describe("a process that stops between any two writes", () => {
    const contract = contractOver(open, scale);

    for (const scenario of scenarios) {
      for (const last of ["answered", "unanswered"] as const) {
        test(
          `${scenario.name}; its last write is ${last}`,
          async () => {
            const { under } = contract;
            const survivor = await under.another();
            const cases: Case[] = [];
            const first = (last === "answered" ? 0 : 1) + (seedOfRun % scale.stopEvery);
            let afterWrites = first;
            for (let isStopped = true; isStopped; afterWrites += scale.stopEvery) {
              const each: Case = {
                sessionId: `s-${afterWrites}`,
                userId: `u-${afterWrites}`,
                now: Date.now(),
                told: [],
                work: [],
              };
              cases.push(each);
              await scenario.prepare?.(under.store, each);
              // Else the one that prepared might write later, by itself, and put right what the other has left.
              await under.store.settle(each.sessionId);
              isStopped = await runUntil({ afterWrites, last }, (store) => scenario.run(store, each));
              expect(afterWrites).toBeLessThan(writesMax);
            }
            expect(afterWrites).toBeGreaterThan(scenario.writesMin);
            const work = await checkWorkIsFound(survivor, idsOf(cases));
            for (const each of cases) each.work.push(...work);
            const sessionIds: string[] = [];
            for (const [index, each] of cases.entries()) {
              try {
                sessionIds.push(await scenario.check(survivor, each));
              } catch (cause) {
                const stoppedAfter = `stopped after ${first + index * scale.stopEvery} writes, the last ${last}`;
                throw new Error(`${stoppedAfter}: ${(cause as Error).message}`, { cause });
              }
            }
            await checkIndexes(survivor, sessionIds);
            await expectSameAfterReopening(survivor, sessionIds.slice(-sampleMax));
          },
          scale.timeoutMs,
        );
      }
    }

    async function runUntil(stop: Stop, run: (store: Store) => Promise<unknown>): Promise<boolean> {
      const stopping = await contract.under.stopping(stop);
      const isCutOff = await isRejected(run(stopping.store));
      return (await stopping.end()) || isCutOff;
    }

    async function expectSameAfterReopening(survivor: Store, sessionIds: readonly string[]): Promise<void> {
      const before = await describeStore(survivor, sessionIds);
      const again = await contract.under.reopen();
      await eventually(
        () => describeStore(again, sessionIds),
        (after) => expect(after).toEqual(before),
      );
    }
  });
}

function idsOf(cases: readonly Case[]): string[] {
  return cases.map(({ sessionId }) => sessionId);
}
