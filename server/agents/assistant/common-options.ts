/** What people call options that many businesses offer, by what those call them. */
const commonNames: readonly (readonly string[])[] = [
  [
    "anulare",
    "anulez",
    "anulam",
    "anulati",
    "anulezi",
    "anula",
    "anulat",
    "cancel",
    "cancellation",
    "cancelling",
    "call off",
  ],
  [
    ...[
      "reprogramare",
      "reprogramez",
      "reprogramam",
      "reprogramati",
      "reprograma",
      "mut",
      "mutam",
      "mutati",
      "muta",
      "mutare",
    ],
    ...[
      "decalez",
      "decalati",
      "amanare",
      "aman",
      "amanati",
      "amana",
      "reschedule",
      "rescheduling",
      "reschedul",
      "move it",
    ],
    ...["move my appointment", "move my booking", "postpone", "push back"],
  ],
];

/** Other names of an option, none for what is a business's own. */
export function commonNamesOf(option: string): readonly string[] {
  const called = option.toLowerCase();
  return commonNames.find(([first, ...others]) => first === called || others.includes(called)) ?? [];
}
