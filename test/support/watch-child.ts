// Loaded before a server that is a process of its own: what it answers otherwise than described is a line of its log.
import { watchAnswers } from "./watched-answers.js";

watchAnswers(
  () => true,
  (fault) => process.stderr.write(`${JSON.stringify({ level: 50, msg: "not as the API is described", fault })}\n`),
);
