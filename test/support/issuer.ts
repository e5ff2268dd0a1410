import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from "jose";

interface SigningKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** Somebody else who signs tokens: keys, and an HTTP server that says which of them are good. */
export class Issuer {
  /** What was asked for, with the path. */
  readonly requests: IncomingMessage[] = [];
  /** What is served; the tests put in what they like. */
  published: unknown[] = [];
  /** Instead of the keys. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | null = null;
  readonly #keys = new Map<string, SigningKey>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(request);
      if (this.answer !== null) this.answer(request, response);
      else if (request.url === "/.well-known/openid-configuration") response.end(JSON.stringify(this.discovery));
      else response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: this.published }));
    });
  }

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    await new Promise<void>((resolve) => issuer.#server.listen(0, "127.0.0.1", resolve));
    return issuer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/keys`;
  }

  /** What it is called in the tokens of OpenID Connect. */
  get name(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What it says of itself there. */
  get discovery(): Readonly<Record<string, string>> {
    return { issuer: this.name, jwks_uri: this.url };
  }

  /** Makes a key without publishing it. @returns its public half */
  async makeKey(kid: string, alg: string, name = kid): Promise<JWK> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
    this.#keys.set(name, { alg, privateKey, jwk });
    return jwk;
  }

  async publishKey(kid: string, alg: string): Promise<void> {
    this.published.push(await this.makeKey(kid, alg));
  }

  /** @param header over that of the key; undefined leaves a name out */
  sign(name: string, claims: Readonly<Record<string, unknown>>, header: Record<string, unknown> = {}): Promise<string> {
    const { alg, privateKey, jwk } = this.#keys.get(name)!;
    const all = { alg, kid: jwk.kid, ...header } as unknown as JWTHeaderParameters;
    return new SignJWT({ ...claims }).setProtectedHeader(all).sign(privateKey);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A token of any text, signed as HS256 tokens are, or with another hash. */
export function signedText(secret: string | Uint8Array, header: string, payload: string, hash = "sha256"): string {
  const signed = [header, payload].map((part) => Buffer.from(part).toString("base64url")).join(".");
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}
