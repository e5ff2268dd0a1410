/** What of a long message is looked at; the rest cannot change what it is about. */
const WORDS_MAX = 80;
const BODY_WORDS_MAX = 1_000;
const STEM_LENGTH_MIN = 3;
/** No word is longer, and comparing what is not a word would take its length squared. */
const STEM_LENGTH_MAX = 32;

// Words that say nothing of what a text is about: courtesy, helpers, and days and dates, which are read elsewhere.
const stopWords = new Set(
  `a ai al ale am an ar are as asa asta astazi ati au avea aveam avem aveti azi ba bine bun buna ca cat cata cate ce cea
  cei cel cele chiar ci cu cum da daca dar de deci din doar doresc dori doriti dorim dupa e ei el ele eu este esti
  fac faca face facem faceti facut fi fie fost hei hello i ia iar ii il imi in inca intr intre isi iti la le lor
  luni lunea ma mai maine marti martea meu mea mele miercuri mi multumesc multumim mersi ne nevoie noi nostru nu numele numesc
  cheama o ok okay oferiti ora orele ori pe pentru pt ptr poate poimaine pot puteti putea prea prin rog sa salut salutare
  sambata sau se seara sunt suntem sunteti si stiu stii stiti spune spuneti te ti tu un una unei unor unui va vad
  vi vin voi vom vor vreau vrea vreti vrei ziua zi zile zilei joi joia vineri vinerea duminica dumneavoastra doamna
  domnul exista trebuie care cine lui voastra vostru
  the an and any are at be can could d day do does for from get good have hello hey hi how i if im in is it ll m me
  monday tuesday wednesday thursday friday saturday sunday today tomorrow my need of on one or our please re s so t thank
  thanks that there this to ve want was we what when will with would yes you your like know tell about`.split(/\s+/),
);

// Endings of nouns and verbs, longest first: an article or a plural does not make another word.
const endings = `urilor urile iilor ilor elor ului iile ile ele ilor iei lui ul ii ia ie ea ei uri le a e i u s`
  .split(" ")
  .sort((one, other) => other.length - one.length);

/**
 * Lower case and without diacritics, letter by letter: the result is as long as the text, so that a place found in
 * one is the same place in the other.
 */
export function fold(text: string): string {
  return Array.from({ length: text.length }, (_, index) => foldUnit(text.charAt(index))).join("");
}

function foldUnit(unit: string): string {
  if (unit < "\u0080") return unit.toLowerCase();
  const folded = unit.normalize("NFD").charAt(0).toLowerCase();
  return folded.length === 1 ? folded : unit;
}

/** The words of a text, folded, as they stand. */
export function words(text: string): string[] {
  return firstWords(text, WORDS_MAX);
}

/** The stems of the words that a text is about. */
export function stems(text: string): string[] {
  return meaningfulStems(words(text));
}

/** The same of a paragraph of a document, of which more is looked at than of a message. */
export function stemsOfBody(text: string): string[] {
  return meaningfulStems(firstWords(text, BODY_WORDS_MAX));
}

function firstWords(text: string, max: number): string[] {
  return (
    fold(text.normalize("NFC"))
      .match(/[\p{L}\p{N}]+/gu)
      ?.slice(0, max) ?? []
  );
}

function meaningfulStems(all: readonly string[]): string[] {
  const meaningful = all.filter((word) => word.length > 1 && !stopWords.has(word) && !/^\d+$/.test(word));
  return [...new Set(meaningful.map((word) => stem(word.slice(0, STEM_LENGTH_MAX))))];
}

/** Takes endings away until none is left: "maseaua" and "masea", "prices" and "price" must end as the same. */
function stem(word: string): string {
  const ending = endings.find((each) => word.endsWith(each) && word.length - each.length >= STEM_LENGTH_MIN);
  return ending === undefined ? word : stem(word.slice(0, -ending.length));
}

/** How far two stems mean the same: 1 when equal, less when a typing error apart, else 0. */
export function similarity(one: string, other: string): number {
  if (one === other) return 1;
  const shorter = Math.min(one.length, other.length);
  const allowed = shorter >= 8 ? 2 : shorter >= 5 ? 1 : 0;
  // A first letter is seldom mistyped, and without this rule too many short words are alike.
  if (allowed === 0 || one[0] !== other[0] || Math.abs(one.length - other.length) > allowed) return 0;
  return editDistance(one, other) <= allowed ? 0.8 : 0;
}

/** Letters added, left out, changed or swapped with their neighbour, to come from one word to the other. */
function editDistance(one: string, other: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const change = one[row - 1] === other[column - 1] ? 0 : 1;
      let best = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + change);
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (isSwap) best = Math.min(best, before[column - 2]! + 1);
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[other.length]!;
}
