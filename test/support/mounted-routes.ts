import { type ApiDeps, createApi } from "../../server/http/api.js";

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  readonly slash: boolean;
  readonly handle: { readonly stack?: readonly Layer[] };
}

/** What Express has been given to answer, as `get /path`, whatever any list says. What is for all methods is no route. */
export function mountedRoutes(): readonly string[] {
  const api = createApi({ publicDir: "." } as ApiDeps);
  const { stack } = (api as unknown as { readonly router: { readonly stack: readonly Layer[] } }).router;
  return [...new Set(routesOf(stack))].toSorted();
}

function routesOf(layers: readonly Layer[]): string[] {
  return layers.flatMap(({ route, slash, handle }) => {
    if (route !== undefined) {
      const methods = Object.keys(route.methods).filter((method) => method !== "_all");
      return methods.map((method) => `${method} ${route.path}`);
    }
    if (!slash) throw new Error("something is mounted under a path");
    return handle.stack === undefined ? [] : routesOf(handle.stack);
  });
}
