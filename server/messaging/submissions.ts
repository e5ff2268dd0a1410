import { codes } from "../../protocol/codes.js";
import { type ComponentSubmit, parseComponentSubmit } from "../../protocol/payloads.js";
import { failure, type Result, success } from "../../protocol/result.js";
import { may } from "../auth/access.js";
import type { DeskTelemetry } from "../desk-telemetry.js";
import { type Admission, type Admitted, type Refusal, refusal, type Sender } from "./admission.js";
import { fillIn, isFillable } from "./component-values.js";
import { type Component, componentPlaceOf, componentsOf } from "./components.js";
import type { ChatMessage, Session } from "./model.js";
import { findHead } from "./sessions.js";
import { type Store, StoreError } from "./store.js";

/** What users fill in and choose: it is said like any other message, with the values beside the text. (SPEC M64) */
export interface Submissions {
  /** @param payload of `component_submit` */
  submit(sender: Sender, payload: unknown): Promise<Result<Admitted, Refusal>>;
}

/** A component that was shown to somebody, and where. */
interface Shown {
  readonly session: Session;
  readonly answer: ChatMessage;
  readonly component: Component;
}

export function createSubmissions({
  store,
  admission,
  telemetry,
  maxMessageBytes,
}: {
  readonly store: Store;
  readonly admission: Pick<Admission, "take">;
  readonly telemetry: DeskTelemetry;
  readonly maxMessageBytes: number;
}): Submissions {
  return { submit };

  async function submit(sender: Sender, payload: unknown): Promise<Result<Admitted, Refusal>> {
    const { businessId } = sender.business;
    const { userId } = sender.identity;
    if (userId === null || !may(sender.identity, "message.send", { businessId, userId })) {
      return failure(refusal("forbidden"));
    }
    const parsed = parseComponentSubmit(payload);
    if (!parsed.ok) return failure(refusal(parsed.reason.code, parsed.reason.error));
    const found = await findShown({ businessId, userId }, parsed.value.componentId);
    return found.ok ? take(sender, found.value, parsed.value) : found;
  }

  async function take(
    sender: Sender,
    { session, answer, component }: Shown,
    { componentId, values: given, clientMessageId }: ComponentSubmit,
  ): Promise<Result<Admitted, Refusal>> {
    const filled = fillIn(component, given, sender.business.locale);
    if (!filled.ok) return failure({ ...refusal("invalid_values"), details: { fields: filled.reason } });
    const { values, text } = filled.value;
    if (maxMessageBytes > 0 && Buffer.byteLength(text) > maxMessageBytes) {
      return failure(refusal("message_too_long", `${codes.message_too_long}: ${maxMessageBytes} bytes`));
    }
    return admission.take(sender, {
      businessId: session.businessId,
      locationId: session.locationId,
      userId: session.userId!,
      message: text,
      data: { componentId, values },
      sessionId: session.sessionId,
      clientMessageId,
      clientTimestamp: null,
      chatId: answer.metadata.chatId ?? null,
      context: {},
    });
  }

  // What was shown to somebody else is as what was never shown. (SPEC X7)
  async function findShown(
    { businessId, userId }: { readonly businessId: string; readonly userId: string },
    componentId: string,
  ): Promise<Result<Shown, Refusal>> {
    try {
      const place = componentPlaceOf(componentId);
      const session = place === null ? undefined : (await findHead(store, place.sessionId))?.session;
      const isOwn = session?.businessId === businessId && session.userId === userId;
      const answer = isOwn ? await store.findMessage(session.sessionId, place!.messageId) : null;
      const component = answer === null ? undefined : componentIn(answer, componentId);
      const isThere = isOwn && answer !== null && component !== undefined && isFillable(component);
      return isThere ? success({ session, answer, component }) : failure(refusal("not_found"));
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      telemetry.emit("store.failed", { operation: "find a component", error: cause });
      return failure(refusal("storage_unavailable"));
    }
  }
}

function componentIn(answer: ChatMessage, componentId: string): Component | undefined {
  return componentsOf(answer).find((component) => component.componentId === componentId);
}
