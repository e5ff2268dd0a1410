import { type ProcessedTurn, readProcessed } from "./console-events.js";
import { asRecord, text } from "./fields.js";
import { limits } from "./limits.js";

/**
 * Which outcomes were told, and from where on a rejoin asks for them. The server replays with an overlap, and while it
 * does so new ones come in between: the cursor moves only once the replay is known to be over. (SPEC M12, M17)
 */
export class Outcomes {
  readonly #fence: (sessionId: string) => Promise<unknown>;
  readonly #told = new Set<string>();
  #cursor: string | null;
  /** Where the first join began: what is replayed of before that was never to be told. */
  #since = "";
  /** The newest that was told. */
  #newest: string;
  #isReplaying = false;
  #join = 0;
  /** The join of which it was asked whether its replay is over. */
  #asked = 0;

  /** @param fence asks something of a session that exists; its reply follows the replay */
  constructor(cursor: string | null, fence: (sessionId: string) => Promise<unknown>) {
    this.#cursor = cursor;
    this.#newest = cursor ?? "";
    this.#fence = fence;
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  get joinPayload(): object {
    return this.#cursor === null ? {} : { resume: { cursor: this.#cursor } };
  }

  joined(reply: unknown): void {
    this.#join += 1;
    this.#isReplaying = this.#cursor !== null;
    if (this.#cursor !== null) return;
    this.#cursor = text(asRecord(reply).cursor) ?? null;
    this.#since = this.#cursor ?? "";
  }

  /** @returns null for what was told before, and for what is none */
  heard(raw: unknown): ProcessedTurn | null {
    const turn = readProcessed(raw);
    if (turn === null) return null;
    const { cursor, sessionId, messageId } = turn;
    if (cursor > this.#newest) this.#newest = cursor;
    if (this.#isReplaying) void this.#settle(sessionId, this.#join);
    else this.#advance();
    if (this.#told.has(messageId) || (this.#isReplaying && cursor <= this.#since)) return null;
    this.#told.add(messageId);
    if (this.#told.size > limits.outcomesMax) this.#told.delete(this.#told.values().next().value!);
    return turn;
  }

  #advance(): void {
    if (this.#cursor === null || this.#newest > this.#cursor) this.#cursor = this.#newest;
  }

  // The channel handles one thing at a time: what is asked during the replay is answered after it.
  async #settle(sessionId: string, join: number): Promise<void> {
    if (this.#asked === join) return;
    this.#asked = join;
    const isOver = await this.#fence(sessionId).then(
      () => true,
      () => false,
    );
    if (join !== this.#join) return;
    if (!isOver) return void (this.#asked = 0);
    this.#isReplaying = false;
    this.#advance();
  }
}
