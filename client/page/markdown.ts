// Loaded with the first answer that needs it.
import DOMPurify from "dompurify";
import { Marked, type Tokens } from "marked";

/** What an answer may be drawn with; of these nothing runs, and nothing is fetched. */
const tags = "p br strong em del code pre ul ol li a blockquote hr table thead tbody tr th td".split(" ");
const attributes = ["href", "start"];
const somewhereElse = /^(?:https?:\/\/|mailto:|tel:)/i;

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // Markup is text like any other, and is seen as it was said.
    html: ({ text }) => escape(text),
    heading({ tokens }) {
      return `<p><strong>${this.parser.parseInline(tokens)}</strong></p>`;
    },
    link({ href, tokens, raw }) {
      return linked(href, this.parser.parseInline(tokens), raw);
    },
    // An image of somebody's server would tell them who reads the answer; whoever wants to see it follows the link.
    image: ({ href, text, raw }: Tokens.Image) => linked(href, escape(text === "" ? href : text), raw),
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

/** Draws what an agent said, with nothing in it that is not on the list. Text that cannot be read as Markdown is text. */
export function drawMarkdown(text: string): Node {
  try {
    const drawn = DOMPurify.sanitize(marked.parse(text, { async: false }), {
      ALLOWED_TAGS: tags,
      ALLOWED_ATTR: attributes,
      ALLOW_ARIA_ATTR: false,
      ALLOW_DATA_ATTR: false,
      ALLOWED_URI_REGEXP: somewhereElse,
      RETURN_DOM_FRAGMENT: true,
    });
    for (const link of drawn.querySelectorAll("a")) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
    return drawn;
  } catch {
    return document.createTextNode(text);
  }
}

function linked(href: string, shown: string, raw: string): string {
  return somewhereElse.test(href) ? `<a href="${escape(href)}">${shown}</a>` : escape(raw);
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
