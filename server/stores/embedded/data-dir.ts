import { closeSync, openSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeDirectory } from "./directory.js";
import { openEnvironment } from "./lmdb.js";

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
}

/** Another server has this data directory. */
export class DataDirInUse extends Error {
  override readonly name = "DataDirInUse";

  constructor(directory: string, owner: Owner | null) {
    super(
      owner === null
        ? `${directory} is in use by another process, which does not answer`
        : `${directory} is in use by process ${owner.pid} on ${owner.host}, started at ${owner.startedAt}`,
    );
  }
}

/**
 * Makes this process the only server of a data directory. The owner listens on a Unix socket in it, which ends with
 * the process however that ends, so there is no pid to compare; the check and the takeover are one step under the
 * write lock of a small LMDB environment. Call it before the store is opened. (docs/decisions/0002)
 * @returns lets go of the directory; call it after the store was closed
 * @throws DataDirInUse
 */
export async function claimDataDir(directory: string): Promise<() => Promise<void>> {
  const lockPath = join(directory, "owner");
  makeDirectory(lockPath);
  // Socket paths are limited to about 100 bytes; through the directory's descriptor any directory fits.
  const descriptor = process.platform === "linux" ? openSync(directory, "r") : null;
  const path = join(descriptor === null ? directory : `/proc/self/fd/${descriptor}`, "owner.sock");
  const server = ownerServer({ pid: process.pid, host: hostname(), startedAt: new Date().toISOString() });
  const lock = openEnvironment(lockPath, { mapBytes: 2 ** 20 });
  const other = await lock.transaction(() => takeOver(server, path));
  await lock.close();
  if (other !== null) {
    if (descriptor !== null) closeSync(descriptor);
    throw new DataDirInUse(directory, other.owner);
  }
  server.unref();
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        if (descriptor !== null) closeSync(descriptor);
        resolve();
      });
    });
}

function ownerServer(owner: Owner): Server {
  return createServer((socket) => {
    // Somebody who asked and went away before the answer.
    socket.on("error", () => socket.destroy());
    socket.end(JSON.stringify(owner));
  });
}

async function takeOver(server: Server, path: string): Promise<{ readonly owner: Owner | null } | null> {
  const other = await askOwner(path);
  if (other !== null) return other;
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  return null;
}

const answerTimeoutMs = 1000;

/** Null when nobody listens; an owner of null when somebody does and says nothing. */
function askOwner(path: string): Promise<{ readonly owner: Owner | null } | null> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ path });
    socket.setTimeout(answerTimeoutMs, () => {
      resolve({ owner: null });
      socket.destroy();
    });
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("end", () => resolve({ owner: parseOwner(text) }));
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(code === "ENOENT" || code === "ECONNREFUSED" ? null : { owner: null });
    });
  });
}

function parseOwner(text: string): Owner | null {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return null;
  }
}
