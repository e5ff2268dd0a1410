import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { Who } from "./access-table.js";

export type Claims = Readonly<Record<string, unknown>>;

/** Claims of those that have any, but for the times. */
export function claimsOf({ role, userId, businessId }: Who): Claims {
  return { sub: userId, role, ...(businessId === null ? {} : { businessId }) };
}

interface Signing {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: string;
  readonly hash?: "sha256" | "sha384" | "sha512";
}

/** Signs any claims, good ones or not, without a library that would rather not. */
export function signed(claims: Claims | string, secret: string, { header, key, hash }: Signing = {}): string {
  const head = encoded(header ?? { alg: "HS256", typ: "JWT" });
  const body = `${head}.${encoded(claims)}`;
  return `${body}.${createHmac(hash ?? "sha256", key ?? secret)
    .update(body)
    .digest("base64url")}`;
}

/** A token that is good for an hour. */
export function goodToken(who: Who, secret: string, more: Claims = {}): string {
  return signed({ ...claimsOf(who), ...timely(), ...more }, secret);
}

function timely(): { readonly iat: number; readonly exp: number } {
  const iat = Math.floor(Date.now() / 1000) - 1;
  return { iat, exp: iat + 3600 };
}

function encoded(part: Claims | string): string {
  return Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
}

/** A token that expired a second ago. */
export function expiredToken(who: Who, secret: string): string {
  const exp = Math.floor(Date.now() / 1000) - 1;
  return signed({ ...claimsOf(who), iat: exp - 3600, exp }, secret);
}

/**
 * Every known way to make a token that says what its maker likes. Those that are signed with our secret are as bad: that
 * they are refused shows that the signature is not all that is looked at.
 */
export const forgeries: Readonly<Record<string, (who: Who, secret: string) => string>> = {
  "of another secret": (who) => goodToken(who, "another secret of thirty-two bytes!"),
  "of the secret and a line break": (who, secret) => goodToken(who, `${secret}\n`),
  "of an empty secret": (who) => signed(goodClaims(who), " ", { key: "" }),
  "not signed": (who) => unsigned({ alg: "none" }, who),
  "not signed, in other letters": (who) => unsigned({ alg: "nOnE" }, who),
  "without an algorithm": (who, secret) => signed(goodClaims(who), secret, { header: {} }),
  "whose signature was taken away": (who, secret) => `${partsOf(who, secret).slice(0, 2).join(".")}.`,
  "of two parts": (who, secret) => partsOf(who, secret).slice(0, 2).join("."),
  "of four parts": (who, secret) => `${goodToken(who, secret)}.${encoded({})}`,
  "with something behind it": (who, secret) => `${goodToken(who, secret)}A`,
  "whose payload was edited": (who, secret) => {
    const [head, , signature] = partsOf({ role: "user", userId: "mallory", businessId: "B0100001" }, secret);
    return `${head}.${encoded(goodClaims(who))}.${signature}`;
  },
  "whose header was edited": (who, secret) => {
    const [, body, signature] = partsOf(who, secret);
    return `${encoded({ alg: "HS256", typ: "JWT", kid: "1" })}.${body}.${signature}`;
  },
  "signed with HS384": (who, secret) => signed(goodClaims(who), secret, { header: { alg: "HS384" }, hash: "sha384" }),
  "signed with HS512": (who, secret) => signed(goodClaims(who), secret, { header: { alg: "HS512" }, hash: "sha512" }),
  "that says RS256, with the secret for a key": (who, secret) =>
    signed(goodClaims(who), secret, { header: { alg: "RS256" } }),
  "that says ES256, with the secret for a key": (who, secret) =>
    signed(goodClaims(who), secret, { header: { alg: "ES256" } }),
  "that brings its own key": (who) => selfSigned(who, { jwk: ownKeys.publicKey.export({ format: "jwk" }) }),
  "that says where its key is": (who) => selfSigned(who, { jku: "http://127.0.0.1:9/keys.json" }),
  "whose key is a file": (who) => signed(goodClaims(who), " ", { header: { alg: "HS256", kid: "/dev/null" }, key: "" }),
  "whose key is another": (who) =>
    signed(goodClaims(who), " ", { header: { alg: "HS256", kid: "' OR 1=1" }, key: "0" }),
  "of ours that brings its own key": (who, secret) =>
    signed(goodClaims(who), secret, { header: { alg: "HS256", jwk: { kty: "oct", k: "AA" } } }),
  "of ours that says where its key is": (who, secret) =>
    signed(goodClaims(who), secret, { header: { alg: "HS256", jku: "http://127.0.0.1:9/keys.json" } }),
  "of ours with a certificate": (who, secret) =>
    signed(goodClaims(who), secret, { header: { alg: "HS256", x5u: "http://127.0.0.1:9/", x5c: ["AA"] } }),
  "that demands what we do not know": (who, secret) =>
    signed(goodClaims(who), secret, { header: { alg: "HS256", crit: ["x"], x: true } }),
  "that expires at a text": (who, secret) => goodToken(who, secret, { exp: String(timely().exp) }),
  "that expires at a list": (who, secret) => goodToken(who, secret, { exp: [timely().exp] }),
  "that expires at null": (who, secret) => goodToken(who, secret, { exp: null }),
  "that expires when time is over": (who, secret) => goodToken(who, secret, { exp: 1e30 }),
  "that never expires": (who, secret) => signed(claimsOf(who), secret),
  "that is not good yet": (who, secret) => goodToken(who, secret, { nbf: timely().iat + 600 }),
  "that the future issued": (who, secret) => goodToken(who, secret, { iat: timely().iat + 600 }),
  "of two roles": (who, secret) => signed(JSON.stringify(goodClaims(who)).replace("{", '{"role":"user",'), secret),
  "of a list of roles": (who, secret) => goodToken(who, secret, { role: [who.role] }),
  "of a role in other letters": (who, secret) => goodToken(who, secret, { role: who.role.toUpperCase() }),
  "of a role that is nobody's": (who, secret) => goodToken(who, secret, { role: "__proto__" }),
  "of nobody": (who, secret) => goodToken(who, secret, { sub: "" }),
  "of a business in wide letters": (who, secret) => goodToken(who, secret, { businessId: "Ｂ0100001" }),
  "of several businesses": (who, secret) => goodToken(who, secret, { businessId: ["B0100001", "B0200002"] }),
};

const ownKeys = generateKeyPairSync("ec", { namedCurve: "P-256" });

function goodClaims(who: Who): Claims {
  return { ...claimsOf(who), ...timely() };
}

function partsOf(who: Who, secret: string): string[] {
  return goodToken(who, secret).split(".");
}

function unsigned(header: Claims, who: Who): string {
  return `${encoded(header)}.${encoded(goodClaims(who))}.`;
}

function selfSigned(who: Who, header: Claims): string {
  const body = `${encoded({ alg: "ES256", ...header })}.${encoded(goodClaims(who))}`;
  const key = { key: ownKeys.privateKey, dsaEncoding: "ieee-p1363" } as const;
  return `${body}.${sign("sha256", Buffer.from(body), key).toString("base64url")}`;
}
