import { describe, expect, test } from "@jest/globals";
import { readConfig } from "../../server/config.js";
import { isLocalHost, isLocalOrigin } from "../../server/auth/local.js";
import { createOrigins, isSameHost, isWebOrigin } from "../../server/auth/origins.js";
import type { Incoming, Target } from "../../server/auth/proxies.js";

const request: Incoming = { headers: {}, socket: {} };

function originsOf(allowed: readonly string[], target: Partial<Target> = {}, isOpen = false) {
  return createOrigins({ isOpen, allowed, targetOf: () => ({ scheme: null, host: "desk.example", ...target }) });
}

describe("[X13] X-02 those of a list", () => {
  const list = ["https://chat.example.com", "http://localhost:5173", "https://xn--mnchen-3ya.example"];
  const cases: [origin: string | undefined, isAllowed: boolean][] = [
    [undefined, true],
    ["https://chat.example.com", true],
    ["http://localhost:5173", true],
    ["https://xn--mnchen-3ya.example", true],
    ["https://münchen.example", false],
    ["https://evil.com", false],
    ["null", false],
    ["", false],
    ["https://chat.example.com.evil.com", false],
    ["https://evilchat.example.com", false],
    ["https://example.com", false],
    ["http://chat.example.com", false],
    ["https://chat.example.com:8443", false],
    ["https://chat.example.com:443", false],
    ["http://localhost", false],
    ["http://localhost:517", false],
    ["https://a@chat.example.com", false],
    ["https://chat.example.com@evil.com", false],
    ["https://chat.example.com/", false],
    ["HTTPS://chat.example.com", false],
    ["https://CHAT.example.com", false],
    ["https://chat.example.com.", false],
    ["https://chat.example.com https://evil.com", false],
    // With a list it is the list alone.
    ["https://desk.example", false],
  ];

  test.each(cases)("%j: %p", (origin, isAllowed) => {
    expect(originsOf(list).allows(origin, request)).toBe(isAllowed);
  });
});

describe("[X13] X-02 those of the same host, where there is no list", () => {
  const cases: [origin: string, target: Partial<Target>, isAllowed: boolean][] = [
    ["https://desk.example", {}, true],
    ["http://desk.example", {}, true],
    ["https://desk.example", { host: "desk.example:443" }, true],
    ["http://desk.example", { host: "desk.example:80" }, true],
    ["https://desk.example", { host: "desk.example:80" }, false],
    ["http://desk.example:3001", { host: "desk.example:3001" }, true],
    ["http://desk.example:3001", { host: "desk.example" }, false],
    ["http://desk.example", { host: "desk.example:3001" }, false],
    ["http://[::1]:3001", { host: "[::1]:3001" }, true],
    ["http://[::1]", { host: "[::1]" }, true],
    ["http://127.0.0.1:3001", { host: "127.0.0.1:3001" }, true],
    ["http://127.0.0.1:3001", { host: "localhost:3001" }, false],
    ["https://desk.example", { host: "DESK.example" }, true],
    ["https://DESK.example", {}, false],
    ["HTTPS://desk.example", {}, false],
    // The scheme, where somebody knows it.
    ["https://desk.example", { scheme: "https" }, true],
    ["http://desk.example", { scheme: "https" }, false],
    ["https://desk.example", { scheme: "http" }, false],
    ["http://desk.example", { scheme: "http" }, true],
    ["https://desk.example.evil.com", {}, false],
    ["https://evildesk.example", {}, false],
    ["https://a@desk.example", {}, false],
    ["https://desk.example@evil.com", {}, false],
    ["https://desk.example/", {}, false],
    ["https://evil.com", {}, false],
    ["ftp://desk.example", {}, false],
    ["file://", {}, false],
    ["file://", { host: "" }, false],
    ["null", { host: "null" }, false],
    ["", { host: "" }, false],
    ["https://desk.example", { host: undefined }, false],
    ["https://desk.example", { host: "" }, false],
    ["https://desk.example", { host: "a@desk.example" }, false],
    ["https://desk.example", { host: "desk.example/x" }, false],
    ["https://desk.example", { host: "desk.example?x" }, false],
    ["https://desk.example", { host: "desk.example#x" }, false],
    ["https://desk.example", { host: "desk.example\\x" }, false],
    ["https://desk.example", { host: "desk.example:" }, false],
    ["https://desk.example", { host: "desk.example:99999" }, false],
    ["https://desk.example", { host: "desk.example, evil.com" }, false],
  ];

  test.each(cases)("%j, asked for as %j: %p", (origin, target, isAllowed) => {
    expect(originsOf([], target).allows(origin, request)).toBe(isAllowed);
    expect(isSameHost(origin, { scheme: null, host: "desk.example", ...target })).toBe(isAllowed);
  });

  test("no Origin is a program", () => {
    expect(originsOf([]).allows(undefined, request)).toBe(true);
  });
});

