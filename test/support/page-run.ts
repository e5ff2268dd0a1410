import { expect } from "@jest/globals";
import type { AgentEvent } from "../../server/messaging/agent.js";
import { type ChatPage, type Row, rowOf, type Seen } from "./chat-page.js";
import { readSession } from "./desk-history.js";
import { FakeClock } from "./fake-clock.js";
import { FaultyLine } from "./faulty-line.js";
import { type JoinStyle, type Memory, NewPage } from "./new-page.js";
import { OldPage } from "./old-page.js";
import { createRandom, seedOfRun } from "./random.js";
import { type AgentCall, ScriptedAgent } from "./scripted-agent.js";
import { startTestApp, type TestApp } from "./start-app.js";
import { patienceMs } from "./store-of-run.js";

/** So many users at the same time. */
const atOnce = 8;

/**
 * Runs so many pages, one of each kind after another. Those of a seed decide the same, however many there are.
 * @throws Error which names the seed and the run
 */
export async function runPages(count: number): Promise<Seen> {
  const [agent, clock] = [new ScriptedAgent(), new FakeClock()];
  const environment = { IDLE_TIMEOUT_MS: "0", AGENT_TIMEOUT_MS: "600000" };
  const app = await startTestApp(environment, { agents: { echo: agent }, clock });
  const seen: Seen = { snapshots: 0, redelivered: 0, recovered: 0, duplicates: 0 };
  const indexes = Array.from({ length: count }, (_, index) => index).values();
  const worker = async () => {
    for (const index of indexes) await runOne({ app, agent, clock, seen }, index);
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    for (const call of agent.calls) call.answer();
    await app.dispose();
  }
  return seen;
}

async function runOne(desk: Desk, index: number): Promise<void> {
  try {
    await new PageRun(desk, index, createRandom(seedOfRun + index)).run();
  } catch (cause) {
    throw new Error(`BENNU_SEED=${seedOfRun} repeats run ${index}: ${(cause as Error).message}`, { cause });
  }
}

/** What all runs have in common. */
interface Desk {
  readonly app: TestApp;
  readonly agent: ScriptedAgent;
  readonly clock: FakeClock;
  readonly seen: Seen;
}

type Kind = "old" | JoinStyle | "long-poll";

/** Run by run another one. */
const kinds: readonly Kind[] = ["resume", "old", "window", "long-poll", "both", "old", "bare", "long-poll"];
const faults = ["cut", "half-open", "drop-down", "refresh", "rejoin"] as const;
const businessId = "B1";
const words = ["Bună ", "ziua, ", "🦷 ", "programare ", "vineri ", "la 10", "? ", "👍🏽 "];
/** Longer than two deltas are apart. */
const betweenDeltasMs = 60;
/** Longer than a step lasts before it is shown. */
const whileMs = 200;

/**
 * One user at one page, which loses its line and is shown anew while it is answered. All that is done comes from
 * `random`; at the end the page shows what the store has. (SPEC M12, M16, M26, M40, M41)
 */
class PageRun {
  readonly #desk: Desk;
  readonly #random: () => number;
  readonly #kind: Kind;
  readonly #userId: string;
  readonly #memory: Memory;
  /** What the agent has yet to say, by call. */
  readonly #unsaid = new Map<AgentCall, AgentEvent[]>();
  /** And the text that it has shown. */
  readonly #shown = new Map<AgentCall, string>();
  #line!: FaultyLine;
  #page!: ChatPage;
  #isDead = false;
  /** What the page should have shown when it was last compared. */
  #due: readonly Row[] = [];
  #saidCount = 0;

  /** What every run begins with, each kind of page with another: with these nothing is left to chance. */
  readonly #begins = [() => this.#refresh(), () => this.#missAnswer(), () => this.#loseBothWays()];
  readonly #begin: number;

  constructor(desk: Desk, index: number, random: () => number) {
    this.#desk = desk;
    this.#begin = Math.floor(index / kinds.length) % this.#begins.length;
    this.#random = random;
    this.#kind = kinds[index % kinds.length]!;
    this.#userId = `user_${index}`;
    this.#memory = { chatId: `window_${index}`, sessionId: null, epoch: null, count: 0 };
  }

