import { useLayoutEffect } from "preact/hooks";

const offKey = "bennu.console.keys";

/** Key, as `KeyboardEvent.key` has it, to what it does. */
export type Bindings = Readonly<Record<string, () => void>>;

/** Whether single keys do something: who dictates text, or whose hand slips, wants them off. */
export function areKeysOn(): boolean {
  return localStorage.getItem(offKey) !== "off";
}

export function setKeysOn(areOn: boolean): void {
  if (areOn) localStorage.removeItem(offKey);
  else localStorage.setItem(offKey, "off");
}

/** Keys of the whole page. In a field, and with a modifier, they are what they always are; Escape leaves the field. */
export function useKeyboard(bindings: Bindings): void {
  // At once with what is drawn: a key that is pressed on what is seen must not do what it did before.
  useLayoutEffect(() => {
    const heard = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const isInDialog = document.querySelector("dialog[open]") !== null;
      if (isInDialog || (event.key !== "Escape" && (isField(event.target) || !areKeysOn()))) return;
      const act = Object.hasOwn(bindings, event.key) ? bindings[event.key] : undefined;
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", heard);
    return () => document.removeEventListener("keydown", heard);
  });
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