describe("[X5] X-19 an open server", () => {
  test("has the names and takes the pages of this machine, whatever else it was told", () => {
    const origins = originsOf(["https://chat.example.com"], {}, true);
    const hosts = ["localhost:3001", "desk.example", undefined];
    expect(hosts.map((host) => origins.goesBy(host))).toEqual([true, false, false]);
    const pages = [undefined, "http://localhost:5173", "https://chat.example.com", "https://desk.example"];
    expect(pages.map((page) => origins.allows(page, request))).toEqual([true, true, false, false]);
  });

  test.each<[name: string, isLocal: boolean]>([
    ["localhost", true],
    ["localhost:65535", true],
    ["127.0.0.1", true],
    ["127.0.0.1:3001", true],
    ["[::1]", true],
    ["[::1]:3001", true],
    ["", false],
    ["::1", false],
    ["localhost.", false],
    ["localhost:x", false],
    ["LOCALHOST", false],
    ["a.localhost", false],
    ["localhost.evil.com", false],
    ["127.0.0.1.evil.com", false],
    ["127.0.0.1.nip.io", false],
    ["127.1", false],
    ["0.0.0.0", false],
    ["[::ffff:127.0.0.1]", false],
    ["evil.com", false],
    ["localhost@evil.com", false],
    ["localhost:1@evil.com", false],
    ["localhost\n", false],
  ])("%j is this machine: %p", (name, isLocal) => {
    expect([isLocalHost(name), isLocalOrigin(`http://${name}`), isLocalOrigin(`https://${name}`)]).toEqual([
      isLocal,
      isLocal,
      isLocal,
    ]);
    expect(isLocalOrigin(`ftp://${name}`)).toBe(false);
  });

  test("any other answers to every name", () => {
    expect([originsOf([]).goesBy("desk.example"), originsOf([]).goesBy(undefined)]).toEqual([true, true]);
  });
});

describe("[X13] ALLOWED_ORIGINS", () => {
  const good = [
    "https://chat.example.com",
    "http://localhost:5173",
    "https://chat.example.com:8443",
    "http://[::1]:3000",
    "https://xn--mnchen-3ya.example",
  ];
  const bad = [
    "*",
    "https://*",
    "https://*.example.com",
    "//*.example.com",
    "//chat.example.com",
    "chat.example.com",
    "https://chat.example.com/",
    "https://chat.example.com/widget",
    "https://chat.example.com?x",
    "https://chat.example.com#x",
    "https://user@chat.example.com",
    "https://Chat.example.com",
    "HTTPS://chat.example.com",
    "https://münchen.example",
    "https://chat.example.com:443",
    "http://chat.example.com:80",
    "https://chat.example.com:",
    "https://chat.example.com:99999",
    "https://",
    "wss://chat.example.com",
    "ftp://chat.example.com",
    "file://",
    "null",
    "https://a.example https://b.example",
  ];

  test.each(good)("may hold %j", (text) => {
    expect(isWebOrigin(text)).toBe(true);
    expect(readConfig({ ALLOWED_ORIGINS: `${text}, ${text}` }).ALLOWED_ORIGINS).toEqual([text, text]);
  });

  test.each(bad)("may not hold %j", (text) => {
    expect(isWebOrigin(text)).toBe(false);
    expect(() => readConfig({ ALLOWED_ORIGINS: `https://a.example,${text}` })).toThrow(
      /^ALLOWED_ORIGINS is "https:\/\/a\.example,.*"; expected origins as browsers send them, such as .* no wildcard$/,
    );
  });
});
