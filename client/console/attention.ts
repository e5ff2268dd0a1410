import { part } from "./part.js";
import type { Labels } from "./labels.js";
import { customerName } from "./names.js";
import { type Row, stateOf } from "./rows.js";

const key = "bennu.console.notify";
/** Of one moment; a storm of them is one to look at, not a hundred to close. */
const notificationsMax = 3;
/** What such a storm is known by, beside ids of sessions. */
const manyTag = "many";

/** `off`: the browser has none, or was told to let us have none. */
export type NotificationState = "ask" | "on" | "off";

/** Calls somebody who looks elsewhere: the number of those who wait in the title, and notifications where wanted. */
export class Attention {
  readonly #labels: Labels;
  readonly #open: (sessionId: string) => void;
  #waiting: ReadonlySet<string> | null = null;
  /** Those that are shown, by tag. */
  readonly #shown = new Map<string, Notification>();
  #isUnable = false;

  /** @param open shows the session whose notification was clicked */
  constructor(labels: Labels, open: (sessionId: string) => void) {
    this.#labels = labels;
    this.#open = open;
  }

  get state(): NotificationState {
    if (this.#isUnable || !("Notification" in globalThis) || Notification.permission === "denied") return "off";
    return Notification.permission === "granted" && localStorage.getItem(key) === "on" ? "on" : "ask";
  }

  async toggle(): Promise<void> {
    if (this.state === "on") return localStorage.removeItem(key);
    if ((await Notification.requestPermission()) === "granted") localStorage.setItem(key, "on");
  }

  /** @param isCurrent whether `rows` are all there are: who waited before the console was opened is no news */
  look(rows: readonly Row[], { now, isCurrent }: { readonly now: number; readonly isCurrent: boolean }): void {
    const waiting = rows.filter((row) => stateOf(row, now) === "waiting");
    const title = waiting.length === 0 ? this.#labels.title : `(${waiting.length}) ${this.#labels.title}`;
    if (document.title !== title) document.title = title;
    if (!isCurrent) return;
    const before = this.#waiting;
    this.#waiting = new Set(waiting.map(({ sessionId }) => sessionId));
    this.#close(this.#waiting);
    if (before === null) return;
    this.#notify(waiting.filter(({ sessionId }) => !before.has(sessionId)));
  }

  // Whom a colleague has answered is no reason to come.
  #close(waiting: ReadonlySet<string>): void {
    for (const [tag, shown] of this.#shown)
      if (tag === manyTag ? waiting.size === 0 : !waiting.has(tag)) {
        shown.close();
        this.#shown.delete(tag);
      }
  }

  // Without a word of what was said: it may be seen on a screen that others see.
  #notify(rows: readonly Row[]): void {
    if (this.state !== "on" || (!document.hidden && document.hasFocus())) return;
    const labels = this.#labels;
    if (rows.length > notificationsMax) this.#show(manyTag, labels.notifyMany(rows.length), rows[0]!.sessionId);
    else
      for (const { sessionId, userId } of rows)
        this.#show(sessionId, labels.notifyTitle(customerName(userId, labels)), sessionId);
  }

  #show(tag: string, title: string, sessionId: string): void {
    const shown = this.#made(title, { body: this.#labels.notifyBody, tag });
    if (shown === null) return;
    this.#shown.set(tag, shown);
    shown.addEventListener("click", () => {
      window.focus();
      this.#open(sessionId);
      shown.close();
    });
  }

  // A browser may have them only for what runs without a page; it says so when one is made.
  #made(title: string, options: NotificationOptions): Notification | null {
    try {
      return new Notification(title, options);
    } catch {
      this.#isUnable = true;
      return null;
    }
  }
}

/** Reads something aloud that is seen elsewhere. */
export function announce(text: string): void {
  part("announcer").textContent = text;
}
