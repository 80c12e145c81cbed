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

/**
 * Rows, columns, the diagonal from top left to bottom right, the other one.
 * @param {number} side
 * @returns {import("./view.js").Patterns}
 */
function lines(side) {
  const span = Array.from({ length: side }, (_, i) => i);
  return Object.fromEntries([
    ...span.map((r) => [`row_${r}`, span.map((c) => [r, c])]),
    ...span.map((c) => [`col_${c}`, span.map((r) => [r, c])]),
    ["diag_lr", span.map((i) => [i, i])],
    ["diag_rl", span.map((i) => [i, side - 1 - i])],
  ]);
}

/** What the variants are played on, and what wins there, by their names. */
export const SHAPES = new Map([
  ["classic", { side: 3, highest: 50, patterns: lines(3) }],
  ["grand", { side: 5, highest: 75, patterns: lines(5) }],
]);
