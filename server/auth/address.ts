const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const ipv6 = /^[0-9a-f.]*:[0-9a-f:.]*$/i;
const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * What addresses are counted by: an IPv4 address itself, and of an IPv6 address the /64 that it is in, because whoever
 * has one of these has them all. An IPv4 address that is written as IPv6 is an IPv4 address.
 * @returns null for a text that is no address
 */
export function networkOf(address: string): string | null {
  if (ipv4.test(address)) return address;
  const text = canonical(address);
  if (text === null) return null;
  const [, high, low] = mapped.exec(text) ?? [];
  if (high !== undefined && low !== undefined) return [...bytesOf(high), ...bytesOf(low)].join(".");
  const [before = "", after = ""] = text.split("::");
  const [left, right] = [before, after].map((side) => (side === "" ? [] : side.split(":")));
  const zeros = Array.from({ length: 8 - left!.length - right!.length }, () => "0");
  return `${[...left!, ...zeros, ...right!].slice(0, 4).join(":")}::/64`;
}

/** An IPv6 address, of all the ways to write it in the one in which URLs do. */
function canonical(address: string): string | null {
  // A link's own addresses come with the name of the link.
  const plain = address.replace(/%.*$/s, "");
  const url = `http://[${plain}]`;
  return ipv6.test(plain) && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
}

function bytesOf(group: string): readonly [number, number] {
  const number = Number.parseInt(group, 16);
  return [number >> 8, number & 0xff];
}
