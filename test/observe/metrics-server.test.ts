import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { ask } from "../support/plain-http.js";
import { makeDataDir, startTestApp, type TestApp } from "../support/start-app.js";

const AUTH_SECRET = "a secret of more than thirty-two bytes";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

describe("[X-18] metrics", () => {
  test("are at the port of an open server", async () => {
    app = await startTestApp();
    expect(app.metricsUrl).toBe(`${app.url}/metrics`);
    const answer = await ask(app, "/metrics", local);
    expect([answer.status, answer.headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(answer.headers["content-type"]).toContain("text/plain");
    expect(answer.text).toContain("# TYPE bennu_messages_accepted_total counter");
    expect((await ask(app, "/metrics", { ...local, method: "HEAD" })).text).toBe("");
  });

  test("are nobody's business when there are tokens, not even that of a holder of one", async () => {
    app = await startTestApp({ AUTH_SECRET });
    expect(app.metricsUrl).toBeNull();
    expect((await ask(app, "/metrics", local)).status).toBe(404);
  });

  test.each([{}, { AUTH_SECRET }])(
    "are at their own port and nowhere else when they have one, with %j",
    async (auth) => {
      app = await startTestApp({ ...auth, METRICS_PORT: "0" });
      expect((await ask(app, "/metrics", local)).status).toBe(404);
      const apart = { port: Number(new URL(app.metricsUrl!).port) };
      expect(apart.port).not.toBe(app.port);
      expect((await ask(apart, "/metrics", local)).text).toContain("bennu_turns_total");
      for (const path of ["/", "/readyz", "/metrics/", "/metrics?x", "/api/sessions"]) {
        expect([path, (await ask(apart, path, local)).status]).toEqual([path, 404]);
      }
      const posted = await ask(apart, "/metrics", { ...local, method: "POST" });
      expect([posted.status, posted.headers.allow]).toEqual([405, "GET, HEAD, OPTIONS"]);
    },
  );

  test("[X-19] are not given to a name or a page of somebody else's", async () => {
    app = await startTestApp({ METRICS_PORT: "0" });
    const apart = { port: Number(new URL(app.metricsUrl!).port) };
    expect((await ask(apart, "/metrics", { headers: { host: "evil.example" } })).status).toBe(404);
    const headers = { ...local.headers, origin: "https://evil.example" };
    expect((await ask(apart, "/metrics", { headers })).status).toBe(404);
    await app.dispose();
    app = await startTestApp();
    expect((await ask(app, "/metrics", { headers: { host: "evil.example" } })).status).toBe(403);
  });

  test("a port that is taken stops the start, names it, and leaves nothing behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const DATA_DIR = await makeDataDir();
    await expect(startTestApp({ DATA_DIR, METRICS_PORT: String(port) })).rejects.toThrow(
      `METRICS_PORT ${port} on 127.0.0.1 is in use by another program; set METRICS_PORT`,
    );
    taken.close();
    app = await startTestApp({ DATA_DIR });
    expect((await ask(app, "/readyz", local)).status).toBe(200);
  });
});

const local = { headers: { host: "localhost" } };
