import type { Business, BusinessIntent, IntentParameter } from "../../messaging/business.js";
import { fillIn, type Value } from "../../messaging/component-values.js";
import { fieldOf } from "./forms.js";
import { fitsName, isName } from "./names.js";
import { textsOf } from "./texts.js";

/** Values of an intent that were not read from a text: those that can be taken, and why others were not. */
export interface Checked {
  /** By parameter name. */
  readonly values: ReadonlyMap<string, string>;
  /** In the business's language. */
  readonly problems: readonly string[];
}

/** Each value against its parameter as it is now: the business may have changed since it was given. (SPEC A24) */
export function checkValues(
  given: Readonly<Record<string, Value>>,
  intent: BusinessIntent,
  business: Business,
): Checked {
  const values = new Map<string, string>();
  const problems: string[] = [];
  for (const parameter of intent.parameters) {
    const value = Object.hasOwn(given, parameter.name) ? given[parameter.name] : undefined;
    if (value === undefined) continue;
    const taken = takeValue(value, parameter, business);
    if (taken === null) problems.push(problemWith(parameter, business));
    else values.set(parameter.name, taken);
  }
  return { values, problems };
}

/** The value as it would have been read from a message, or null. */
function takeValue(given: Value, parameter: IntentParameter, business: Business): string | null {
  const field = { ...fieldOf(parameter, business), required: true };
  const form = { componentId: "", kind: "form", title: "", fields: [field] } as const;
  const filled = fillIn(form, { [parameter.name]: given }, business.locale);
  if (!filled.ok) return null;
  const value = String(filled.value.values[parameter.name]);
  switch (parameter.type) {
    case "text":
      return isName(parameter) && !fitsName(value) ? null : value;
    case "time":
      return value.slice(0, "HH:MM".length);
    case "email":
      return value.toLowerCase();
    case "number":
    case "date":
    case "phone":
    case "choice":
      return value;
  }
}

function problemWith(parameter: IntentParameter, { locale }: Business): string {
  const { expected, expectedName } = textsOf(locale);
  return isName(parameter) ? expectedName : expected[parameter.type];
}
