// Makes a fresh clone ready: installs what the lockfile names, then builds what has changed.
// Plain JavaScript with nothing but Node, because it runs before anything is installed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const stampFile = join(root, "dist", ".built-from");

requireNode(20, 19);
if (!isPackage()) makeReady();

function makeReady() {
  if (!isInstalled()) run("installing the packages of package-lock.json", installCommand());
  // For a package: without what an earlier build left of files that are gone.
  if (process.argv.includes("clean")) rmSync(join(root, "dist"), { recursive: true, force: true });
  const sources = hashOfSources();
  if (isBuilt(sources)) return;
  run("building", ["npm", "run", "build", "--silent"]);
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, sources);
}

// What npm has packed is built, and was installed with what it needs. It has no sources.
function isPackage() {
  return !existsSync(join(root, "tsconfig.json"));
}

function requireNode(major, minor) {
  const [haveMajor, haveMinor] = process.versions.node.split(".").map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  fail(`Bennu needs Node ${major}.${minor} or later; this is ${process.version}.`);
}

// npm writes node_modules/.package-lock.json after each install. Comparing it with the lockfile tells what is missing
// without asking npm, which would cost a second at every start.
function isInstalled() {
  const hidden = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(hidden)) return false;
  const installed = readJson(hidden).packages;
  return Object.entries(readJson(join(root, "package-lock.json")).packages).every(
    ([path, wanted]) =>
      path === "" || wanted.optional || wanted.devOptional || installed[path]?.version === wanted.version,
  );
}

// No package we use needs an install script, so none is run. `--include` undoes what NODE_ENV=production leaves out:
// the build needs the compiler.
function installCommand() {
  return ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev", "--include=optional"];
}

function isBuilt(sources) {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === sources;
}

function hashOfSources() {
  const hash = createHash("sha256").update(process.versions.node);
  for (const file of [
    "package-lock.json",
    "package.json",
    "tsconfig.json",
    ...filesBelow("protocol"),
    ...filesBelow("server"),
    ...filesBelow("client"),
    ...filesBelow("test/transcript"),
    // What is loaded before a server that is a process of a test.
    ...["http-contract.ts", "watch-child.ts", "watched-answers.ts"].map((name) => join("test", "support", name)),
  ]) {
    hash.update(file).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, name))
    .filter((name) => statSync(join(root, name)).isFile())
    .sort();
}

function run(what, [command, ...args]) {
  process.stderr.write(`bennu: ${what} …\n`);
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (result.status !== 0) fail(`bennu: ${what} failed (${[command, ...args].join(" ")}).`);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
