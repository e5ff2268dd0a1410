import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { exportSPKI, generateKeyPair } from "jose";
import { createTokens, type TokenKeys, type Tokens } from "../../server/auth/token.js";
import { FakeClock } from "../support/fake-clock.js";
import { Issuer, signedText } from "../support/issuer.js";

const secret = "a secret of more than thirty-two bytes";
const older = "the secret that was good before this one";
const now = Date.parse("2026-03-02T10:00:00.000Z");
const nowSeconds = now / 1000;
const header = { alg: "HS256", typ: "JWT" };
const claims = { sub: "ana", role: "user", businessId: "B0100001", exp: nowSeconds + 3600 };
const forbidden = { ok: false, reason: "forbidden" };
const expired = { ok: false, reason: "token_expired" };

const onlySecret: TokenKeys = { secret, previousSecret: null, jwksUrl: null };

function tokensWith(keys: Partial<TokenKeys> = {}, clock = new FakeClock(now), audience?: string): Tokens {
  return createTokens({ ...onlySecret, ...keys }, { clock, audience });
}

/** A token that is good, but for what is said. */
function token(parts: { header?: object; claims?: object; key?: string | Uint8Array } = {}): string {
  const { header: head = header, claims: body = claims, key = secret } = parts;
  return signedText(key, JSON.stringify(head), JSON.stringify(body));
}

function unsigned(head: object): string {
  return `${token({ header: head }).split(".").slice(0, 2).join(".")}.`;
}

function withPart(index: number, change: (part: string) => string): string {
  return token()
    .split(".")
    .map((part, at) => (at === index ? change(part) : part))
    .join(".");
}

const claimsText = JSON.stringify(claims);
const headerText = JSON.stringify(header);
/** The same JSON, with one more name at its end. */
const and = (json: string, more: string) => `${json.slice(0, -1)},${more}}`;

test("[X4] a good token says who somebody is", async () => {
  expect(await tokensWith().verify(token())).toEqual({
    ok: true,
    value: { role: "user", userId: "ana", businessId: "B0100001", expiresAt: now + 3_600_000, issuedAt: 0 },
  });
});

