import type { IntentParameter, Locale } from "../../messaging/business.js";

/** Every sentence that the assistant itself says; all else it says was written by the business. */
export interface Texts {
  readonly help: string;
  readonly welcome: string;
  readonly abandoned: string;
  /** On the button that calls a person. */
  readonly human: string;
  readonly steps: { readonly intent: string; readonly retrieval: string; readonly parameters: string };
  /** What is expected of an answer, said when the one that was given is not it. */
  readonly expected: Readonly<Record<IntentParameter["type"], string>>;
  readonly expectedName: string;
  readonly options: (options: readonly string[]) => string;
  readonly past: string;
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
  human: "Vorbește cu un coleg",
  steps: { intent: "Înțeleg cererea", retrieval: "Caut în informațiile noastre", parameters: "Notez ce ai spus" },
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
  past: "Momentul acesta a trecut deja.",
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
  human: "Talk to a person",
  steps: { intent: "Reading your request", retrieval: "Looking it up", parameters: "Taking down what you said" },
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
  past: "That time has already passed.",
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
