import { isLocalHost, isLocalOrigin } from "./local.js";
import type { Incoming, Target } from "./proxies.js";

/** Who may come in through a door of the server: its sockets, its pages and its API have the same rule. */
export interface Origins {
  /** Whether the server goes by this name: what stands in the Host header. (SPEC X5) */
  readonly goesBy: (host: string | undefined) => boolean;
  /** Whether a page of this origin may talk to us. None is a program, which its token lets in or does not. (SPEC X13) */
  readonly allows: (origin: string | undefined, request: Incoming) => boolean;
}

export interface OriginsOptions {
  /** Nobody is asked who he is. */
  readonly isOpen: boolean;
  /** Those of ALLOWED_ORIGINS. */
  readonly allowed: readonly string[];
  readonly targetOf: (request: Incoming) => Target;
}

/** An open server has the names of this machine and takes their pages; any other takes those of a list or its own. */
export function createOrigins({ isOpen, allowed, targetOf }: OriginsOptions): Origins {
  if (isOpen) return { goesBy: isLocalHost, allows: isLocalOrigin };
  const isOurs = (origin: string, request: Incoming) =>
    allowed.length > 0 ? allowed.includes(origin) : isSameHost(origin, targetOf(request));
  return {
    // Whatever name somebody gave it: a token is asked for, and no browser adds one by itself. (SPEC X13)
    goesBy: () => true,
    allows: (origin, request) => origin === undefined || isOurs(origin, request),
  };
}

/** Whether a text is an origin of the web, written as browsers write it. */
export function isWebOrigin(text: string): boolean {
  // The URL parser takes a `*` for a letter.
  if (!/^https?:\/\/[^*]+$/.test(text) || !URL.canParse(text)) return false;
  return new URL(text).origin === text;
}

/**
 * Whether a page is of the host that a request was sent to. The port that neither names is that of the page's scheme,
 * and where nobody can tell which scheme the client used, it is not compared.
 */
export function isSameHost(origin: string, { scheme, host }: Target): boolean {
  if (host === undefined || !isWebOrigin(origin)) return false;
  const page = new URL(origin);
  if (scheme !== null && page.protocol !== `${scheme}:`) return false;
  const asked = `${page.protocol}//${host}`;
  return hostHeader.test(host) && URL.canParse(asked) && new URL(asked).host === page.host;
}

const hostHeader = /^(?:\[[0-9a-f:.]+\]|[^\s:/?#@\\[\]]+)(?::\d{1,5})?$/i;
