import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { ServerResponse } from "node:http";
import { exportJWK, generateKeyPair } from "jose";
import { createTokens, KeysUnavailable, type TokenKeys, type Tokens } from "../../server/auth/token.js";
import { FakeClock } from "../support/fake-clock.js";
import { Issuer, signedText } from "../support/issuer.js";
import { until } from "../support/until.js";

const secret = "a secret of more than thirty-two bytes";
const forbidden = { ok: false, reason: "forbidden" };
const claims = { sub: "ana", role: "user", businessId: "B0100001", exp: Date.parse("2026-03-02T18:00:00Z") / 1000 };

let issuer: Issuer;
let clock: FakeClock;
let tokens: Tokens;

beforeEach(async () => {
  issuer = await Issuer.start();
  clock = new FakeClock();
  tokens = tokensOf();
});

afterEach(() => issuer.stop());

function tokensOf(keys: Partial<TokenKeys> = {}): Tokens {
  return createTokens({ secret: null, previousSecret: null, jwksUrl: issuer.url, ...keys }, { clock });
}

async function isGood(token: string): Promise<boolean> {
  return (await tokens.verify(token)).ok;
}

describe("[X4] keys of others", () => {
  test.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"])(
    "%s",
    async (alg) => {
      await issuer.publishKey("one", alg);
      expect(await tokens.verify(await issuer.sign("one", claims))).toMatchObject({
        ok: true,
        value: { userId: "ana", role: "user", businessId: "B0100001" },
      });
      // Another key of the same name, and claims that another one signed.
      await issuer.makeKey("one", alg, "forged");
      expect(await tokens.verify(await issuer.sign("forged", claims))).toEqual(forbidden);
    },
  );

  test("an algorithm that the key is not for", async () => {
    await issuer.publishKey("one", "RS256");
    const [, payload, signature] = (await issuer.sign("one", claims)).split(".");
    for (const alg of ["PS256", "RS384", "ES256", "EdDSA", "HS256", "none", "RSA-OAEP"]) {
      const header = Buffer.from(JSON.stringify({ alg, kid: "one" })).toString("base64url");
      expect([alg, await tokens.verify(`${header}.${payload}.${signature}`)]).toEqual([alg, forbidden]);
    }
  });

  test("a symmetric key in the set signs nothing", async () => {
    const k = Buffer.from(secret).toString("base64url");
    issuer.published.push({ kty: "oct", kid: "one", k }, { kty: "oct", kid: "two", alg: "HS256", use: "sig", k });
    for (const kid of ["one", "two"]) {
      const token = signedText(secret, JSON.stringify({ alg: "HS256", kid }), JSON.stringify(claims));
      expect(await tokens.verify(token)).toEqual(forbidden);
    }
  });

  test("a key for encryption checks no signature", async () => {
    issuer.published.push({ ...(await issuer.makeKey("one", "RS256")), use: "enc" });
    expect(await tokens.verify(await issuer.sign("one", claims))).toEqual(forbidden);
  });

  test("[X-08] one kid of two keys of one kind is the name of none; of two kinds the algorithm says which", async () => {
    issuer.published.push(await issuer.makeKey("same", "RS256", "first"));
    issuer.published.push(await issuer.makeKey("same", "RS256", "second"));
    issuer.published.push(await issuer.makeKey("same", "ES256", "third"));
    expect(await tokens.verify(await issuer.sign("first", claims))).toEqual(forbidden);
    expect(await tokens.verify(await issuer.sign("second", claims))).toEqual(forbidden);
    expect(await isGood(await issuer.sign("third", claims))).toBe(true);
  });

  test("a token without a kid is good where only one key can be meant", async () => {
    await issuer.publishKey("one", "RS256");
    await issuer.publishKey("other", "ES256");
    const nameless = await issuer.sign("one", claims, { kid: undefined });
    expect(await isGood(nameless)).toBe(true);
    await issuer.publishKey("two", "RS256");
    tokens = tokensOf();
    expect(await tokens.verify(nameless)).toEqual(forbidden);
  });

  test("[X-08] no claim and no header becomes part of a request", async () => {
    await issuer.publishKey("one", "RS256");
    const elsewhere = `http://127.0.0.1:${issuer.port}/elsewhere`;
    for (const kid of ["../elsewhere", elsewhere, "one/../../elsewhere", "?x=1"]) {
      clock.advance(10_000);
      const token = await issuer.sign("one", { ...claims, iss: elsewhere, businessId: "..", jku: elsewhere }, { kid });
      expect(await tokens.verify(token)).toEqual(forbidden);
    }
    expect(issuer.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(Array(4).fill("GET /keys"));
  });

  test("beside a secret, each for its own algorithms", async () => {
    tokens = tokensOf({ secret });
    await issuer.publishKey("one", "RS256");
    const text = JSON.stringify(claims);
    expect(await isGood(signedText(secret, `{"alg":"HS256"}`, text))).toBe(true);
    expect(issuer.requests).toHaveLength(0);
    expect(await isGood(await issuer.sign("one", claims))).toBe(true);
    expect(await tokens.verify(signedText(secret, `{"alg":"RS256","kid":"one"}`, text))).toEqual(forbidden);
    const [, payload, signature] = (await issuer.sign("one", claims)).split(".");
    const crossed = `${Buffer.from(`{"alg":"HS256","kid":"one"}`).toString("base64url")}.${payload}.${signature}`;
    expect(await tokens.verify(crossed)).toEqual(forbidden);
  });

  test("nothing that a token says makes it our fault", async () => {
    await issuer.publishKey("one", "RS256");
    const good = await issuer.sign("one", claims);
    const [, payload, signature] = good.split(".");
    const headers = [
      { alg: "RS256", kid: "one", b64: false },
      { alg: "RS256", kid: {} },
      { alg: "RS256", kid: null },
      { alg: "ES256", kid: "one" },
      { alg: "EdDSA", kid: "one", crv: "Ed25519" },
      { alg: "RS256", kid: "one", typ: 1, cty: [], enc: "A128GCM", zip: "DEF" },
    ];
    for (const header of headers) {
      const changed = `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${payload}.${signature}`;
      expect([header, await tokens.verify(changed)]).toEqual([header, forbidden]);
    }
    for (const short of ["", "AA", signature!.slice(0, 100), `${signature}AAAA`]) {
      expect(await tokens.verify(good.replace(signature!, short))).toEqual(forbidden);
    }
  });
});

