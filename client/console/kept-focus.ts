import { useEffect } from "preact/hooks";

/**
 * Who works by keyboard is never thrown back to the beginning of the page: when what had the focus is gone, or takes none
 * any more, the first of these that is seen has it.
 */
export function useKeptFocus(selectors: readonly string[]): void {
  useEffect(() => {
    let last: HTMLElement | null = null;
    const noted = ({ target }: FocusEvent) => void (last = target instanceof HTMLElement ? target : null);
    const look = () => {
      const isLost = last !== null && (!last.isConnected || last.matches(":disabled"));
      // A dialog that is open keeps it by itself.
      if (!isLost || document.activeElement !== document.body || document.querySelector("dialog[open]") !== null)
        return;
      last = null;
      seenOf(selectors)?.focus({ preventScroll: true });
    };
    const changes = new MutationObserver(look);
    changes.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
    document.addEventListener("focusin", noted);
    return () => {
      changes.disconnect();
      document.removeEventListener("focusin", noted);
    };
  }, []);
}

function seenOf(selectors: readonly string[]): HTMLElement | undefined {
  return (
    selectors
      .map((selector) => document.querySelector<HTMLElement>(selector))
      .find((element) => element?.checkVisibility() === true) ?? undefined
  );
}
