import * as z from "zod";
import { AgentError } from "../../messaging/agent.js";
import { parsed } from "../http-body.js";
import type { ModelEvent, ModelToolCall } from "./chat-model.js";

/** Of one answer. */
const callsMax = 8;
/** Of the arguments of one call, in characters. */
const argumentsMax = 16_384;

const call = z.object({
  index: z.int().min(0).nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});
const part = z.object({ content: z.string().nullish(), tool_calls: z.array(call).max(callsMax).nullish() });
const choice = z.object({ delta: part.nullish(), message: part.nullish(), finish_reason: z.string().nullish() });
const completion = z.object({ choices: z.array(choice) });
const usage = z.object({ usage: z.object({ total_tokens: z.int().min(0).max(1_000_000_000) }) });

/** Anything else, such as `length`, says that the text was cut. */
const wholeReasons: ReadonlySet<string> = new Set(["stop", "tool_calls"]);

interface PartialCall {
  name: string;
  arguments: string;
}

/**
 * Puts one answer together from the chunks of a stream, or from the one object that a model gives which does not
 * stream. Nothing of it is trusted. (SPEC A30)
 */
export class CompletionReader {
  readonly #maxTextBytes: number;
  readonly #calls: PartialCall[] = [];
  #textBytes = 0;
  #finish: string | null = null;
  #tokens: number | null = null;

  constructor(maxTextBytes: number) {
    this.#maxTextBytes = maxTextBytes;
  }

  /** Whether anything was called for. */
  get hasCalls(): boolean {
    return this.#calls.length > 0;
  }

  /**
   * @returns the text that it adds, often none
   * @throws AgentError when it is none of a completion's chunks, or there is too much
   */
  read(chunk: Readonly<Record<string, unknown>>): string {
    const checked = completion.safeParse(chunk);
    if (!checked.success) throw new AgentError("nonsense", { isThere: true });
    this.#tokens = usage.safeParse(chunk).data?.usage.total_tokens ?? this.#tokens;
    // One was asked for. The last chunk of a stream, which says what was used, has none.
    const [first] = checked.data.choices;
    if (first === undefined) return "";
    this.#finish = first.finish_reason ?? this.#finish;
    const said = first.delta ?? first.message ?? {};
    said.tool_calls?.forEach((each, place) => this.#addCall(each.index ?? place, each.function ?? {}));
    return this.#addText(said.content ?? "");
  }

  /**
   * All that is known once nothing more comes: what was called for, and the end.
   * @throws AgentError when the answer is not whole, or there is none
   */
  end(): readonly ModelEvent[] {
    if (this.#finish === null) throw new AgentError("cut");
    if (!wholeReasons.has(this.#finish)) throw new AgentError("not_whole", { isThere: true });
    if (this.#textBytes === 0 && this.#calls.length === 0) throw new AgentError("empty", { isThere: true });
    return [...this.#calls.map(callOf), { type: "end", tokens: this.#tokens }];
  }

  #addText(text: string): string {
    this.#textBytes += Buffer.byteLength(text);
    if (this.#textBytes > this.#maxTextBytes) throw new AgentError("answer_too_long", { isThere: true });
    return text;
  }

  #addCall(index: number, { name, arguments: fragment }: NonNullable<z.output<typeof call>["function"]>): void {
    if (index > this.#calls.length || index >= callsMax) throw new AgentError("nonsense", { isThere: true });
    const known = (this.#calls[index] ??= { name: "", arguments: "" });
    // Some say the name with every fragment.
    if (known.name === "") known.name = name ?? "";
    known.arguments += fragment ?? "";
    if (known.arguments.length > argumentsMax) throw new AgentError("answer_too_long", { isThere: true });
  }
}

// A call without parameters may come without arguments.
function callOf({ name, arguments: json }: PartialCall): ModelToolCall {
  return { type: "tool_call", name, arguments: json.trim() === "" ? {} : parsed(json) };
}
