import { afterEach, expect, test } from "@jest/globals";
import { ask } from "../support/plain-http.js";
import { RawSocket } from "../support/raw-socket.js";
import { closeServer, listen } from "../support/served-endpoint.js";
import { createTranscriptEndpoint } from "../transcript/endpoint.js";
import { createTranscriptHttp } from "../transcript/http.js";

const endpoint = createTranscriptEndpoint();
const server = createTranscriptHttp(endpoint, () => undefined);

afterEach(async () => {
  endpoint.terminate();
  await closeServer(server);
});

test("[R14] the transcript server answers a broadcast of what is no payload, and lives", async () => {
  const port = await listen(server);
  const socket = await RawSocket.open(port);
  socket.sendJson(["1", "1", "room:1", "phx_join", {}]);
  await socket.message((message) => (message as unknown[])[3] === "phx_reply");
  const broadcast = async (body: string) =>
    (await ask({ port }, "/broadcast?topic=room:1&event=news", { method: "POST", body })).status;
  expect([await broadcast("{"), await broadcast(""), await broadcast('"s"'), await broadcast('{"n":1}')]).toEqual([
    400, 400, 400, 200,
  ]);
  await socket.message((message) => (message as unknown[])[3] === "news");
  socket.reset();
});
