import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** For a server that, started again, has to be where it was. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