  async run(): Promise<void> {
    this.#line = await FaultyLine.to(this.#desk.app.port);
    try {
      await this.#open(false);
      await this.#page.settled();
      await this.#beginAnswer();
      await this.#begins[this.#begin]!();
      for (let step = 0; step < 12; step += 1) await this.#step();
      await this.#lastJoin();
      await this.#seesAnswerInTheMaking();
      await this.#showsTheStore();
    } finally {
      this.#page.vanish();
      await this.#line.close();
    }
  }

  async #open(isRefreshed: boolean): Promise<void> {
    const { app, seen } = this.#desk;
    const options = { url: this.#line.url, historyUrl: app.url, businessId, userId: this.#userId };
    const kind = this.#kind;
    if (kind === "old") {
      this.#page = new OldPage(options, seen, isRefreshed);
      return this.#page.open("1.4.17");
    }
    const style = kind === "long-poll" ? this.#pick(["resume", "window", "both", "bare"] as const) : kind;
    this.#page = new NewPage(options, seen, { style, memory: this.#memory });
    return this.#page.open("1.8.16", kind === "long-poll");
  }

  /** The first message, and the first of what is shown of its answer. */
  async #beginAnswer(): Promise<void> {
    const call = await this.#desk.agent.call(this.#say());
    while ((this.#shown.get(call) ?? "") === "") this.#agentGoesOn();
    if (this.#page instanceof NewPage) await this.#showsTextOf(this.#page, call);
  }

  async #step(): Promise<void> {
    const what = this.#random();
    if (what < 0.2 && this.#saidCount < 4) this.#say();
    else if (what < 0.55) this.#agentGoesOn();
    else if (what < 0.65) this.#desk.clock.advance(Math.floor(this.#random() * whileMs));
    else if (what < 0.8) await this.#settled();
    else await this.#fail(this.#pick(faults));
    for (let turns = Math.floor(this.#random() * 4); turns > 0; turns -= 1) await nextTurn();
    this.#check();
  }

  async #fail(fault: (typeof faults)[number]): Promise<void> {
    switch (fault) {
      case "cut":
        return this.#cut();
      case "half-open":
        this.#isDead = false;
        return this.#line.halfOpen();
      case "drop-down":
        this.#isDead = true;
        return void this.#line.dropDown();
      case "refresh":
        return this.#refresh();
      case "rejoin":
        if (!this.#isDead) this.#page.rejoin();
    }
  }

  #cut(): void {
    this.#isDead = false;
    this.#line.cut();
  }

  async #refresh(): Promise<void> {
    this.#leave();
    await this.#open(true);
  }

  /** The page goes; whether the server hears of it is another question. */
  #leave(): void {
    this.#check();
    this.#page.vanish();
    this.#isDead = false;
    if (this.#random() < 0.5) this.#line.cut();
    else this.#line.halfOpen();
  }

  /** The line is gone until the answer is stored: the same page comes back to it. */
  async #missAnswer(): Promise<void> {
    this.#leave();
    const call = this.#call()!;
    while (this.#unsaid.get(call)!.length > 0) this.#agentGoesOn();
    await this.#untilOpen(0, call);
    await this.#open(true);
  }

  /** Nothing arrives any more, and the page does not know: neither the answer nor that its next words are stored. */
  async #loseBothWays(): Promise<void> {
    const call = this.#call()!;
    await this.#fail("drop-down");
    this.#say();
    await this.#untilOpen(2, call);
    while (this.#unsaid.get(call)!.length > 0) this.#agentGoesOn();
    await this.#untilOpen(1, call);
    this.#cut();
  }

  /** Until so many of the session's turns are open. */
  async #untilOpen(count: number, { turn: { sessionId } }: AgentCall): Promise<void> {
    await this.#untilHolds(`${count} turns are open`, async () => {
      return (await this.#desk.app.store.readHead(sessionId))!.turns.length === count;
    });
  }

