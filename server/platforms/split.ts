/**
 * The pieces of a text that is too long for one message: at the end of a paragraph, a line or a word, where there is one
 * in the second half of a piece, and never within a character.
 * @param max of a piece, in UTF-16 code units
 */
export function split(text: string, max: number): readonly string[] {
  const pieces: string[] = [];
  let rest = text.trim();
  while (rest.length > max) {
    const end = endOf(rest, max);
    pieces.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  return rest === "" ? pieces : [...pieces, rest];
}

function endOf(text: string, max: number): number {
  for (const mark of ["\n\n", "\n", " "]) {
    const at = text.lastIndexOf(mark, max);
    if (at > max / 2) return at;
  }
  return isHighSurrogate(text.charCodeAt(max - 1)) ? max - 1 : max;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
