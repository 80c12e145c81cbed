/**
 * The rows, columns and diagonals of a grid, in the order in which they are named: what wins unless
 * the lobby says otherwise.
 * @param {number} side
 * @returns {{name: string, cells: number[]}[]} cells are counted row by row from 0
 */
export function patternsOf(side) {
  const span = [...Array(side).keys()];
  return [
    ...span.map((r) => ({ name: `row_${r}`, cells: span.map((c) => r * side + c) })),
    ...span.map((c) => ({ name: `col_${c}`, cells: span.map((r) => r * side + c) })),
    { name: "diag_lr", cells: span.map((i) => i * side + i) },
    { name: "diag_rl", cells: span.map((i) => i * side + side - 1 - i) },
  ];
}

/**
 * The first pattern that is complete, or null.
 * @param {number[][]} grid
 * @param {Iterable<number>} marked
 * @param {import("./view.js").View["patterns"]} [patterns] what wins, if the lobby says it
 */
export function completePattern(grid, marked, patterns) {
  const has = new Set(marked);
  const cells = grid.flat();
  const known = patterns ? numbered(patterns, grid.length) : patternsOf(grid.length);
  return known.find((pattern) => pattern.cells.every((cell) => has.has(cells[cell]))) ?? null;
}

/** Patterns as the protocol writes them, with their cells counted. */
const numbered = (patterns, side) =>
  Object.entries(patterns).map(([name, cells]) => ({
    name,
    cells: cells.map(([row, column]) => row * side + column),
  }));

const ORDINALS = ["first", "second", "third", "fourth", "fifth"];
const DIAGONALS = { diag_lr: "the diagonal from top left", diag_rl: "the diagonal from top right" };
const KINDS = { row: "row", col: "column" };

/** A pattern in words, "the second row"; one that this page does not know by its name. */
export function patternInWords(name) {
  const [kind, which] = name.split("_");
  if (kind in KINDS && which in ORDINALS) return `the ${ORDINALS[which]} ${KINDS[kind]}`;
  return DIAGONALS[name] ?? name.replaceAll("_", " ");
}
