import { Endpoint, type MountOptions, Presence, refuse, Telemetry } from "../../server/bennu.js";
import { describeInfo } from "./connect-info.js";
import { PresenceRoom } from "./presence-room.js";
import { Room } from "./room.js";

/** The mounts of the server that the wire transcripts were recorded from, built with the engine's public API alone. */
export function createTranscriptEndpoint(): Endpoint {
  const base: MountOptions = {
    checkOrigin: false,
    channels: {
      "room:*": Room,
      lobby: Room,
      "assigned:*": Room,
      "presence:*": () => new PresenceRoom(presence),
    },
    connect: (params, info) => {
      if (params.crash === "true") throw new Error("connect crashed on purpose");
      if (params.deny === "true") return refuse();
      if (params.deny === "reason") return refuse("denied");
      const uid = typeof params.uid === "string" ? params.uid : null;
      return {
        id: uid === null ? null : `users_socket:${uid}`,
        assigns: { uid, params, auth_token: info.authToken, endpoint, info: null },
      };
    },
    longpoll: { maxSessions: 0 },
  };
  const withInfo: MountOptions["connect"] = async (params, info) => {
    const decision = await base.connect!(params, info);
    if ("refused" in decision) return decision;
    return { ...decision, assigns: { ...decision.assigns, info: describeInfo(info) } };
  };
  const endpoint: Endpoint = new Endpoint({
    host: "localhost",
    // Rooms and connects crash on purpose; any other mistake is told.
    telemetry: new Telemetry((name, { error }) => {
      if (name !== "channel_crashed" && !String(error).includes("on purpose")) console.error(name, error);
    }),
    mounts: {
      "/socket": base,
      "/socket_fast": {
        ...base,
        websocket: { idleTimeoutMs: 1500 },
        longpoll: { windowMs: 400, dispatchTimeoutMs: 300, maxSessions: 0 },
      },
      "/socket_origin": { ...base, checkOrigin: ["https://example.com", "//*.wild.example", "//port.example:888"] },
      "/socket_origin_true": { ...base, checkOrigin: true },
      "/socket_origin_conn": { ...base, checkOrigin: "conn" },
      "/socket_origin_mfa": { ...base, checkOrigin: ({ host }) => host === "mfa.example" || host === null },
      "/socket_small": { ...base, websocket: { maxFrameBytes: 1024 } },
      "/socket_sub": { ...base, websocket: { subprotocols: ["sip", "mqtt"] } },
      "/socket_deflate": { ...base, websocket: { compress: true } },
      "/socket_err": {
        ...base,
        onRefused: () => ({ status: 429, headers: { "content-type": "text/plain" }, body: "Too many requests" }),
      },
      "/socket_auth": { ...base, authToken: true },
      "/socket_limit": { ...base, limits: { maxChannels: 2 } },
      "/tenant/:tenant/socket": { ...base, websocket: { path: "/ws" }, longpoll: { path: "/lp", maxSessions: 0 } },
      "/rootpath": { ...base, websocket: { path: "/" }, longpoll: false },
      "/deep/nested/socket_info": { ...base, connect: withInfo },
    },
  });
  const presence = new Presence(endpoint);
  return endpoint;
}
