import type { Encoded } from "./serializer.js";

/**
 * One encoded message on its way to any number of sockets. A transport keeps the bytes that it makes of it in `wire`,
 * so that they are made once, whatever the number of sockets.
 */
export class Frame {
  wire: Uint8Array | null = null;

  /** @param topic under which it leaves: what a transport goes by that takes some of it back */
  constructor(
    readonly data: Encoded,
    readonly topic: unknown = null,
  ) {}
}
