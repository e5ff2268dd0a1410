import type { Feature } from "./features.js";

/** How often the examples are gone through; more changes little. */
const EPOCHS = 3;
const LEARNING_RATE = 0.6;
const BIAS_RATE = 0.02;
const FIRST_SQUARE = 0.01;
/** A smaller error is not worth learning from: it costs most of the time and changes nothing. */
const ERROR_MIN = 0.02;
/** A feature of one example tells nothing of others. */
const OCCURRENCES_MIN = 2;
/** After so few epochs it is less sure than it is right. */
const SHARPNESS = 1.5;
/** After so many examples, others get their turn. */
const EXAMPLES_A_SLICE = 50;

// Looked up once: as globals they cost more than the sums they are in.
const { abs, exp, sqrt } = Math;

export interface Example<Label> {
  readonly features: readonly Feature[];
  readonly label: Label;
}

/** How likely each label is; together 1. */
export type Likelihoods<Label> = ReadonlyMap<Label, number>;

export type Classifier<Label> = (features: readonly Feature[]) => Likelihoods<Label>;

interface Vector {
  readonly places: readonly number[];
  readonly values: readonly number[];
}

/**
 * A multinomial logistic regression over sparse features, learnt by stochastic gradient descent with AdaGrad's rates.
 * From the same examples it always learns the same. It learns in slices of a few milliseconds: nobody waits for it.
 */
export async function learn<Label>(examples: readonly Example<Label>[]): Promise<Classifier<Label>> {
  const places = placesOf(examples);
  const labels = [...new Set(examples.map(({ label }) => label))];
  const model = {
    weights: new Float32Array(places.size * labels.length),
    squares: new Float32Array(places.size * labels.length).fill(FIRST_SQUARE),
    biases: new Float32Array(labels.length),
  };
  const read = examples.map(({ features, label }) => ({
    vector: vectorOf(features, places),
    label: labels.indexOf(label),
  }));
  const next = randoms();
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    shuffle(read, next);
    for (const [index, { vector, label }] of read.entries()) {
      learnFrom(vector, label, model);
      if (index % EXAMPLES_A_SLICE === 0) await new Promise(setImmediate);
    }
  }
  return (features) => {
    const shares = sharpened(predict(vectorOf(features, places), model));
    return new Map(labels.map((label, index) => [label, shares[index]!]));
  };
}

interface Model {
  /** By feature, then by label. */
  readonly weights: Float32Array;
  readonly biases: Float32Array;
}

function learnFrom({ places, values }: Vector, label: number, model: Model & { readonly squares: Float32Array }): void {
  const { weights, squares, biases } = model;
  const errors = predict({ places, values }, model);
  errors[label]! -= 1;
  const wrong: number[] = [];
  for (let each = 0; each < errors.length; each += 1) if (abs(errors[each]!) >= ERROR_MIN) wrong.push(each);
  for (const each of wrong) biases[each]! -= BIAS_RATE * errors[each]!;
  for (let index = 0; index < places.length; index += 1) {
    const row = places[index]! * errors.length;
    for (let at = 0; at < wrong.length; at += 1) {
      const each = wrong[at]!;
      const gradient = errors[each]! * values[index]!;
      const square = (squares[row + each]! += gradient * gradient);
      weights[row + each]! -= (LEARNING_RATE * gradient) / sqrt(square);
    }
  }
}

/** The likelihood of every label, by its number. */
function predict({ places, values }: Vector, { weights, biases }: Model): Float64Array {
  const scores = Float64Array.from(biases);
  const { length } = scores;
  for (let index = 0; index < places.length; index += 1) {
    const row = places[index]! * length;
    const value = values[index]!;
    for (let label = 0; label < length; label += 1) scores[label]! += weights[row + label]! * value;
  }
  const highest = Math.max(...scores);
  let sum = 0;
  for (let label = 0; label < scores.length; label += 1) sum += scores[label] = exp(scores[label]! - highest);
  return scores.map((score) => score / sum);
}

function sharpened(shares: Float64Array): Float64Array {
  const powers = shares.map((share) => share ** SHARPNESS);
  const sum = powers.reduce((all, each) => all + each, 0);
  return powers.map((power) => power / sum);
}

function placesOf(examples: readonly Example<unknown>[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { features } of examples) for (const [name] of features) counts.set(name, (counts.get(name) ?? 0) + 1);
  const frequent = [...counts].filter(([, count]) => count >= OCCURRENCES_MIN);
  return new Map(frequent.map(([name], place) => [name, place]));
}

/** Of length 1 with what is unknown counted in: a text of which little is known is likely of many labels. */
function vectorOf(features: readonly Feature[], placeOf: ReadonlyMap<string, number>): Vector {
  const length = Math.hypot(...features.map(([, weight]) => weight));
  const known = features.filter(([name]) => placeOf.has(name));
  return { places: known.map(([name]) => placeOf.get(name)!), values: known.map(([, weight]) => weight / length) };
}

function shuffle(all: unknown[], next: () => number): void {
  for (let index = all.length - 1; index > 0; index -= 1) {
    const other = Math.floor(next() * (index + 1));
    [all[index], all[other]] = [all[other], all[index]];
  }
}

/** Park and Miller's generator, always from the same seed: what is learnt must not differ from start to start. */
function randoms(): () => number {
  let state = 1;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}
