// What the servers in JavaScript have in common: see tests/bench/fanout/servers/.

const CYCLE = 64;

export const EVENT = "number_called";

export function announce(port) {
  process.stdout.write(`${port}\n`);
}

// One round, in a pass of the event loop of its own, for each byte of standard input.
export function play(playRound) {
  let asked = 0;
  let number = 0;
  const next = () => {
    const seq = 1000 + (number % CYCLE);
    playRound({ seq, at: 1763709754123.456, number: 17, previous: 42, index: 30 });
    number += 1;
    asked -= 1;
    if (asked > 0) setImmediate(next);
  };
  process.stdin.on("data", (bytes) => {
    const idle = asked === 0;
    asked += bytes.length;
    if (idle) setImmediate(next);
  });
  process.stdin.on("end", () => process.exit(0));
}
