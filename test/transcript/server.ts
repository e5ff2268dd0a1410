import { createServer } from "node:http";
import { Endpoint, type MountOptions, refuse } from "../../server/bennu.js";
import { Room } from "./room.js";

/** The server that the wire transcripts were recorded from, built with the engine's public API alone. */
export function createTranscriptServer(): { server: ReturnType<typeof createServer>; endpoint: Endpoint } {
  const base: MountOptions = {
    channels: { "room:*": Room, lobby: Room, "assigned:*": Room },
    connect: (params, info) => {
      if (params.crash === "true") throw new Error("connect crashed on purpose");
      if (params.deny === "true") return refuse();
      if (params.deny === "reason") return refuse("denied");
      const uid = typeof params.uid === "string" ? params.uid : null;
      return {
        id: uid === null ? null : `users_socket:${uid}`,
        assigns: { uid, params, auth_token: info.authToken, endpoint },
      };
    },
    limits: { maxChannels: 100 },
  };
  const endpoint: Endpoint = new Endpoint({
    host: "localhost",
    mounts: {
      "/socket": base,
      "/socket_fast": { ...base, websocket: { idleTimeoutMs: 1500 } },
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
      "/tenant/:tenant/socket": { ...base, websocket: { path: "/ws" } },
      "/rootpath": { ...base, websocket: { path: "/" } },
      "/deep/nested/socket_info": base,
    },
  });
  const server = createServer((request, response) => {
    if (endpoint.handle(request, response)) return;
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.pathname === "/health") response.end("ok");
    else if (url.pathname === "/disconnect") {
      endpoint.broadcast(`users_socket:${url.searchParams.get("uid")}`, "disconnect", {});
      response.end("ok");
    } else if (url.pathname === "/broadcast") {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const payload: unknown = JSON.parse(Buffer.concat(chunks).toString());
        endpoint.broadcast(url.searchParams.get("topic") ?? "", url.searchParams.get("event") ?? "", payload);
        response.end("ok");
      });
    } else response.writeHead(404).end();
  });
  endpoint.attach(server);
  return { server, endpoint };
}

const port = Number(process.argv[2]);
if (port > 0)
  createTranscriptServer().server.listen(port, "127.0.0.1", () => process.stdout.write(`listening on ${port}\n`));
