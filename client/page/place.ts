/** Where a chat is shown, and whose it is. */
export interface Place {
  /** Has the elements of index.html: the page, or the widget's shadow root. */
  readonly root: Document | ShadowRoot;
  /** Of the desk, without a slash at its end; empty where the page is the desk's own. */
  readonly baseUrl: string;
  readonly businessId: string;
  /** Who is writing, where the page says so itself. */
  readonly userId: string | null;
  /** As of `navigator.language`. */
  readonly language: string;
  /** Whose chat it is. */
  named(name: string): void;
  /** Shows the chat from its beginning: whoever was writing is somebody else now. */
  anew(): void;
}

export type Part = <Kind extends HTMLElement = HTMLElement>(id: string, kind?: new () => Kind) => Kind;

/** @returns what finds an element of index.html; it throws an Error when there is none */
export function partsOf(root: Place["root"]): Part {
  return <Kind extends HTMLElement>(id: string, kind?: new () => Kind) => {
    const found = root.getElementById(id);
    if (found instanceof (kind ?? HTMLElement)) return found as Kind;
    throw new Error(`index.html has no #${id}`);
  };
}
