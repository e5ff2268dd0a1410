import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Endpoint } from "../../server/bennu.js";

/** Broadcasts between which the benchmark lets what was sent leave. */
const benchBatch = 100;

/** The transcript server's own routes, beside the mounts. @param onShutdown called after `POST /shutdown` was answered */
export function createTranscriptHttp(endpoint: Endpoint, onShutdown: () => void): Server {
  const server = createServer((request, response) => {
    if (!endpoint.handle(request, response)) void answer(request, response);
  });
  endpoint.attach(server);
  return server;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const param = (name: string, otherwise = "") => url.searchParams.get(name) ?? otherwise;
    switch (`${request.method} ${url.pathname}`) {
      case "GET /health":
        break;
      case "GET /disconnect":
        endpoint.broadcast(`users_socket:${param("uid")}`, "disconnect", {});
        break;
      case "POST /broadcast":
        try {
          endpoint.broadcast(param("topic"), param("event"), await readJson(request));
        } catch {
          // A body that is no JSON, or no payload.
          response.writeHead(400).end();
          return;
        }
        break;
      case "POST /bench/broadcast":
        await benchBroadcast(param("topic"), param("event", "bench"), Number(param("n")), Number(param("size", "200")));
        break;
      case "POST /shutdown":
        response.on("finish", onShutdown);
        break;
      default:
        response.writeHead(404).end();
        return;
    }
    response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}');
  }

  async function benchBroadcast(topic: string, event: string, count: number, size: number): Promise<void> {
    const filler = "x".repeat(Math.max(0, size - JSON.stringify([null, null, topic, event, { n: 0, d: "" }]).length));
    for (let n = 0; n < count; n += 1) {
      if (n > 0 && n % benchBatch === 0) await new Promise((resolve) => setImmediate(resolve));
      endpoint.broadcast(topic, event, { n, d: filler });
    }
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}
