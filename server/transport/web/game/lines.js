/**
 * The lines of a grid that win, in the order in which they are named.
 * @param {number} side
 * @returns {{name: string, cells: number[]}[]} cells are counted row by row from 0
 */
export function lines(side) {
  const span = [...Array(side).keys()];
  return [
    ...span.map((r) => ({ name: `row_${r}`, cells: span.map((c) => r * side + c) })),
    ...span.map((c) => ({ name: `col_${c}`, cells: span.map((r) => r * side + c) })),
    { name: "diag_lr", cells: span.map((i) => i * side + i) },
    { name: "diag_rl", cells: span.map((i) => i * side + side - 1 - i) },
  ];
}

/**
 * The first line that is complete, or null.
 * @param {number[][]} grid
 * @param {Iterable<number>} marked
 */
export function completeLine(grid, marked) {
  const has = new Set(marked);
  const cells = grid.flat();
  return (
    lines(grid.length).find((line) => line.cells.every((cell) => has.has(cells[cell]))) ?? null
  );
}

const ORDINALS = ["first", "second", "third", "fourth", "fifth"];

/** A line in words: "the second row". */
export function lineInWords(name) {
  const [kind, which] = name.split("_");
  if (kind === "row") return `the ${ORDINALS[which]} row`;
  if (kind === "col") return `the ${ORDINALS[which]} column`;
  return which === "lr" ? "the diagonal from top left" : "the diagonal from top right";
}
