/** One part of the bench: a file that measures something and says what it found. */
export interface Part {
  readonly title: string;
  /** What was raised or switched off for the sake of the measurement, one sentence each. */
  readonly limits: readonly string[];
  /** Measures one figure after the other; each is printed when it is there. */
  run(options: Options): AsyncIterable<Figure>;
}

export interface Options {
  /** Only what has this in its name is measured; null measures everything. */
  readonly only: string | null;
  /** Where the servers leave a CPU profile each, or null. */
  readonly profileFolder: string | null;
}

/** One figure, measured for each of the peers in the same rounds. */
export interface Figure {
  readonly work: string;
  readonly unit: string;
  /** Round by round, for each peer; the last one is ours. */
  readonly samples: ReadonlyMap<string, readonly number[]>;
  /** Null: it is only told. */
  readonly goal: Goal | null;
}

/** Ours may be at most `max` times `of`, round by round; or, with no peer, at most `max` units. */
export interface Goal {
  readonly max: number;
  readonly of: string | null;
}
