const english = {
  sendForm: "Send",
  sendingForm: "Sending…",
  optional: "optional",
  required: "Please fill this in.",
  invalid: {
    text: "This is too long.",
    number: "Please write a number.",
    date: "Please choose a date.",
    time: "Please choose a time, such as 14:30.",
    email: "Please write an email address, such as name@example.com.",
    phone: "Please write a phone number with 6 to 15 digits.",
    choice: "Please choose one.",
  },
};

export type FormLabels = typeof english;

const romanian: FormLabels = {
  sendForm: "Trimite",
  sendingForm: "Se trimite…",
  optional: "opțional",
  required: "Te rugăm să completezi.",
  invalid: {
    text: "Textul este prea lung.",
    number: "Te rugăm să scrii un număr.",
    date: "Te rugăm să alegi o dată.",
    time: "Te rugăm să alegi o oră, de exemplu 14:30.",
    email: "Te rugăm să scrii o adresă de email, de exemplu nume@exemplu.ro.",
    phone: "Te rugăm să scrii un număr de telefon cu 6 până la 15 cifre.",
    choice: "Te rugăm să alegi o variantă.",
  },
};

/** @param lang of the page: `en` or `ro` */
export function formLabelsFor(lang: string): FormLabels {
  return lang === "ro" ? romanian : english;
}
