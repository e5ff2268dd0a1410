import { describeApi, type Described, type OpenApiDocument } from "./openapi.js";
import type { Route } from "./route.js";

const documentPath = "/docs/openapi.json";
const stylePath = "/docs/style.css";

/** `/docs`: the API for people, and its description for programs. (SPEC H26) */
export function docsRoutes(others: readonly Described[]): readonly Route[] {
  let document: OpenApiDocument | null = null;
  const described = () => (document ??= describeApi([...others, ...routes]));
  const page = { method: "get", action: "page.read" } as const;
  const routes: readonly Route[] = [
    {
      ...page,
      path: "/docs",
      doc: { summary: "The API, for people", answers: { 200: { type: "text/html" } } },
      handle: (_request, response) => void response.type("html").send(pageOf(described())),
    },
    {
      ...page,
      path: documentPath,
      doc: { summary: "The API, for programs: OpenAPI 3.1", answers: { 200: { type: "application/json" } } },
      handle: (_request, response) => void response.json(described()),
    },
    {
      ...page,
      path: stylePath,
      doc: { summary: "How the page looks", answers: { 200: { type: "text/css" } } },
      handle: (_request, response) => void response.type("css").send(style),
    },
  ];
  return routes;
}

const style = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2, summary { font-family: ui-monospace, monospace; font-size: 1rem; }
pre { background: #f4f4f4; color: #111; padding: 1rem; overflow: auto; font-size: 0.85rem; }
article { border-top: 1px solid #ccc; padding: 0.5rem 0; }
`;

// Everything is in the page: its policy lets in no script and nothing from elsewhere.
function pageOf({ info, paths, components }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, ...rest }]) =>
      section(`${method.toUpperCase()} ${path}`, String(summary), rest),
    ),
  );
  const schemas = Object.entries(components.schemas).map(([name, schema]) => section(name, "", schema, name));
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escaped(String(info.title))}: the API</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="${stylePath}"></head>
<body><h1>${escaped(String(info.title))}: the API</h1>
<p>${escaped(String(info.description))} For programs: <a href="${documentPath}">OpenAPI 3.1</a>.</p>
${operations.join("\n")}
<h1>Shapes</h1>
${schemas.join("\n")}
</body></html>
`;
}

function section(title: string, summary: string, details: unknown, anchor?: string): string {
  const json = escaped(JSON.stringify(details, null, 2)).replaceAll(
    /&quot;#\/components\/schemas\/(\w+)&quot;/g,
    '<a href="#$1">$1</a>',
  );
  const mark = anchor === undefined ? "" : ` id="${escaped(anchor)}"`;
  return `<article${mark}><h2>${escaped(title)}</h2><p>${escaped(summary)}</p>
<details><summary>details</summary><pre>${json}</pre></details></article>`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => entities[sign]!);
}
