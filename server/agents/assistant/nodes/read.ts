import { filledIn } from "../filled.js";
import { intentKinds } from "../kinds-of-intents.js";
import type { Node } from "../node.js";
import { readInSlices } from "../read-once.js";
import { intentWordings } from "../recognise.js";
import { leftTask } from "../resuming.js";
import { taskOf } from "../task.js";
import { entryScopes } from "../topics.js";

/**
 * Where the conversation stands, and whether the turn is something filled in; and what the business wrote, where nobody
 * has asked it anything yet.
 */
export const read: Node = async ({ turn }) => {
  await readInSlices(turn.business, [entryScopes, intentKinds, intentWordings]);
  const task = taskOf(turn);
  return { task, submitted: filledIn(turn, task ?? leftTask(turn)) };
};
