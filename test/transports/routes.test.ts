import { expect, test } from "@jest/globals";
import { Routes } from "../../server/transports/routes.js";

const routes = new Routes(
  [
    "/socket/websocket",
    "/tenant/:tenant/socket/ws",
    "/tenant/:tenant/:kind/ws",
    "/tenant/fixed/socket/ws",
    "//odd//path/",
    "/root/",
  ].map((path) => ({ path })),
);

test.each<[url: string, path: string | null, pathParams?: Record<string, string>]>([
  ["/socket/websocket", "/socket/websocket"],
  ["/socket/websocket?vsn=2.0.0", "/socket/websocket"],
  ["/socket/websocket/", "/socket/websocket"],
  ["//socket///websocket//?a=/b", "/socket/websocket"],
  ["socket/websocket", "/socket/websocket"],
  ["/Socket/websocket", null],
  ["/socket", null],
  ["/socket/websocket/more", null],
  ["/odd/path", "//odd//path/"],
  ["/root", "/root/"],
  ["/tenant/7/socket/ws", "/tenant/:tenant/socket/ws", { tenant: "7" }],
  ["/tenant/7/other/ws?x", "/tenant/:tenant/:kind/ws", { tenant: "7", kind: "other" }],
  // The first that matches wins, also over one that fits better.
  ["/tenant/fixed/socket/ws", "/tenant/:tenant/socket/ws", { tenant: "fixed" }],
  ["/tenant/:tenant/socket/ws", "/tenant/:tenant/socket/ws", { tenant: ":tenant" }],
  ["/tenant/%2F/socket/ws", "/tenant/:tenant/socket/ws", { tenant: "%2F" }],
  ["/tenant//socket/ws", null],
  ["/__proto__", null],
  ["/constructor", null],
  ["", null],
  ["?", null],
  ["/", null],
])("[T1] %s leads to %p", (url, path, pathParams = {}) => {
  expect(routes.find(url)).toEqual(path === null ? null : { route: { path }, pathParams });
});

test("[T1] the root is a path too", () => {
  const root = new Routes([{ path: "/" }]);
  for (const url of ["", "/", "//", "/?vsn=2.0.0"]) expect(root.find(url)?.route).toEqual({ path: "/" });
});
