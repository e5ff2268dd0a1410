import { createTranscriptEndpoint } from "./endpoint.js";
import { createTranscriptHttp } from "./http.js";

const port = Number(process.argv[2]);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  process.stderr.write("usage: npm run transcript-server -- <port>\n");
  process.exit(2);
}

const endpoint = createTranscriptEndpoint();
const server = createTranscriptHttp(endpoint, () => void stop());
server.listen(port, "127.0.0.1", () => process.stdout.write(`listening on ${JSON.stringify(server.address())}\n`));
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop());

async function stop(): Promise<void> {
  await endpoint.drain();
  server.close();
  // What has not read its close frame by now will not.
  setTimeout(() => process.exit(0), 500);
}
