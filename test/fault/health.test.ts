import { afterEach, expect, test } from "@jest/globals";
import { RawHttp } from "../support/served-endpoint.js";
import { TestServer } from "../support/server-process.js";
import { until } from "../support/until.js";

let server: TestServer;

afterEach(() => server.dispose());

test("[H-12] [H6] what is asked while the process stands still is answered when it goes on: it lives, and is ready", async () => {
  server = await TestServer.create();
  await server.start();
  for (const path of ["/healthz", "/readyz"]) {
    server.signal("SIGSTOP");
    const asking = new RawHttp(Number(new URL(server.url).port));
    asking.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    // The kernel takes connections and bytes for a process that is stopped; it answers nothing itself.
    await until("it has been sent", () => asking.isSent);
    expect(asking.text).toBe("");
    server.signal("SIGCONT");
    await until("an answer", () => asking.text.includes("\r\n\r\n{"));
    expect(asking.text).toMatch(/^HTTP\/1\.1 200 /);
    asking.destroy();
  }
});
