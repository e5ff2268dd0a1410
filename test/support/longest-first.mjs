import Sequencer from "@jest/test-sequencer";

/** Those that take longest beside their size. */
const longest = [
  ["embedded", "stores/dynamodb/contract"],
  ["dynamodb", "http/session"],
  ["dynamodb", "wire/sessions"],
  ["embedded", "cli/store-commands"],
  ["embedded", "wire/access-matrix"],
  ["dynamodb", "wire/hostile-messages"],
  ["embedded", "stores/embedded/contract"],
];

/** So that no worker is left alone with a long suite at the end: a fresh clone knows nothing of how long they took. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const placeOf = ({ path, context }) => {
      const place = longest.findIndex(
        ([project, name]) => context.config.displayName?.name === project && path.endsWith(`/test/${name}.test.ts`),
      );
      return place === -1 ? longest.length : place;
    };
    return super.sort(tests).toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
