// Bundles the chat page for browsers, next to what tsc makes of the rest, or into the folder that is given.
// Says nothing when all is well.
import { copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const client = dirname(fileURLToPath(import.meta.url));
const page = join(client, "page");
const target = process.argv[2] ?? join(client, "..", "dist", "client", "public");

await mkdir(target, { recursive: true });
await build({
  entryPoints: [join(page, "page.ts")],
  outfile: join(target, "page.js"),
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
  sourcemap: true,
  logLevel: "warning",
});
for (const file of ["index.html", "page.css", "icon.svg"]) await copyFile(join(page, file), join(target, file));
