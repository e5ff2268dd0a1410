import { mkdtemp, readFile, rm } from "node:fs/promises";
import { execFile } from "node:child_process";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { problemCode } from "../support/plain-http.js";
import { startTestApp, type TestApp } from "../support/start-app.js";

const firstLoadBytesMax = 20 * 1024;
const browsers = "gzip, deflate, br, zstd";
const forever = "public, max-age=31536000, immutable";

interface Asset {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let publicDir: string;
let app: TestApp;

beforeAll(async () => {
  publicDir = await mkdtemp(join(tmpdir(), "bennu-assets-"));
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, "../../client/build.mjs"), publicDir]);
  app = await startTestApp({}, { publicDir });
});

afterAll(async () => {
  await app?.dispose();
  await rm(publicDir, { recursive: true, force: true });
});

/** As the bytes come; `fetch` would unpack them. */
function get(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Asset> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port: app.port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asking.on("error", reject);
    asking.end();
  });
}

/** What the page names, each by the address with its digest. */
async function named(path: string): Promise<string[]> {
  const text = (await get(path)).body.toString();
  return [...text.matchAll(/["`/](?:\.?\/)?([\w-]+\.(?:js|css)\?v=[\w-]+)["`]/g)].map(([, address]) => `/${address}`);
}

const unpack = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
  none: (body: Buffer) => body,
} as const;

describe("[H29] what the pages are made of", () => {
  test.each<[string | undefined, keyof typeof unpack]>([
    [browsers, "br"],
    ["br", "br"],
    ["gzip", "gzip"],
    ["gzip, br;q=0", "gzip"],
    ["*", "br"],
    ["deflate", "none"],
    ["identity", "none"],
    ["", "none"],
    [undefined, "none"],
  ])("to whoever takes %p it goes as %s, the same to the letter, and as long as it says", async (taken, encoding) => {
    for (const [path, name, type] of [
      ["/", "index.html", "text/html; charset=utf-8"],
      ["/console", "console.html", "text/html; charset=utf-8"],
      ["/console/", "console.html", "text/html; charset=utf-8"],
      ["/page.js", "page.js", "text/javascript; charset=utf-8"],
      ["/page.css", "page.css", "text/css; charset=utf-8"],
      ["/widget.js", "widget.js", "text/javascript; charset=utf-8"],
    ] as const) {
      const { status, headers, body } = await get(path, taken === undefined ? {} : { "accept-encoding": taken });
      expect([path, status, headers["content-type"]]).toEqual([path, 200, type]);
      expect(headers["content-encoding"]).toBe(encoding === "none" ? undefined : encoding);
      expect(Number(headers["content-length"])).toBe(body.length);
      expect(unpack[encoding](body)).toEqual(await readFile(join(publicDir, name)));
      expect(headers.vary).toMatch(/\bAccept-Encoding\b/);
      expect(headers["content-security-policy"]).toContain("script-src 'self'");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["cross-origin-resource-policy"]).toBe(name === "widget.js" ? "cross-origin" : "same-origin");
    }
  });

  test("HEAD is answered as GET is, without a body", async () => {
    const taken = { "accept-encoding": browsers };
    const whole = await get("/page.js", taken);
    const { headers, body } = await get("/page.js", taken, "HEAD");
    expect([{ ...headers, date: whole.headers.date }, body.length]).toEqual([whole.headers, 0]);
  });

  test.each(["br", "gzip", "identity"])("what is there already as %s is not sent again", async (encoding) => {
    const taken = { "accept-encoding": encoding };
    const { headers } = await get("/widget.js", taken);
    expect(headers["cache-control"]).toBe("no-cache");
    const again = await get("/widget.js", { ...taken, "if-none-match": headers.etag! });
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, headers.etag]);
    expect(again.headers.vary).toMatch(/\bAccept-Encoding\b/);
    const other = await get("/widget.js", { ...taken, "if-none-match": '"another"' });
    expect(other.status).toBe(200);
  });

  test("one encoding is not taken for another", async () => {
    const tags = await Promise.all(
      ["br", "gzip", "identity"].map(
        async (taken) => (await get("/page.js", { "accept-encoding": taken })).headers.etag,
      ),
    );
    expect(new Set(tags).size).toBe(3);
  });

  test("a part of a file is not given; it is whole", async () => {
    const { status, headers } = await get("/page.js", { "accept-encoding": browsers, range: "bytes=0-9" });
    expect([status, headers["content-range"], headers["accept-ranges"]]).toEqual([200, undefined, undefined]);
  });

  test("every file is named with its digest, and is kept for good under it alone", async () => {
    const addresses = (
      await Promise.all(["/", "/console", "/page.js", "/widget.js", "/widget-chat.js", "/console.js"].map(named))
    ).flat();
    const names = new Set(addresses.map((address) => address.split("?")[0]));
    const parts = ["earlier", "form", "markdown", "trouble", "page", "console", "console-charts", "widget-chat"];
    expect([...names].toSorted()).toEqual(
      [...parts.map((part) => `/${part}.js`), "/console.css", "/page.css"].toSorted(),
    );
    for (const address of new Set(addresses)) {
      const { status, headers } = await get(address);
      expect([address, status, headers["cache-control"]]).toEqual([address, 200, forever]);
      // A try after a failure has another name, and the same digest.
      expect((await get(`${address}&1`)).headers["cache-control"]).toBe(forever);
    }
    expect((await get("/page.js?v=others")).headers["cache-control"]).toBe("no-cache");
    expect((await get("/page.js")).headers["cache-control"]).toBe("no-cache");
  });

  test.each(["/page.js.br", "/page.js.gz", "/index.html.br", "/page.js/", "/sub/page.js", "/%2e%2e/package.json"])(
    "%s is not there",
    async (path) => {
      const { status, headers, body } = await get(path, { "accept-encoding": browsers });
      expect(problemCode({ status, headers, text: body.toString() })).toBe("not_found");
      expect(headers["content-encoding"]).toBeUndefined();
    },
  );

  test.each(["gzip", "br"])("[page] the first load is at most 20 KB as %s, as it is sent", async (taken) => {
    const paths = ["/", ...(await named("/")), "/icon.svg"];
    expect(paths).toHaveLength(4);
    const sizes = await Promise.all(
      paths.map(async (path) => (await get(path, { "accept-encoding": taken })).body.length),
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(firstLoadBytesMax);
  });
});
