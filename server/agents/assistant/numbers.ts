/** Numbers that people write as words in days and times, folded: of both languages, since customers mix them. */
const cardinals: Readonly<Record<string, number>> = {
  ...numbered(1, "unu doi trei patru cinci sase sapte opt noua zece unsprezece doisprezece treisprezece paisprezece"),
  ...numbered(15, "cincisprezece saisprezece saptesprezece optsprezece nouasprezece douazeci"),
  ...{ una: 1, doua: 2, unspe: 11, doispe: 12, douasprezece: 12, treizeci: 30, "treizeci si unu": 31 },
  ...composed("douazeci si", "unu doi trei patru cinci sase sapte opt noua"),
  ...{ "douazeci si una": 21, "douazeci si doua": 22 },
  ...numbered(1, "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"),
  ...numbered(17, "seventeen eighteen nineteen twenty"),
  ...composed("twenty", "one two three four five six seven eight nine"),
  ...{ thirty: 30, "thirty one": 31 },
};

const ordinals: Readonly<Record<string, number>> = {
  intai: 1,
  ...numbered(1, "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth"),
  ...numbered(14, "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"),
  ...composed("twenty", "first second third fourth fifth sixth seventh eighth ninth"),
  ...{ thirtieth: 30, "thirty first": 31 },
};

const all: ReadonlyMap<string, number> = new Map(Object.entries({ ...cardinals, ...ordinals }));

/** Words for a number, and for a number or a place in an order, as the source of a regular expression. */
export const cardinalSource = sourceOf(Object.keys(cardinals));
export const numberSource = sourceOf([...all.keys()]);

/** What digits or a word stand for; NaN for anything else. */
export function readNumber(said: string): number {
  return all.get(said.replace("-", " ")) ?? Number(said);
}

function numbered(first: number, list: string): Record<string, number> {
  return Object.fromEntries(list.split(" ").map((word, place) => [word, first + place]));
}

function composed(twenty: string, list: string): Record<string, number> {
  return Object.fromEntries(list.split(" ").map((word, place) => [`${twenty} ${word}`, 21 + place]));
}

function sourceOf(words: readonly string[]): string {
  const longestFirst = [...words].sort((one, other) => other.length - one.length);
  return longestFirst.map((word) => word.replace(/ (?=\S+$)/, "[ -]")).join("|");
}
