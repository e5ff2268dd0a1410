import type { Place } from "./place.js";

/**
 * Gives the focus another place when what had it goes, or can be used no more: keys would reach nobody, and Escape would
 * not close the widget.
 * @param input where there is no keyboard on the screen, which would open for it
 * @param scroll elsewhere
 */
export function keepFocus(root: Place["root"], chat: HTMLElement, input: HTMLElement, scroll: HTMLElement): void {
  // The chat itself stands for nothing.
  let held: HTMLElement & { readonly disabled?: boolean } = chat;
  const look = () => {
    const focused = root.querySelector(":focus");
    if (focused !== null && focused !== held) return;
    if (!held.isConnected || held.disabled) (matchMedia("(pointer: fine)").matches ? input : scroll).focus();
    else if (focused === null) held = chat;
  };
  chat.addEventListener("focusin", ({ target }) => (held = target as HTMLElement));
  // Of what is removed some browsers tell while it is still there.
  chat.addEventListener("focusout", () => queueMicrotask(look));
  new MutationObserver(look).observe(chat, { childList: true, subtree: true, attributeFilter: ["disabled"] });
}
