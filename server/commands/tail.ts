import { Coordinator, type ProcessedTurn } from "../../client/client.js";
import { plain } from "./chat.js";
import { DeskLine, type LineRequest } from "./desk-line.js";

/**
 * Shows what is going on in a business, as its coordinators see it: every message with its outcome, until it is stopped.
 * @throws LineRequestError, LineRefused
 */
export async function tailOf(businessId: string, request: LineRequest): Promise<void> {
  const line = new DeskLine(businessId, request);
  const console = new Coordinator(line.options);
  let isListening = false;
  try {
    const stopped = new Promise<void>((done) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
    });
    console.on("status", (status) => {
      line.heard(status);
      if (status.state !== "online" || isListening) return;
      isListening = true;
      process.stderr.write(`listening to ${businessId}\n`);
    });
    console.on("processed", (turn) => process.stdout.write(lineOf(turn)));
    console.connect();
    await Promise.race([stopped, line.over]);
  } finally {
    await console.leave();
  }
}

function lineOf({ timestamp, userId, message, answer, status, durationMs }: ProcessedTurn): string {
  const [asked, said] = [message, answer].map((text) => plain(text).replaceAll("\n", "\n    "));
  return `${timestamp} ${userId}: ${asked}\n  ${status} in ${durationMs} ms: ${said}\n`;
}
