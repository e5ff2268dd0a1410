import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { LaunchOptions } from "playwright-core";

const run = promisify(execFile);

/** Unpacking takes one to two seconds; this long means that it hangs. */
const unpackTimeoutMs = 60_000;

/** The Chromium of @sparticuz/chromium: first with this machine's libraries, then with those it carries itself. */
export async function packagedChromium(): Promise<LaunchOptions[]> {
  const folder = await unpacked();
  const executablePath = join(folder, "chromium");
  const env = { ...stringsOf(process.env), ...fonts(folder) };
  const libraries = join(folder, "al2023", "lib");
  const LD_LIBRARY_PATH = [libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  return [
    { executablePath, env },
    { executablePath, env: { ...env, LD_LIBRARY_PATH } },
  ];
}

/** The Chromium of Debian and its like. */
export function debianChromium(): LaunchOptions[] {
  const executablePath = "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`${executablePath} does not exist`);
  return [{ executablePath }];
}

// The package unpacks to fixed names in the temporary folder and takes a half-written file of another process for a
// whole one. So it gets a folder of its own, which takes its final name in one step; who comes second throws theirs away.
async function unpacked(): Promise<string> {
  const folder = join(tmpdir(), `bennu-chromium-${await packageVersion()}-${userInfo().uid}`);
  if (isWhole(folder)) return folder;
  const staging = await mkdtemp(`${folder}-`);
  try {
    await unpackInto(staging);
    // A cleaner of the temporary folder may have left a shell without its kernel.
    if (!isWhole(folder)) await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
  } catch (cause) {
    await rm(staging, { recursive: true, force: true });
    if (!isWhole(folder)) throw cause;
  }
  return folder;
}

function isWhole(folder: string): boolean {
  return existsSync(join(folder, "chromium"));
}

// A child process, because the package asks `os.tmpdir()`; with this name in AWS_EXECUTION_ENV it unpacks the libraries too.
async function unpackInto(folder: string): Promise<void> {
  const script = 'import("@sparticuz/chromium").then(({ default: chromium }) => chromium.executablePath())';
  await run(process.execPath, ["-e", script], {
    env: { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" },
    timeout: unpackTimeoutMs,
  });
}

async function packageVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const manifest = join(dirname(entry), "..", "..", "package.json");
  return (JSON.parse(await readFile(manifest, "utf8")) as { version: string }).version;
}

// On a machine without fonts the package's own are taken; otherwise text would be empty boxes.
function fonts(folder: string): Record<string, string> {
  return existsSync("/etc/fonts/fonts.conf") ? {} : { FONTCONFIG_PATH: join(folder, "fonts") };
}

function stringsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}
