import { BlockList, isIP, isIPv4 } from "node:net";

// What the IANA registries of special-purpose addresses do not call globally reachable, and multicast.
const nobodys: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Cloud machines ask here who they are, and with which keys.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];
// Parts of 2000::/3, beside which nothing is public. 2001::/23 has Teredo, 2002::/16 is 6to4: both hold IPv4 addresses.
const nobodys6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const blocked = new BlockList();
for (const [net, prefix] of nobodys) blocked.addSubnet(net, prefix, "ipv4");
for (const [net, prefix] of nobodys6) blocked.addSubnet(net, prefix, "ipv6");

const global6 = new BlockList();
global6.addSubnet("2000::", 3, "ipv6");

/**
 * Whether an IP address is one of the internet at large: nothing of this machine, of its network or of the cloud around
 * it. IPv6 with an IPv4 address inside (mapped, NAT64, 6to4, Teredo) never is: it may mean any of those.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !blocked.check(address, "ipv4");
  const [plain = ""] = address.split("%");
  return global6.check(plain, "ipv6") && !blocked.check(plain, "ipv6");
}

/**
 * Whether a host may be on the internet at large: it is neither an address that is not, nor the name `localhost`. What
 * another name stands for is known when it is looked up. (SPEC B6)
 * @param host as `URL` has it, which writes every form of an address in the one that is compared here
 */
export function isPublicHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return isIP(name) === 0 ? !/^(?:.*\.)?localhost$/i.test(name) : isPublicAddress(name);
}
