/** A frame that is not a message. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** A payload that the client's protocol version cannot carry: a mistake of the app, so it crashes the channel. */
export class EncodeError extends Error {
  override readonly name = "EncodeError";
}
