import { describe, expect, test } from "@jest/globals";
import { readConfig } from "../../server/config.js";
import { createProxies, type Incoming, isProxy } from "../../server/auth/proxies.js";

type Headers = Incoming["headers"];

const from = (remoteAddress: string | undefined, headers: Headers = {}, encrypted = false): Incoming => ({
  headers,
  socket: { remoteAddress, encrypted },
});
const forwarded = (text: string): Headers => ({ "x-forwarded-for": text });

describe("[X12] O-05 the client's address", () => {
  const trusted = ["192.0.2.0/24", "2001:db8:aaaa::/48", "uniquelocal"];
  const cases: [peer: string, said: string | null, client: string][] = [
    ["203.0.113.9", null, "203.0.113.9"],
    // From somebody who is not trusted, whatever he says.
    ["203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["203.0.113.9", "192.0.2.1", "203.0.113.9"],
    ["127.0.0.1", "198.51.100.1", "127.0.0.1"],
    ["2001:db8:bbbb::1", "198.51.100.1", "2001:db8:bbbb::1"],
    // By way of one that is.
    ["192.0.2.1", "198.51.100.1", "198.51.100.1"],
    ["::ffff:192.0.2.1", "198.51.100.1", "198.51.100.1"],
    ["2001:db8:aaaa::1", "2001:db8:cccc::1", "2001:db8:cccc::1"],
    ["10.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["fc00::1", "198.51.100.1", "198.51.100.1"],
    // What the client had put there itself stands to the left.
    ["192.0.2.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"],
    ["192.0.2.1", "127.0.0.1, 198.51.100.1", "198.51.100.1"],
    ["192.0.2.1", "192.0.2.7, 198.51.100.1", "198.51.100.1"],
    ["192.0.2.1", "x, y, 198.51.100.1", "198.51.100.1"],
    // Over several proxies.
    ["192.0.2.1", "1.2.3.4, 198.51.100.1, 10.0.0.7, 192.0.2.3", "198.51.100.1"],
    ["192.0.2.1", "10.0.0.7, 192.0.2.3", "10.0.0.7"],
    // With the port, as some write it.
    ["192.0.2.1", "198.51.100.1:4711", "198.51.100.1"],
    ["192.0.2.1", "[2001:db8:cccc::1]:4711", "2001:db8:cccc::1"],
    ["192.0.2.1", "198.51.100.1, 10.0.0.7:4711", "198.51.100.1"],
    // From where nobody can tell, it is the proxy that asks.
    ["192.0.2.1", null, "192.0.2.1"],
    ["192.0.2.1", "", "192.0.2.1"],
    ["192.0.2.1", "unknown", "192.0.2.1"],
    ["192.0.2.1", "198.51.100.1, unknown", "192.0.2.1"],
    ["192.0.2.1", "198.51.100.1, _hidden, 10.0.0.7", "10.0.0.7"],
    ["192.0.2.1", ",,,", "192.0.2.1"],
  ];

  test.each(cases)("of %s, for whom it says %j, is %s", (peer, said, client) => {
    const { clientOf } = createProxies(trusted);
    expect(clientOf(from(peer, said === null ? {} : forwarded(said)))).toBe(client);
  });

  test("is unknown once it has gone", () => {
    expect(createProxies(["loopback"]).clientOf(from(undefined, forwarded("198.51.100.1")))).toBeNull();
    expect(createProxies([]).clientOf(from(undefined))).toBeNull();
  });

  test.each<[trusted: string[], peer: string | undefined, said: string, counted: string | null]>([
    [[], "203.0.113.9", "", "203.0.113.9"],
    [[], "203.0.113.9", "127.0.0.1", "203.0.113.9"],
    [[], "127.0.0.1", "203.0.113.9", null],
    [[], "127.9.9.9", "", null],
    [[], "::1", "", null],
    [[], "::ffff:127.0.0.1", "", null],
    [[], undefined, "", null],
    [["10.0.0.1"], "10.0.0.1", "203.0.113.9", "203.0.113.9"],
    [["10.0.0.1"], "10.0.0.1", "", null],
    [["10.0.0.1"], "10.0.0.2", "", "10.0.0.2"],
    [["10.0.0.1"], "10.0.0.1", "127.0.0.1", null],
    [["loopback"], "127.0.0.1", "203.0.113.9", "203.0.113.9"],
    [["loopback"], "127.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"],
  ])("[L20] behind %j, of %p with %j, counts as %p", (trusted, peer, said, counted) => {
    expect(createProxies(trusted).countedOf(from(peer, forwarded(said)))).toBe(counted);
  });

  test("costs little, however long a list it is given", () => {
    const { clientOf } = createProxies(["loopback"]);
    expect(clientOf(from("127.0.0.1", forwarded(`198.51.100.1${",127.0.0.1".repeat(1500)}`)))).toBe("198.51.100.1");
  });
});

describe("[X12] where a request was sent to", () => {
  const { targetOf } = createProxies(["192.0.2.0/24"]);
  const host = "inner:3001";

  test.each<[peer: string, headers: Headers, encrypted: boolean, target: object]>([
    ["203.0.113.9", { host }, false, { scheme: null, host }],
    ["203.0.113.9", { host }, true, { scheme: "https", host }],
    ["203.0.113.9", {}, false, { scheme: null, host: undefined }],
    [
      "203.0.113.9",
      { host, "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" },
      false,
      { scheme: null, host },
    ],
    [
      "192.0.2.1",
      { host, "x-forwarded-host": "desk.example", "x-forwarded-proto": "https" },
      false,
      { scheme: "https", host: "desk.example" },
    ],
    ["192.0.2.1", { host, "x-forwarded-proto": "http" }, true, { scheme: "http", host }],
    ["192.0.2.1", { host, "x-forwarded-proto": "WSS" }, false, { scheme: "https", host }],
    ["192.0.2.1", { host, "x-forwarded-proto": "ws" }, false, { scheme: "http", host }],
    ["192.0.2.1", { host, "x-forwarded-proto": "https, http" }, false, { scheme: "https", host }],
    ["192.0.2.1", { host, "x-forwarded-proto": "gopher" }, false, { scheme: null, host }],
    ["192.0.2.1", { host, "x-forwarded-proto": "constructor" }, false, { scheme: null, host }],
    ["192.0.2.1", { host, "x-forwarded-host": "desk.example, inner" }, false, { scheme: null, host: "desk.example" }],
    ["192.0.2.1", { host, "x-forwarded-host": "" }, false, { scheme: null, host }],
    ["192.0.2.1", { host, "x-forwarded-host": ["desk.example", "x"] }, false, { scheme: null, host: "desk.example" }],
  ])("by way of %s, with %j, TLS here: %p", (peer, headers, encrypted, target) => {
    expect(targetOf(from(peer, headers, encrypted))).toEqual(target);
  });

  test("nobody is believed unless he was named", () => {
    const headers = { host, "x-forwarded-host": "evil.example" };
    expect(createProxies([]).targetOf(from("127.0.0.1", headers))).toEqual({ scheme: null, host });
  });
});

describe("[X12] TRUSTED_PROXIES", () => {
  const good = [
    "loopback",
    "linklocal",
    "uniquelocal",
    "10.0.0.7",
    "10.0.0.0/8",
    "0.0.0.0/1",
    "::1",
    "2001:db8::/32",
    "FC00::/7",
    "::ffff:10.0.0.7",
  ];
  const bad = [
    "true",
    "1",
    "*",
    "Loopback",
    "constructor",
    "proxy.example",
    "10.0.0",
    "010.0.0.1",
    "0x7f.0.0.1",
    "10.0.0.256",
    "10.0.0.0/0",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/255.0.0.0",
    "10.0.0.7:80",
    "[::1]",
    "::/0",
    "::/129",
    "::1::",
    "10.0.0.1 10.0.0.2",
    "",
  ];

  test.each(good)("may be %j", (text) => {
    expect(isProxy(text)).toBe(true);
    expect(readConfig({ TRUSTED_PROXIES: ` ${text} ,loopback` }).TRUSTED_PROXIES).toEqual([text, "loopback"]);
    expect(() => createProxies([text])).not.toThrow();
  });

  test.each(bad)("may not be %j", (text) => {
    expect(isProxy(text)).toBe(false);
    if (text === "") return;
    const value = JSON.stringify(`loopback,${text}`);
    expect(() => readConfig({ TRUSTED_PROXIES: `loopback,${text}` })).toThrow(
      `TRUSTED_PROXIES is ${value}; expected addresses such as 10.0.0.7, ranges such as 10.0.0.0/8, or loopback, ` +
        "linklocal, uniquelocal",
    );
  });

  test("are none unless they are set", () => {
    expect(readConfig({}).TRUSTED_PROXIES).toEqual([]);
  });
});

test.each<[string | undefined, number]>([
  [undefined, 50],
  ["0", 0],
  ["7", 7],
])("[L20] MAX_SOCKETS_PER_ADDRESS %p is %i", (text, value) => {
  expect(readConfig({ MAX_SOCKETS_PER_ADDRESS: text }).MAX_SOCKETS_PER_ADDRESS).toBe(value);
});