describe("[X-06] tokens that are made to pass", () => {
  let elsewhere: Issuer;
  let issuer: Issuer;
  let pem: string;

  beforeAll(async () => {
    elsewhere = await Issuer.start();
    issuer = await Issuer.start();
    await issuer.publishKey("rsa", "RS256");
    await elsewhere.publishKey("rsa", "RS256");
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    pem = await exportSPKI(publicKey);
  });

  afterAll(async () => {
    await elsewhere.stop();
    await issuer.stop();
  });

  const made: [string, () => string | Promise<string>][] = [
    ["alg none", () => unsigned({ alg: "none" })],
    ["alg None", () => unsigned({ alg: "None" })],
    ["alg NONE", () => unsigned({ alg: "NONE" })],
    ["alg none, with a signature", () => token({ header: { alg: "none" } })],
    ["alg hs256", () => token({ header: { alg: "hs256" } })],
    ["alg HS256 with a blank", () => token({ header: { alg: "HS256 " } })],
    ["alg HS384", () => signedText(secret, `{"alg":"HS384"}`, claimsText, "sha384")],
    ["alg HS512", () => signedText(secret, `{"alg":"HS512"}`, claimsText, "sha512")],
    ["alg in a list", () => token({ header: { alg: ["HS256"] } })],
    ["alg null", () => token({ header: { alg: null } })],
    ["no alg", () => token({ header: { typ: "JWT" } })],
    ["alg in the prototype", () => signedText(secret, `{"__proto__":{"alg":"HS256"}}`, claimsText)],
    ["alg of Object's own", () => token({ header: { alg: "constructor" } })],
    ["an empty header", () => token({ header: {} })],
    ["the header of RS256, the signature of HS256", () => token({ header: { alg: "RS256", kid: "rsa" } })],
    ["an RSA public key as secret", () => token({ key: pem })],
    ["an RSA public key as secret, trimmed", () => token({ key: pem.trim() })],
    ["a blank and an RSA public key as secret", () => token({ key: ` ${pem}` })],
    ["a newline and an RSA public key as secret", () => token({ key: `\n${pem}` })],
    ["an RSA public key of the JWKS as secret", () => token({ key: JSON.stringify(issuer.published[0]) })],
    ["an empty secret", () => token({ key: "" })],
    ["an RSA signature of somebody else", () => elsewhere.sign("rsa", claims)],
    ["somebody else's URL of keys", () => elsewhere.sign("rsa", claims, { jku: elsewhere.url })],
    ["somebody else's URL of certificates", () => elsewhere.sign("rsa", claims, { x5u: elsewhere.url })],
    ["somebody else's key", () => elsewhere.sign("rsa", claims, { jwk: elsewhere.published[0] })],
    ["somebody else's certificates", () => elsewhere.sign("rsa", claims, { x5c: ["MIIB"] })],
    ["a kid that is a file", () => elsewhere.sign("rsa", claims, { kid: "../../dev/null" })],
    ["a kid that is a URL", () => elsewhere.sign("rsa", claims, { kid: elsewhere.url })],
    ["a kid that is a number", () => elsewhere.sign("rsa", claims, { kid: 1 })],
    ["a URL of keys, with our signature", () => token({ header: { ...header, jku: elsewhere.url } })],
    ["an empty URL of keys, with our signature", () => token({ header: { ...header, jku: "" } })],
    ["a key, with our signature", () => token({ header: { ...header, jwk: null } })],
    ["a URL of certificates, with our signature", () => token({ header: { ...header, x5u: elsewhere.url } })],
    ["certificates, with our signature", () => token({ header: { ...header, x5c: [] } })],
    ["crit of what nobody knows", () => token({ header: { ...header, crit: ["x"], x: 1 } })],
    ["crit of what libraries know", () => token({ header: { ...header, crit: ["b64"], b64: true } })],
    ["crit that is empty", () => token({ header: { ...header, crit: [] } })],
    ["a payload that is not encoded", () => token({ header: { ...header, crit: ["b64"], b64: false } })],
    ["one part", () => "token"],
    ["two parts", () => token().split(".").slice(0, 2).join(".")],
    ["four parts", () => `${token()}.${token().split(".")[2]!}`],
    ["a dot behind it", () => `${token()}.`],
    ["a dot before it", () => `.${token()}`],
    ["five parts, as of an encrypted one", () => `${token()}..`],
    ["something behind it", () => `${token()}x`],
    ["a newline behind it", () => `${token()}\n`],
    ["a blank behind it", () => `${token()} `],
    ["a zero byte behind it", () => `${token()}\0`],
    ["a blank before it", () => ` ${token()}`],
    ["a blank in the signature", () => withPart(2, (part) => `${part.slice(0, 9)} ${part.slice(9)}`)],
    ["a newline in the signature", () => withPart(2, (part) => `${part.slice(0, 9)}\n${part.slice(9)}`)],
    ["padding at the signature", () => `${token()}=`],
    ["padding at the header", () => withPart(0, (part) => `${part}=`)],
    ["padding at the payload", () => withPart(1, (part) => `${part}==`)],
    ["characters that are none of base64url", () => withPart(2, (part) => `${part}+/*`)],
    ["no signature", () => withPart(2, () => "")],
    ["no payload", () => withPart(1, () => "")],
    ["no header", () => withPart(0, () => "")],
    ["a header that is no JSON", () => signedText(secret, "alg", claimsText)],
    ["a header that is a list", () => signedText(secret, "[]", claimsText)],
    ["a header that is null", () => signedText(secret, "null", claimsText)],
    ["a payload that is no JSON", () => signedText(secret, headerText, "claims")],
    ["a payload that is a list", () => signedText(secret, headerText, `[${claimsText}]`)],
    ["a payload that is null", () => signedText(secret, headerText, "null")],
    ["a payload with a byte order mark", () => signedText(secret, headerText, `\ufeff${claimsText}`)],
    ["a payload with something behind it", () => signedText(secret, headerText, `${claimsText}{}`)],
    ["a token in a token", () => signedText(secret, JSON.stringify({ ...header, cty: "JWT" }), token())],
    ["one sub more", () => signedText(secret, headerText, and(claimsText, `"sub":"eva"`))],
    ["the same sub once more", () => signedText(secret, headerText, and(claimsText, `"sub":"ana"`))],
    ["one sub more, written otherwise", () => signedText(secret, headerText, and(claimsText, `"\\u0073ub":"eva"`))],
    ["one sub more, far from its colon", () => signedText(secret, headerText, and(claimsText, `"sub" \t\r\n :"eva"`))],
    ["one role more", () => signedText(secret, headerText, and(claimsText, `"role":"service"`))],
    ["one exp more", () => signedText(secret, headerText, and(claimsText, `"exp":${claims.exp + 1}`))],
    ["one business more", () => signedText(secret, headerText, and(claimsText, `"businessId":"B2"`))],
    ["a name twice further down", () => signedText(secret, headerText, and(claimsText, `"x":[{"y":1,"y":2}]`))],
    ["__proto__ twice", () => signedText(secret, headerText, and(claimsText, `"__proto__":1,"__proto__":2`))],
    ["one alg more", () => signedText(secret, and(headerText, `"alg":"HS256"`), claimsText)],
    ["one alg more, before", () => signedText(secret, `{"alg":"none",${headerText.slice(1)}`, claimsText)],
    ["one alg more, written otherwise", () => signedText(secret, and(headerText, `"\\u0061lg":"none"`), claimsText)],
    ["one kid more", () => signedText(secret, and(headerText, `"kid":"a","kid":"b"`), claimsText)],
    ["jku written otherwise", () => signedText(secret, and(headerText, `"\\u006aku":"x"`), claimsText)],
    ["4097 characters", () => token({ claims: { ...claims, x: "x".repeat(4097) } })],
    ["a million characters", () => token({ claims: { ...claims, x: "x".repeat(750_000) } })],
    ["a million blanks", () => " ".repeat(1_000_000)],
    ["a million dots", () => ".".repeat(1_000_000)],
    ["nothing", () => ""],
  ];

  test.each(made)("%s: refused, and nobody is asked for another key", async (_what, make) => {
    const made = await make();
    elsewhere.requests.length = 0;
    for (const jwksUrl of [null, issuer.url]) {
      for (const ours of [secret, null]) {
        const tokens = tokensWith({ secret: ours, previousSecret: ours === null ? null : older, jwksUrl });
        expect(await tokens.verify(made)).toEqual(forbidden);
      }
    }
    expect(elsewhere.requests).toEqual([]);
    expect(issuer.requests.every(({ url }) => url === "/keys")).toBe(true);
  });

  test("with every one of its characters changed into another one", async () => {
    const tokens = tokensWith();
    const good = token();
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (let at = 0; at < good.length; at += 1) {
      for (let by = 1; by < (at === good.length - 1 ? 64 : 4); by += 1) {
        if (good[at] === ".") break;
        const other = alphabet[(alphabet.indexOf(good[at]!) + by) % 64]!;
        const changed = `${good.slice(0, at)}${other}${good.slice(at + 1)}`;
        expect([at, other, await tokens.verify(changed)]).toEqual([at, other, forbidden]);
      }
    }
  });

  test("a signature of RS256 is none where there are only secrets", async () => {
    expect(await tokensWith().verify(await issuer.sign("rsa", claims))).toEqual(forbidden);
    expect((await tokensWith({ jwksUrl: issuer.url }).verify(await issuer.sign("rsa", claims))).ok).toBe(true);
  });

  test.each([
    ["names in names", `{"a":`.repeat(450), "1", "}".repeat(450)],
    ["lists in lists", `{"a":${"[".repeat(1350)}`, "", `${"]".repeat(1350)}}`],
    ["many names", "{", Array.from({ length: 300 }, (_, index) => `"k${index}":1`).join(), "}"],
    ["many objects", `{"a":[`, "{},".repeat(900), "1]}"],
    ["many blanks", `{"a"`, " ".repeat(2900), ":1}"],
  ])("a header of %s costs no more than others", async (_what, ...parts) => {
    const tokens = tokensWith();
    const slow = signedText(secret, parts.join(""), "{}");
    expect(slow.length).toBeLessThan(4096);
    const start = performance.now();
    for (let count = 0; count < 100; count += 1) expect(await tokens.verify(slow)).toEqual(forbidden);
    // A hundredth of a second each would be hundreds of times as much as they take.
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe("[X4] what else may be in a token", () => {
  test.each<[string, string, string]>([
    ["line breaks and tabs", JSON.stringify(header, null, "\t"), JSON.stringify(claims, null, 2)],
    ["escapes", `{"\\u0061lg":"HS\\u003256"}`, claimsText.replace("ana", "\\u0061na")],
    ["names that are only equal further up", headerText, and(claimsText, `"x":{"sub":1,"y":[{"sub":1},{"sub":1}]}`)],
    ["a value that looks like a name", headerText, and(claimsText, `"x":["sub","sub"],"y":"\\"sub\\":"`)],
    ["braces and quotes in texts", headerText, and(claimsText, `"x":"}{\\"","y":"\\\\","z":"{"`)],
    ["a key id and a type", `{"alg":"HS256","kid":"../../dev/null","typ":"at+jwt"}`, claimsText],
    ["claims of others", headerText, and(claimsText, `"iss":"https://id.example","jti":"1","email":"ăș@example.org"`)],
  ])("%s", async (_what, head, body) => {
    const verified = await tokensWith().verify(signedText(secret, head, body));
    expect(verified).toMatchObject({ ok: true, value: { userId: "ana", role: "user" } });
  });

  test("4096 characters", async () => {
    const rest = token({ claims: { ...claims, x: "" } }).length;
    const padded = (count: number) => token({ claims: { ...claims, x: "x".repeat(count) } });
    const most = Math.floor(((4096 - rest) * 3) / 4) - 1;
    expect(padded(most).length).toBeGreaterThan(4090);
    expect((await tokensWith().verify(padded(most))).ok).toBe(true);
    expect(await tokensWith().verify(padded(most + 6))).toEqual(forbidden);
  });
});

describe("[X4] who a token may be for", () => {
  const identities: [object, boolean][] = [
    [{ role: "coordinator" }, true],
    [{ role: "agent" }, true],
    [{ role: "service" }, true],
    [{ role: "service", businessId: undefined }, true],
    [{ businessId: undefined }, false],
    [{ role: "coordinator", businessId: undefined }, false],
    [{ role: "agent", businessId: undefined }, false],
    [{ role: "service", businessId: null }, false],
    [{ role: "service", businessId: "" }, false],
    [{ businessId: "*" }, false],
    [{ businessId: ["B0100001"] }, false],
    [{ businessId: { toString: "B0100001" } }, false],
    [{ role: "admin" }, false],
    [{ role: "User" }, false],
    [{ role: "__proto__" }, false],
    [{ role: ["user"] }, false],
    [{ role: undefined }, false],
    [{ sub: undefined }, false],
    [{ sub: "" }, false],
    [{ sub: null }, false],
    [{ sub: 7 }, false],
    [{ sub: ["ana"] }, false],
    [{ sub: "a b" }, false],
    [{ sub: "a#b" }, false],
    [{ sub: "a\u0000" }, false],
    [{ sub: "ａna" }, false],
    [{ sub: "x".repeat(128) }, true],
    [{ sub: "x".repeat(129) }, false],
  ];

  test.each(identities)("%j: %p", async (change, isGood) => {
    const verified = await tokensWith().verify(token({ claims: { ...claims, ...change } }));
    expect(isGood ? verified.ok : verified).toEqual(isGood ? true : forbidden);
  });

  test.each(["b0100001", "Ｂ0100001", "B0100001 ", "B010000\u0031\u0301"])(
    "[X-16] the business %j is taken as it is, or not at all",
    async (businessId) => {
      const verified = await tokensWith().verify(token({ claims: { ...claims, businessId } }));
      if (verified.ok) expect(verified.value.businessId).toBe(businessId);
      expect(verified.ok).toBe(/^[\w.-]+$/.test(businessId));
    },
  );
});

describe("[X-07] times of a token", () => {
  /** As JSON, because that can hold more than a number of ours. */
  function timed(times: Readonly<Record<string, string | null>>): string {
    const all = Object.entries({ exp: String(claims.exp), ...times });
    const more = all.map(([name, value]) => (value === null ? "" : `,"${name}":${value}`));
    return signedText(secret, headerText, `{"sub":"ana","role":"user","businessId":"B0100001"${more.join("")}}`);
  }

  const at = (seconds: number) => String(nowSeconds + seconds);

  test.each<[string, Record<string, string | null>, unknown]>([
    ["exp missing", { exp: null }, forbidden],
    ["exp null", { exp: "null" }, forbidden],
    ["exp a text", { exp: `"9999999999"` }, forbidden],
    ["exp an empty text", { exp: `""` }, forbidden],
    ["exp a date", { exp: `"2099-01-01T00:00:00Z"` }, forbidden],
    ["exp true", { exp: "true" }, forbidden],
    ["exp a list", { exp: "[9999999999]" }, forbidden],
    ["exp an object", { exp: `{"valueOf":9999999999}` }, forbidden],
    ["exp NaN", { exp: "NaN" }, forbidden],
    ["exp 1e30", { exp: "1e30" }, forbidden],
    ["exp 1e400", { exp: "1e400" }, forbidden],
    ["exp in ms, which is no date", { exp: "8640000000001" }, forbidden],
    ["exp -1e400", { exp: "-1e400" }, expired],
    ["exp -1", { exp: "-1" }, expired],
    ["exp 0", { exp: "0" }, expired],
    ["exp this second", { exp: at(0) }, expired],
    ["exp a second ago", { exp: at(-1) }, expired],
    ["exp a minute ago", { exp: at(-60) }, expired],
    ["exp long ago", { exp: at(-86_400) }, expired],
    ["exp long ago, and sub twice", { exp: at(-86_400), sub: `"eva"` }, forbidden],
    ["nbf 61 s ahead", { nbf: at(61) }, forbidden],
    ["nbf 1e400", { nbf: "1e400" }, forbidden],
    ["nbf a text", { nbf: `"0"` }, forbidden],
    ["nbf null", { nbf: "null" }, forbidden],
    ["nbf a list", { nbf: "[0]" }, forbidden],
    ["iat 61 s ahead", { iat: at(61) }, forbidden],
    ["iat 1e400", { iat: "1e400" }, forbidden],
    ["iat a text", { iat: `"0"` }, forbidden],
    ["iat null", { iat: "null" }, forbidden],
    ["iat a list", { iat: "[0]" }, forbidden],
  ])("%s: refused", async (_what, times, reason) => {
    expect(await tokensWith().verify(timed(times))).toEqual(reason);
  });

  test.each<[string, Record<string, string>]>([
    ["exp in a second", { exp: at(1) }],
    ["exp in a second, as a float", { exp: `${nowSeconds}.5` }],
    ["exp with an exponent", { exp: "1.9e9" }],
    ["exp at the last moment that is one", { exp: "8640000000000" }],
    ["nbf 60 s ahead", { nbf: at(60) }],
    ["nbf now", { nbf: at(0) }],
    ["nbf -1", { nbf: "-1" }],
    ["iat 60 s ahead", { iat: at(60) }],
    ["iat now", { iat: at(0) }],
    ["iat a float", { iat: `${nowSeconds - 10}.25` }],
  ])("%s: good", async (_what, times) => {
    expect((await tokensWith().verify(timed(times))).ok).toBe(true);
  });

  test("a token is over at exp, to the millisecond", async () => {
    const clock = new FakeClock(now);
    const tokens = tokensWith({}, clock);
    const short = timed({ exp: at(10) });
    clock.jumpTo(now + 9999);
    expect((await tokens.verify(short)).ok).toBe(true);
    clock.jumpTo(now + 10_000);
    expect(await tokens.verify(short)).toEqual(expired);
  });

  test("what is not good yet becomes good when our clock has come to it", async () => {
    const clock = new FakeClock(now);
    const tokens = tokensWith({}, clock);
    const early = timed({ nbf: at(70), iat: at(70) });
    clock.jumpTo(now + 9000);
    expect(await tokens.verify(early)).toEqual(forbidden);
    clock.jumpTo(now + 10_000);
    expect((await tokens.verify(early)).ok).toBe(true);
  });
});

describe("[X-15] one secret after another", () => {
  const both = { secret, previousSecret: older };
  const claimsToIssue = { sub: "ana", role: "user", businessId: "B0100001" } as const;

  test("both are taken, and the new one signs", async () => {
    const tokens = tokensWith(both);
    expect((await tokens.verify(token())).ok).toBe(true);
    expect((await tokens.verify(token({ key: older }))).ok).toBe(true);
    const { token: issued } = await tokens.issue!(claimsToIssue, 1000);
    expect((await tokensWith().verify(issued)).ok).toBe(true);
    expect(await tokensWith({ secret: older }).verify(issued)).toEqual(forbidden);
  });

  test("afterwards the old one is refused", async () => {
    expect(await tokensWith().verify(token({ key: older }))).toEqual(forbidden);
  });

  test("what the old one signed is over in its time, and is said to be", async () => {
    const over = { ...claims, exp: nowSeconds - 1 };
    expect(await tokensWith(both).verify(token({ key: older, claims: over }))).toEqual(expired);
    expect(await tokensWith(both).verify(token({ claims: over }))).toEqual(expired);
    expect(await tokensWith(both).verify(token({ key: "x".repeat(32), claims: over }))).toEqual(forbidden);
  });

  test("the old one alone signs nothing, when others sign from now on", async () => {
    const tokens = tokensWith({ secret: null, previousSecret: older, jwksUrl: "http://127.0.0.1:1/" });
    expect(tokens.issue).toBeNull();
    expect((await tokens.verify(token({ key: older }))).ok).toBe(true);
    expect(await tokens.verify(token())).toEqual(forbidden);
  });
});

describe("[X4] AUTH_AUDIENCE", () => {
  test.each<[unknown, boolean]>([
    ["desk", true],
    [["desk"], true],
    [["other", "desk"], true],
    [undefined, false],
    [null, false],
    ["", false],
    ["Desk", false],
    ["desk ", false],
    ["desks", false],
    ["other", false],
    [[], false],
    [[["desk"]], false],
    [{ desk: "desk" }, false],
  ])("aud %j: %p", async (aud, isGood) => {
    const tokens = tokensWith({}, undefined, "desk");
    const verified = await tokens.verify(token({ claims: { ...claims, aud } }));
    expect(isGood ? verified.ok : verified).toEqual(isGood ? true : forbidden);
  });

  test("one that nobody asks for does no harm", async () => {
    expect((await tokensWith().verify(token({ claims: { ...claims, aud: "other" } }))).ok).toBe(true);
  });

  test("it is in the tokens that we issue", async () => {
    const issuing = tokensWith({}, undefined, "desk");
    const { token: issued } = await issuing.issue!({ sub: "ana", role: "service", businessId: null }, 1000);
    expect((await issuing.verify(issued)).ok).toBe(true);
    expect(await tokensWith({}, undefined, "other").verify(issued)).toEqual(forbidden);
  });
});

describe("[X11] what we issue", () => {
  test("says who, since when and until when, and nothing else", async () => {
    const tokens = tokensWith({}, new FakeClock(now + 999));
    const issued = await tokens.issue!({ sub: "ana", role: "user", businessId: "B0100001" }, 60_000);
    const [head, body] = issued.token.split(".").map((part) => Buffer.from(part, "base64url").toString());
    expect(JSON.parse(head!)).toEqual({ alg: "HS256", typ: "JWT" });
    const times = { iat: nowSeconds, exp: nowSeconds + 60 };
    expect(JSON.parse(body!)).toEqual({ sub: "ana", role: "user", businessId: "B0100001", ...times });
    expect(issued.expiresAt).toBe(now + 60_000);
  });

  test("names no business where it is good for every one", async () => {
    const { token: issued } = await tokensWith().issue!({ sub: "robot", role: "service", businessId: null }, 1000);
    expect(await tokensWith().verify(issued)).toMatchObject({ ok: true, value: { businessId: null, role: "service" } });
  });

  test("is nothing, where only others sign", () => {
    expect(tokensWith({ secret: null, jwksUrl: "http://127.0.0.1:1/" }).issue).toBeNull();
  });
});
