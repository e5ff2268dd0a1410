import type { AdapterPort, PubSubAdapter } from "../../server/pubsub/adapter.js";

/** Several nodes in one process: what one of them publishes reaches the others at the next turn of the event loop. */
export class MemoryHub {
  readonly #nodes = new Set<MemoryAdapter>();
  /** Loses what is published, as a network does, and tells so. */
  isBroken = false;

  adapter(): PubSubAdapter {
    return new MemoryAdapter(this);
  }

  add(node: MemoryAdapter): void {
    this.#nodes.add(node);
  }

  remove(node: MemoryAdapter): void {
    this.#nodes.delete(node);
  }

  carry(from: MemoryAdapter, text: string): void {
    setImmediate(() => {
      for (const node of [...this.#nodes]) if (node !== from) node.receive(text);
    });
  }
}

class MemoryAdapter implements PubSubAdapter {
  readonly #hub: MemoryHub;
  #port: AdapterPort | null = null;

  constructor(hub: MemoryHub) {
    this.#hub = hub;
  }

  async start(port: AdapterPort): Promise<void> {
    await Promise.resolve();
    if (this.#hub.isBroken) throw new Error("the hub cannot be reached");
    this.#port = port;
    this.#hub.add(this);
  }

  publish(topic: string, event: string, payload: unknown): void {
    const isBytes = payload instanceof Uint8Array;
    // Encoded here, so that what becomes of the payload afterwards changes nothing.
    const body = isBytes ? Buffer.from(payload).toString("base64") : payload;
    const text = JSON.stringify([topic, event, isBytes, body]);
    if (this.#hub.isBroken) this.#port?.failed(new Error("the hub cannot be reached"));
    else this.#hub.carry(this, text);
  }

  receive(text: string): void {
    const [topic, event, isBytes, body] = JSON.parse(text) as [string, string, boolean, unknown];
    this.#port?.deliver(topic, event, isBytes ? new Uint8Array(Buffer.from(body as string, "base64")) : body);
  }

  async stop(): Promise<void> {
    await Promise.resolve();
    this.#port = null;
    this.#hub.remove(this);
  }
}
