// Runs the k6 script with Node: `node run.mjs URL VUS`. Each virtual user plays once; then it prints
// what was counted, and fails like k6 if a threshold of the script does not hold.
import { vu } from "./k6/execution.js";
import { counted } from "./k6/metrics.js";
import { allClosed } from "./k6/websockets.js";

const [, , URL, users] = process.argv;
globalThis.__ENV = { URL };
const { default: iteration, options } = await import("./k6.js");
for (vu.idInTest = 1; vu.idInTest <= Number(users); vu.idInTest++) iteration();
await allClosed();
console.log(JSON.stringify(Object.fromEntries(counted)));
for (const [name, expressions] of Object.entries(options.thresholds))
  for (const expression of expressions) {
    const [, most] = /^count == (\d+)$/.exec(expression);
    if ((counted.get(name)?.count ?? 0) !== Number(most)) process.exitCode = 99;
  }
