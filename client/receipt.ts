import { asRecord, text } from "./fields.js";

/** Where a message is, once it is stored. */
export interface Receipt {
  readonly messageId: string;
  readonly sessionId: string;
  readonly offset: number;
  readonly timestamp: string;
}

export function readReceipt(response: unknown): Receipt {
  const { messageId, sessionId, offset, timestamp } = asRecord(response);
  return {
    messageId: text(messageId) ?? "",
    sessionId: text(sessionId) ?? "",
    offset: typeof offset === "number" ? offset : 0,
    timestamp: text(timestamp) ?? "",
  };
}
