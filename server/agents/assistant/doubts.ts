import type { Business, IntentParameter } from "../../messaging/business.js";
import { sayValue } from "./checks.js";
import type { Doubt } from "./said.js";
import { textsOf } from "./texts.js";

/** Why a day or a time could not be taken, in the business's language; its question follows. */
export function sayDoubt(doubt: Doubt, parameter: IntentParameter, business: Business): string {
  const texts = textsOf(business.locale);
  switch (doubt.kind) {
    case "several":
      return texts.several(doubt.values.map((value) => sayValue(value, parameter, business)));
    case "contradiction":
      return texts.contradiction(sayValue(doubt.date, parameter, business));
    case "impossible":
      return texts.noSuchDay;
    case "incomplete":
    case "refused":
      return parameter.type === "date" ? texts.certainDay : texts.certainTime;
  }
}
