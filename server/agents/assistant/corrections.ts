import type { IntentParameter } from "../../messaging/business.js";
import { isName } from "./names.js";
import type { Task } from "./task.js";
import { fold, stems } from "./words.js";

/** What is to be another one, in what is said of the task that is under way. */
const changes =
  /\b(?:alta|alt|altul|schimb\w*|mut\w*|gresit\w*|another|different|change|wrong|other|mai (?:devreme|tarziu|bine)|de fapt|actually|instead|rather|earlier|later|nu|no)\b/;
const wantsOther =
  /\b(?:alta|alt|schimb\w*|mut\w*|gresit\w*|another|different|change|wrong|mai (?:devreme|tarziu)|earlier|later)\b/;
/** Then it is about one that was completed before, and not about the one under way. */
const hasOne =
  /\b(?:am (?:deja )?o (?:programare|rezervare|comanda)|(?:programarea|rezervarea|comanda) (?:mea|facuta|existenta|pe care)|(?:i (?:already )?have an?|my) (?:appointment|booking|reservation|order))\b/;

const subjects: Readonly<Record<IntentParameter["type"], RegExp>> = {
  date: /\b(?:zi|ziua|zile|data|date|day)\b/,
  time: /\b(?:ora|ore|orele|time|hour|mai (?:devreme|tarziu)|earlier|later)\b/,
  phone: /\b(?:telefon\w*|numar\w*|phone|number)\b/,
  email: /\b(?:e-?mail\w*|mail\w*|adresa)\b/,
  choice: /\b(?:serviciu\w*|optiune\w*|service|option|choice)\b/,
  number: /$^/,
  text: /$^/,
};
const nameSubject = /\b(?:nume\w*|name)\b/;

/**
 * What of the task under way a message wants to be another, by parameter name: "vreau în altă zi", "am greșit numele". None
 * when it is about one that is done already. (SPEC A4)
 */
export function toBeChanged(message: string, { intent, values, asked }: Task): readonly string[] {
  const folded = fold(message);
  if (!wantsOther.test(folded) || hasOne.test(folded)) return [];
  return intent.parameters
    .filter((each) => (values.has(each.name) || each === asked) && isSubject(each, folded))
    .map(({ name }) => name);
}

/** Whether values are said in place of others, and not for something else that would be begun. */
export function isCorrecting(message: string): boolean {
  const folded = fold(message);
  return changes.test(folded) && !hasOne.test(folded);
}

/** "Nu mai vreau detartraj, vreau plombă" gives nothing up. */
export function isInstead(message: string): boolean {
  return /\b(?:nu|not|don.?t|razgandit|changed my mind)\b/.test(fold(message));
}

function isSubject(parameter: IntentParameter, folded: string): boolean {
  const subject = isName(parameter) ? nameSubject : subjects[parameter.type];
  const own = stems(`${parameter.name} ${parameter.label ?? ""}`);
  return subject.test(folded) || stems(folded).some((stem) => own.includes(stem));
}