  #say(): string {
    const text = `message ${(this.#saidCount += 1)} of ${this.#userId}`;
    this.#page.say(text);
    return text;
  }

  /** The next event of the answer that is being made, if one is. */
  #agentGoesOn(): void {
    const call = this.#call();
    if (call === undefined) return;
    const event = this.#unsaid.get(call)!.shift()!;
    if (event.type === "delta") this.#shown.set(call, (this.#shown.get(call) ?? "") + event.text);
    call.say(event);
  }

  /** The one that has not said its last word. */
  #call(): AgentCall | undefined {
    for (const call of this.#desk.agent.calls) {
      if (call.turn.userId === this.#userId && !this.#unsaid.has(call)) this.#unsaid.set(call, this.#script());
    }
    return [...this.#unsaid].find(([, events]) => events.length > 0)?.[0];
  }

  #script(): AgentEvent[] {
    const step = { type: "thinking", step: "retrieval", label: "Looking it up" } as const;
    const deltas = Array.from({ length: 2 + Math.floor(this.#random() * 5) }, () => this.#pick(words));
    const shown = deltas.map((text) => ({ type: "delta", text }) as const);
    const isDone: AgentEvent = { ...step, status: "done" };
    const message = `${deltas.join("")}(${this.#userId})`;
    return [
      { ...step, status: "started" },
      ...shown.slice(0, 1),
      isDone,
      ...shown.slice(1),
      { type: "answer", message },
    ];
  }

  async #lastJoin(): Promise<void> {
    const what = this.#random();
    if (what < 0.3) this.#cut();
    else if (what < 0.8) await this.#refresh();
    await this.#settled();
    this.#check();
  }

  /** Over a line that is dead the reply to a join never comes. */
  async #settled(): Promise<void> {
    if (this.#isDead) this.#cut();
    await this.#page.settled();
  }

  /** What is shown of it is what the agent has said of it. */
  async #seesAnswerInTheMaking(): Promise<void> {
    const call = this.#call();
    if (call !== undefined && this.#page instanceof NewPage) await this.#showsTextOf(this.#page, call);
  }

  async #showsTextOf(page: NewPage, call: AgentCall): Promise<void> {
    const said = this.#shown.get(call) ?? "";
    const shown = () => page.running.get(call.turn.messageId)?.text ?? "";
    await this.#untilHolds(`the page shows ${said}`, () => {
      this.#desk.clock.advance(betweenDeltasMs);
      return shown() === said;
    });
  }

  async #showsTheStore(): Promise<void> {
    const [first] = this.#unsaid.keys();
    const { sessionId } = first!.turn;
    await this.#untilHolds("everything is answered, and the page shows what is stored", async () => {
      this.#agentGoesOn();
      this.#desk.clock.advance(whileMs);
      if (!(await this.#isAsStored(sessionId))) return false;
      // What was on its way is there then, and changes nothing.
      await this.#page.roundTrip(sessionId);
      return this.#isAsStored(sessionId);
    });
  }

  async #isAsStored(sessionId: string): Promise<boolean> {
    const page = this.#page;
    const stored = await readSession(this.#desk.app.url, sessionId);
    expect(stored.map(({ offset }) => offset)).toEqual(stored.map((_, index) => index + 1));
    const questions = stored.filter(({ type }) => type === "user");
    if (stored.length !== 2 * questions.length) return false;
    // An old page does not know what became of its own words when their acknowledgement was lost; all answers it has.
    const isKnown = ({ type, messageId }: Row) => type !== "user" || page.rows.has(messageId);
    const due = stored.map(rowOf).filter((row) => page instanceof NewPage || isKnown(row));
    this.#due = due;
    const isAtRest = page instanceof OldPage || (page as NewPage).isAtRest;
    return isAtRest && JSON.stringify(this.#shownBy(page)) === JSON.stringify(due);
  }

  #shownBy(page: ChatPage): readonly Row[] {
    return [...page.rows.values()].toSorted((one, other) => one.offset - other.offset);
  }

  /** A page that was told what must not be never comes right. */
  async #untilHolds(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = Date.now() + patienceMs;
    for (this.#check(); !(await holds()); this.#check()) {
      const told = JSON.stringify({ kind: this.#kind, shown: this.#shownBy(this.#page), due: this.#due });
      if (Date.now() > end) throw new Error(`in vain: ${what}; ${told}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #check(): void {
    expect(this.#page.violations).toEqual([]);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
