import type { IntentParameter, Locale } from "../../messaging/business.js";

/** The stages of an answer, as they are shown. */
export type Step = "intent" | "retrieval" | "parameters" | "tool" | "response";

/** Every sentence that the assistant itself says; all else it says was written by the business. */
export interface Texts {
  readonly help: string;
  readonly welcome: string;
  readonly abandoned: string;
  /** Before the next question of a task that goes on. */
  readonly resumed: (known: string) => string;
  /** On the button that goes on with a task, and what it says. */
  readonly goOn: (title: string) => string;
  readonly offer: (title: string) => string;
  /** On the button that calls a person. */
  readonly human: string;
  readonly steps: Readonly<Record<Step, string>>;
  /** What is expected of an answer, said when the one that was given is not it. */
  readonly expected: Readonly<Record<IntentParameter["type"], string>>;
  readonly expectedName: string;
  readonly options: (options: readonly string[]) => string;
  /** Over a form. */
  readonly form: string;
  /** Where a task is meant to be done. */
  readonly location: (name: string) => string;
  /** Before what was said when it was done. */
  readonly settled: string;
  /** The tool says no, and not why. */
  readonly refused: string;
  /** The tool said nothing that can be used. */
  readonly undone: string;
  readonly past: string;
  /** The clock is put forward over it. */
  readonly skipped: string;
  /** Why a day or a time has to be asked for again. */
  readonly several: (options: readonly string[]) => string;
  readonly contradiction: (date: string) => string;
  readonly noSuchDay: string;
  readonly certainDay: string;
  readonly certainTime: string;
  readonly closedOn: (date: string, week: string) => string;
  readonly closedAt: (date: string, hours: string) => string;
  readonly closed: string;
  readonly titles: { readonly hours: string; readonly services: string; readonly locations: string };
  readonly hours: (week: string) => string;
  readonly minutes: (count: number) => string;
  readonly phone: (phone: string) => string;
}

const ro: Texts = {
  help: "Cu ce te pot ajuta?",
  welcome: "Cu plăcere!",
  abandoned: "Am renunțat. Cu ce altceva te pot ajuta?",
  resumed: (known) => `Continuăm de unde am rămas: ${known}.`,
  goOn: (title) => `Continuă: ${title}`,
  offer: (title) => `Dacă vrei, putem continua și: ${title}.`,
  human: "Vorbește cu un coleg",
  steps: {
    intent: "Înțeleg cererea",
    retrieval: "Caut în informațiile noastre",
    parameters: "Notez ce ai spus",
    tool: "Trimit cererea",
    response: "Scriu răspunsul",
  },
  expected: {
    text: "Nu am înțeles răspunsul. Scrie, te rog, câteva cuvinte.",
    number: "Am nevoie de un număr, scris cu cifre.",
    date: "Nu am înțeles data. Scrie, te rog, ziua și luna (de exemplu 14.08), „mâine” sau o zi a săptămânii.",
    time: "Nu am înțeles ora. Scrie, te rog, ora ca 10 sau 10:30.",
    email: "Nu pare o adresă de e-mail. Scrie, te rog, o adresă ca nume@exemplu.ro.",
    phone:
      "Nu pare un număr de telefon. Scrie, te rog, cele 10 cifre (de exemplu 0722 123 456) sau numărul cu prefixul țării.",
    choice: "Nu am găsit această opțiune.",
  },
  expectedName: "Scrie, te rog, numele cu litere, de exemplu Ana Popescu.",
  options: (options) => `Poți alege: ${options.join(", ")}.`,
  form: "Completează, te rog, sau scrie-mi aici:",
  location: (name) => `Locația: ${name}.`,
  settled: "Am primit deja acest răspuns.",
  refused: "Din păcate, așa nu se poate.",
  undone:
    "Nu am reușit acum să trimit cererea, dar am păstrat tot ce mi-ai spus. Scrie „încearcă din nou” și o trimit iar.",
  past: "Momentul acesta a trecut deja.",
  skipped: "În acea noapte ceasul se dă înainte, iar ora aceasta nu există.",
  several: (options) => `Alege, te rog, una dintre: ${options.join("; ")}.`,
  contradiction: (date) => `Ziua săptămânii nu se potrivește cu data, care este ${date}.`,
  noSuchDay: "Ziua aceasta nu există în calendar.",
  certainDay: "Am nevoie de o zi anume.",
  certainTime: "Am nevoie de o oră anume.",
  closedOn: (date, week) => `${date}: este închis. Programul este ${week}.`,
  closedAt: (date, hours) => `La ora aceasta este închis. ${date}: ${hours}.`,
  closed: "închis",
  titles: { hours: "Program", services: "Servicii", locations: "Locații" },
  hours: (week) => `Programul nostru: ${week}.`,
  minutes: (count) =>
    count === 1 ? "1 minut" : count % 100 > 0 && count % 100 < 20 ? `${count} minute` : `${count} de minute`,
  phone: (phone) => `telefon ${phone}`,
};

const en: Texts = {
  help: "How can I help you?",
  welcome: "You are welcome!",
  abandoned: "I have stopped that. What else can I help you with?",
  resumed: (known) => `We go on where we left off: ${known}.`,
  goOn: (title) => `Continue: ${title}`,
  offer: (title) => `If you like, we can also go on with: ${title}.`,
  human: "Talk to a person",
  steps: {
    intent: "Reading your request",
    retrieval: "Looking it up",
    parameters: "Taking down what you said",
    tool: "Sending your request",
    response: "Writing the answer",
  },
  expected: {
    text: "I did not understand that. Please write a few words.",
    number: "I need a number, in digits.",
    date: 'I did not understand the date. Please write day and month (such as 14.08), "tomorrow" or a day of the week.',
    time: "I did not understand the time. Please write it as 10 or 10:30.",
    email: "That does not look like an e-mail address. Please write one such as name@example.com.",
    phone: "That does not look like a phone number. Please write all its digits, with the country code if you can.",
    choice: "I could not find that option.",
  },
  expectedName: "Please write the name in letters, such as Ann Smith.",
  options: (options) => `You can choose: ${options.join(", ")}.`,
  form: "Please fill this in, or write to me here:",
  location: (name) => `Location: ${name}.`,
  settled: "I have had this answer already.",
  refused: "I am afraid that is not possible.",
  undone:
    'I could not send your request just now, but I have kept all you told me. Write "try again" to send it again.',
  past: "That time has already passed.",
  skipped: "The clocks go forward that night, and there is no such time.",
  several: (options) => `Please choose one of: ${options.join("; ")}.`,
  contradiction: (date) => `The day of the week does not go with the date, which is ${date}.`,
  noSuchDay: "There is no such day in the calendar.",
  certainDay: "I need one certain day.",
  certainTime: "I need one certain time.",
  closedOn: (date, week) => `${date}: closed. We are open ${week}.`,
  closedAt: (date, hours) => `We are closed at that time. ${date}: ${hours}.`,
  closed: "closed",
  titles: { hours: "Opening hours", services: "Services", locations: "Locations" },
  hours: (week) => `Our opening hours: ${week}.`,
  minutes: (count) => (count === 1 ? "1 minute" : `${count} minutes`),
  phone: (phone) => `phone ${phone}`,
};

const texts: Readonly<Record<Locale, Texts>> = { ro, en };

export function textsOf(locale: Locale): Texts {
  return texts[locale];
}
