/** A model that writes the next message of a conversation. It keeps nothing: all that it may know is in the request. */
export interface ChatModel {
  /** Which one it is, for logs; without secrets. */
  readonly name: string;
  /**
   * What the model says, piece by piece: deltas and calls in any order, and exactly one `end`, as the last. A stream
   * without `end` does not happen: it throws.
   * @throws AgentError whose code begins with `model_`; after it nothing of what was said is an answer
   * @see SPEC A30
   */
  complete(request: ModelRequest): AsyncIterable<ModelEvent>;
}

export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  /** Until the first piece of the answer is here, in ms. */
  readonly beginMs: number;
  /** Of UTF-8, which what it says must leave of an answer: for what stands around it there. */
  readonly reservedBytes: number;
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/** What users say is never anything but `user`, what was answered them `assistant`; only we are `system`. */
export interface ModelMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** Something that the model may call for instead of, or after, saying something. */
export interface ModelTool {
  /** `[A-Za-z0-9_-]{1,64}`. */
  readonly name: string;
  readonly description: string;
  /** A JSON Schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export type ModelEvent = ModelDelta | ModelToolCall | ModelEnd;

export interface ModelDelta {
  readonly type: "delta";
  readonly text: string;
}

export interface ModelToolCall {
  readonly type: "tool_call";
  readonly name: string;
  /** An object, and no more is known of it. */
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface ModelEnd {
  readonly type: "end";
  /** Of question and answer together; null when the endpoint does not say. */
  readonly tokens: number | null;
}
