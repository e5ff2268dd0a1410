import type { Business } from "../../messaging/business.js";
import type { Action } from "../../messaging/model.js";
import { textsOf } from "./texts.js";

/** What offers somebody to talk to, in the business's language. */
export function humanAction({ locale }: Business): Action {
  return { type: "human", label: textsOf(locale).human };
}
