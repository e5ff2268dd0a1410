import { asRecord, text } from "../fields.js";

const key = "bennu.console.token";
const defaultBusinessId = "B0100001";

/** The token of this tab; forgotten with it, and never in `localStorage`, which outlives a shift. */
export function storedToken(): string | null {
  return sessionStorage.getItem(key);
}

/** Whether it is made of what tokens are made of; anything else could not even be sent. */
export function isToken(given: string): boolean {
  return /^[\w.-]+$/.test(given);
}

export function storeToken(token: string): void {
  sessionStorage.setItem(key, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(key);
}

/** What a token says of its bearer. It is only read, to know one's own name; whether it is good the server says. */
export function claimsOf(token: string | null): { readonly sub: string | null; readonly businessId: string | null } {
  const claims = asRecord(decoded(token?.split(".")[1] ?? ""));
  return { sub: text(claims.sub) ?? null, businessId: text(claims.businessId) ?? null };
}

/** @param query of the page: `?business=` says whose console it is, else the token does */
export function businessOf(query: string, token: string | null): string {
  return new URLSearchParams(query).get("business") ?? claimsOf(token).businessId ?? defaultBusinessId;
}

function decoded(part: string): unknown {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
