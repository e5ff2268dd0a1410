import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Of the bytes as they are sent: `sha256=` and the HMAC in hexadecimal digits. (SPEC A12) */
export function signatureOf(body: Buffer, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** Whether it is the signature of these bytes. How long that takes says nothing of the right one. */
export function isSignedBy(body: Buffer, given: unknown, secret: string): boolean {
  if (typeof given !== "string") return false;
  const [right, said] = [Buffer.from(signatureOf(body, secret)), Buffer.from(given)];
  return right.length === said.length && timingSafeEqual(right, said);
}

/** Whether somebody said the secret. How long that takes says nothing of it, nor how long it is. */
export function isSameSecret(given: unknown, secret: string): boolean {
  return typeof given === "string" && timingSafeEqual(digestOf(given), digestOf(secret));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
