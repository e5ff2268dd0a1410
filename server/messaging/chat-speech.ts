import { parseNewMessage } from "../../protocol/payloads.js";
import { failure, type Result } from "../../protocol/result.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { type Admission, type Admitted, type Refusal, refusal, type Sender } from "./admission.js";
import { beginTurn } from "./begin-turn.js";
import type { Broadcast } from "./broadcast.js";
import type { Chats } from "./chats.js";
import type { Session } from "./model.js";

/** What the owner of a chat says in it, by whatever way. (SPEC H32, M101) */
export interface ChatSpeech {
  /**
   * Stores it once for a `clientMessageId`, where nothing refuses it. Whoever calls begins its turn (`beginTurn`) when its
   * sender has been told.
   * @throws StoreError when it could not be stored, or not be remembered for the worker: then its turn has begun
   */
  say(sender: Sender, chat: Session, said: ChatWords): Promise<Result<Admitted, Refusal>>;
}

export interface ChatWords {
  readonly content: string;
  readonly clientMessageId: string | null;
}

export function createChatSpeech(deps: {
  readonly admission: Pick<Admission, "take">;
  readonly chats: Pick<Chats, "remember">;
  readonly broadcast: Broadcast;
  readonly telemetry: DeskTelemetry;
  readonly maxMessageBytes: number;
}): ChatSpeech {
  return { say };

  async function say(sender: Sender, chat: Session, said: ChatWords): Promise<Result<Admitted, Refusal>> {
    const { businessId, userId, locationId, sessionId } = chat;
    const { content: message, clientMessageId } = said;
    const payload = { businessId, userId, locationId, sessionId, message, clientMessageId };
    const parsed = parseNewMessage(payload, deps.maxMessageBytes);
    if (!parsed.ok) return failure(refusal(parsed.reason.code, parsed.reason.error));
    const admitted = await deps.admission.take(sender, { ...parsed.value, isBound: true });
    if (!admitted.ok) {
      deps.telemetry.emit("message.refused", { businessId, code: admitted.reason.code });
      return admitted;
    }
    try {
      await deps.chats.remember(admitted.value.accepted.message);
    } catch (cause) {
      // It is stored, so it is answered, whatever its sender is told.
      beginTurn(deps.broadcast, admitted.value);
      throw cause;
    }
    return admitted;
  }
}
