import type { Chat } from "../chat.js";
import type { Place } from "./place.js";

/** So long without a word or a touch, and the connection is let go. */
const quietMs = 5 * 60_000;

/** Lets a chat sleep that nobody uses, and wakes it with the next key or look. */
export function sleepWhenQuiet(chat: Chat, root: Place["root"], input: HTMLElement): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stir = () => {
    clearTimeout(timer);
    timer = setTimeout(rest, quietMs);
  };
  const rest = () => {
    if (chat.unsentCount === 0 && chat.view.running.length === 0) chat.sleep();
    if (chat.status.state !== "asleep") stir();
  };
  const wake = () => {
    if (chat.status.state === "asleep") chat.connect();
    stir();
  };
  for (const event of ["keydown", "pointerdown"]) root.addEventListener(event, stir, { passive: true });
  input.addEventListener("input", wake);
  document.addEventListener("visibilitychange", () => !document.hidden && wake());
  chat.onMessage(stir);
  stir();
}
