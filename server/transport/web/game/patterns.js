/**
 * The first pattern that is complete, or null.
 * @param {number[][]} grid
 * @param {Iterable<number>} marked
 * @param {import("./view.js").Patterns} [patterns] what wins, as the lobby says
 * @returns {{name: string, cells: number[]} | null} cells are counted row by row from 0
 */
export function completePattern(grid, marked, patterns = {}) {
  const has = new Set(marked);
  const complete = Object.entries(patterns).find(([, cells]) =>
    cells.every(([row, column]) => has.has(grid[row]?.[column])),
  );
  if (!complete) return null;
  const [name, cells] = complete;
  return { name, cells: cells.map(([row, column]) => row * grid.length + column) };
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth"];
const DIAGONALS = { diag_lr: "the diagonal from top left", diag_rl: "the diagonal from top right" };
const KINDS = { row: "row", col: "column" };

/** A pattern in words, "the second row"; one that this page does not know by its name. */
export function patternInWords(name) {
  const [kind, which] = name.split("_");
  if (kind in KINDS && which in ORDINALS) return `the ${ORDINALS[which]} ${KINDS[kind]}`;
  return DIAGONALS[name] ?? name.replaceAll("_", " ");
}
