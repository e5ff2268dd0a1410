/** Of one connection; one more takes the place of the oldest, which is then never told. */
const waitingMax = 256;

/**
 * Who wants to know when a peer has taken what was sent until now. One question to the peer is outstanding at a time;
 * what is asked meanwhile waits for the next one. (SPEC T13)
 */
export class Fences {
  #asked: (() => void)[] = [];
  #next: (() => void)[] = [];

  /** @returns true when the peer is to be asked now: after what was sent until now */
  add(done: () => void): boolean {
    const isIdle = this.#asked.length === 0;
    const list = isIdle ? this.#asked : this.#next;
    if (list.length >= waitingMax) list.shift();
    list.push(done);
    return isIdle;
  }

  /** The peer has answered. @returns true when it is to be asked again */
  answered(): boolean {
    const done = this.#asked;
    this.#asked = this.#next;
    this.#next = [];
    for (const callback of done) callback();
    return this.#asked.length > 0;
  }
}
