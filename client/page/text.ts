import { link } from "./dom.js";
import { Lazy } from "./load.js";
import type * as Markdown from "./markdown.js";

const address = /https?:\/\/[^\s<>"']+/gi;
/** What stands behind an address in a sentence, and is not of it. */
const behind = new Set(".,;:!?)]}…");
/** What only Markdown has, or might: a mark around words, the beginning of a list, a quotation or a table. */
const marks = /[*_~`[|]|^ *(?:#|>|[-+]|\d+[.)]) /m;
/** UTF-16 units; a longer text is shown as it is. */
const markdownMax = 32 * 1024;

export const markdown = new Lazy<typeof Markdown>("./markdown.js");
/** Where it is to be shown once it is there. */
const waiting = new Set<HTMLElement>();

/** Whether it takes Markdown to draw it. */
export function isMarked(text: string): boolean {
  return marks.test(text) && text.length <= markdownMax;
}

/** Shows what an agent says: Markdown, once what draws it is there, and as it stands until then. */
export function showAnswer(text: string, into: HTMLElement): void {
  const drawn = isMarked(text) ? markdown.now?.drawMarkdown(text) : undefined;
  into.dataset.text = text;
  into.classList.toggle("marked", drawn !== undefined);
  if (drawn !== undefined) return into.replaceChildren(drawn);
  showText(text, into);
  if (!isMarked(text)) return;
  waiting.add(into);
  if (waiting.size === 1) void loadMarkdown();
}

async function loadMarkdown(): Promise<void> {
  const isWanted = () => [...waiting].some(({ isConnected }) => isConnected);
  const isThere = (await markdown.load(() => undefined, isWanted)) !== null;
  // By now it may say something else.
  if (isThere) for (const into of waiting) showAnswer(into.dataset.text!, into);
  waiting.clear();
}

/** Shows a text whose web addresses are links. Line breaks stay: the style keeps them. */
export function showText(text: string, into: HTMLElement): void {
  const shown: (string | Node)[] = [];
  let end = 0;
  for (const found of text.matchAll(address)) {
    let length = found[0].length;
    while (length > 0 && behind.has(found[0][length - 1]!)) length -= 1;
    const url = found[0].slice(0, length);
    if (!URL.canParse(url)) continue;
    shown.push(text.slice(end, found.index), link("link", url, url));
    end = found.index + url.length;
  }
  into.replaceChildren(...shown, text.slice(end));
}
