import type { ServerResponse } from "node:http";

/** For so long an answer waits for a client that takes nothing of it. */
const unreadMs = 30_000;

/** Ends the connection of a client that has stopped reading: what waits for it is memory of ours. (SPEC L29) */
export function endUnread(response: ServerResponse): void {
  response.setTimeout(unreadMs, () => {
    // Nothing of an answer that is still being made waits to be read, and its maker knows how long that takes.
    const { socket } = response;
    // Reset: what the system holds for the client would otherwise stay until that had read it.
    if (socket !== null && socket.writableLength > 0) socket.resetAndDestroy();
  });
}
