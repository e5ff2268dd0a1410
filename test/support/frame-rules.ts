import type { WireMessage } from "./offline-client.js";

/** What a client may see of one topic, and what it has seen so far. */
interface TopicView {
  /** The join_ref of the channel that is there, by the replies. */
  open: string | null;
  /** The join_ref of a channel that a new join has replaced, until its end was told. */
  owed: string | null;
  /** A leave was answered: the next frame tells the end. */
  isLeaving: boolean;
  /** The last push that the channel has answered. */
  lastAnswered: number;
}

/**
 * Holds all that one client sent and received against what is promised to every client: one reply a ref, in order
 * within a channel, and nothing of a channel after its end.
 * @throws Error that says which rule and which frame
 * @see SPEC R1–R9, C1–C6
 */
export function checkFrames(sent: readonly WireMessage[], received: readonly WireMessage[]): Map<string, string> {
  const byRef = new Map(sent.map((message) => [message.ref, message]));
  const answered = new Set<unknown>();
  const topics = new Map<string, TopicView>();
  const heard = new Map<string, number>();

  for (const [index, frame] of received.entries()) {
    const fail = (what: string): never => {
      const before = received.slice(Math.max(0, index - 8), index + 1).map((one) => JSON.stringify(one));
      throw new Error(`${what}, the last of\n${before.join("\n")}`);
    };
    if (frame.event === "phx_reply") {
      if (answered.has(frame.ref)) fail("a second reply to one ref");
      answered.add(frame.ref);
    }
    const view = topics.get(frame.topic) ?? { open: null, owed: null, isLeaving: false, lastAnswered: 0 };
    topics.set(frame.topic, view);
    const request = frame.event === "phx_reply" ? byRef.get(frame.ref) : undefined;
    if (frame.event === "phx_reply" && request?.topic !== frame.topic) fail("a reply to what was never asked");
    if (frame.topic === "phoenix") continue;
    if (request?.event !== "phx_join" && view.owed !== null && frame.ref !== view.owed) {
      fail(`[R5] the end of ${view.owed}, which a new join replaced, does not follow the reply`);
    }
    if (request !== undefined) checkReply(view, request, frame, fail);
    else if (frame.event === "phx_close" || frame.event === "phx_error") checkEnd(view, frame, fail);
    else checkPush(view, frame, heard, fail);
  }
  return new Map([...topics].flatMap(([topic, { open }]) => (open === null ? [] : [[topic, open]])));
}

type Fail = (what: string) => never;

function checkReply(view: TopicView, request: WireMessage, frame: WireMessage, fail: Fail): void {
  const { status, response } = frame.payload as { status: string; response: Record<string, unknown> };
  if (request.event === "phx_join") {
    if (view.owed !== null) fail("[R5] a channel that was replaced never ended");
    view.owed = view.open;
    view.open = status === "ok" ? (request.ref as string) : null;
    view.isLeaving = false;
    view.lastAnswered = 0;
  } else if (response.reason === "unmatched topic") {
    if (view.open !== null) fail("[R2] unmatched, though there is a channel");
  } else if (request.event === "phx_leave") {
    if (view.open === null) return;
    if (request.joinRef !== null && request.joinRef !== view.open) fail("[R4] a stale leave was answered");
    view.isLeaving = true;
  } else {
    if (view.open === null) fail("a channel answers after its end");
    if (request.joinRef !== null && request.joinRef !== view.open) fail("[R4] a stale push was answered");
    if (frame.joinRef !== undefined && frame.joinRef !== view.open) fail("[R4] a reply of another channel");
    const number = Number(request.ref);
    if (request.event === "later") return;
    if (number < view.lastAnswered) fail("[C1] replies out of order");
    view.lastAnswered = number;
  }
}

function checkEnd(view: TopicView, frame: WireMessage, fail: Fail): void {
  if (view.owed !== null) {
    if (frame.event !== "phx_close") fail("[R5] a channel that was replaced ends by phx_error");
    view.owed = null;
    return;
  }
  if (frame.ref !== view.open) fail("a channel ends that is not there, or a second time");
  view.open = null;
}

function checkPush(view: TopicView, frame: WireMessage, heard: Map<string, number>, fail: Fail): void {
  if (view.open === null) fail("a frame of a channel that is not there");
  if (view.isLeaving) fail("[R6] something between the reply to a leave and the end");
  if (typeof frame.joinRef === "string" && frame.joinRef !== view.open) fail("[R4] a push of another channel");
  const { by, n } = frame.payload;
  if (typeof by !== "string") return;
  const line = `${frame.topic} ${frame.event} ${by}`;
  if ((n as number) <= (heard.get(line) ?? 0)) fail("[R9] what one sender broadcasts came out of order, or twice");
  heard.set(line, n as number);
}
