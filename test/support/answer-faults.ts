// What servers under test answered otherwise than the API is described. Whoever ends a test asks for it.
const faults = new Set<string>();
const shownMax = 5;

/** Notes one, whichever server it was and whoever asked. */
export function noteFault(fault: string): void {
  faults.add(fault);
}

/** @throws Error with those that nobody was told of yet */
export function checkAnswers(): void {
  if (faults.size === 0) return;
  const shown = [...faults].slice(0, shownMax);
  faults.clear();
  throw new Error(`not as the API is described:\n${shown.join("\n")}`);
}