describe("[X4] keys that follow one another", () => {
  test("are asked for once, however many want them", async () => {
    await issuer.publishKey("one", "ES256");
    const token = await issuer.sign("one", claims);
    await Promise.all(Array.from({ length: 50 }, () => isGood(token)));
    expect(clock.timerCount).toBe(0);
    clock.advance(59_000);
    expect(await isGood(token)).toBe(true);
    expect(issuer.requests).toHaveLength(1);
  });

  test("a new one is fetched when a token names it", async () => {
    await issuer.publishKey("one", "ES256");
    await isGood(await issuer.sign("one", claims));
    await issuer.publishKey("two", "RS256");
    clock.advance(5000);
    expect(await isGood(await issuer.sign("two", claims))).toBe(true);
    expect(await isGood(await issuer.sign("one", claims))).toBe(true);
    expect(issuer.requests).toHaveLength(2);
  });

  test("one that was taken out is refused after a minute, and not before it is known", async () => {
    await issuer.publishKey("one", "ES256");
    await issuer.publishKey("two", "ES256");
    const token = await issuer.sign("one", claims);
    expect(await isGood(token)).toBe(true);
    issuer.published.shift();
    clock.advance(59_999);
    expect(await isGood(token)).toBe(true);
    clock.advance(1);
    expect(await tokens.verify(token)).toEqual(forbidden);
    expect(await isGood(await issuer.sign("two", claims))).toBe(true);
  });

  test("one that was put in the place of another of its name, too", async () => {
    await issuer.publishKey("one", "ES256");
    const token = await issuer.sign("one", claims);
    expect(await isGood(token)).toBe(true);
    issuer.published = [await issuer.makeKey("one", "ES256")];
    clock.advance(60_000);
    expect(await tokens.verify(token)).toEqual(forbidden);
    expect(await isGood(await issuer.sign("one", claims))).toBe(true);
  });

  test("any number of tokens that name what is not there cost a request in five seconds", async () => {
    await issuer.publishKey("one", "ES256");
    const flood = async () => {
      for (let index = 0; index < 20; index += 1) {
        expect(await tokens.verify(await issuer.sign("one", claims, { kid: `k${index}` }))).toEqual(forbidden);
      }
    };
    await flood();
    expect(issuer.requests).toHaveLength(1);
    clock.advance(4999);
    await flood();
    expect(issuer.requests).toHaveLength(1);
    clock.advance(1);
    await flood();
    expect(issuer.requests).toHaveLength(2);
  });
});

