// For `node --import`: writes down every module that the process loads, by import or by require, a line each.
import { appendFileSync } from "node:fs";
import Module, { register } from "node:module";

const file = process.env.BENNU_MODULES_FILE;
const hooks = `
  import { appendFileSync } from "node:fs";
  export async function load(url, context, next) {
    appendFileSync(${JSON.stringify(file)}, url + "\\n");
    return next(url, context);
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

// What a CommonJS module requires passes no hook of the above.
const { _load: load } = Module;
Module._load = function (request, parent, ...rest) {
  appendFileSync(file, `require:${Module._resolveFilename(request, parent)}\n`);
  return load.call(this, request, parent, ...rest);
};
