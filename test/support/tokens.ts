import { type JWTPayload, SignJWT } from "jose";

/** What servers under test sign tokens with. */
export const secret = "a secret of more than thirty-two bytes";

/** A token as an issuer makes it. @param times in seconds since 1970 */
export function tokenOf(
  claims: JWTPayload,
  { key = secret, alg = "HS256" }: { readonly key?: string; readonly alg?: string } = {},
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key));
}