describe("[X4] keys that cannot be had", () => {
  const answers: [string, (response: ServerResponse) => unknown][] = [
    ["nothing, and hangs up", (response) => response.socket!.destroy()],
    ["500", (response) => response.writeHead(500).end()],
    ["404, with keys", (response) => response.writeHead(404).end(JSON.stringify({ keys: issuer.published }))],
    ["204", (response) => response.writeHead(204).end()],
    ["a page", (response) => response.setHeader("content-type", "text/html").end("<!doctype html><p>Hello")],
    ["no text", (response) => response.end()],
    ["null", (response) => response.end("null")],
    ["a list", (response) => response.end("[]")],
    ["an object without keys", (response) => response.end("{}")],
    ["keys that are no list", (response) => response.end(`{"keys":{"one":{}}}`)],
    ["keys that are none", (response) => response.end(`{"keys":[1,null]}`)],
    ["half of it", (response) => response.end(JSON.stringify({ keys: issuer.published }).slice(0, -9))],
    ["the way to a good one", (response) => response.writeHead(302, { location: `${issuer.url}/good` }).end()],
    ["the way to itself", (response) => response.writeHead(307, { location: issuer.url }).end()],
    ["too much", (response) => response.end(`{"keys":[],"x":"${"x".repeat(262_144)}"}`)],
  ];

  test.each(answers)("%s is the answer: nobody can say, until there is another one", async (_what, answer) => {
    await issuer.publishKey("one", "ES256");
    const token = await issuer.sign("one", claims);
    issuer.answer = ({ url }, response) => {
      if (url === "/keys/good") response.end(JSON.stringify({ keys: issuer.published }));
      else answer(response);
    };
    await expect(tokens.verify(token)).rejects.toThrow(KeysUnavailable);
    expect(issuer.requests.every(({ url }) => url === "/keys")).toBe(true);
    issuer.answer = null;
    clock.advance(1000);
    expect(await isGood(token)).toBe(true);
  });

  test("endless ones are not read to the end", async () => {
    await issuer.publishKey("one", "ES256");
    let isOver = false;
    issuer.answer = (_request, response) => {
      response.once("close", () => (isOver = true));
      const more = () => {
        while (!isOver && response.write(" ".repeat(65_536)));
        if (!isOver) response.once("drain", more);
      };
      more();
    };
    await expect(tokens.verify(await issuer.sign("one", claims))).rejects.toThrow(KeysUnavailable);
    await until("the connection is given up", () => isOver);
  });

  test.each<[string, (response: ServerResponse) => unknown]>([
    ["nothing is answered", () => undefined],
    ["a part is answered", (response) => response.writeHead(200).write(`{"keys":[`)],
  ])("%s for two seconds", async (_what, begin) => {
    await issuer.publishKey("one", "ES256");
    const token = await issuer.sign("one", claims);
    let isOver = false;
    issuer.answer = (_request, response) => {
      response.once("close", () => (isOver = true));
      begin(response);
    };
    const verified = tokens.verify(token).catch((error: unknown) => error);
    await until("the request", () => issuer.requests.length === 1);
    clock.advance(1999);
    expect(isOver).toBe(false);
    clock.advance(1);
    expect(await verified).toBeInstanceOf(KeysUnavailable);
    await until("the connection is given up", () => isOver);
    expect(clock.timerCount).toBe(0);
    issuer.answer = null;
    clock.advance(1000);
    expect(await isGood(token)).toBe(true);
  });

  test("however many tokens come meanwhile, they are asked for once in a second", async () => {
    await issuer.publishKey("one", "ES256");
    const token = await issuer.sign("one", claims);
    issuer.answer = (_request, response) => void response.writeHead(503).end();
    for (let index = 0; index < 20; index += 1) await expect(tokens.verify(token)).rejects.toThrow(KeysUnavailable);
    expect(issuer.requests).toHaveLength(1);
    clock.advance(1000);
    await expect(tokens.verify(token)).rejects.toThrow(KeysUnavailable);
    expect(issuer.requests).toHaveLength(2);
  });

  test("those there are serve for their minute", async () => {
    await issuer.publishKey("one", "ES256");
    const token = await issuer.sign("one", claims);
    expect(await isGood(token)).toBe(true);
    issuer.answer = (_request, response) => void response.writeHead(503).end();
    clock.advance(30_000);
    await expect(tokens.verify(await issuer.sign("one", claims, { kid: "two" }))).rejects.toThrow(KeysUnavailable);
    expect(await isGood(token)).toBe(true);
    clock.advance(30_000);
    await expect(tokens.verify(token)).rejects.toThrow(KeysUnavailable);
  });

  test("a token for which nobody else is needed is decided all the same", async () => {
    issuer.answer = (_request, response) => void response.writeHead(503).end();
    tokens = tokensOf({ secret });
    expect(await isGood(signedText(secret, `{"alg":"HS256"}`, JSON.stringify(claims)))).toBe(true);
    expect(await tokens.verify("no token")).toEqual(forbidden);
    expect(issuer.requests).toHaveLength(0);
  });

  test("a key that is damaged, or private, is the fault of nobody's token", async () => {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const damaged = { ...(await issuer.makeKey("damaged", "RS256")), n: "AA" };
    const secretOne = { ...(await exportJWK(privateKey)), kid: "private", alg: "ES256" };
    await issuer.makeKey("private", "ES256");
    issuer.published = [damaged, secretOne];
    for (const kid of ["damaged", "private"]) {
      await expect(tokens.verify(await issuer.sign(kid, claims))).rejects.toThrow(KeysUnavailable);
    }
  });

  test("the name and the password in its URL are sent, and are in no error", async () => {
    await issuer.publishKey("one", "ES256");
    const token = await issuer.sign("one", claims);
    tokens = tokensOf({ jwksUrl: issuer.url.replace("//", "//desk:p%40ss@") });
    expect(await isGood(token)).toBe(true);
    expect(issuer.requests[0]!.headers.authorization).toBe(`Basic ${Buffer.from("desk:p@ss").toString("base64")}`);
    issuer.answer = (_request, response) => void response.writeHead(401).end();
    clock.advance(60_000);
    const error = await tokens.verify(token).catch((cause: unknown) => cause as Error);
    expect(String((error as Error).cause)).toBe("Error: the answer is 401");
  });
});
