import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { Addresses, peerAddress } from "../../server/transports/addresses.js";

const from = (remoteAddress?: string) => ({ socket: { remoteAddress } }) as IncomingMessage;
const countingTo = (max: number) => new Addresses({ max, addressOf: peerAddress });

describe("[L20] O-05 sockets of one address", () => {
  test("are counted up to the limit, and taken off one by one, until nothing is left of it", () => {
    const addresses = countingTo(2);
    expect([addresses.enter("a"), addresses.enter("a"), addresses.enter("a"), addresses.enter("b")]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(addresses.size).toBe(2);
    addresses.leave("a");
    expect([addresses.enter("a"), addresses.enter("a")]).toEqual([true, false]);
    for (const address of ["a", "a", "b"]) addresses.leave(address);
    expect(addresses.size).toBe(0);
  });

  test("that are nobody's are not", () => {
    const addresses = countingTo(1);
    expect([addresses.enter(null), addresses.enter(null)]).toEqual([true, true]);
    addresses.leave(null);
    expect(addresses.size).toBe(0);
  });

  test.each<[peer: string | undefined, counted: string | null]>([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:0::/64"],
    ["2001:db8:0:1::1", "2001:db8:0:1::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    [undefined, null],
  ])("of %p count for %p", (peer, counted) => {
    expect(countingTo(1).of(from(peer))).toBe(counted);
  });

  test("may be told by other words than addresses", () => {
    const addresses = new Addresses({ max: 1, addressOf: () => "tenant 7" });
    expect(addresses.of(from("192.0.2.1"))).toBe("tenant 7");
  });

  test("are asked for by nobody where there is no limit", () => {
    const addresses = new Addresses({
      max: 0,
      addressOf: () => {
        throw new Error("asked");
      },
    });
    expect(addresses.of(from("192.0.2.1"))).toBeNull();
  });
});
