import { matchSegments, segmentsOf, splitUrl } from "./paths.js";

export interface Found<Route> {
  readonly route: Route;
  /** The values of the route's `:name` segments. */
  readonly pathParams: Readonly<Record<string, string>>;
}

/** What the paths of an endpoint lead to. The first route that matches wins. (SPEC T1) */
export class Routes<Route extends { readonly path: string }> {
  readonly #routes: readonly (readonly [pattern: readonly string[], route: Route])[];
  /** What the paths without parameters lead to, so that most requests need no search. */
  readonly #byPath = new Map<string, Found<Route>>();

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => [segmentsOf(route.path), route]);
    for (const [segments] of this.#routes) {
      const found = this.#search(segments);
      if (found !== null) this.#byPath.set(`/${segments.join("/")}`, found);
    }
  }

  /** @param url as a request has it */
  find(url: string): Found<Route> | null {
    const { path } = splitUrl(url);
    return this.#byPath.get(path) ?? this.#search(segmentsOf(path));
  }

  #search(segments: readonly string[]): Found<Route> | null {
    for (const [pattern, route] of this.#routes) {
      const pathParams = matchSegments(pattern, segments);
      if (pathParams !== null) return { route, pathParams };
    }
    return null;
  }
}
