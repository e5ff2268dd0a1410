import type { Frame } from "../../protocol/frame.js";
import type { Transport } from "../../server/channel/transport.js";

/** A connection without a network: keeps what was sent and how it was closed. */
export class FakeTransport implements Transport {
  readonly kind = "test";
  /** Text frames as JSON, binary frames as bytes. */
  readonly sent: unknown[] = [];
  readonly closeCodes: number[] = [];
  isPaused = false;
  /** Called when the connection is closed, as a real one tells its socket. */
  onClose: (code: number) => void = () => undefined;

  send({ data }: Frame): void {
    if (this.closeCodes.length === 0) this.sent.push(typeof data === "string" ? (JSON.parse(data) as unknown) : data);
  }

  /** Those who wait until what was sent has been taken. */
  readonly fences: (() => void)[] = [];

  fence(done: () => void): void {
    this.fences.push(done);
  }

  close(code: number): void {
    this.closeCodes.push(code);
    this.onClose(code);
  }

  terminate(): void {
    this.close(1006);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  /** What was sent since the last call. */
  take(): unknown[] {
    return this.sent.splice(0);
  }
}
