import { createHttpClient } from "../agents/http-client.js";
import { secretOfBusiness, signedRequest } from "../agents/http-request.js";
import { isPublicAddress } from "../agents/public-address.js";
import type { Clock } from "../clock.js";
import { answerEvent } from "../messaging/broadcast.js";
import { type Business, isTrusted } from "../messaging/business.js";
import type { Line } from "../messaging/platforms.js";
import { post } from "./post.js";

export interface WebhookOptions {
  readonly clock: Clock;
  /** Signs every call; none: they are not signed. */
  readonly secret: string | undefined;
  /** Where a business may be that the operator did not write down. Default: at public addresses. */
  readonly mayConnectTo?: (address: string) => boolean;
}

/**
 * Posts what users must read to the program that speaks for them, signed, with the message's id as its key.
 * @see SPEC M113; docs/platforms.md
 */
export function createWebhook(options: WebhookOptions): (business: Business, url: string) => Line {
  const { clock, secret, mayConnectTo = isPublicAddress } = options;
  const trusted = createHttpClient({ clock });
  // With connections of its own: one to a private address is never found in it.
  const guarded = createHttpClient({ clock, mayConnectTo });
  return (business, url) => ({
    piecesOf: ({ content }) => [content],
    send({ message, userId }, signal) {
      const { businessId } = business;
      const isOurs = isTrusted(business);
      const request = signedRequest(
        { businessId, userId, ...answerEvent({ message }) },
        {
          accept: "application/json",
          idempotencyKey: message.messageId,
          secret: isOurs ? secret : secretOfBusiness(secret, businessId),
        },
      );
      return post({ client: isOurs ? trusted : guarded, clock }, new URL(url), request, signal);
    },
  });
}
