/** The seed of this run: the one of BENNU_SEED, to repeat a run, or a new one. */
export const seedOfRun = Number(process.env.BENNU_SEED ?? Date.now() % 2 ** 31);

/** Numbers from 0 up to, not including, 1; the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs something that depends on the seed, and tells the seed when it fails. */
export async function withSeed(run: (random: () => number) => Promise<void>): Promise<void> {
  try {
    await run(createRandom(seedOfRun));
  } catch (cause) {
    throw new Error(`BENNU_SEED=${seedOfRun} repeats this: ${(cause as Error).message}`, { cause });
  }
}
