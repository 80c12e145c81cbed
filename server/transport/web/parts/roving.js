/**
 * Make the buttons of a grid one stop of the Tab key; the arrow keys, Home and End move inside.
 * @param {HTMLElement} grid
 * @param {() => number} columns as they are shown now
 */
export function rove(grid, columns) {
  const cells = () => [...grid.querySelectorAll("button")];
  const go = (index) => {
    const all = cells();
    all.forEach((cell, i) => (cell.tabIndex = i === index ? 0 : -1));
    all[index].focus();
  };
  cells().forEach((cell, i) => (cell.tabIndex = i === 0 ? 0 : -1));
  grid.addEventListener("keydown", (event) => {
    const all = cells();
    const from = all.indexOf(document.activeElement);
    const to = target(event.key, from, all.length, columns());
    if (from < 0 || to === null) return;
    event.preventDefault();
    if (to >= 0 && to < all.length) go(to);
  });
  grid.addEventListener("focusin", (event) => {
    cells().forEach((cell) => (cell.tabIndex = cell === event.target ? 0 : -1));
  });
}

function target(key, from, length, columns) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  if (key in steps) return from + steps[key];
  if (key === "Home") return 0;
  return key === "End" ? length - 1 : null;
}

/** How many columns a CSS grid shows now. */
export const columnsOf = (grid) => getComputedStyle(grid).gridTemplateColumns.split(" ").length;
