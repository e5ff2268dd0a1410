import { expect, test } from "@jest/globals";
import { isPublicAddress, isPublicHost } from "../../server/agents/public-address.js";

test.each([
  ["this machine", "127.0.0.1"],
  ["this machine, by another name", "127.8.9.1"],
  ["any address of this machine", "0.0.0.0"],
  ["private, class A", "10.1.2.3"],
  ["private, class B", "172.16.0.1"],
  ["private, class B, the last", "172.31.255.255"],
  ["private, class C", "192.168.1.1"],
  ["a carrier's own", "100.64.0.1"],
  ["link-local, where clouds tell their keys", "169.254.169.254"],
  ["a carrier's keys", "100.100.100.200"],
  ["for protocols", "192.0.0.8"],
  ["for documents", "203.0.113.7"],
  ["for measurements", "198.19.0.1"],
  ["multicast", "224.0.0.1"],
  ["kept for later", "250.1.1.1"],
  ["everybody", "255.255.255.255"],
  ["this machine, IPv6", "::1"],
  ["any, IPv6", "::"],
  ["unique-local", "fd00::1"],
  ["unique-local, a cloud's keys", "fd00:ec2::254"],
  ["link-local, IPv6", "fe80::1"],
  ["link-local with its zone", "fe80::1%eth0"],
  ["site-local", "fec0::1"],
  ["multicast, IPv6", "ff02::1"],
  ["IPv4 mapped", "::ffff:127.0.0.1"],
  ["IPv4 mapped, in hex", "::ffff:7f00:1"],
  ["IPv4 mapped, a public one", "::ffff:93.184.216.34"],
  ["IPv4 compatible", "::127.0.0.1"],
  ["IPv4 translated", "64:ff9b::7f00:1"],
  ["IPv4 translated locally", "64:ff9b:1::7f00:1"],
  ["6to4", "2002:7f00:1::"],
  ["Teredo", "2001:0:7f00:1::"],
  ["for documents, IPv6", "2001:db8::1"],
  ["no address", "localhost"],
  ["nothing", ""],
])("[A23] %s is nobody's on the internet: %s", (_what, address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["93.184.216.34", "8.8.8.8", "172.32.0.1", "172.15.255.255", "100.128.0.1", "192.167.255.255", "223.1.1.1"])(
  "[A23] %s is public",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each(["2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888"])(
  "[A23] %s is public, too",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

const hostOf = (address: string) => new URL(`http://${address}/`).hostname;

test.each([
  ...["localhost", "LOCALHOST", "localhost.", "db.localhost"],
  ...["127.0.0.1", "127.0.0.1.", "127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1"],
  ...["10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]", "[fd12:3456::1]"],
])("[B6] a business may not store the host %s", (address) => {
  expect(isPublicHost(hostOf(address))).toBe(false);
});

test.each(["example.com", "localhost.example.com", "mylocalhost", "8.8.8.8", "[2606:4700::1111]"])(
  "[B6] a business may store the host %s",
  (address) => {
    expect(isPublicHost(hostOf(address))).toBe(true);
  },
);
