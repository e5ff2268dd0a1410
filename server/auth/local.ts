/** Names by which a machine calls itself, with any port. */
const localName = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/**
 * May a request with this Host header talk to an open server? A page elsewhere whose name was made to point at this
 * machine sends its own name here. (SPEC X5)
 */
export function isLocalHost(host: string | undefined): boolean {
  return host !== undefined && localName.test(host);
}

/** May a page of this origin? None is a program, not a page. */
export function isLocalOrigin(origin: string | undefined): boolean {
  if (origin === undefined) return true;
  const match = /^https?:\/\/(.*)$/.exec(origin);
  return match !== null && localName.test(match[1]!);
}
