import type { Request, Response } from "express";
import { z } from "zod";
import { isBusinessId, parseNewMessage } from "../../protocol/payloads.js";
import type { Code } from "../../protocol/codes.js";
import { failure, type Result } from "../../protocol/result.js";
import { type Admitted, type Refusal, refusal } from "../messaging/admission.js";
import { beginTurn } from "../messaging/begin-turn.js";
import type { Business } from "../messaging/business.js";
import { telegramUserId } from "../messaging/outbound.js";
import { isSameSecret } from "../messaging/signature.js";
import { onboard } from "../messaging/steps/onboarding.js";
import { type Store, StoreError } from "../messaging/store.js";
import { refusalText } from "../messaging/texts.js";
import type { MessagesDeps } from "./messages.js";
import { sendProblem, sendRefusal, sendUnsigned } from "./problem.js";
import type { Route } from "./route.js";
import { saidIn, type TelegramMessage, telegramUpdate } from "./telegram-update.js";

export interface TelegramDeps extends Pick<
  MessagesDeps,
  "admission" | "businessOf" | "broadcast" | "maxMessageBytes" | "telemetry"
> {
  readonly store: Store;
  /** The secret by which a business knows Telegram; null: it has no bot. */
  readonly botOf: (businessId: string) => { readonly secret: string } | null;
}

/** What Telegram is to do at once, said in the answer to its own request; or nothing. */
const reply = z
  .strictObject({
    method: z.enum(["sendChatAction", "sendMessage"]),
    chat_id: z.int(),
    action: z.literal("typing").optional(),
    text: z.string().optional(),
  })
  .or(z.strictObject({}))
  .meta({ id: "TelegramReply" });

/** What is too large is sent again and again, like all that is not taken; updates hold what they reply to, too. */
const updateBytesMax = 262_144;

/** The same update is taken in a moment. Anything else would come again and again, and keep what comes after it waiting. */
const passing: ReadonlySet<Code> = new Set<Code>(["busy", "rate_limited", "storage_unavailable"]);

/** `POST /api/webhooks/telegram/:businessId`: what Telegram brings a bot of the business. (SPEC H37) */
export function telegramRoutes(deps: TelegramDeps): readonly Route[] {
  return [
    {
      method: "post",
      path: "/api/webhooks/telegram/:businessId",
      action: "hook.call",
      // An update has an id of its own.
      repeated: "harmless",
      bodyBytesMax: updateBytesMax,
      doc: {
        summary: "An update of Telegram's Bot API, for the bot of a business",
        security: "telegram",
        body: telegramUpdate,
        answers: { 200: reply },
        problems: [401, 429],
      },
      handle: (request, response) => bring(deps, request, response),
    },
  ];
}

async function bring(deps: TelegramDeps, request: Request, response: Response): Promise<void> {
  const { businessId } = request.params as { readonly businessId: string };
  const business = isBusinessId(businessId) ? deps.businessOf(businessId) : null;
  const bot = deps.botOf(businessId);
  if (business === null || bot === null) return sendProblem(response, "not_found");
  if (!isSameSecret(request.headers["x-telegram-bot-api-secret-token"], bot.secret)) {
    deps.telemetry.emit("token.refused", { door: "telegram", reason: "forbidden" });
    return sendUnsigned(response, "X-Telegram-Bot-Api-Secret-Token", "the bot");
  }
  const update = telegramUpdate.safeParse(request.body);
  if (!update.success) return sendProblem(response, "invalid_payload", "not an update of the Bot API");
  const said = saidIn(update.data);
  if (said === null) return void response.json({});
  const admitted = await take(deps, business, said);
  if (!admitted.ok) return refuse(deps, response, { business, said, refused: admitted.reason });
  await introduce(deps, admitted.value, said);
  // While it is being answered. A retry was answered already.
  const isNew = !admitted.value.accepted.duplicate;
  response.json(isNew ? { method: "sendChatAction", chat_id: said.from, action: "typing" } : {});
  beginTurn(deps.broadcast, admitted.value);
}

async function take(
  { admission, maxMessageBytes }: TelegramDeps,
  business: Business,
  said: TelegramMessage,
): Promise<Result<Admitted, Refusal>> {
  const { businessId, locations } = business;
  const userId = telegramUserId(said.from);
  const parsed = parseNewMessage(
    {
      ...{ businessId, userId, message: said.text, timestamp: said.sentAt },
      locationId: locations[0]?.locationId ?? "default",
      clientMessageId: `telegram:${said.updateId}`,
    },
    maxMessageBytes,
  );
  if (!parsed.ok) return failure(refusal(parsed.reason.code, parsed.reason.error));
  const identity = { role: "user", userId, businessId } as const;
  const sender = { business, identity, source: "webhook", connectionId: null, rate: null } as const;
  return admission.take(sender, { ...parsed.value, externalId: String(said.messageId) });
}

// The message is stored, whether or not the user's name can be.
async function introduce({ store, telemetry }: TelegramDeps, { accepted }: Admitted, said: TelegramMessage) {
  const { name, locale } = said;
  const known = { ...(name === undefined ? {} : { name }), ...(locale === undefined ? {} : { locale }) };
  try {
    await onboard(store, accepted.message, { platform: "telegram", ...known });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    telemetry.emit("store.failed", { operation: "introduce a user", error });
  }
}

function refuse(
  { telemetry }: TelegramDeps,
  response: Response,
  {
    business,
    said,
    refused,
  }: { readonly business: Business; readonly said: TelegramMessage; readonly refused: Refusal },
): void {
  const { code } = refused;
  telemetry.emit("message.refused", { businessId: business.businessId, code });
  if (passing.has(code)) return sendRefusal(response, refused);
  const text = refusalText(said.locale ?? business.locale, code);
  response.json(text === null ? {} : { method: "sendMessage", chat_id: said.from, text });
}
