import { WebSocket } from "ws";
import { Chat, type ChatOptions, Coordinator, type CoordinatorOptions } from "bennu/client";
import { until } from "./until.js";

/** Chats and consoles of the SDK at one server; to be left at the end of each test. */
export class ClientSeats {
  readonly businessId: string;
  readonly #urlOf: () => string;
  #open: { leave(): Promise<void> }[] = [];

  /** @param urlOf the server's, over HTTP; asked anew for each, since a server that is started again has another */
  constructor(businessId: string, urlOf: () => string) {
    this.businessId = businessId;
    this.#urlOf = urlOf;
  }

  chat(options: Partial<ChatOptions> = {}): Chat {
    return this.#noted(new Chat({ ...this.#options(), userId: "ana", ...options }));
  }

  console(options: Partial<CoordinatorOptions> = {}): Coordinator {
    return this.#noted(new Coordinator({ ...this.#options(), ...options }));
  }

  async online(options: Partial<ChatOptions> = {}): Promise<Chat> {
    return connected(this.chat(options));
  }

  async consoleOnline(options: Partial<CoordinatorOptions> = {}): Promise<Coordinator> {
    return connected(this.console(options));
  }

  leaveAll(): Promise<void> {
    return this.leaveAllBut(null);
  }

  async leaveAllBut(kept: object | null): Promise<void> {
    const left = this.#open.filter((each) => each !== kept);
    this.#open = this.#open.filter((each) => each === kept);
    await Promise.all(left.map((each) => each.leave()));
  }

  #options() {
    const url = `${this.#urlOf().replace("http", "ws")}/socket`;
    return { url, businessId: this.businessId, transport: WebSocket, reconnectAfterMs: () => 10 };
  }

  #noted<Seat extends { leave(): Promise<void> }>(seat: Seat): Seat {
    this.#open.push(seat);
    return seat;
  }
}

/** Connects, and waits until it is there. */
export async function connected<Seat extends { connect(): void; readonly status: { readonly state: string } }>(
  seat: Seat,
): Promise<Seat> {
  seat.connect();
  await until("it is online", () => seat.status.state === "online");
  return seat;
}
