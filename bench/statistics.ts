/** The middle of the samples, and how far they reach. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return {
    median: (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2,
    least: sorted[0]!,
    most: sorted.at(-1)!,
  };
}

/** Sample by sample, so that what disturbed a whole round, such as another process, cancels out. */
export function ratios(samples: readonly number[], references: readonly number[]): number[] {
  return samples.map((sample, round) => sample / references[round]!);
}
