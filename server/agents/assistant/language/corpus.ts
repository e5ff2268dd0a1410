import { stems } from "../words.js";
import { tasksEn } from "./tasks-en.js";
import { tasksRo } from "./tasks-ro.js";
import { topicsEn } from "./topics-en.js";
import { topicsRo } from "./topics-ro.js";

/** What customers want done, of any business; "answer" is what they say in between. */
export type TaskKind = keyof typeof tasksRo;
/** What they ask about. */
export type Topic = keyof typeof topicsRo;
export type Kind = TaskKind | Topic;

/** One message, as somebody might type it, and what kind it is of. */
export interface Utterance {
  readonly text: string;
  readonly kind: Kind;
}

/** A word that is said of so many kinds tells nothing of what a message is about. */
const COMMON_KINDS_MIN = 5;

/** How people say things, in Romanian and in English. */
export const utterances: readonly Utterance[] = [tasksRo, tasksEn, topicsRo, topicsEn].flatMap((corpus) =>
  Object.entries(corpus).flatMap(([kind, lines]) =>
    lines.split("/").map((text) => ({ text: text.trim(), kind: kind as Kind })),
  ),
);

/** Those that an intent can be of; what is said in between begins none. */
export const taskKinds = (Object.keys(tasksRo) as TaskKind[]).filter((kind) => kind !== "answer");

export function isTopic(kind: Kind): kind is Topic {
  return kind in topicsRo;
}

const stemsByKind = readStems();
const commonStems = readCommonStems();

/** The stems of what is said of a topic. */
export function stemsOf(topic: Topic): ReadonlySet<string> {
  return stemsByKind.get(topic)!;
}

/** Whether a word is said whatever a message is about. */
export function isCommon(stem: string): boolean {
  return commonStems.has(stem);
}

function readStems(): ReadonlyMap<Kind, ReadonlySet<string>> {
  const read = new Map<Kind, Set<string>>();
  for (const { text, kind } of utterances) {
    const known = read.get(kind) ?? new Set();
    for (const stem of stems(text)) known.add(stem);
    read.set(kind, known);
  }
  return read;
}

function readCommonStems(): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const stem of [...stemsByKind.values()].flatMap((all) => [...all]))
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
  return new Set([...counts.keys()].filter((stem) => counts.get(stem)! >= COMMON_KINDS_MIN));
}
