// Loaded with the first form or choices: most conversations have none.
import type { ChatError, InvalidField } from "../chat-error.js";
import type { Component, FormField } from "../component.js";
import { adopt, button, element } from "./dom.js";
import css from "./form.css";
import { type FormLabels, formLabelsFor } from "./form-labels.js";

export interface FormPlace {
  readonly root: Document | ShadowRoot;
  /** `en` or `ro` */
  readonly lang: string;
  readonly into: HTMLElement;
  /** What is said above it. */
  readonly text: string;
}

export interface FormHandlers {
  /** @throws ChatError */
  readonly submit: (values: Readonly<Record<string, unknown>>) => Promise<unknown>;
  /** What is wrong with no field in particular. */
  readonly failed: (cause: unknown) => void;
}

const styled = new WeakSet<object>();

/** Draws a form to fill in, choices to take, or a card. */
export function drawComponent(component: Component, place: FormPlace, handlers: FormHandlers): void {
  const { root, lang, into, text } = place;
  if (!styled.has(root)) adopt(root, css);
  styled.add(root);
  into.classList.add(`is-${component.kind}`);
  const part = component.kind === "form" ? drawForm(component, handlers, lang) : drawChoices(component, handlers);
  // What the text asks is not asked again. (SPEC M63)
  if (text.includes(component.title)) {
    part.ariaLabel = component.title;
    return into.append(part);
  }
  const title = element("p", "question", component.title);
  title.id = `${component.componentId}~title`;
  part.setAttribute("aria-labelledby", title.id);
  into.append(title, part);
}

function drawChoices({ choices }: Component, { submit, failed }: FormHandlers): HTMLElement {
  const row = element("div", "actions");
  row.role = "group";
  for (const { value, label } of choices) {
    const choose = async () => {
      setDisabled(row, true);
      await submit({ choice: value }).catch(failed);
      setDisabled(row, false);
    };
    row.append(button("action", label, () => void choose()));
  }
  return row;
}

interface Row {
  readonly field: FormField;
  readonly element: HTMLElement;
  readonly input: HTMLInputElement | HTMLSelectElement;
  readonly hint: HTMLElement;
}

// No control has a name: in a form it would hide what is called the same, such as `elements` or `append`.
function drawForm({ fields, componentId }: Component, handlers: FormHandlers, lang: string): HTMLFormElement {
  const { submit, failed } = handlers;
  const labels = formLabelsFor(lang);
  const rows = fields.map((field, index) => drawField(field, `${componentId}~${index}`, labels));
  const form = element("form", "fields");
  form.noValidate = true;
  const send = element("button", "send-form", labels.sendForm);
  form.append(...rows.map((row) => row.element), send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void trySubmit();
  });
  return form;

  async function trySubmit(): Promise<void> {
    const missing = rows.filter(({ field, input }) => field.required && input.value.trim() === "");
    showInvalid(missing.map(({ field: { name } }) => ({ name, error: "required" })));
    if (missing.length > 0) return;
    setDisabled(form, true);
    send.textContent = labels.sendingForm;
    await submit(Object.fromEntries(rows.map(({ field, input }) => [field.name, input.value]))).catch(
      (cause: ChatError) => {
        if (cause.code === "invalid_values") showInvalid(cause.fields);
        else failed(cause);
      },
    );
    setDisabled(form, false);
    send.textContent = labels.sendForm;
    focusInvalid();
  }

  function showInvalid(invalid: readonly InvalidField[]): void {
    for (const { field, input, hint } of rows) {
      const wrong = invalid.find(({ name }) => name === field.name);
      input.ariaInvalid = String(wrong !== undefined);
      const what = wrong?.error === "required" ? labels.required : labels.invalid[field.type];
      hint.textContent = wrong === undefined ? "" : what;
    }
    focusInvalid();
  }

  function focusInvalid(): void {
    rows.find(({ input }) => input.ariaInvalid === "true")?.input.focus();
  }
}

function drawField(field: FormField, id: string, labels: FormLabels): Row {
  const { label, required } = field;
  const row = element("div", "field");
  const title = element("label", "", required ? label : `${label} (${labels.optional})`);
  title.htmlFor = id;
  const input = field.type === "choice" ? drawSelect(field) : drawInput(field);
  const hint = element("p", "hint");
  hint.id = `${id}~hint`;
  Object.assign(input, { id, required });
  input.setAttribute("aria-describedby", hint.id);
  row.append(title, input, hint);
  return { field, element: row, input, hint };
}

function drawSelect({ options = [] }: FormField): HTMLSelectElement {
  const select = element("select", "");
  select.append(new Option("", ""), ...options.map((option) => new Option(option, option)));
  return select;
}

const inputTypes = { text: "text", number: "text", date: "date", time: "time", email: "email", phone: "tel" } as const;

function drawInput({ type }: FormField): HTMLInputElement {
  const input = element("input", "");
  input.type = inputTypes[type as keyof typeof inputTypes];
  if (type === "number") input.inputMode = "decimal";
  if (type === "email" || type === "phone") input.autocomplete = type === "email" ? "email" : "tel";
  return input;
}

function setDisabled(parent: HTMLElement, disabled: boolean): void {
  for (const each of parent.querySelectorAll<HTMLButtonElement>("button, input, select")) each.disabled = disabled;
}
