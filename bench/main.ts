import { parseArgs } from "node:util";
import { engine } from "./engine.js";
import { machineLines } from "./machine.js";
import type { Figure, Options, Part } from "./part.js";
import { start } from "./start.js";
import { store } from "./store.js";
import { figureLines, tableLines } from "./table.js";
import { turn } from "./turn.js";

// `npm run bench -- <part> …` runs these parts only, `--only <words>` only the work with these words in its name;
// `--profile <folder>` has each server leave a CPU profile there.
const parts: Readonly<Record<string, Part>> = { engine, store, start, turn };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, profile: { type: "string" } },
});
const options: Options = { only: values.only ?? null, profileFolder: values.profile ?? null };
const unknown = positionals.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(", ")}; there is ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}

const startedAt = performance.now();
console.log(machineLines().join("\n"));
for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) await runPart(parts[name]!);
console.log(`\ntook     ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);

async function runPart(part: Part): Promise<void> {
  console.log(`\n# ${part.title}\n`);
  for (const limit of part.limits) console.log(`- ${limit}`);
  const figures: Figure[] = [];
  for await (const figure of part.run(options)) {
    figures.push(figure);
    console.log(["", ...figureLines(figure)].join("\n"));
  }
  console.log(["", ...tableLines(figures)].join("\n"));
}
