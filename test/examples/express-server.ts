import { createServer } from "node:http";
import type { Endpoint } from "bennu";
import express from "express";

export function createExpressServer(endpoint: Endpoint) {
  const app = express();
  // Before whatever reads bodies: a POST of a long-poll is read by the endpoint.
  app.use((request, response, next) => void (endpoint.handle(request, response) || next()));
  app.use(express.json());
  app.post("/rooms/:room/say", (request, response) => {
    const { text } = request.body as { text: unknown };
    endpoint.broadcast(`room:${request.params.room}`, "said", { from: "the house", text });
    response.sendStatus(202);
  });

  const server = createServer(app);
  endpoint.attach(server);
  const stop = async () => {
    server.close(); // no new connections; then those there are learn that they should come back
    await endpoint.stop();
  };
  process.once("SIGTERM", () => void stop());
  return { server, stop };
}
