const english = {
  retry: "Try again",
  edit: "Edit",
  tooLong: (count: number) => `Too long by ${count} ${count === 1 ? "character" : "characters"}.`,
  codes: {
    message_too_long: "The message is too long. Please shorten it.",
    rate_limited: "That was a lot at once. Please wait a moment.",
    busy: "We are very busy right now. Please try again in a moment.",
    quota_exceeded: "No more messages are possible today.",
    blocked: "You cannot write here at the moment.",
    storage_unavailable: "The message could not be kept. Please try again.",
    not_found: "This form is not open any more.",
    outbox_full: "Too many messages are waiting to be sent.",
    expired: "The message waited too long and was not sent.",
    undelivered: "The message could not be sent.",
  } as Readonly<Record<string, string>>,
};

export type TroubleLabels = typeof english;

const romanian: TroubleLabels = {
  retry: "Încearcă din nou",
  edit: "Modifică",
  tooLong: (count) => `Prea lung cu ${count} ${nounOf(count)}.`,
  codes: {
    message_too_long: "Mesajul este prea lung. Te rugăm să îl scurtezi.",
    rate_limited: "Au fost prea multe mesaje deodată. Te rugăm să aștepți puțin.",
    busy: "Suntem foarte solicitați acum. Te rugăm să încerci din nou peste puțin timp.",
    quota_exceeded: "Astăzi nu mai pot fi trimise mesaje.",
    blocked: "Momentan nu poți scrie aici.",
    storage_unavailable: "Mesajul nu a putut fi păstrat. Te rugăm să încerci din nou.",
    not_found: "Formularul nu mai este deschis.",
    outbox_full: "Prea multe mesaje așteaptă să fie trimise.",
    expired: "Mesajul a așteptat prea mult și nu a fost trimis.",
    undelivered: "Mesajul nu a putut fi trimis.",
  },
};

// 1 caracter, 2 caractere, 20 de caractere, 101 caractere.
function nounOf(count: number): string {
  if (count === 1) return "caracter";
  const rest = count % 100;
  return rest === 0 || rest > 19 ? "de caractere" : "caractere";
}

/** @param lang of the page: `en` or `ro` */
export function troubleLabelsFor(lang: string): TroubleLabels {
  return lang === "ro" ? romanian : english;
}
